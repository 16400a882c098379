"""Versions together: which of them govern a part, to the instant, and the stricter of their answers in full."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.decision import Conflict, Decision, Reason
from assent.domain.digests import digest
from assent.domain.facts import Facts
from assent.domain.instants import LATEST
from assent.policy.explain import GAP_WORDS, reasons
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.policy.versions import by_date, governing, in_force, stricter

DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
SMALL = parse_policy((Path(__file__).parent / "small.toml").read_text("utf-8"), "small.toml")


def version(name: str, effective: datetime, **more: object) -> Policy:
    return replace(
        SMALL, name=name, effective=effective, announced=effective - 20 * DAY, acknowledgement_counts=True, **more
    )


SPRING, SUMMER, AUTUMN = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 6, 9))
FIRST, SECOND, THIRD = version("first", SPRING), version("second", SUMMER), version("third", AUTUMN)
ALL = (FIRST, SECOND, THIRD)
LATER = AUTUMN + 30 * DAY


@pytest.mark.parametrize("order", [(FIRST, SECOND, THIRD), (THIRD, FIRST, SECOND), (THIRD, SECOND, FIRST)])
def test_versions_are_ordered_by_the_date_from_which_they_bind(order: Sequence[Policy]) -> None:
    assert by_date(order) == ALL


@pytest.mark.parametrize(
    ("moment", "seen", "expected"),
    [
        (SPRING - DAY, None, "first"),
        (SPRING, None, "first"),
        (SUMMER - MICROSECOND, None, "first"),
        (SUMMER, None, "second"),
        (AUTUMN - MICROSECOND, None, "second"),
        (AUTUMN, None, "third"),
        (LATER, None, "third"),
        (SUMMER - 5 * DAY, SUMMER - 5 * DAY, "second"),
        (SUMMER - 5 * DAY - MICROSECOND, SUMMER - 5 * DAY, "first"),
    ],
)
def test_a_version_is_in_force_from_the_very_instant_at_which_it_binds(
    moment: datetime, seen: datetime | None, expected: str
) -> None:
    assert in_force(ALL, Facts("p", acknowledged_at=seen), moment, LATER).name == expected


@pytest.mark.parametrize(
    ("turn", "at", "expected"),
    [
        (SPRING + DAY, LATER, ["first", "third"]),
        (SUMMER, LATER, ["second", "third"]),
        (SUMMER - MICROSECOND, LATER, ["first", "third"]),
        (AUTUMN, LATER, ["third"]),
        (None, LATER, ["third"]),
        (SPRING - DAY, SUMMER, ["first", "second"]),
        (SPRING - DAY, SPRING, ["first"]),
        (AUTUMN, SUMMER, ["second"]),
        (SUMMER, SUMMER, ["second"]),
    ],
)
def test_a_part_is_governed_by_the_version_of_its_time_and_by_todays(
    turn: datetime | None, at: datetime, expected: list[str]
) -> None:
    assert [policy.name for policy in governing(ALL, Facts("p", last_turn_at=turn), at)] == expected


def test_the_time_of_a_part_is_read_from_the_clock_of_todays_version() -> None:
    by_creation = replace(THIRD, part_clock="created_at")
    old = Facts("p", created_at=SPRING, last_turn_at=SUMMER)
    assert [policy.name for policy in governing((FIRST, SECOND, by_creation), old, LATER)] == ["first", "third"]
    assert [policy.name for policy in governing(ALL, old, LATER)] == ["second", "third"]


# -- the stricter answer ----------------------------------------------------------------------------

AT = LATER
PLAIN = Decision(
    "p", AT, ("training", "feedback"), {"service": AT + 9 * DAY, "training": None}, AT + 9 * DAY, False, ("age",),
    (Conflict("a", "b", "a"),), (Reason("base", "grant", "kept"),), "acme/1", "sha256:1", AT + 9 * DAY,
)  # fmt: skip
OTHER = PLAIN._replace(
    eligible=("training",), use_until={"training": AT + 5 * DAY, "service": AT + 7 * DAY, "safety": None},
    erase_by=AT + 6 * DAY, gap=("age", "plan"), conflicts=(Conflict("c", "d", "d"), Conflict("a", "b", "a")),
    reasons=(Reason("base", "grant", "kept"), Reason("minor", "veto", "never")), policy="acme/2", digest="sha256:2",
    may_use_until=AT + 6 * DAY,
)  # fmt: skip


def test_one_answer_is_itself() -> None:
    assert stricter([PLAIN]) is PLAIN


def test_of_two_answers_each_value_is_the_stricter_and_every_reason_is_told() -> None:
    assert stricter([PLAIN, OTHER]) == Decision(
        part="p",
        at=AT,
        eligible=("training",),
        use_until={"service": AT + 6 * DAY, "training": AT + 5 * DAY},
        erase_by=AT + 6 * DAY,
        held=False,
        gap=("age", "plan"),
        conflicts=(Conflict("a", "b", "a"), Conflict("c", "d", "d")),
        reasons=(Reason("base", "grant", "kept"), Reason("minor", "veto", "never")),
        policy="acme/1 + acme/2",
        digest=digest(["sha256:1", "sha256:2"]),
        may_use_until=AT + 6 * DAY,
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"erase_by": None}, {"erase_by": AT + 9 * DAY}),
        ({"held": True, "erase_by": None}, {"held": True, "erase_by": None}),
        ({"may_use_until": None}, {"may_use_until": None}),
        ({"may_use_until": LATEST}, {"may_use_until": AT + 9 * DAY}),
        ({"eligible": ()}, {"eligible": ()}),
        ({"use_until": {}}, {"use_until": {}}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_it_does_not_matter_which_of_two_is_the_stricter(
    values: dict[str, object], expected: dict[str, object], *, turned: bool
) -> None:
    both = [PLAIN, PLAIN._replace(**values)]
    found = stricter(both[::-1] if turned else both)
    assert {name: getattr(found, name) for name in expected} == expected


def test_without_an_end_under_any_there_is_none() -> None:
    endless = PLAIN._replace(erase_by=None, use_until={"service": None}, may_use_until=LATEST)
    found = stricter([endless, endless])
    assert (found.erase_by, found.use_until, found.may_use_until) == (None, {"service": None}, LATEST)


# -- reasons ----------------------------------------------------------------------------------------

BASE, TRAINING, THUMBS = SMALL.grants


def said(*bases: object, **more: object) -> list[tuple[str, str, str]]:
    values = {"vetoed": (), "capped": {}, "gap": (), "held": False, "released_at": None, **more}
    vetoed, capped, gap = values.pop("vetoed"), values.pop("capped"), values.pop("gap")
    return [tuple(reason) for reason in reasons(SMALL, bases, vetoed, capped, gap, **values)]


def test_a_grant_tells_its_ends() -> None:
    end = AT.replace(tzinfo=UTC)
    assert said((BASE, True, end, end), (THUMBS, True, end, end + DAY), (TRAINING, True, end, LATEST)) == [
        ("base", "grant", "Chats are kept up to 30 days after your last turn (until 2026-10-01T00:00:00Z)"),
        ("thumbs", "exception", ("What you send as feedback is kept up to 2 years (use until 2026-10-01T00:00:00Z,"
                                 " erased by 2026-10-02T00:00:00Z)")),
        ("training", "grant", "Chats that you allow for training are kept up to 5 years (no end is set)"),
    ]  # fmt: skip


def test_reasons_come_by_their_kinds_and_gaps_by_their_names() -> None:
    found = said(
        (BASE, True, LATEST, LATEST),
        (TRAINING, False, LATEST, LATEST),
        (THUMBS, False, LATEST, LATEST),
        vetoed={"minor"},
        capped={"withdrawn": AT, "deleted": AT - DAY},
        gap={"plan", "age", "shoe_size"},
        held=True,
        released_at=AT,
    )
    assert found == [
        ("base", "grant", "Chats are kept up to 30 days after your last turn (no end is set)"),
        ("deleted", "cap", "You deleted this chat: it is gone within 30 days (since 2026-09-30T00:00:00Z)"),
        ("withdrawn", "cap", "You took the permission back (since 2026-10-01T00:00:00Z)"),
        ("minor", "veto", "Chats of people under 18 never train"),
        ("hold", "hold", "a legal hold forbids erasure; the data is set apart for legal use only"),
        ("age", "gap", "the age is unknown"),
        ("plan", "gap", "the plan is unknown to this policy"),
        ("shoe_size", "gap", "`shoe_size` is unknown"),
        ("gap", "gap", ("until that is known, the bytes are kept as if: Chats that you allow for training are kept up"
                        " to 5 years; What you send as feedback is kept up to 2 years")),
    ]  # fmt: skip


def test_a_released_hold_tells_when() -> None:
    assert said((BASE, True, AT, AT), released_at=AT)[1:] == [
        ("hold", "hold", "a legal hold kept this until it was released (at 2026-10-01T00:00:00Z)")
    ]


def test_without_any_rule_that_is_said() -> None:
    assert said() == [("none", "none", "no rule of this policy is a basis to keep this part")]
    assert said(vetoed=["minor"]) == [("minor", "veto", "Chats of people under 18 never train")]


def test_every_gap_has_words() -> None:
    assert [row[2] for row in said(gap=GAP_WORDS)][:3] == [
        "the age is unknown",
        "the person has not answered yet",
        "the time of this part is unknown",
    ]
