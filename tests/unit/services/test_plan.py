"""A plan names everything that is due and nothing else, and its digest commits to all of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from provider import DAY, MICROSECOND, MOVED, NEW, OLD, T0, Provider, crowd, day, part, provider, talk, text_of

from assent.domain.decision import Decision
from assent.policy.parse import parse_policy
from assent.services.plan import PlanReport, nominations
from assent.store.records import Account

HOMES = [(NEW,), (OLD, MOVED, NEW), ("google/2026-08-10",), ("openai/2026-06-04",)]
INSTANTS = [
    datetime(2025, 10, 8, tzinfo=UTC),
    datetime(2026, 3, 1, 7, 30, tzinfo=UTC),
    datetime(2031, 2, 28, tzinfo=UTC),
]

NOW = day(50)


def fill(made: Provider) -> None:
    made.person()
    made.keep(talk("a"), talk("b", "s1", day(1)), talk("c", "s1", day(40)))


def planned(folder: Path, change: Callable[[Provider], None] = lambda _: None, *, at: datetime = NOW) -> PlanReport:
    """Build the same store, change one thing, and plan."""
    with provider(folder) as made:
        fill(made)
        change(made)
        return made.plan(at)


# -- the digest -------------------------------------------------------------------------------------


def test_the_same_store_policies_and_instant_give_the_same_digest(tmp_path: Path) -> None:
    with provider(tmp_path / "one") as made:
        fill(made)
        first = made.plan(day(50))
        assert {made.plan(day(50), batch_rows=rows).digest for rows in (1, 2, 3, 100)} == {first.digest}
        assert made.store.plan(first.digest).counts == {"base": 4}
    assert planned(tmp_path / "two").digest == first.digest


def other_words(made: Provider) -> None:
    text = text_of(NEW).replace("You deleted this conversation", "You threw this conversation away")
    made.texts = [(parse_policy(text, "p"), text)]


CHANGES: dict[str, Callable[[Provider], None]] = {
    "one item more": lambda made: made.keep(talk("d")),
    "one item less": lambda made: made.flag("test:a", day(2)),
    "an item ends a microsecond later": lambda made: made.keep(talk("a", "s1", T0 + MICROSECOND)),
    "another rule ends it at the same instant": lambda made: made.store.request_deletion("test:a", T0),
    "another part of the same number": lambda made: made.hold("h", "test:b", day(2)),
    "a policy that says it in other words": other_words,
}


def test_the_digest_commits_to_policies_instant_and_every_item(tmp_path: Path) -> None:
    digests = {name: planned(tmp_path / str(n), change).digest for n, (name, change) in enumerate(CHANGES.items())}
    digests["nothing"] = planned(tmp_path / "same").digest
    digests["a microsecond later"] = planned(tmp_path / "later", at=day(50) + MICROSECOND).digest
    assert len(set(digests.values())) == len(digests), digests


def test_what_is_not_due_does_not_touch_the_digest(tmp_path: Path) -> None:
    """A plan is stable while people go on talking: only what it names counts."""
    more = planned(tmp_path / "more", lambda made: made.keep(talk("young", "s1", day(45))))
    assert more.digest == planned(tmp_path / "less").digest


def test_an_empty_store_has_an_empty_plan(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        report = made.plan(T0)
        assert (report.due, report.newly_due, report.looked_at, report.by_rule, report.sample) == (0, 0, 0, (), ())
        assert made.store.plan(report.digest).counts == {}


# -- completeness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("names", HOMES, ids=" ".join)
def test_a_plan_finds_exactly_what_the_reference_finds_due(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The index nominates: it may look at too much, and must never pass over a part that is due."""
    with provider(tmp_path / "home", *names) as made:
        crowd(made, INSTANTS[1], people=320, seed=len(names[-1]))
        for at in INSTANTS:
            decided = made.decided(at)
            report = made.plan(at, batch_rows=37)
            items = made.items(report.digest)
            assert {name: item.erase_by for name, item in items.items()} == {
                name: decision.erase_by for name, decision in decided.items() if decision.due()
            }
            assert all(item.rule in rules(made, decided[name]) for name, item in items.items())
            assert report.due == len(items) <= report.looked_at <= len(decided)
        assert report.due > 10


def rules(made: Provider, decision: Decision) -> set[str]:
    """Which rules may have set the end: those that had a say, a released hold, or a grant that only may count."""
    possible = {grant.id for policy in made.versions for grant in policy.grants} if decision.gap else set()
    return {reason.rule for reason in decision.reasons} | possible | {"hold"}


