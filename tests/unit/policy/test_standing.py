"""Standing by hand: what acts amount to, and on which side of an instant each of them counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.facts import Act, ChoiceAct, Facts, choice_order
from assent.policy.conditions import effective_for, happened, holds_for
from assent.policy.model import ChoiceRule, Condition, Membership
from assent.policy.parse import parse_policy
from assent.policy.standing import UNKNOWN, Answer, Lasting, Permission, Permitted, lasting, permission, permissions

DAY = timedelta(days=1)
TURN = datetime(2026, 5, 1, tzinfo=UTC)
AT = TURN + 10 * DAY
# its part clock is the last turn, and silence refuses from 2026-04-01 on
POLICY = parse_policy((Path(__file__).parent / "small.toml").read_text("utf-8"), "small.toml")
REVIVING = replace(POLICY, revives=True)
ALLOWED = ChoiceRule("training", by_default=False, covers="part and now")
DEFAULT = ChoiceRule("training", by_default=True, covers="part and now")
SHARING = ChoiceRule("sharing", by_default=False, covers="part and now")
REFUSED = Permission(Answer.REFUSED)
UNDECIDED = Permission(Answer.UNDECIDED)


def acts(*said: tuple[Act, float], purpose: str = "training") -> tuple[ChoiceAct, ...]:
    return tuple(ChoiceAct(purpose, act, TURN + days * DAY) for act, days in said)


def part(*said: tuple[Act, float], turn: datetime | None = TURN) -> Facts:
    return Facts("p", last_turn_at=turn, choices=acts(*said))


def permitted(since: float | None = None, ended: float | None = None, *, time_unknown: bool = False) -> Permission:
    since_at, ended_at = (None if days is None else TURN + days * DAY for days in (since, ended))
    return Permission(Answer.PERMITTED, since_at, ended_at, time_unknown)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], REFUSED),
        ([("defer", -1)], REFUSED),
        ([("allow", -1)], permitted(-1)),
        ([("allow", 0)], permitted(0)),
        ([("allow", 0.1)], REFUSED),
        ([("allow", 0), ("decline", 0)], REFUSED),
        ([("decline", -1)], REFUSED),
        ([("allow", -3), ("allow", -1)], permitted(-3)),
        ([("allow", -3), ("withdraw", -2), ("allow", -1)], permitted(-1)),
        ([("allow", -1), ("defer", 2)], permitted(-1)),
        ([("allow", -1), ("withdraw", 2)], permitted(-1, 2)),
        ([("allow", -1), ("withdraw", 2), ("withdraw", 4)], permitted(-1, 2)),
        ([("allow", -1), ("withdraw", 2), ("allow", 4)], permitted(-1, 2)),
        ([("allow", -1), ("withdraw", 10)], permitted(-1, 10)),
        ([("allow", -1), ("withdraw", 10.1)], permitted(-1)),
    ],
)
def test_a_permission_covers_the_part_and_ends_with_the_first_refusal(
    said: list[tuple[Act, float]], expected: Permission
) -> None:
    assert permission(ALLOWED, part(*said), POLICY, AT) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([("allow", -1), ("withdraw", 2), ("allow", 4)], permitted(-1)),
        ([("allow", -1), ("withdraw", 2), ("allow", 10)], permitted(-1)),
        ([("allow", -1), ("withdraw", 2), ("allow", 10.1)], permitted(-1, 2)),
        ([("allow", -1), ("withdraw", 2), ("allow", 4), ("withdraw", 6)], permitted(-1, 6)),
        ([("allow", -1), ("withdraw", 2), ("allow", 4), ("withdraw", 4)], permitted(-1, 2)),
        ([("decline", -1), ("allow", 2)], REFUSED),
    ],
)
def test_where_a_new_grant_revives_only_the_last_refusal_ends(
    said: list[tuple[Act, float]], expected: Permission
) -> None:
    assert permission(ALLOWED, part(*said), REVIVING, AT) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], permitted()),
        ([("decline", 0)], REFUSED),
        ([("decline", 1)], permitted(ended=1)),
        ([("allow", -1)], permitted(-1)),
    ],
)
def test_a_default_permits_until_somebody_refuses(said: list[tuple[Act, float]], expected: Permission) -> None:
    assert permission(DEFAULT, part(*said), POLICY, AT) == expected


def test_a_permission_at_the_time_of_use_asks_what_is_said_at_that_very_instant() -> None:
    now = replace(ALLOWED, covers="now")
    assert permission(now, part(("allow", 10)), POLICY, AT) == permitted(10)
    assert permission(now, part(("allow", 10.1)), POLICY, AT) == REFUSED
    assert permission(now, part(("allow", -1), ("withdraw", 10)), POLICY, AT) == REFUSED


def test_a_permission_for_the_part_alone_is_not_ended() -> None:
    own = replace(ALLOWED, covers="part")
    assert permission(own, part(("allow", -1), ("withdraw", 2)), POLICY, AT) == permitted(-1)


@pytest.mark.parametrize(("turn", "unknown"), [(None, True), (AT + DAY, False), (AT, False)])
def test_the_instant_stands_in_for_a_time_that_is_unknown_or_not_there_yet(
    turn: datetime | None, *, unknown: bool
) -> None:
    assert permission(ALLOWED, part(("allow", 10), turn=turn), POLICY, AT) == permitted(10, time_unknown=unknown)


def test_silence_refuses_from_the_deadline_on() -> None:
    deadline = POLICY.silence_refuses_from
    assert deadline is not None
    assert permission(ALLOWED, part(), POLICY, deadline) == REFUSED
    assert permission(ALLOWED, part(), POLICY, deadline - DAY) == UNDECIDED
    assert permission(ALLOWED, part(), replace(POLICY, silence_refuses_from=None), AT) == UNDECIDED


def both(*, training: tuple[ChoiceAct, ...], sharing: tuple[ChoiceAct, ...]) -> Facts:
    return Facts("p", last_turn_at=TURN, choices=tuple(sorted((*training, *sharing), key=choice_order)))


def test_choices_that_are_needed_together_begin_with_the_last_and_end_with_the_first() -> None:
    given = both(
        training=acts(("allow", -3), ("withdraw", 5)), sharing=acts(("allow", -1), ("withdraw", 2), purpose="sharing")
    )
    assert permissions([ALLOWED, SHARING], given, POLICY, AT) == permitted(-1, 2)
    assert permissions([ALLOWED], given, POLICY, AT) == permitted(-3, 5)


def test_of_choices_that_are_needed_together_a_refusal_counts_before_a_silence() -> None:
    patient = replace(POLICY, silence_refuses_from=None)
    allowed, declined = acts(("allow", -1)), acts(("decline", -1))
    assert permissions([ALLOWED, SHARING], both(training=allowed, sharing=()), patient, AT) == UNDECIDED
    assert permissions([ALLOWED, SHARING], both(training=declined, sharing=()), patient, AT) == REFUSED


def test_two_defaults_that_nobody_touched_permit_without_a_beginning() -> None:
    both_default = [DEFAULT, replace(DEFAULT, purpose="sharing")]
    assert permissions(both_default, part(), POLICY, AT) == permitted()


def test_choices_that_are_needed_together_tell_that_the_time_was_unknown() -> None:
    given = both(training=acts(("allow", -3)), sharing=acts(("allow", -1), purpose="sharing"))
    assert permissions([ALLOWED, SHARING], given, POLICY, AT) == permitted(-1)
    unknown = replace(given, last_turn_at=None)
    assert permissions([ALLOWED, SHARING], unknown, POLICY, AT) == permitted(-1, time_unknown=True)


@pytest.mark.parametrize(
    ("said", "since", "unrefused"),
    [
        ([], None, True),
        ([("defer", 0)], None, True),
        ([("allow", 0)], 0, True),
        ([("allow", 0), ("allow", 2), ("defer", 3)], 0, True),
        ([("decline", 0)], None, False),
        ([("allow", 0), ("withdraw", 1)], None, False),
        ([("allow", 0), ("withdraw", 1), ("allow", 2)], 2, False),
    ],
)
def test_what_lasts_is_what_was_allowed_and_not_refused_since(
    said: list[tuple[Act, float]], since: float | None, *, unrefused: bool
) -> None:
    purposes = {} if since is None else {"training": TURN + since * DAY}
    assert lasting(acts(*said)) == Lasting(purposes, unrefused)


def test_a_refusal_of_one_purpose_leaves_the_others_as_they_were() -> None:
    said = (*acts(("allow", 0)), *acts(("allow", 1), ("withdraw", 2), purpose="sharing"))
    assert lasting(said) == Lasting({"training": TURN}, unrefused=False)


@pytest.mark.parametrize("unrefused", [True, False])
def test_what_lasts_for_a_part_is_what_was_permitted_at_one_of_its_clocks(*, unrefused: bool) -> None:
    last = Lasting({"training": TURN, "sharing": TURN + DAY}, unrefused)
    clocks = {"created_at": TURN, "last_turn_at": TURN + DAY, "recorded_at": None}
    pairs = {("training", "created_at"), ("training", "last_turn_at"), ("sharing", "last_turn_at")}
    assert last.of(clocks) == Permitted(frozenset(pairs), unrefused)
    assert last.of({"created_at": TURN - DAY / 2}) == Permitted(frozenset(), unrefused)


@pytest.mark.parametrize(
    ("known", "by_default", "surely"),
    [
        (Permitted(frozenset({("training", "last_turn_at")})), False, True),
        (Permitted(frozenset({("training", "last_turn_at")})), True, True),
        (Permitted(frozenset({("training", "created_at")})), False, False),
        (Permitted(frozenset({("sharing", "last_turn_at")})), False, False),
        (Permitted(unrefused=True), True, True),
        (Permitted(unrefused=True), False, False),
        (UNKNOWN, True, False),
        (UNKNOWN, False, False),
    ],
)
def test_only_what_is_known_to_last_is_sure(known: Permitted, *, by_default: bool, surely: bool) -> None:
    assert known.surely(replace(ALLOWED, by_default=by_default), "last_turn_at") is surely


@pytest.mark.parametrize(
    ("reversed_after", "there"), [(None, True), (timedelta(0), False), (-DAY, False), (timedelta(microseconds=1), True)]
)
def test_a_flag_is_gone_from_the_very_instant_at_which_it_is_reversed(
    reversed_after: timedelta | None, *, there: bool
) -> None:
    undone = None if reversed_after is None else AT + reversed_after
    flagged = Facts("p", flagged_at=TURN, flag_reversed_at=undone)
    assert happened(flagged, "flagged_at", AT, POLICY) == (TURN if there else None)
    assert happened(flagged, "flagged_at", AT, replace(POLICY, reversal_ends_flag=False)) == TURN


def test_an_event_has_happened_from_its_very_instant_on() -> None:
    deleted = Facts("p", deleted_at=TURN, flag_reversed_at=TURN)
    assert happened(deleted, "deleted_at", TURN, POLICY) == TURN
    assert happened(deleted, "deleted_at", TURN - timedelta(microseconds=1), POLICY) is None


ANNOUNCED, EFFECTIVE = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "at", "expected"),
    [
        (None, EFFECTIVE, EFFECTIVE),
        (ANNOUNCED - DAY, EFFECTIVE, EFFECTIVE),
        (ANNOUNCED, EFFECTIVE, ANNOUNCED),
        (ANNOUNCED + DAY, ANNOUNCED + DAY, ANNOUNCED + DAY),
        (ANNOUNCED + DAY, ANNOUNCED, EFFECTIVE),
        (EFFECTIVE + DAY, EFFECTIVE + 2 * DAY, EFFECTIVE),
    ],
)
def test_a_policy_binds_from_its_acknowledgement_if_that_was_of_this_version_and_is_known(
    seen: datetime | None, at: datetime, expected: datetime
) -> None:
    assert (POLICY.announced, POLICY.effective) == (ANNOUNCED, EFFECTIVE)
    assert effective_for(Facts("p", acknowledged_at=seen), POLICY, at) == expected
    silent = replace(POLICY, acknowledgement_counts=False)
    assert effective_for(Facts("p", acknowledged_at=seen), silent, at) == EFFECTIVE


def test_a_version_that_was_never_announced_binds_from_any_acknowledgement() -> None:
    early = Facts("p", acknowledged_at=ANNOUNCED - DAY)
    assert effective_for(early, replace(POLICY, announced=None), EFFECTIVE) == ANNOUNCED - DAY


PRO = Membership("plan", frozenset({"pro"}))
VOICE = Membership("data", frozenset({"voice"}))
SINCE = Condition(tests=(PRO, VOICE), era="since effective")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts("p", plan="pro", data="voice", last_turn_at=EFFECTIVE), (True, frozenset())),
        (Facts("p", plan="pro", data="voice", last_turn_at=EFFECTIVE - DAY), (False, frozenset())),
        (Facts("p", data="voice", last_turn_at=EFFECTIVE), (True, frozenset({"plan"}))),
        (Facts("p", last_turn_at=EFFECTIVE), (True, frozenset({"plan", "data"}))),
        (Facts("p"), (True, frozenset({"plan", "data", "last_turn_at"}))),
        (Facts("p", plan="free"), (False, frozenset())),
    ],
)
def test_a_condition_names_the_facts_that_stand_between_may_and_does(
    facts: Facts, expected: tuple[bool, frozenset[str]]
) -> None:
    assert holds_for(SINCE, facts, POLICY, AT) == expected
