"""The one line about a conversation: which sentence keeps it, and why it is not trained on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.choices import Place, project_target
from assent.domain.facts import ChoiceAct, Facts, HoldSpan
from assent.policy.parse import parse_policy
from assent.services.centre.rows import Row, Weigher, locked
from assent.store.records import Choice, ConversationEntry
from assent.wiring import Wiring

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILE: Path = Wiring.policy_library() / "anthropic" / "2025-10-08.toml"
POLICY = parse_policy(FILE.read_text("utf-8"), FILE.name)
LAST = NOW - timedelta(days=2)
ENTRY = ConversationEntry(
    id="test:soup", subject="s1", source="test", title="Soup", project="kitchen", surface="chat", mode="normal",
    plan="pro", created_at=LAST, last_turn_at=LAST, deleted_at=None, feedback_at=None, flagged_at=None,
    recorded_at=LAST, imported_at=LAST, parts=1,
)  # fmt: skip
FACTS = Facts(
    "test:soup#1", "s1", "test:soup", "pro", "DE", 30, signed_in=True, surface="chat", mode="normal", data="text",
    origin="person", created_at=LAST, last_turn_at=LAST, recorded_at=LAST,
)  # fmt: skip
PLACE = Place("test:soup", project_target("kitchen"))


def choice(act: str, days: float, scope: str = "everything", target: str | None = None) -> Choice:
    at = NOW - timedelta(days=days)
    return Choice(f"{act}-{days}-{scope}", "s1", "training", act, at, "", "web", "web", at, scope, target)


def row(*acts: Choice, entry: ConversationEntry = ENTRY, **facts: object) -> Row:
    known = tuple(ChoiceAct(one.purpose, one.act, one.at) for one in acts)
    weighing = Weigher([POLICY], acts, ["training"], NOW)
    return weighing.row(entry, [replace(FACTS, choices=known, **facts)], PLACE)


def test_without_an_answer_it_is_kept_thirty_days_and_not_used() -> None:
    found = row()
    assert (found.kept, found.until) == ("until", LAST + timedelta(days=30))
    assert found.why == "Conversations are kept up to 30 days after your last turn"
    assert (found.uses, found.why_not) == ((), "silent")


def test_with_a_yes_the_sentence_is_the_one_of_the_longer_use() -> None:
    found = row(choice("allow", 10))
    assert found.uses == ("training",)
    assert found.until == LAST.replace(year=2031)
    assert found.why.startswith("You allowed training")


def test_a_flag_is_the_reason_only_where_it_keeps_longest() -> None:
    flagged = {"flagged_at": NOW - timedelta(days=1)}
    allowed, silent = row(choice("allow", 10), **flagged), row(**flagged)
    assert allowed.until == LAST.replace(year=2031)
    assert allowed.why.startswith("You allowed training")
    assert silent.until == flagged["flagged_at"].replace(year=2028)
    assert silent.why.startswith("Content flagged")


@pytest.mark.parametrize(
    ("acts", "facts", "why_not"),
    [
        ((choice("decline", 10),), {}, "refused"),
        ((choice("allow", 10), choice("withdraw", 1)), {}, "refused"),
        ((choice("allow", 1),), {}, "before"),
        ((choice("allow", 10), choice("decline", 3, "conversation", "test:soup")), {}, "kept out"),
        ((choice("allow", 10), choice("decline", 3, "project", project_target("kitchen"))), {}, "project"),
        ((choice("allow", 10),), {"mode": "private"}, "rule"),
        ((choice("allow", 10),), {"age": None}, "unknown"),
        ((choice("allow", 10),), {"holds": (HoldSpan(NOW - timedelta(days=1), None),)}, "held"),
    ],
)
def test_it_says_why_it_is_not_trained_on(acts: tuple[Choice, ...], facts: dict[str, object], why_not: str) -> None:
    found = row(*acts, **facts)
    assert (found.uses, found.why_not) == ((), why_not)


def test_a_rule_that_keeps_it_out_is_quoted() -> None:
    assert row(choice("allow", 10), mode="private").rule.startswith("Incognito conversations are never used")


def test_a_deletion_and_a_hold_set_the_end() -> None:
    gone = NOW - timedelta(days=1)
    deleted = row(choice("allow", 10), entry=replace(ENTRY, deleted_at=gone), deleted_at=gone)
    assert (deleted.until, deleted.why_not) == (gone + timedelta(days=30), "deleted")
    assert deleted.why.startswith("You deleted this conversation")
    assert row(holds=(HoldSpan(NOW - timedelta(days=1), None),)).kept == "held"


def test_what_has_come_to_its_end_is_due() -> None:
    long_ago = NOW - timedelta(days=60)
    assert row(last_turn_at=long_ago, created_at=long_ago, recorded_at=long_ago).due
    assert not row().due


def test_the_locks_are_those_whose_last_answer_refuses() -> None:
    acts = [
        choice("decline", 9, "conversation", "a"),
        choice("decline", 8, "conversation", "b"),
        choice("allow", 7, "conversation", "a"),
        choice("decline", 6, "project", "p"),
        choice("decline", 5, "conversation", "c"),
        choice("defer", 4, "conversation", "b"),
    ]
    assert list(locked(acts, ["training"])) == ["c", "b"]
    assert locked(acts, ["safety"]) == {}
