"""One decision on both sides of an instant: holds, ends, caps and floors that fall on the same microsecond."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.decision import Conflict, Decision
from assent.domain.durations import parse_duration
from assent.domain.facts import ChoiceAct, Facts, HoldSpan
from assent.domain.instants import LATEST
from assent.policy.decide import decide
from assent.policy.model import AgeTest, Cap, Grant, Lengths, Membership, Policy
from assent.policy.parse import parse_policy

DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
SMALL = parse_policy((Path(__file__).parent / "small.toml").read_text("utf-8"), "small.toml")
BASE, TRAINING, THUMBS = SMALL.grants
[DELETED] = SMALL.caps
TURN = datetime(2026, 5, 1, tzinfo=UTC)
END = TURN + 30 * DAY
FIVE_YEARS = datetime(2031, 5, 1, tzinfo=UTC)
PLAIN = Facts(
    "p", plan="pro", age=30, data="text", created_at=TURN - 9 * DAY, last_turn_at=TURN, recorded_at=TURN - 3 * DAY
)
ALLOWED = replace(PLAIN, choices=(ChoiceAct("training", "allow", TURN - DAY),))


def told(decision: Decision) -> list[str]:
    return [reason.rule for reason in decision.reasons]


def under(*grants: Grant, **more: object) -> Policy:
    return replace(SMALL, grants=grants, **more)


def grant(name: str, days: int | None, **more: object) -> Grant:
    lengths = Lengths(None if days is None else parse_duration(f"P{days}D"), {})
    return replace(BASE, id=name, use_for=lengths, caps=(), **more)


# -- holds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holds", "held", "erase_by"),
    [
        ([HoldSpan(TURN)], True, None),
        ([HoldSpan(END)], True, None),
        ([HoldSpan(END + MICROSECOND)], False, END),
        ([HoldSpan(TURN, END)], False, END),
        ([HoldSpan(TURN, END + MICROSECOND)], True, None),
        ([HoldSpan(TURN, END - DAY)], False, END),
        ([HoldSpan(TURN, END), HoldSpan(END)], True, None),
    ],
)
def test_a_hold_stands_from_its_start_until_the_very_instant_of_its_release(
    holds: list[HoldSpan], held: bool, erase_by: datetime | None
) -> None:
    found = decide(replace(ALLOWED, holds=tuple(holds)), under(BASE), END)
    assert (found.held, found.erase_by) == (held, erase_by)
    assert ("legal" in found.use_until) is held


def test_the_last_release_of_several_holds_sets_the_end_if_it_is_the_latest() -> None:
    late = END + 9 * DAY
    held = replace(
        PLAIN, holds=(HoldSpan(TURN, END + DAY), HoldSpan(TURN, END + 5 * DAY), HoldSpan(TURN, END + 2 * DAY))
    )
    found = decide(held, under(BASE), late)
    assert (found.erase_by, told(found)) == (END + 5 * DAY, ["base", "hold"])
    assert found.use_until == {"service": END}
    early = decide(replace(PLAIN, holds=(HoldSpan(TURN, END - DAY),)), under(BASE), late)
    assert (early.erase_by, told(early)) == (END, ["base"])
    even = decide(replace(PLAIN, holds=(HoldSpan(TURN, END),)), under(BASE), late)
    assert (even.erase_by, told(even)) == (END, ["base", "hold"])


def test_nothing_is_eligible_under_a_hold() -> None:
    assert decide(ALLOWED, SMALL, TURN + DAY).eligible == ("training",)
    found = decide(replace(ALLOWED, holds=(HoldSpan(TURN),)), SMALL, TURN + DAY)
    assert (found.eligible, found.use_until["legal"]) == ((), None)


# -- ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "eligible"), [(FIVE_YEARS - MICROSECOND, ("training",)), (FIVE_YEARS, ())])
def test_a_part_is_eligible_until_just_before_the_end_of_its_use(at: datetime, eligible: tuple[str, ...]) -> None:
    assert decide(ALLOWED, SMALL, at).eligible == eligible


def test_of_two_grants_of_a_purpose_the_later_end_counts_whatever_their_order() -> None:
    short, long = grant("short", 10), grant("long", 20)
    for rules in ((short, long), (long, short)):
        found = decide(PLAIN, under(*rules), TURN)
        assert (found.use_until, found.erase_by) == ({"service": TURN + 20 * DAY}, TURN + 20 * DAY)


def test_a_grant_without_an_end_has_none_and_is_not_erased() -> None:
    found = decide(PLAIN, under(grant("ever", None), grant("short", 10)), TURN)
    assert (found.use_until, found.erase_by, found.may_use_until) == ({"service": None}, None, LATEST)


def test_bytes_may_stay_longer_than_use() -> None:
    found = decide(PLAIN, under(grant("kept", 10, erase_after=parse_duration("P7D"))), TURN)
    assert (found.use_until, found.erase_by) == ({"service": TURN + 10 * DAY}, TURN + 17 * DAY)
    assert found.may_use_until == TURN + 10 * DAY


@pytest.mark.parametrize(("picked", "days"), [(None, 30), ("P3D", 3), ("P4D", 30), ("indefinite", None)])
def test_what_the_person_picked_counts_if_it_can_be_picked(picked: str | None, days: int | None) -> None:
    lengths = Lengths(parse_duration("P30D"), {"P3D": parse_duration("P3D"), "indefinite": None})
    found = decide(replace(PLAIN, user_duration=picked), under(replace(BASE, use_for=lengths, caps=())), TURN)
    assert found.erase_by == (None if days is None else TURN + days * DAY)


def test_without_a_basis_a_part_is_due_since_the_newest_of_its_clocks() -> None:
    nothing = under(replace(TRAINING, choices=TRAINING.choices))
    for facts, newest in (
        (PLAIN, TURN),
        (replace(PLAIN, recorded_at=TURN + DAY), TURN + DAY),
        (replace(PLAIN, created_at=TURN + 2 * DAY), TURN + 2 * DAY),
        (replace(PLAIN, last_turn_at=None), TURN - 3 * DAY),
        (replace(PLAIN, created_at=None, last_turn_at=None, recorded_at=None), None),
    ):
        found = decide(facts, nothing, TURN + 9 * DAY)
        assert (found.erase_by, found.use_until, found.may_use_until) == (newest, {}, None)
        assert told(found) == ["none"]


# -- caps -------------------------------------------------------------------------------------------


def capped(**values: object) -> Cap:
    lengths = {name: parse_duration(str(values.pop(name))) for name in ("use_after", "erase_after") if name in values}
    return replace(DELETED, **{"use_after": None, "erase_after": None, **lengths, **values})


def base(*caps: Cap, **more: object) -> Grant:
    return replace(BASE, caps=caps, **more)


@pytest.mark.parametrize(
    ("cap", "deleted", "use_until", "erase_by", "said"),
    [
        (capped(), TURN, TURN, TURN, True),
        (capped(), END - MICROSECOND, END - MICROSECOND, END - MICROSECOND, True),
        (capped(), END, END, END, False),
        (capped(), END + MICROSECOND, END, END, False),
        (capped(use_after="P2D"), TURN, TURN + 2 * DAY, TURN + 2 * DAY, True),
        (capped(erase_after="P7D"), TURN, TURN, TURN + 7 * DAY, True),
        (capped(use_after="P2D", erase_after="P7D"), TURN, TURN + 2 * DAY, TURN + 9 * DAY, True),
        (capped(erase_after="P30D"), TURN, TURN, END, True),
        (capped(erase_after="P40D"), TURN, TURN, END, True),
        (capped(keeps=True), TURN, TURN, END, True),
        (capped(keeps=True), END, END, END, False),
    ],
)
def test_a_cap_shortens_what_runs_longer_and_is_told_only_then(
    cap: Cap, deleted: datetime, use_until: datetime, erase_by: datetime, said: bool
) -> None:
    found = decide(replace(PLAIN, deleted_at=deleted), under(base(cap), caps=(cap,)), END + DAY)
    assert (found.use_until, found.erase_by) == ({"service": use_until}, erase_by)
    assert ("deleted" in told(found)) is said


def test_an_event_counts_from_its_very_instant_on() -> None:
    deleted = replace(PLAIN, deleted_at=TURN + DAY)
    assert told(decide(deleted, SMALL, TURN + DAY)) == ["base", "deleted"]
    assert told(decide(deleted, SMALL, TURN + DAY - MICROSECOND)) == ["base"]


@pytest.mark.parametrize(("stronger", "winner"), [(-1, "deleted"), (0, "deleted"), (1, "base")])
def test_a_floor_keeps_its_bytes_against_a_weaker_cap_and_either_way_it_is_told(stronger: int, winner: str) -> None:
    cap = capped(erase_after="P7D")
    floor = base(cap, floor=True, rank=cap.rank + stronger)
    found = decide(replace(PLAIN, deleted_at=TURN), under(floor, caps=(cap,)), TURN + DAY)
    assert found.use_until == {"service": TURN}
    assert found.conflicts == (Conflict("base", "deleted", winner),)
    assert found.erase_by == (END if winner == "base" else TURN + 7 * DAY)
    later = decide(replace(PLAIN, deleted_at=END - 7 * DAY), under(floor, caps=(cap,)), END)
    assert (later.conflicts, later.erase_by) == ((), END), "the floor does not rise above a cap of the same end"


@pytest.mark.parametrize(("stronger", "winner"), [(-1, "ceiling"), (0, "ceiling"), (1, "floor")])
def test_a_floor_above_a_ceiling_is_a_conflict_that_the_stronger_wins(stronger: int, winner: str) -> None:
    ceiling, weak = grant("ceiling", 10), grant("weak", 5)
    floor = grant("floor", 20, floor=True, rank=BASE.rank + 1 + stronger)
    ceiling, weak = replace(ceiling, rank=BASE.rank + 1), replace(weak, rank=BASE.rank + 1)
    for rules in ((weak, ceiling, floor), (floor, ceiling, weak)):
        found = decide(PLAIN, under(*rules), TURN)
        assert found.conflicts == (Conflict("floor", "ceiling", winner),)
        assert found.erase_by == TURN + (20 if winner == "floor" else 10) * DAY
        assert found.use_until == {"service": found.erase_by}, "no use outlasts the bytes"
        assert found.may_use_until == found.erase_by


def test_a_floor_that_ends_with_its_ceiling_is_no_conflict() -> None:
    ceiling = grant("ceiling", 20)
    for days, end in ((19, 20), (20, 20)):
        found = decide(PLAIN, under(ceiling, grant("floor", days, floor=True)), TURN)
        assert (found.conflicts, found.erase_by) == ((), TURN + end * DAY)
    alone = decide(PLAIN, under(grant("floor", 20, floor=True)), TURN)
    assert (alone.conflicts, alone.erase_by) == ((), TURN + 20 * DAY)


# -- what is not known ------------------------------------------------------------------------------


def test_a_grant_that_only_may_count_keeps_the_bytes_and_gives_no_use() -> None:
    found = decide(replace(ALLOWED, age=None), SMALL, TURN + DAY)
    assert (found.gap, found.eligible) == (("age",), ())
    assert found.use_until == {"service": END}
    assert (found.erase_by, found.may_use_until) == (FIVE_YEARS, FIVE_YEARS)
    assert told(found) == ["base", "age", "gap"]


def test_a_clock_that_is_not_known_keeps_the_bytes_without_an_end() -> None:
    found = decide(replace(PLAIN, last_turn_at=None), under(BASE), TURN + DAY)
    assert (found.gap, found.use_until, found.erase_by, found.may_use_until) == (("last_turn_at",), {}, None, LATEST)


@pytest.mark.parametrize(
    ("test", "facts", "answer"),
    [
        (AgeTest(18, None), Facts("p", age=17), True),
        (AgeTest(18, None), Facts("p", age=18), False),
        (AgeTest(None, 18), Facts("p", age=18), True),
        (AgeTest(None, 18), Facts("p", age=17), False),
        (AgeTest(18, 16), Facts("p", age=16), True),
        (AgeTest(18, 16), Facts("p", age=15), False),
        (AgeTest(18, 16), Facts("p", age=18), False),
        (AgeTest(18, 16), Facts("p"), None),
        (Membership("plan", frozenset({"pro"})), Facts("p", plan="pro"), True),
        (Membership("plan", frozenset({"pro"})), Facts("p", plan="free"), False),
        (Membership("plan", frozenset({"pro"})), Facts("p"), None),
        (Membership("plan", frozenset({"pro"}), negated=True), Facts("p", plan="pro"), False),
        (Membership("plan", frozenset({"pro"}), negated=True), Facts("p", plan="free"), True),
        (Membership("plan", frozenset({"pro"}), negated=True), Facts("p"), None),
        (Membership("plan", frozenset({"pro"}), declared=frozenset({"pro", "free"})), Facts("p", plan="team"), None),
        (Membership("plan", frozenset({"pro"}), declared=frozenset({"pro", "free"})), Facts("p", plan="free"), False),
    ],
)
def test_a_test_on_a_fact_is_true_false_or_unknown(
    test: AgeTest | Membership, facts: Facts, answer: bool | None
) -> None:
    assert test(facts) is answer


def test_a_rule_that_ignores_something_is_an_exception() -> None:
    assert [rule.kind for rule in SMALL.grants] == ["grant", "grant", "exception"]
    assert replace(THUMBS, ignores=None).kind == "grant"
    assert replace(BASE, ignores=frozenset()).kind == "exception"
