"""The record of one choice: the bytes to which a leaf of the ledger commits (spec/receipt.md, section 2).

A record names everything that R18 of a provable choice needs (who, when, what was shown, how,
what was answered) and nothing more: the subject is a pseudonym, the target a digest, the notice
and the terms are digests of texts that stand elsewhere. Its bytes are the canonical JSON of
`domain/digests.py`, so a record can be rebuilt from a stored choice instead of being stored.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NoReturn

import orjson

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid
from assent.domain.facts import ACTS, SCOPES, Act, Scope
from assent.domain.instants import format_instant, parse_instant

VERSION: Final = "assent/choice/v1"
"""The value of `v` in every record; another meaning of any field gets another version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRecord:
    """One act of a subject in a form that outlives the store. What is empty was not recorded.

    `subject` and `guardian` are pseudonyms, `target` is the digest of the name of the project or
    conversation (None: everything), `notice` the digest of the exact text shown, `terms` the
    digest of the terms that went with it, `snapshot` the digest of the signed snapshot that the
    client was served, `policy` the digest of the policy version, `options` the acts offered in
    the order shown, `prior` the standing before the act. `controller` identifies who asked.
    """

    id: str
    subject: str
    purpose: str
    act: Act
    at: datetime
    notice: str
    surface: str
    recorded_by: str
    controller: str
    scope: Scope = "everything"
    target: str | None = None
    locale: str = ""
    layout: str = ""
    options: tuple[str, ...] = ()
    policy: str = ""
    client: str = ""
    prior: str = ""
    snapshot: str = ""
    campaign: str = ""
    guardian: str = ""
    terms: str = ""

    def encode(self) -> bytes:
        """Write the record as canonical JSON. Raises `Invalid` for text that is not Unicode (a lone surrogate)."""
        # The keys stand here in sorted order, which saves sorting them 20,000 times a second.
        value = {
            "act": self.act,
            "at": format_instant(self.at),
            "campaign": self.campaign,
            "client": self.client,
            "controller": self.controller,
            "guardian": self.guardian,
            "id": self.id,
            "layout": self.layout,
            "locale": self.locale,
            "notice": self.notice,
            "options": self.options,
            "policy": self.policy,
            "prior": self.prior,
            "purpose": self.purpose,
            "recorded_by": self.recorded_by,
            "scope": self.scope,
            "snapshot": self.snapshot,
            "subject": self.subject,
            "surface": self.surface,
            "target": self.target,
            "terms": self.terms,
            "v": VERSION,
        }
        try:
            return orjson.dumps(value)
        except orjson.JSONEncodeError:
            raise Invalid("the record holds text that is not Unicode", "send text as UTF-8") from None

    @property
    def digest(self) -> str:
        """Name the record by the SHA-256 of its bytes."""
        return digest_bytes(self.encode())


_NAMES: Final = frozenset(field.name for field in fields(ChoiceRecord))
_TEXTS: Final = _NAMES - {"at", "options", "target"}


def parse_record(data: bytes) -> ChoiceRecord:
    """Read a record from its bytes. Raises `Invalid` unless they are exactly what `encode` writes."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        _refuse("is not JSON")
    if not isinstance(value, dict) or value.get("v") != VERSION:
        _refuse(f"is not of version `{VERSION}`")
    if value.keys() != _NAMES | {"v"}:
        _refuse("does not have exactly the fields of its version")
    record = ChoiceRecord(**_checked({name: value[name] for name in _NAMES}))
    if record.encode() != data:
        _refuse("is not in canonical form")
    return record


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    for name in sorted(_TEXTS):
        if not isinstance(value[name], str):
            _refuse(f"has a `{name}` that is not text")
    if value["act"] not in ACTS:
        _refuse("has an unknown `act`")
    if value["scope"] not in SCOPES:
        _refuse("has an unknown `scope`")
    if not isinstance(value["target"], str | None):
        _refuse("has a `target` that is not text")
    options = value["options"]
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        _refuse("has `options` that are not a list of texts")
    return value | {"at": parse_instant(value["at"]), "options": tuple(options)}


def _refuse(reason: str) -> NoReturn:
    raise Invalid(f"the record {reason}", "take the record text from the receipt, unchanged")
