"""Laws of scopes: what acts about everything, a project or a conversation come to, against a definition by search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from assent.domain.choices import Place, acts_on, reachable
from assent.domain.facts import ACTS, SCOPES, ChoiceAct, Facts
from assent.policy.standing import Answer, permissions
from tests.laws.strategies import all_shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NOW = T0 + timedelta(days=99)
WIDTHS = {scope: width for width, scope in enumerate(SCOPES)}
PURPOSES = ("training", "safety")
PLACES = (
    Place("c1"),
    Place("c2"),
    Place("c1", "p1"),
    Place("c2", "p2"),
    Place("c1", "p2"),
    Place("c1", project_lost=True),
)


@dataclass(frozen=True)
class Said:
    purpose: str
    act: str
    at: datetime
    scope: str
    target: str | None


def said(act: str, day: int, scope: str = "everything", target: str | None = None, purpose: str = "training") -> Said:
    return Said(purpose, act, T0 + timedelta(days=day), scope, target)


@st.composite
def an_act(draw: st.DrawFn, among: Sequence[str] = ACTS) -> Said:
    scope = draw(st.sampled_from(SCOPES))
    target = {
        "everything": None,
        "project": st.sampled_from(("p1", "p2")),
        "conversation": st.sampled_from(("c1", "c2")),
    }
    drawn = target[scope]
    return said(
        draw(st.sampled_from(among)),
        draw(st.integers(0, 6)),
        scope,
        None if drawn is None else draw(drawn),
        draw(st.sampled_from(PURPOSES)),
    )


acts = st.lists(an_act(), max_size=9)
refusal = an_act(among=("decline", "withdraw"))
place = st.sampled_from(PLACES)
day = st.integers(-1, 7)


def last_word(sequence: Sequence[Said], purpose: str, until: datetime) -> str | None:
    """How the evaluators read a sequence: the last act that decides."""
    decided = [one.act for one in sequence if one.purpose == purpose and one.at <= until and one.act != "defer"]
    return None if not decided else "allow" if decided[-1] == "allow" else "refuse"


def about(one: Said, where: Place) -> bool:
    return (
        one.scope == "everything"
        or (one.scope == "conversation" and one.target == where.conversation)
        or (one.scope == "project" and one.target == where.project and not where.project_lost)
        or (one.scope == "project" and where.project_lost and one.act in ("decline", "withdraw"))
    )


def by_search(sequence: Sequence[Said], where: Place, purpose: str, until: datetime) -> str | None:
    """The definition: an allow that nothing refused since, and that no narrower refusal stood against when it came."""
    known = [one for one in sequence if about(one, where) and one.purpose == purpose and one.at <= until]
    refusals = [one for one in known if one.act in ("decline", "withdraw")]
    for allow in (one for one in known if one.act == "allow"):
        if any(one.at >= allow.at for one in refusals):
            continue
        narrower = {scope for scope in SCOPES if WIDTHS[scope] > WIDTHS[allow.scope]}
        if not any(_refuses(known, scope, allow.at) for scope in narrower):
            return "allow"
    return "refuse" if refusals else None


def _refuses(known: Sequence[Said], scope: str, at: datetime) -> bool:
    there = [one for one in known if one.scope == scope and one.act != "defer" and one.at <= at]
    newest = max((one.at for one in there), default=None)
    return any(one.at == newest and one.act != "allow" for one in there)


def allowed(sequence: Sequence[Said], where: Place, purpose: str, until: datetime) -> bool:
    return last_word(acts_on(sequence, where), purpose, until) == "allow"


@given(acts, place, st.sampled_from(PURPOSES), day)
def test_acts_on_a_place_say_what_the_definition_says(
    sequence: list[Said], where: Place, purpose: str, until: int
) -> None:
    at = T0 + timedelta(days=until)
    assert last_word(acts_on(sequence, where), purpose, at) == by_search(sequence, where, purpose, at)


@given(acts, refusal, place, st.sampled_from(PURPOSES), day)
def test_a_refusal_at_any_scope_never_makes_any_part_more_permitted(
    sequence: list[Said], refused: Said, where: Place, purpose: str, until: int
) -> None:
    at = T0 + timedelta(days=until)
    assert allowed(sequence, where, purpose, at) >= allowed([*sequence, refused], where, purpose, at)


@given(acts, st.integers(1, 6), st.sampled_from(("everything", "project")))
def test_a_lock_survives_any_number_of_wider_allows(sequence: list[Said], times: int, scope: str) -> None:
    lock = said("decline", 7, "conversation", "c1")
    target = "p1" if scope == "project" else None
    wider = [said("allow", 8 + n, scope, target) for n in range(times)]
    for where in (Place("c1"), Place("c1", "p1"), Place("c1", project_lost=True)):
        assert not allowed([*sequence, lock, *wider], where, "training", NOW)
    opened = [*sequence, lock, *wider, said("allow", 20, "conversation", "c1")]
    assert allowed(opened, Place("c1", "p1"), "training", NOW)


@given(acts, an_act(), place)
def test_acts_about_another_project_or_conversation_never_matter(
    sequence: list[Said], other: Said, where: Place
) -> None:
    elsewhere = replace(other, scope="conversation", target="c9")
    in_another = replace(other, scope="project", target="p9")
    assert acts_on([*sequence, elsewhere], where) == acts_on(sequence, where)
    if not where.project_lost:
        assert acts_on([*sequence, in_another], where) == acts_on(sequence, where)


@given(acts, st.sampled_from((None, "p1", "p2", "p3")), st.sampled_from(PURPOSES), day)
def test_losing_the_name_of_the_project_permits_nothing_that_any_project_did_not(
    sequence: list[Said], project: str | None, purpose: str, until: int
) -> None:
    at = T0 + timedelta(days=until)
    assert allowed(sequence, Place("c1", project), purpose, at) >= allowed(
        sequence, Place("c1", project_lost=True), purpose, at
    )


@given(acts, acts, place, st.sampled_from(PURPOSES), day)
def test_a_link_never_makes_anything_more_permitted(
    own: list[Said], account: list[Said], where: Place, purpose: str, until: int
) -> None:
    at = T0 + timedelta(days=until)
    assert allowed(own, where, purpose, at) >= allowed(reachable(own, account), where, purpose, at)
    refused = by_search([one for one in account if one.act != "allow"], where, purpose, NOW)
    if refused == "refuse" and not any(one.act == "allow" for one in own):
        assert last_word(acts_on(reachable(own, account), where), purpose, NOW) == "refuse"


@given(acts, place, st.permutations(range(9)))
def test_the_order_in_which_acts_are_read_says_nothing(sequence: list[Said], where: Place, order: list[int]) -> None:
    mixed = [sequence[n] for n in order if n < len(sequence)]
    for purpose in PURPOSES:
        for until in range(8):
            at = T0 + timedelta(days=until)
            assert allowed(mixed, where, purpose, at) == allowed(sequence, where, purpose, at)


@given(acts, place)
def test_acts_without_scope_all_count(sequence: list[Said], where: Place) -> None:
    plain = [replace(one, scope="everything", target=None) for one in sequence]
    assert sorted(map(repr, acts_on(plain, where))) == sorted(map(repr, plain))


@given(acts, refusal, place, day, st.booleans())
def test_no_policy_permits_more_because_of_a_refusal(
    sequence: list[Said], refused: Said, where: Place, moment: int, by_default: bool
) -> None:
    def answers(said_so: list[Said]) -> list[Answer]:
        plain = tuple(ChoiceAct(one.purpose, one.act, one.at) for one in acts_on(said_so, where))
        clock = T0 + timedelta(days=moment)
        facts = Facts("x", created_at=clock, last_turn_at=clock, choices=plain)
        found = []
        for policy in all_shipped():
            for grant in (one for one in policy.grants if one.choices):
                rules = tuple(replace(rule, by_default=by_default) for rule in grant.choices)
                permission = permissions(rules, facts, policy, NOW)
                held = permission.answer is Answer.PERMITTED and permission.ended_at is None
                found.append(held)
        return found

    for before, after in zip(answers(sequence), answers([*sequence, refused]), strict=True):
        assert before >= after
