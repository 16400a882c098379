"""Terms say all that a receipt must say, or do not exist."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.receipt_samples import CONTROLLER, TERMS

from assent.domain.digests import canonical
from assent.domain.errors import Invalid
from assent.ledger.terms import LEGAL_BASES, ROLES, Party, Terms, parse_terms

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
SOME = st.lists(TEXT, min_size=1, max_size=3).map(tuple)
PARTY = st.builds(
    Party, name=TEXT, identifier=TEXT, role=st.sampled_from(ROLES), contact=TEXT, address=TEXT, url=st.text("abc:/")
)
ANY_TERMS = st.builds(
    Terms,
    **dict.fromkeys(
        ("service", "purpose", "purpose_text", "deletion", "withdraw_at", "withdraw_how", "policy_url", "language"),
        TEXT,
    ),
    **dict.fromkeys(("processing", "data", "storage_locations", "jurisdictions", "rights", "sensitive"), SOME),
    controllers=st.lists(PARTY, min_size=1, max_size=2).map(tuple),
    recipients=st.lists(PARTY, max_size=2).map(tuple),
    storage_duration=st.sampled_from(["P5Y", "PT72H", "indefinite"]),
    legal_basis=st.sampled_from(LEGAL_BASES),
)


@given(ANY_TERMS)
def test_terms_are_read_back(terms: Terms) -> None:
    assert parse_terms(terms.encode()) == terms


MANDATORY = [
    "controllers", "service", "purpose", "purpose_text", "processing", "data", "storage_locations", "storage_duration",
    "deletion", "jurisdictions", "withdraw_at", "withdraw_how", "rights", "policy_url", "language",
]  # fmt: skip


@pytest.mark.parametrize("field", MANDATORY)
def test_what_a_receipt_must_say_cannot_be_left_out(field: str) -> None:
    with pytest.raises(Invalid, match=f"lack `{field}`"):
        replace(TERMS, **{field: () if isinstance(getattr(TERMS, field), tuple) else ""})


@pytest.mark.parametrize("field", ["name", "identifier", "contact", "address"])
def test_a_party_is_somebody_who_can_be_reached(field: str) -> None:
    with pytest.raises(Invalid, match=f"without `{field}`"):
        replace(CONTROLLER, **{field: ""})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"storage_duration": "P0D"}, "zero"),
        ({"storage_duration": "5 years"}, "duration"),
        ({"legal_basis": "silence"}, "silence"),
    ],
)
def test_a_term_that_means_nothing_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        replace(TERMS, **change)
    with pytest.raises(Invalid, match="role `king`"):
        replace(CONTROLLER, role="king")


def _text(change: dict[str, Any]) -> bytes:
    return canonical(json.loads(TERMS.encode()) | change)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x", "not JSON"),
        (b"7", "not of version"),
        (_text({"v": "assent/terms/v2"}), "not of version"),
        (_text({"more": ""}), "exactly the fields"),
        (_text({"data": "conversations"}), "wrong kind"),
        (_text({"data": [1]}), "wrong kind"),
        (_text({"service": 1}), "wrong kind"),
        (_text({"controllers": "me"}), "wrong kind"),
        (_text({"controllers": [{}]}), "lacks a field"),
        (TERMS.encode() + b" ", "canonical"),
    ],
)
def test_anything_else_is_no_terms(data: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_terms(data)
