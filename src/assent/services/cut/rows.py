"""Rows of a cut: what the set evaluator nominates is decided once more, gated, and proved."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import digest
from assent.domain.errors import AssentError
from assent.domain.facts import facts_to_record
from assent.policy.versions import decide_versions, governing
from assent.services.cut.proofs import Proofs
from assent.store.records import part_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from assent.domain.conversation import Mark
    from assent.domain.decision import Decision
    from assent.domain.facts import Facts
    from assent.policy.model import Policy
    from assent.services.cut.order import CutOrder, CutStore
    from assent.services.cut.proofs import Proof
    from assent.store.records import StoredConversation, StoredPart

OUT: Final[tuple[Mark, ...]] = (
    "abandoned",
    "hidden",
    "system-context",
    "encrypted",
    "summary",
    "duplicate",
    "error",
    "sidechain",
)
"""Marks that keep a part out of every cut; the first one a part has is the reason."""

GONE: Final = "gone"
ENDED_SINCE: Final = "ended since"
BUSINESS: Final = "business plan"
UNPROVEN: Final = "unproven"


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that passed every gate and lacks only its text."""

    key: int
    row: dict[str, Any]


@dataclass(slots=True)
class Drafts:
    """What became of the eligible parts of one conversation. `excluded` holds (part name, reason)."""

    subject: str | None = None
    kept: list[Draft] = field(default_factory=list)
    excluded: list[tuple[str | None, str]] = field(default_factory=list)


class Reader:
    """Reads conversations from the store and makes rows of them."""

    def __init__(self, order: CutOrder, store: CutStore, policies: Sequence[Policy], key: bytes) -> None:
        """Decide under `policies`, ordered by date, as the order says, and name people with `key`."""
        self._order = order
        self._store = store
        self._policies = policies
        self._business = frozenset(plan for policy in policies for plan in policy.business_plans)
        self._proofs = Proofs(store, store, order.purpose, order.at)
        self._key = key
        self._person: dict[str, str] = {}
        self.governed: dict[str, tuple[str, ...]] = {}
        """For each policy digest of a row, the digests of the versions that were combined."""

    def drafts(self, chosen: Mapping[str, Collection[int]]) -> dict[str, Drafts]:
        """Decide the nominated parts, by key, of some conversations, in the order of the source."""
        stored = self._store.conversations_of(chosen)
        facts = self._store.facts_of_several(chosen)
        self._proofs.remember(chosen)
        return {name: self._of_one(name, keys, stored.get(name), facts.get(name, ())) for name, keys in chosen.items()}

    def _of_one(
        self, conversation: str, keys: Collection[int], stored: StoredConversation | None, known: Sequence[Facts]
    ) -> Drafts:
        found = Drafts(None if stored is None else stored.entry.subject)
        parts = [part for part in stored.parts if part.key in keys] if stored is not None else []
        facts = {fact.part: fact for fact in known}
        found.excluded += [(None, GONE)] * (len(keys) - len(parts))
        for part in parts:
            name = part_name(conversation, part.id)
            if name not in facts:
                found.excluded.append((name, GONE))
                continue
            draft = self._draft(part, facts[name])
            if isinstance(draft, str):
                found.excluded.append((name, draft))
            else:
                found.kept.append(draft)
        return found

    def _draft(self, part: StoredPart, facts: Facts) -> Draft | str:
        """Make a row, or say in a word why there is none."""
        order = self._order
        versions = governing(self._policies, facts, order.at)
        decision = decide_versions(facts, versions, order.at)
        if order.purpose not in decision.eligible:
            raise _disagreement(facts)
        if facts.plan in self._business:
            return BUSINESS
        proof = self._proofs.of(facts, versions)
        if proof is None:
            return UNPROVEN
        for mark in OUT:
            if mark in part.marks:
                return mark
        self.governed.setdefault(decision.digest, tuple(policy.digest for policy in versions))
        return Draft(part.key, self._row(part, facts, decision, proof))

    def _row(self, part: StoredPart, facts: Facts, decision: Decision, proof: Proof) -> dict[str, Any]:
        return {
            "part": facts.part,
            "conversation": facts.conversation,
            "person": None if facts.subject is None else self._pseudonym(facts.subject),
            "turn": part.turn,
            "ordinal": part.ordinal,
            "speaker": part.speaker,
            "origin": part.origin,
            "data": part.data,
            "surface": facts.surface,
            "marks": sorted(part.marks),
            # the name of a file is the person's own words, that of a tool is not
            "tool": part.name or None if "tool-payload" in part.marks else None,
            "created_at": part.created_at,
            "decision": decision_id(facts, decision.digest),
            "proof": proof.kind,
            "receipt": proof.receipt,
            "policy": decision.digest,
        }

    def _pseudonym(self, subject: str) -> str:
        if subject not in self._person:
            self._person = {subject: pseudonym(self._key, subject)}
        return self._person[subject]

    def texts(self, drafts: Sequence[Draft]) -> Mapping[int, str]:
        """Read the content of rows by key."""
        return self._store.content_of([draft.key for draft in drafts])


def pseudonym(key: bytes, subject: str) -> str:
    """Name a person for one cut: HMAC-SHA256 of the subject under the cut's key, its first 128 bits in hexadecimal."""
    return hmac.new(key, subject.encode(), "sha256").hexdigest()[:32]


def decision_id(facts: Facts, policy: str) -> str:
    """Name a decision by what it was made of: the facts and the digest of the policy; the cut says at which instant.

    So a row keeps its id from one number of a cut to the next while nothing about it changes. The
    subject is left out: no rule reads it, and with it anybody who knew the other facts could test a
    guess at the person.
    """
    made_of = {key: value for key, value in facts_to_record(facts).items() if key != "subject"}
    return digest({"facts": made_of, "policy": policy})


def _disagreement(facts: Facts) -> AssentError:
    return AssentError(
        f"the two evaluators do not agree on part `{facts.part}`, so nothing was written",
        "cut again, in case its past was changed meanwhile; if it stays, report it with what `assent explain` says",
    )
