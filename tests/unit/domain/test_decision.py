"""Decisions: when bytes are due, and the record that `assent decide` writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from assent.domain.decision import Conflict, Decision, Reason

AT = datetime(2025, 10, 8, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DECISION = Decision(
    part="p1",
    at=AT,
    eligible=("training",),
    use_until={"training": AT + timedelta(days=30), "service": None},
    erase_by=AT + timedelta(days=30, microseconds=5),
    held=False,
    gap=("age",),
    conflicts=(Conflict("statute", "deleted", "statute"),),
    reasons=(Reason("training", "grant", "You allowed training"),),
    policy="example/1",
    digest="sha256:00",
)


@pytest.mark.parametrize(
    ("erase_by", "held", "due"),
    [
        (AT, False, True),
        (AT - MICROSECOND, False, True),
        (AT + MICROSECOND, False, False),
        (None, False, False),
        (AT, True, False),
        (None, True, False),
    ],
)
def test_due_from_the_very_instant_on_unless_held(erase_by: datetime | None, held: bool, due: bool) -> None:
    assert DECISION._replace(erase_by=erase_by, held=held).due() is due


def test_the_record_says_everything_in_json() -> None:
    record = DECISION.to_record()
    assert json.loads(json.dumps(record)) == record
    assert record == {
        "part": "p1",
        "at": "2025-10-08T00:00:00Z",
        "eligible": ["training"],
        "use_until": {"training": "2025-11-07T00:00:00Z", "service": None},
        "erase_by": "2025-11-07T00:00:00.000005Z",
        "held": False,
        "gap": ["age"],
        "conflicts": [{"floor": "statute", "ceiling": "deleted", "winner": "statute"}],
        "reasons": [{"rule": "training", "kind": "grant", "text": "You allowed training"}],
        "policy": "example/1",
        "digest": "sha256:00",
    }
    assert set(record) == set(Decision._fields) - {"may_use_until"}, "the uses are named one by one"
    assert DECISION._replace(erase_by=None).to_record()["erase_by"] is None
