"""What the words of a policy file do: one line of a shipped file is changed, and one decision with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assent.domain.decision import Conflict, Decision
from assent.domain.facts import ChoiceAct, Facts
from assent.policy.decide import decide
from assent.policy.parse import parse_policy
from assent.store.columns import Columns
from tests.laws.random_facts import POLICIES

TEXT = next(path for path in POLICIES if path.stem == "2025-10-08").read_text(encoding="utf-8")
DAY = timedelta(days=1)
LAST = datetime(2026, 3, 1, tzinfo=UTC)
AT = LAST + 10 * DAY
ALLOWED = ChoiceAct("training", "allow", LAST - 20 * DAY)
FACTS = Facts(
    "p", plan="pro", age=30, mode="normal", data="text", origin="person", choices=(ALLOWED,),
    created_at=LAST - 9 * DAY, last_turn_at=LAST, recorded_at=LAST - 2 * DAY,
)  # fmt: skip
COLUMNS = Columns(threads=1)
FIVE_YEARS = datetime(2031, 3, 1, tzinfo=UTC)


def decided(facts: Facts, *changes: tuple[str, str], at: datetime = AT) -> Decision:
    """Decide under the shipped policy with some of its lines changed, with both evaluators."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in the policy"
        text = text.replace(old, new)
    policy = parse_policy(text, "changed.toml")
    decision = decide(facts, policy, at)
    assert COLUMNS.decide([facts], policy, at) == [decision], "the two evaluators disagree"
    return decision


def acts(*later: tuple[str, float]) -> tuple[ChoiceAct, ...]:
    return (ALLOWED, *(ChoiceAct("training", act, LAST + days * DAY) for act, days in later))


def test_as_shipped() -> None:
    decision = decided(FACTS)
    assert decision.eligible == ("training",)
    assert decision.erase_by == FIVE_YEARS
    assert decision.use_until == {"service": LAST + 30 * DAY, "training": FIVE_YEARS}


@pytest.mark.parametrize(
    ("anchor", "start"), [("created", LAST - 9 * DAY), ("last turn", LAST), ("recorded", LAST - 2 * DAY)]
)
def test_the_retention_anchor_starts_the_clock(anchor: str, start: datetime) -> None:
    silent = replace(FACTS, choices=())
    change = ('retention_anchor = "last turn"', f'retention_anchor = "{anchor}"')
    assert decided(silent, change).erase_by == start + 30 * DAY


def test_the_scope_of_resuming_says_which_time_a_choice_must_cover() -> None:
    """An old chat that was used again after the choice: the whole of it, or only the new turns."""
    resumed = replace(FACTS, choices=(ChoiceAct("training", "allow", LAST - DAY),))
    assert decided(resumed).eligible == ("training",)
    new_turns = ('resume_scope = "whole conversation"', 'resume_scope = "new turns"')
    assert decided(resumed, new_turns).eligible == ()
    assert decided(replace(resumed, created_at=LAST), new_turns).eligible == ("training",)


def test_what_a_withdrawal_does_to_the_bytes() -> None:
    withdrawn = replace(FACTS, choices=acts(("withdraw", 5)))
    line = 'retention_on_withdrawal = "P30D"'
    assert decided(withdrawn).erase_by == LAST + 35 * DAY
    assert decided(withdrawn, (line, 'retention_on_withdrawal = "P90D"')).erase_by == LAST + 95 * DAY
    kept = decided(withdrawn, (line, 'retention_on_withdrawal = "keep"'))
    assert (kept.erase_by, kept.eligible, kept.use_until["training"]) == (FIVE_YEARS, (), LAST + 5 * DAY)


def test_whether_stored_data_is_still_used_after_a_withdrawal() -> None:
    withdrawn = replace(FACTS, choices=acts(("withdraw", 5)))
    assert decided(withdrawn).eligible == ()
    assert decided(withdrawn, ('stored_data = "not used"', 'stored_data = "still used"')).eligible == ("training",)


def test_whether_a_new_grant_revives_earlier_data() -> None:
    again = replace(FACTS, choices=acts(("withdraw", 2), ("allow", 5)))
    revives = ("regrant_revives_earlier_data = false", "regrant_revives_earlier_data = true")
    assert decided(again).eligible == ()
    assert decided(again, revives).eligible == ("training",)
    assert decided(again, revives, at=LAST + 3 * DAY).eligible == ()


def test_an_allow_that_is_taken_back_at_the_same_instant_revives_nothing() -> None:
    """Of two acts at one instant the refusing one counts, so the first withdrawal still ends the term."""
    again = replace(FACTS, choices=acts(("withdraw", 2), ("allow", 5), ("withdraw", 5)))
    revives = ("regrant_revives_earlier_data = false", "regrant_revives_earlier_data = true")
    assert decided(again, revives).use_until["training"] == LAST + 2 * DAY
    assert decided(again, revives).erase_by == LAST + 32 * DAY


def test_two_switches_are_needed_together() -> None:
    """The later allow begins the term, the earlier refusal ends it; one refusal refuses while the other waits."""
    one = 'choice = { purpose = "training", needs = "allowed" }'
    both = (one, f'choice = [{one.removeprefix("choice = ")}, {{ purpose = "sharing", needs = "allowed" }}]')
    begins = ('anchor = "retention anchor"\nuse_for = "P5Y"', 'anchor = "choice given"\nuse_for = "P5Y"')
    share = ChoiceAct("sharing", "allow", LAST - DAY)
    given = replace(FACTS, choices=(ALLOWED, share))
    assert decided(given, both).eligible == ("training",)
    assert decided(given, both, begins).use_until["training"] == datetime(2031, 2, 28, tzinfo=UTC)
    assert decided(FACTS, both).gap == ("choices",)
    assert decided(replace(FACTS, choices=(replace(ALLOWED, act="decline"),)), both).gap == ()
    ended = (ChoiceAct("sharing", "withdraw", LAST + 2 * DAY), ChoiceAct("training", "withdraw", LAST + 5 * DAY))
    taken_back = decided(replace(given, choices=(*given.choices, *ended)), both)
    assert (taken_back.use_until["training"], taken_back.erase_by) == (LAST + 2 * DAY, LAST + 32 * DAY)