def test_the_index_spares_looking_at_what_cannot_be_due(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(*(talk(f"young{number}", "s1", day(90)) for number in range(20)), talk("old"))
        report = made.plan(day(100))
        assert (report.due, report.looked_at) == (2, 2)
        assert None not in nominations(made.store, made.versions, day(100)).values()


def test_an_older_version_still_binds_old_data(tmp_path: Path) -> None:
    """A conversation of spring 2025 ended under the terms of its time, whatever was allowed later."""
    spring = datetime(2025, 6, 1, tzinfo=UTC)
    found = {}
    for names in ((NEW,), (OLD, NEW)):
        with provider(tmp_path / str(len(names)), *names) as made:
            made.person()
            made.choose("allow", spring - DAY)
            made.keep(talk("a", "s1", spring))
            found[names] = made.plan(T0).due
    assert found == {(NEW,): 0, (OLD, NEW): 2}


def test_every_policy_that_a_tombstone_names_can_be_read(tmp_path: Path) -> None:
    with provider(tmp_path / "home", OLD, MOVED, NEW) as made:
        crowd(made, INSTANTS[1], people=60)
        made.sweep(made.plan(INSTANTS[1]).digest, INSTANTS[1])
        used = Counter(stone.policy for stone in made.stones())
        texts = {digest: made.store.policy(digest) for digest in used}
        assert len(used) > 1
        assert None not in texts.values()
        assert any("+" in text.name for text in texts.values())


# -- what a person reads ----------------------------------------------------------------------------


def test_counts_by_rule_add_up_and_count_people_once(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        for subject in ("s1", "s2"):
            made.person(subject)
            made.keep(talk(f"a-{subject}", subject), talk(f"b-{subject}", subject))
        made.store.request_deletion("test:a-s1", T0 - 5 * DAY)
        report = made.plan(day(40))
        tallies = {tally.label: (tally.parts, tally.conversations, tally.people) for tally in report.by_rule}
        assert tallies == {"base": (6, 3, 2), "deleted": (2, 1, 1)}
        assert report.due == 8


def test_the_sample_shows_different_conversations_that_are_in_the_plan(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(*(talk(f"c{number}", "s1", day(number / 10)) for number in range(9)))
        report = made.plan(day(60))
        items = made.items(report.digest)
        assert len({sample.conversation for sample in report.sample}) == len(report.sample) == 5
        for sample in report.sample:
            item = items[f"{sample.conversation}#{sample.part}"]
            assert (sample.rule, sample.erase_by) == (item.rule, item.erase_by)


def test_newly_due_counts_what_became_due_since_the_plan_before(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(talk("a"), talk("b", "s1", day(10)), talk("c", "s1", day(10) + MICROSECOND))
        reports = [made.plan(at) for at in (day(35), day(36), day(40), day(41))]
        assert [(report.due, report.newly_due) for report in reports] == [(2, 2), (2, 0), (4, 2), (6, 2)]


@pytest.mark.parametrize("what", ["hold released", "shorter policy", "flag reversed"])
def test_newly_due_counts_what_another_policy_or_a_release_makes_due(tmp_path: Path, what: str) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(talk("a"), talk("young", "s1", day(40)))
        at = day(25) if what == "shorter policy" else NOW
        if what == "hold released":
            made.hold("h", "test:a", T0)
        elif what == "flag reversed":
            made.flag("test:a", T0)
        assert made.plan(at).due == 0
        at += timedelta(hours=1)
        if what == "hold released":
            made.store.release_hold("h", at=at, by="desk")
        elif what == "flag reversed":
            made.store.reverse_flag("flag-test:a", at)
        else:
            text = text_of(NEW).replace('use_for = "P30D"', 'use_for = "P1D"')
            made.texts = [(parse_policy(text, "p"), text)]
        report = made.plan(at)
        assert (report.due, report.newly_due) == (2, 2)


def test_a_look_into_the_future_hides_nothing_from_the_next_plan(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(talk("a"))
        made.plan(day(400))
        report = made.plan(day(40))
        assert (report.due, report.newly_due) == (2, 2)


def test_a_business_plan_and_a_person_without_account_are_never_due(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.store.put_accounts([Account("b", plan="team", age=30)])
        made.keep(talk("a", "b"), talk("x", "unknown"), talk("y", None), talk("z", "b", None, part("q", at=None)))
        made.store.put_accounts([replace(made.store.account("b"), closed_at=day(1))])
        assert made.plan(day(3000)).due == 0
