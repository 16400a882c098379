"""The newest turn of the person: the clock on which most policies run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assent.domain.conversation import MARKS, Part, last_turn

EARLY, LATE = datetime(2025, 10, 8, tzinfo=UTC), datetime(2025, 10, 9, tzinfo=UTC)
ASKED = Part("1", "t1", "user", "person", "text", "hello", created_at=EARLY)
AGAIN = replace(ASKED, id="2", created_at=LATE)
NOT_THEIRS = {"sidechain", "system-context", "hidden", "summary", "error"}


def test_the_newest_turn_counts_in_any_order() -> None:
    assert last_turn((ASKED, AGAIN)) == last_turn((AGAIN, ASKED)) == LATE


def test_without_a_turn_of_the_person_there_is_none() -> None:
    assert last_turn(()) is None
    assert last_turn((replace(ASKED, created_at=None),)) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(AGAIN, speaker="assistant", origin="model"),
        replace(AGAIN, speaker="tool", origin="tool"),
        replace(AGAIN, speaker="system"),
        replace(AGAIN, origin="connector"),
        replace(AGAIN, origin="model"),
        *(replace(AGAIN, marks=frozenset({mark})) for mark in sorted(NOT_THEIRS)),
    ],
)
def test_what_the_person_did_not_do_does_not_count(other: Part) -> None:
    assert last_turn((ASKED, other)) == EARLY


@pytest.mark.parametrize("mark", sorted(set(MARKS) - NOT_THEIRS))
def test_what_the_person_did_counts_even_when_it_was_edited_away(mark: str) -> None:
    assert last_turn((ASKED, replace(AGAIN, marks=frozenset({mark})))) == LATE


def test_a_file_that_the_person_sent_is_a_turn() -> None:
    assert last_turn((ASKED, replace(AGAIN, origin="file", data="file"))) == LATE
