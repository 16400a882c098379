"""What the set query says beside the decision: in one word why not, by which rule, under which versions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assent.domain.facts import ChoiceAct, Facts, HoldSpan
from assent.policy.compile import GAP_KEYS, compile_policy
from assent.policy.compile_versions import compile_versions, ripe_at
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.store.columns import Columns, tables

DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
COLUMNS = Columns(threads=1)
TEXT = (Path(__file__).parent / "small.toml").read_text("utf-8")
TURN = datetime(2026, 5, 1, tzinfo=UTC)
AT = TURN + 10 * DAY


def policy(*changes: tuple[str, str]) -> Policy:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse_policy(text, "small.toml")


SMALL = policy()
WAITING = policy(('no_answer = "decline"', 'no_answer = "block"'))


def acts(*said: tuple[str, float]) -> tuple[ChoiceAct, ...]:
    return tuple(ChoiceAct("training", act, TURN + days * DAY) for act, days in said)


ALLOWED = acts(("allow", -1))
KNOWN = Facts(
    "p",
    plan="pro",
    age=30,
    data="text",
    created_at=TURN - 9 * DAY,
    last_turn_at=TURN,
    recorded_at=TURN,
    choices=ALLOWED,
)


def row(facts: Facts, under: Policy = SMALL, at: datetime = AT) -> dict[str, Any]:
    query = compile_policy(under, at)
    with COLUMNS.loaded(*tables([facts]), at):
        [found] = COLUMNS.table(query.sql).to_pylist()
    found["why_not"] = {purpose: found[f"why_not_{n}"] for n, purpose in enumerate(query.purposes)}
    return found


# -- why not ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"holds": (HoldSpan(TURN),)}, "hold"),
        ({"holds": (HoldSpan(TURN, AT),)}, "ended"),
        ({"age": 17}, "minor"),
        ({"age": 17, "choices": ()}, "minor"),
        ({"choices": ()}, "not allowed"),
        ({"choices": acts(("decline", -1))}, "not allowed"),
        ({"choices": acts(("allow", 1))}, "not allowed"),
        ({"age": None}, "gap"),
        ({"plan": None}, "gap"),
        ({"plan": None, "choices": ()}, "not allowed"),
        ({"last_turn_at": None}, "gap"),
        ({"deleted_at": AT}, "deleted"),
        ({"deleted_at": AT + MICROSECOND}, "ended"),
        ({"choices": acts(("allow", -1), ("withdraw", 10))}, "withdrawn"),
        ({"choices": acts(("allow", -1), ("withdraw", 10.1))}, "ended"),
        ({"choices": acts(("allow", -1), ("withdraw", 5)), "deleted_at": TURN}, "deleted"),
        ({"data": "score"}, "no basis"),
        ({"data": "score", "age": 17}, "minor"),
        ({"plan": "team"}, "gap"),
    ],
)
def test_why_not_is_the_first_thing_that_stopped_the_grant(change: dict[str, object], why: str) -> None:
    """The word of a part that may be taken means nothing; here it is `ended`, since nothing else stands in the way."""
    assert row(replace(KNOWN, **change))["why_not"]["training"] == why


def test_who_has_not_answered_is_unanswered_as_long_as_silence_does_not_refuse() -> None:
    silent = replace(KNOWN, choices=acts(("defer", -1)))
    assert row(silent, WAITING)["why_not"]["training"] == "unanswered"
    assert row(replace(silent, age=None), WAITING)["why_not"]["training"] == "unanswered"
    deadline = SMALL.silence_refuses_from
    assert deadline is not None
    early = replace(silent, last_turn_at=deadline - DAY)
    assert row(early, at=deadline - MICROSECOND)["why_not"]["training"] == "unanswered"
    assert row(early, at=deadline)["why_not"]["training"] == "not allowed"


def test_a_grant_that_ran_out_has_ended_at_the_very_instant() -> None:
    end = TURN.replace(year=TURN.year + 5)
    assert [row(KNOWN, at=at)["eligible_1"] for at in (end - MICROSECOND, end)] == [True, False]
    assert row(KNOWN, at=end)["why_not"]["training"] == "ended"


def test_of_two_choices_one_refusal_refuses_and_one_silence_waits() -> None:
    one = '{ purpose = "training", needs = "allowed" }'
    both = policy((one, f'[{one}, {{ purpose = "sharing", needs = "allowed" }}]'),
                  ('no_answer = "decline"', 'no_answer = "block"'))  # fmt: skip
    share = {act: ChoiceAct("sharing", act, TURN - DAY) for act in ("allow", "decline")}
    assert row(KNOWN, both)["why_not"]["training"] == "unanswered"
    declined = replace(KNOWN, choices=(*ALLOWED, share["decline"]))
    assert row(declined, both)["why_not"]["training"] == "not allowed"
    assert row(replace(KNOWN, choices=(share["decline"],)), both)["why_not"]["training"] == "not allowed"
    assert row(replace(KNOWN, choices=(*ALLOWED, share["allow"])), both)["eligible_1"]


# -- by which rule ----------------------------------------------------------------------------------

UNALLOWED = replace(KNOWN, choices=())


@pytest.mark.parametrize(
    ("facts", "rule", "erase_by"),
    [
        (UNALLOWED, "base", TURN + 30 * DAY),
        (KNOWN, "training", datetime(2031, 5, 1, tzinfo=UTC)),
        (replace(KNOWN, feedback_at=TURN + DAY, choices=()), "thumbs", datetime(2028, 5, 9, tzinfo=UTC)),
        (replace(KNOWN, deleted_at=TURN + DAY), "deleted", TURN + 31 * DAY),
        (replace(UNALLOWED, deleted_at=TURN), "deleted", TURN + 30 * DAY),
        (replace(UNALLOWED, deleted_at=TURN + DAY), "base", TURN + 30 * DAY),
        (replace(KNOWN, choices=acts(("allow", -1), ("withdraw", 2))), "withdrawn", TURN + 32 * DAY),
        (replace(UNALLOWED, holds=(HoldSpan(TURN, TURN + 5 * DAY),)), "base", TURN + 30 * DAY),
    ],
)
def test_the_rule_is_the_one_that_sets_the_end(facts: Facts, rule: str, erase_by: datetime) -> None:
    found = row(facts)
    assert (found["rule"], found["erase_by"].replace(tzinfo=UTC)) == (rule, erase_by)


def test_a_hold_that_was_released_behind_every_end_sets_it() -> None:
    late = TURN + 90 * DAY
    found = row(replace(UNALLOWED, holds=(HoldSpan(TURN, late),)), at=late)
    assert (found["rule"], found["erase_by"].replace(tzinfo=UTC)) == ("hold", late)
    while_held = row(replace(UNALLOWED, holds=(HoldSpan(TURN, late),)), at=late - MICROSECOND)
    assert (while_held["held"], while_held["erase_by"]) == (True, None)


def test_without_a_grant_no_rule_sets_the_end_but_the_newest_clock() -> None:
    nothing = replace(SMALL, grants=tuple(grant for grant in SMALL.grants if grant.id == "training"))
    found = row(replace(KNOWN, data="score", recorded_at=TURN + DAY), nothing)
    assert (found["rule"], found["erase_by"].replace(tzinfo=UTC)) == ("none", TURN + DAY)


# -- versions together ------------------------------------------------------------------------------

EARLIER = (('use_for = "P5Y"', 'use_for = "P1Y"'), ("2026-03-01", "2025-03-01"), ("2026-02-01", "2025-02-01"))
OLD = replace(policy(*EARLIER), name="acme/1")
NO_FEEDBACK = replace(OLD, grants=OLD.grants[:2], cut_purposes=("training",))
BEFORE = SMALL.effective - 10 * DAY


def together(facts: Facts, versions: Sequence[Policy] = (OLD, SMALL), at: datetime = AT) -> dict[str, Any]:
    with COLUMNS.loaded(*tables([facts]), at):
        [found] = COLUMNS.table(compile_versions(versions, at)).to_pylist()
    return found


def at_time(moment: datetime, *said: tuple[str, float], **more: object) -> Facts:
    choices = acts(*(said or (("allow", -100),)))
    return replace(KNOWN, created_at=moment, last_turn_at=moment, recorded_at=moment, choices=choices, **more)


@pytest.mark.parametrize(
    ("moment", "then"), [(BEFORE, 0), (SMALL.effective - MICROSECOND, 0), (SMALL.effective, 1), (TURN, 1)]
)
def test_the_versions_of_the_parts_time_and_of_today_are_named(moment: datetime, then: int) -> None:
    found = together(at_time(moment))
    assert (found["then_version"], found["now_version"]) == (then, 1)


def test_the_stricter_end_counts_and_its_rule_is_told() -> None:
    found = together(at_time(BEFORE))
    year = BEFORE.replace(year=BEFORE.year + 1)
    assert (found["erase_by"].replace(tzinfo=UTC), found["rule"]) == (year, "training")
    assert found["last_use"].replace(tzinfo=UTC) == year
    assert found["eligible_training"] is True
    assert found["why_not_training"] is None
    renamed = replace(OLD, grants=tuple(replace(grant, id=f"old-{grant.id}") for grant in OLD.grants))
    assert together(at_time(BEFORE), (renamed, SMALL))["rule"] == "old-training"
    even = replace(SMALL, effective=OLD.effective, announced=OLD.announced)
    assert together(at_time(BEFORE), (renamed, even))["rule"] == "training", "of one end, today's terms speak"


def test_a_part_that_only_one_version_lets_be_used_is_not_and_todays_word_comes_first() -> None:
    old = at_time(BEFORE, ("allow", -100), deleted_at=None)
    minor = policy(('id = "minor"', 'id = "minor-now"'))
    found = together(replace(old, age=17), (OLD, minor))
    assert (found["eligible_training"], found["why_not_training"]) == (False, "minor-now")
    allowing = replace(SMALL, vetoes=(), grants=tuple(replace(grant, vetoes=()) for grant in SMALL.grants))
    found = together(replace(old, age=17), (OLD, allowing))
    assert (found["eligible_training"], found["why_not_training"]) == (False, "minor")


def test_a_purpose_that_a_version_does_not_know_is_never_eligible_under_it() -> None:
    given = at_time(BEFORE, feedback_at=BEFORE)
    found = together(given, (NO_FEEDBACK, SMALL))
    assert (found["eligible_feedback"], found["why_not_feedback"]) == (False, "no basis")
    found = together(given, (OLD, SMALL))
    assert (found["eligible_feedback"], found["why_not_feedback"]) == (True, None)
    uncut = replace(OLD, cut_purposes=("training",))
    assert together(given, (uncut, SMALL))["eligible_feedback"] is False


def test_gaps_of_both_versions_are_told() -> None:
    asks_role = policy(('plan = ["consumer"], data', 'role = ["student"], data'))
    found = together(at_time(BEFORE, plan=None, age=30), (OLD, asks_role))
    assert {key for n, key in enumerate(GAP_KEYS) if found["gap"] & 1 << n} == {"plan", "role"}


@pytest.mark.parametrize("held", [True, False])
def test_what_is_held_is_held_under_both_and_never_ripe(*, held: bool) -> None:
    facts = replace(at_time(BEFORE, ("decline", -100)), holds=(HoldSpan(TURN),) if held else ())
    assert together(facts)["held"] is held
    with COLUMNS.loaded(*tables([facts]), AT):
        answers = [
            COLUMNS.table(f"SELECT {ripe_at(lead)} AS ripe FROM ({compile_versions((OLD, SMALL), AT)})").to_pylist()
            for lead in (timedelta(), DAY)
        ]
    ripe = None if held else (BEFORE + 30 * DAY).replace(tzinfo=None)
    assert answers == [[{"ripe": ripe}], [{"ripe": ripe}]]


def test_without_a_use_under_one_version_there_is_no_last_use() -> None:
    nothing = replace(OLD, grants=OLD.grants[2:])
    assert together(at_time(BEFORE), (nothing, SMALL))["last_use"] is None
    assert together(at_time(BEFORE), (OLD, replace(SMALL, grants=SMALL.grants[2:])))["last_use"] is None