def test_what_silence_means_after_the_deadline() -> None:
    silent = replace(FACTS, choices=())
    decline = ('no_answer = "block"', 'no_answer = "decline"')
    assert decided(silent).gap == ("choices",)
    assert decided(silent, decline).gap == ()
    deadline = datetime(2025, 10, 8, tzinfo=UTC)
    early = replace(silent, last_turn_at=deadline - DAY)
    assert decided(early, decline, at=deadline - DAY / 2).gap == ("choices",)
    assert decided(early, decline, at=deadline).gap == ()
    assert decided(silent).eligible == decided(silent, decline).eligible == ()


def test_what_a_reversed_flag_leaves() -> None:
    flagged = replace(FACTS, flagged_at=LAST, flag_reversed_at=LAST + DAY)
    keeps = ('flag_reversed = "base clock"', 'flag_reversed = "keep flag clock"')
    assert decided(flagged).eligible == ("training",)
    assert decided(flagged, keeps).eligible == ("training", "safety")
    assert decided(flagged, at=LAST + DAY / 2).eligible == ("training", "safety")


GRANT = 'use_for = "P30D"\nbound = "up to"'
CLASS = 'class = "default"\npurpose = "service"'


def test_a_floor_keeps_the_bytes_against_a_weaker_cap_only() -> None:
    deleted = replace(FACTS, choices=(), deleted_at=LAST)
    floor = (GRANT, 'use_for = "P1Y"\nbound = "at least"')
    a_year_on, a_month_on = datetime(2027, 3, 1, tzinfo=UTC), LAST + 30 * DAY
    assert decided(deleted, (GRANT, 'use_for = "P1Y"\nbound = "up to"')).erase_by == a_month_on
    weak = decided(deleted, floor)
    assert (weak.erase_by, weak.conflicts) == (a_month_on, (Conflict("base", "deleted", "deleted"),))
    strong = decided(deleted, floor, (CLASS, 'class = "statutory retention"\npurpose = "service"'))
    assert (strong.erase_by, strong.conflicts) == (a_year_on, (Conflict("base", "deleted", "base"),))
    assert strong.use_until["service"] == LAST
    same = decided(deleted, floor, (CLASS, 'class = "deletion"\npurpose = "service"'))
    assert (same.erase_by, same.conflicts) == (a_month_on, (Conflict("base", "deleted", "deleted"),))


DELETED = 'purposes = ["service", "training"]\nuse_after = "at once"\nerase_after = "P30D"\n\n[[cap]]'


@pytest.mark.parametrize(
    ("use_after", "erase_after", "use_until", "erase_by"),
    [
        ("at once", "P30D", LAST + DAY, LAST + 31 * DAY),
        ("P2D", "P30D", LAST + 3 * DAY, LAST + 33 * DAY),
        ("P2D", "at once", LAST + 3 * DAY, LAST + 30 * DAY),
        ("at once", "keep", LAST + DAY, FIVE_YEARS),
    ],
)
def test_a_cap_ends_use_and_then_the_bytes(
    use_after: str, erase_after: str, use_until: datetime, erase_by: datetime
) -> None:
    """The second line of a cap counts from the end of use; without a cap's erasure the base grant's 30 days remain."""
    changed = DELETED.replace('"at once"', f'"{use_after}"').replace('"P30D"', f'"{erase_after}"')
    reach = (DELETED, changed.replace('["service", "training"]', '["training"]'))
    decision = decided(replace(FACTS, deleted_at=LAST + DAY), reach)
    assert decision.use_until["training"] == use_until
    assert decision.erase_by == erase_by


def test_bytes_go_later_than_use_if_the_grant_says_so() -> None:
    training = 'use_for = "P5Y"\nbound = "up to"\nerase_after = "at once"\nchoice'
    decision = decided(FACTS, (training, training.replace('"at once"', '"P90D"')))
    assert decision.use_until["training"] == FIVE_YEARS
    assert decision.erase_by == FIVE_YEARS + 90 * DAY


def test_copies_that_nobody_governs_keep_nothing() -> None:
    history = ('purpose = "training"\nwhen', 'purpose = "training"\ncopies = ["history"]\nwhen')
    decision = decided(FACTS, history)
    assert (decision.eligible, decision.erase_by) == ((), LAST + 30 * DAY)


def test_reasons_tell_the_dates() -> None:
    says = {reason.rule: reason.text for reason in decided(replace(FACTS, deleted_at=LAST + DAY)).reasons}
    assert says["base"].endswith("(use until 2026-03-02T00:00:00Z, erased by 2026-03-31T00:00:00Z)")
    assert says["deleted"].endswith("(since 2026-03-02T00:00:00Z)")
    both = decided(replace(FACTS, deleted_at=LAST + DAY, choices=acts(("withdraw", 0.5)))).reasons
    withdrawn = next(reason for reason in both if reason.rule == "withdrawn")
    assert withdrawn.text.endswith("(since 2026-03-01T12:00:00Z)")
    assert decided(FACTS).reasons[0].text.endswith("(until 2026-03-31T00:00:00Z)")
    contract = decided(replace(FACTS, plan="team")).reasons
    assert [reason.text.endswith("(no end is set)") for reason in contract if reason.rule == "contract"] == [True]
