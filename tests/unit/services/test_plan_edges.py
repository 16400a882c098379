"""What a plan keeps and counts at its edges: its texts, its lead, the plan before it, what comes to rest."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from provider import DAY, MICROSECOND, MOVED, NEW, OLD, T0, Provider, day, policies, provider, talk

from assent.domain.digests import digest
from assent.services.plan import Sample, keep_policies, make_plan
from assent.store.records import Plan, PolicyText

NOW = day(50)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "home") as made:
        made.person()
        yield made


def planned(made: Provider, **more: object) -> str:
    return make_plan(made.store, made.columns, made.texts, **{"at": NOW, "batch_rows": 50, **more}).digest


# -- what is kept -----------------------------------------------------------------------------------


def test_the_texts_of_each_version_and_of_each_two_together_are_kept(acme: Provider) -> None:
    versions = policies(OLD, MOVED, NEW)
    (old, old_text), (moved, moved_text), (new, new_text) = versions
    keep_policies(acme.store, versions, T0)
    assert {text.digest: text for text in acme.store.policies()} == {
        text.digest: text
        for text in (
            PolicyText(old.digest, OLD, old_text, T0),
            PolicyText(moved.digest, MOVED, moved_text, T0),
            PolicyText(new.digest, NEW, new_text, T0),
            PolicyText(digest([old.digest, moved.digest]), f"{OLD} + {MOVED}", f"{old_text}\n{moved_text}", T0),
            PolicyText(digest([old.digest, new.digest]), f"{OLD} + {NEW}", f"{old_text}\n{new_text}", T0),
            PolicyText(digest([moved.digest, new.digest]), f"{MOVED} + {NEW}", f"{moved_text}\n{new_text}", T0),
        )
    }


@pytest.mark.parametrize(("now", "kept_at"), [(None, NOW), (day(3), day(3))])
def test_the_texts_are_kept_at_the_instant_at_which_somebody_asks(acme: Provider, now: object, kept_at: object) -> None:
    planned(acme, now=now)
    assert {text.added_at for text in acme.store.policies()} == {kept_at}


def test_a_plan_is_kept_with_its_policies_instant_and_counts(acme: Provider) -> None:
    acme.keep(talk("a"), talk("b"))
    acme.store.request_deletion("test:b", T0)
    report = acme.plan(NOW)
    [version] = acme.versions
    assert acme.store.plan(report.digest) == Plan(report.digest, (version.digest,), NOW, {"base": 2, "deleted": 2}, NOW)
    assert (report.at, report.policies) == (NOW, ((NEW, version.digest),))
    assert {item.rule for item in acme.items(report.digest).values()} == {"base", "deleted"}


def test_a_lead_is_part_of_what_the_digest_names(acme: Provider) -> None:
    acme.keep(talk("a"))
    digests = [planned(acme, lead=lead) for lead in (timedelta(), DAY, 2 * DAY)]
    assert len(set(digests)) == 3
    assert planned(acme, lead=DAY) == digests[1]


def test_a_part_is_in_the_plan_from_the_instant_at_which_its_lead_begins(acme: Provider) -> None:
    acme.keep(talk("a"))
    acme.store.request_deletion("test:a", T0)  # nobody may use it any more, so that it may go before its end
    for at, due in ((day(29) - MICROSECOND, 0), (day(29), 2), (day(30), 2)):
        assert make_plan(acme.store, acme.columns, acme.texts, at=at, batch_rows=50, lead=DAY).due == due


def test_the_sample_is_one_part_of_each_of_the_first_conversations(acme: Provider) -> None:
    acme.keep(*(talk(f"c{number}") for number in range(9)))
    assert acme.plan(NOW).sample == tuple(Sample(f"test:c{number}", "q", "base", day(30)) for number in range(5))


# -- the plan before --------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 50])
def test_what_is_newly_due_is_what_the_plan_before_did_not_name_wherever_it_stands(
    acme: Provider, batch_rows: int
) -> None:
    acme.keep(*(talk(name) for name in "abcd"))
    acme.flag("test:c", T0)
    assert acme.plan(NOW, batch_rows=batch_rows).newly_due == 6
    acme.hold("h", "test:b", NOW)
    acme.store.reverse_flag("flag-test:c", NOW + DAY)
    report = acme.plan(NOW + DAY, batch_rows=batch_rows)
    assert (report.due, report.newly_due) == (6, 2)


def test_the_plan_before_may_be_of_the_same_instant(acme: Provider) -> None:
    acme.keep(talk("a"))
    acme.plan(NOW)
    acme.keep(talk("b"))
    report = acme.plan(NOW)
    assert (report.due, report.newly_due) == (4, 2)


def test_the_plan_before_is_found_behind_many_that_looked_further(acme: Provider) -> None:
    acme.keep(talk("a"))
    first = acme.plan(NOW)
    known = acme.store.plan(first.digest).policies
    for number in range(205):
        acme.store.save_plan(Plan(f"sha256:{number:064x}", known, day(400), {}, NOW + number * MICROSECOND), [])
    assert acme.plan(NOW + DAY).newly_due == 0


# -- what comes to rest -----------------------------------------------------------------------------


def allowed(made: Provider, name: str, subject: str, at: object) -> None:
    made.person(subject)
    made.choose("allow", at - DAY, subject)
    made.keep(talk(name, subject, at))


def test_what_a_choice_keeps_is_looked_at_once(acme: Provider) -> None:
    allowed(acme, "kept", "s2", T0)
    assert [acme.plan(NOW + number * DAY).looked_at for number in range(3)] == [2, 0, 0]


def test_what_was_kept_is_looked_at_again_after_another_act(acme: Provider) -> None:
    allowed(acme, "kept", "s2", T0)
    acme.plan(NOW)
    acme.choose("withdraw", NOW + DAY, "s2")
    report = acme.plan(NOW + 40 * DAY)
    assert (report.looked_at, report.due) == (2, 2)


@pytest.mark.parametrize(
    ("lead", "left", "again"),
    [
        (timedelta(), 30 * DAY, 2),
        (timedelta(), 30 * DAY + MICROSECOND, 0),
        (DAY, 31 * DAY, 2),
        (DAY, 31 * DAY + MICROSECOND, 0),
    ],
)
def test_what_ends_within_a_month_does_not_come_to_rest(
    acme: Provider, lead: timedelta, left: timedelta, again: int
) -> None:
    allowed(acme, "kept", "s2", T0)
    at = T0.replace(year=T0.year + 5) - left
    looked_at = [
        make_plan(acme.store, acme.columns, acme.texts, at=at, batch_rows=50, lead=lead).looked_at for _ in range(2)
    ]
    assert looked_at == [2, again]
