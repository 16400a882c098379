"""The receipt: one JSON-LD document that says what was chosen and carries the evidence for it.

{DPV document of `ledger/dpv.py`, "evidence": {"v", "record", "salt", "terms", "proof"}}

The evidence is the exact text of the record, its salt, the exact text of the terms and the
C2SP tlog-proof. Everything outside the evidence is rebuilt from it, so a receipt has one
meaning or none. It holds no key: a document cannot vouch for itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from assent.domain.digests import canonical
from assent.domain.errors import Invalid, Refused
from assent.ledger.dpv import project
from assent.ledger.leaf import SALT_BYTES, commitment
from assent.ledger.proof import Proof, parse_proof
from assent.ledger.record import ChoiceRecord, parse_record
from assent.ledger.terms import Terms, parse_terms

VERSION: Final = "assent/receipt/v1"
MAX_RECEIPT_BYTES: Final = 2_000_000
"""More than the longest proof with a hundred cosignatures and the longest terms; a larger file is not read."""

_EVIDENCE: Final = frozenset({"v", "record", "salt", "terms", "proof"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose parts fit each other. Whether the ledger says so too is for `ledger/verify.py`."""

    record: ChoiceRecord
    salt: bytes
    terms: Terms
    proof: Proof

    @property
    def entry(self) -> bytes:
        """The 32 bytes that the ledger holds for this choice."""
        return commitment(self.salt, self.record.encode())


def write_receipt(receipt: Receipt) -> dict[str, Any]:
    """Write a receipt as one JSON-LD document.

    Raises `Refused` if the terms are not those that the record names.
    """
    _check_terms(receipt.record, receipt.terms)
    evidence = {
        "v": VERSION,
        "record": receipt.record.encode().decode(),
        "salt": base64.b64encode(receipt.salt).decode(),
        "terms": receipt.terms.encode().decode(),
        "proof": receipt.proof.text,
    }
    return project(receipt.record, receipt.terms) | {"evidence": evidence}


def encode_receipt(document: Mapping[str, Any]) -> bytes:
    """Write a receipt document as a file: indented, so that a person can look at it."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def read_receipt(data: bytes) -> Receipt:
    """Read a receipt file without believing the ledger's part of it.

    Raises `Invalid` for a file that is not a receipt, and `Refused` for a receipt whose parts
    contradict each other: other terms than the record names, or a document that says anything
    else than record and terms do.
    """
    document = _load(data)
    evidence = document.pop("evidence", None)
    if not isinstance(evidence, dict) or evidence.get("v") != VERSION:
        _unreadable(f"has no evidence of version `{VERSION}`")
    if evidence.keys() != _EVIDENCE or not all(isinstance(value, str) for value in evidence.values()):
        _unreadable("has evidence with other fields than its version has")
    try:
        receipt = Receipt(
            record=parse_record(evidence["record"].encode()),
            salt=_salt(evidence["salt"]),
            terms=parse_terms(evidence["terms"].encode()),
            proof=parse_proof(evidence["proof"]),
        )
    except (Invalid, UnicodeEncodeError) as problem:
        raise _contradiction(problem) from None
    _check_terms(receipt.record, receipt.terms)
    if receipt.proof.extra is not None:
        raise Refused("the proof carries extra data that nobody vouches for", "expected a proof without an extra line")
    _check_document(document, project(receipt.record, receipt.terms))
    return receipt


def _load(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_RECEIPT_BYTES:
        _unreadable(f"is longer than {MAX_RECEIPT_BYTES} bytes")
    try:
        document = json.loads(data.decode(), object_pairs_hook=_no_key_twice, parse_constant=_no_number)
    except (UnicodeDecodeError, ValueError, RecursionError):
        _unreadable("is not JSON text in UTF-8 with every key once")
    if not isinstance(document, dict):
        _unreadable("is not a JSON object")
    return document


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _salt(text: str) -> bytes:
    try:
        salt = base64.b64decode(text, validate=True)
    except ValueError:
        salt = b""
    if len(salt) != SALT_BYTES or base64.b64encode(salt).decode() != text:
        raise Invalid(f"the salt is not {SALT_BYTES} bytes in base64")
    return salt


def _check_terms(record: ChoiceRecord, terms: Terms) -> None:
    if record.terms != terms.digest:
        raise Refused("the terms are not those of this choice", f"expected terms with digest `{record.terms}`")
    if record.purpose != terms.purpose:
        raise Refused("the terms are for another purpose", f"expected terms for `{record.purpose}`")


def _check_document(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for key in expected.keys() | found.keys():
        try:
            same = key in found and key in expected and canonical(found[key]) == canonical(expected[key])
        except (ValueError, RecursionError):
            same = False
        if not same:
            name = key if key in expected else "a key that no receipt has"
            raise Refused(
                f"the document's `{name}` says something else than the record", f"expected what `{VERSION}` makes of it"
            )


def _contradiction(problem: Exception) -> Refused:
    reason = problem.message if isinstance(problem, Invalid) else "the evidence is not Unicode text"
    return Refused(reason, "expected evidence as it was issued")


def _unreadable(reason: str) -> NoReturn:
    raise Invalid(f"the file {reason}", "give the receipt file as it was issued (JSON)")
