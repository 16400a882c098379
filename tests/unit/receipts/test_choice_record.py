"""A record is one form of bytes: written fast, read back exactly, and about nobody by name."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.receipt_samples import RECORD

from assent.domain.digests import canonical
from assent.domain.errors import Invalid
from assent.domain.instants import EARLIEST, LATEST
from assent.ledger.record import VERSION, ChoiceRecord, parse_record
from assent.services.receipts.record import Identity, record_of
from assent.store.records import Choice

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
INSTANTS = st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None, year=2999), timezones=st.just(UTC))
RECORDS = st.builds(
    ChoiceRecord,
    **dict.fromkeys(
        sorted({field.name for field in fields(ChoiceRecord)} - {"act", "scope", "at", "target", "options"}), TEXTS
    ),
    act=st.sampled_from(["allow", "decline", "defer", "withdraw"]),
    scope=st.sampled_from(["everything", "project", "conversation"]),
    at=INSTANTS,
    target=st.none() | TEXTS,
    options=st.lists(TEXTS).map(tuple),
)


@given(RECORDS)
def test_every_record_is_read_back(record: ChoiceRecord) -> None:
    assert parse_record(record.encode()) == record


@given(RECORDS)
def test_the_fast_writer_writes_the_canonical_form(record: ChoiceRecord) -> None:
    value = asdict(record) | {"at": record.at.isoformat().replace("+00:00", "Z"), "v": VERSION}
    assert record.encode() == canonical(value)


@given(RECORDS, RECORDS)
def test_two_records_never_share_their_bytes(one: ChoiceRecord, other: ChoiceRecord) -> None:
    assert (one.encode() == other.encode()) is (one == other)


def test_a_record_in_full() -> None:
    assert json.loads(RECORD.encode()) == {
        "act": "allow",
        "at": "2026-11-22T10:15:30.250000Z",
        "campaign": "autumn-2026",
        "client": "desktop",
        "controller": "https://chat.example.com",
        "guardian": "",
        "id": "7f0c2f1e-6c1d-4c5e-9b53-1d2f3a4b5c6d",
        "layout": "rows",
        "locale": "en-IE",
        "notice": "sha256:" + "1" * 64,
        "options": ["decline", "allow"],
        "policy": "sha256:" + "2" * 64,
        "prior": "unasked",
        "purpose": "training",
        "recorded_by": "web",
        "scope": "everything",
        "snapshot": "sha256:" + "3" * 64,
        "subject": "4b3cc1583c6d0617acde108c31b20bc7",
        "surface": "web",
        "target": None,
        "terms": RECORD.terms,
        "v": "assent/choice/v1",
    }


def _text(change: dict[str, Any]) -> bytes:
    return canonical(json.loads(RECORD.encode()) | change)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not of version"),
        (b"{}", "not of version"),
        (_text({"v": "assent/choice/v2"}), "not of version"),
        (_text({"extra": 1}), "exactly the fields"),
        (_text({"act": "accept"}), "unknown `act`"),
        (_text({"act": ["allow"]}), "unknown `act`|not text"),
        (_text({"scope": "all"}), "unknown `scope`"),
        (_text({"subject": 7}), "`subject` that is not text"),
        (_text({"target": 7}), "`target` that is not text"),
        (_text({"options": "allow"}), "`options`"),
        (_text({"options": [1]}), "`options`"),
        (_text({"at": "2026-11-22T10:15:30.25Z"}), "canonical"),
        (_text({"at": "2026-11-22T11:15:30.250000+01:00"}), "canonical"),
        (_text({"at": "yesterday"}), "not an instant"),
        (_text({"at": None}), "not an instant"),
        (RECORD.encode() + b"\n", "canonical"),
        (RECORD.encode().replace(b":", b": ", 1), "canonical"),
        (json.dumps(json.loads(_text({"locale": "é"})), sort_keys=True, separators=(",", ":")).encode(), "canonical"),
    ],
)
def test_anything_else_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_record(data)


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(Invalid, match="not Unicode"):
        replace(RECORD, id="\ud800").encode()


CHOICE = Choice(
    id="choice-1",
    subject="anna@example.com",
    purpose="training",
    act="allow",
    at=datetime(2026, 11, 22, 10, tzinfo=UTC),
    notice="sha256:" + "1" * 64,
    surface="web",
    recorded_by="web",
    recorded_at=datetime(2026, 11, 22, 11, tzinfo=UTC),
    scope="conversation",
    target="claude-ai:0b1f5c3e",
    guardian="parent@example.com",
    options=("allow", "decline"),
    terms="sha256:" + "5" * 64,
)
IDENTITY = Identity("https://chat.example.com", b"k" * 32)


def test_a_record_names_neither_subject_nor_guardian_nor_target() -> None:
    data = record_of(CHOICE, IDENTITY).encode()
    for secret in ("anna", "parent", "example.com:", "0b1f5c3e", "claude-ai"):
        assert secret.encode() not in data
    assert b"@" not in data


def test_the_same_choice_always_gives_the_same_record() -> None:
    assert record_of(CHOICE, IDENTITY) == record_of(replace(CHOICE), Identity("https://chat.example.com", b"k" * 32))
    # printf anna@example.com | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    assert record_of(CHOICE, IDENTITY).subject == "a3c8303bc225bd2b4e17109e7eb0fc3b"


def test_a_pseudonym_is_the_same_for_one_subject_and_needs_the_key() -> None:
    other_act = replace(CHOICE, id="choice-2", act="withdraw")
    assert record_of(other_act, IDENTITY).subject == record_of(CHOICE, IDENTITY).subject
    assert record_of(replace(CHOICE, subject="bob"), IDENTITY).subject != record_of(CHOICE, IDENTITY).subject
    assert record_of(CHOICE, Identity(IDENTITY.controller, b"x" * 32)).subject != record_of(CHOICE, IDENTITY).subject


def test_every_field_of_a_choice_but_the_time_of_recording_reaches_its_record() -> None:
    """A choice that differs in anything that matters has another record, so the ledger tells them apart."""
    changes: dict[str, Any] = dict.fromkeys(asdict(CHOICE).keys() - {"recorded_at"}, "x")
    changes |= {"purpose": "safety", "act": "decline", "at": CHOICE.recorded_at, "scope": "project", "options": ("x",)}
    for name, value in changes.items():
        assert record_of(replace(CHOICE, **{name: value}), IDENTITY) != record_of(CHOICE, IDENTITY), name
