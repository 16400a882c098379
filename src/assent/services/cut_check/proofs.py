"""What shows that a row may be there: the receipts that count, and that the ledger holds them (spec/manifest.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError
from assent.domain.instants import format_instant
from assent.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from assent.ledger.leaf import commitment
from assent.ledger.merkle import leaf_hash, verify_inclusion
from assent.ledger.note import unsigned_text
from assent.ledger.record import parse_record
from assent.services.cut_check.conditions import happened
from assent.services.cut_check.rules import answer, asked_of
from assent.services.cut_check.standing import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.ledger.note import Verifier
    from assent.policy.document import Choice, Document, Grant
    from assent.services.cut_check.evidence import Entry, KnownAct, KnownFlag
    from assent.services.cut_check.rules import Version

SEVERAL: Final = " + "


@dataclass(frozen=True, slots=True)
class Claim:
    """What can be pointed at for one part: its facts, the acts that count for it, and the flags of its conversation."""

    facts: Facts
    acts: Sequence[KnownAct]
    flags: Sequence[KnownFlag]


def proofs_of(claim: Claim, version: Version, purpose: str, at: datetime) -> Iterator[tuple[str, str]]:
    """Name every (proof, receipt) that would do for a part under one version."""
    for grant in version.rules:
        if grant.purpose != purpose or purpose not in answer(version, claim.facts, at, only=grant).eligible:
            continue
        yield from _of_grant(claim, version.document, grant, at)


def _of_grant(claim: Claim, document: Document, grant: Grant, at: datetime) -> Iterator[tuple[str, str]]:
    facts = claim.facts
    if grant.rule_class == "feedback exception" and (sent := happened(document, facts, "feedback", at)) is not None:
        yield "feedback", format_instant(sent)
    elif grant.rule_class == "safety exception" and happened(document, facts, "flagged", at) is not None:
        standing = (facts.flagged_at, facts.flag_reversed_at)
        yield from (("flag", flag.id) for flag in claim.flags if (flag.at, flag.reversed_at) == standing)
    elif choices := asked_of(grant):
        acts = [_in_force(claim, document, choice, at) for choice in choices]
        if all(act is not None and act.act.act == "allow" for act in acts):
            yield "choice", SEVERAL.join(dict.fromkeys(act.id for act in acts if act is not None))


def _in_force(claim: Claim, document: Document, choice: Choice, at: datetime) -> KnownAct | None:
    """Return the last act that decides, at the instant at which the answer must be there."""
    moment = moment_of(document, choice, claim.facts, at)
    found = None
    for known in claim.acts:
        act = known.act
        if act.purpose == choice.purpose and act.act != "defer" and act.at <= moment:
            found = known
    return found


@dataclass(slots=True)
class LedgerCheck:
    """Checks acts against one checkpoint of the ledger, each once."""

    checkpoint: Checkpoint
    _seen: dict[str, str | None] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    """For each act that is proven, whose it is: the pseudonym in its record."""

    def problem(self, known: KnownAct) -> str | None:
        """Say why the ledger does not prove an act; None if it does."""
        if known.id not in self._seen:
            self._seen[known.id] = self._look(known)
        return self._seen[known.id]

    def holds(self, entry: Entry) -> bool:
        """Tell whether the ledger holds a record at its leaf, under this checkpoint."""
        leaf = leaf_hash(commitment(entry.salt, entry.record))
        return verify_inclusion(entry.leaf, self.checkpoint.size, leaf, entry.path, self.checkpoint.root)

    def _look(self, known: KnownAct) -> str | None:
        entry = known.entry
        if entry is None:
            return "is not in the ledger"
        try:
            record, held = parse_record(entry.record), self.holds(entry)
        except AssentError:
            return "has a record that cannot be read"
        if not held:
            return "is not what the ledger holds at its leaf"
        said = (known.id, known.act.purpose, known.act.act, known.act.at)
        if (record.id, record.purpose, record.act, record.at) != said:
            return "says something else in the ledger"
        self.subjects[known.id] = record.subject
        return None


def open_ledger(note: str, keys: Sequence[Verifier]) -> LedgerCheck:
    """Open the checkpoint of evidence, signed by one of these keys if there are any. Raises `Invalid` otherwise."""
    if keys:
        return LedgerCheck(open_checkpoint(note, keys, keys[0].name))
    return LedgerCheck(parse_checkpoint(unsigned_text(note)))


def receipts(receipt: str, acts: Mapping[str, KnownAct]) -> list[KnownAct | None]:
    """Look up the acts that a receipt of the kind `choice` names; None for one that is not known."""
    return [acts.get(one) for one in receipt.split(SEVERAL)]
