"""Review: people look at what a detector found, and say whether it is harmful.

scored -> flagged (a provisional flag, or none yet) -> queued -> reviewed by one person, or by two who agree where the
category is severe -> upheld or reversed -> appealed -> decided by somebody else. Until it is upheld a flag is what the
policy says of one that nobody reviewed; upholding moves the policy's anchor `reviewed`, reversing ends its clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.people import plain_name
from assent.policy.versions import decide_versions, governing
from assent.services.access import AccessStore, may_read, read_for
from assent.services.detector import SAFETY
from assent.services.flag.events import REVERSED, UPHELD, event_of
from assent.services.flag.terms import severity_of
from assent.store.port import Flags, Reviews
from assent.store.records import Candidate, Flag, Review, Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.access import Reading
    from assent.services.flag.terms import ReviewTerms
    from assent.store.records import ReviewDecision

    Redact = Callable[[Sequence[str], str], Sequence[str]]
    """Replaces personal data in texts; the second argument names the conversation."""


class ReviewStore(AccessStore, Flags, Reviews, Protocol):
    """What reviewing asks of a store."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one person decides about a candidate, and why, without quoting content."""

    candidate: str
    by: str
    decision: ReviewDecision
    reason: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of a candidate: what it was settled as, or None while somebody else must look."""

    candidate: str
    settled: ReviewDecision | None
    flag: Flag | None


def raise_flag(store: ReviewStore, flag: Flag) -> None:
    """Flag a conversation; people are to look at it, two if its category is severe. The same flag again does nothing.

    Raises `NotFound` if the conversation is not kept.
    """
    waits = Candidate(
        id=flag.id,
        conversation=flag.conversation,
        band="flag",
        category=flag.category,
        severity=severity_of(flag.category),
        detector=flag.by,
        queued_at=flag.at,
        score=flag.score,
    )
    store.nominate([waits], [flag])
    store.add_flag(flag)  # there already, unless there is no such conversation: then it says so


def review(
    store: ReviewStore, policies: Sequence[Policy], said: Said, terms: ReviewTerms, *, now: datetime
) -> Reviewed:
    """Record what a person decided. Doing it again changes nothing.

    Raises `NotFound`, `Invalid` without a name or a reason, and `Refused` for whoever flagged it, for one who decided
    otherwise before, for what is settled, and for what may not be looked at for safety any more.
    """
    if not said.by.strip() or not said.reason.strip():
        raise Invalid("a review needs a reviewer and a reason", "say who decides and why, without quoting content")
    found = known_candidate(store, said.candidate)
    flag = store.flag(found.id)
    if plain_name(said.by) == plain_name(flag.by if flag is not None else found.detector):
        raise Refused("whoever flagged it cannot review it too", "let somebody else look")
    if (
        flag is None
        and found.settled_at is None
        and found.conversation not in open_to_review(store, policies, [found], now)
    ):
        raise Refused("this conversation may not be looked at for safety any more", "leave it; it waits no longer")

    def settle(reviews: Sequence[Review]) -> Settlement | None:
        votes = Counter(one.decision for one in reviews)
        agreed = [decision for decision, count in votes.items() if count >= terms.people(found.severity)]
        return _settlement(found, flag, agreed[0], reviews[-1].at) if agreed else None

    made = Review(
        candidate=found.id,
        reviewer=said.by,
        at=now,
        decision=said.decision,
        reason=said.reason,
        band=found.band,
        category=found.category,
        drawn=found.drawn,
    )
    settled = store.record_review(made, settle)
    return Reviewed(found.id, None if settled is None else settled.decision, store.flag(found.id))


def show(
    store: ReviewStore,
    policies: Sequence[Policy],
    candidate: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    redact: Redact | None,
) -> tuple[Candidate, Reading]:
    """Read a candidate's conversation for safety; the access is recorded, with its reason, before the reading.

    With `redact` personal data is replaced; without it the reviewer asked for the text as it was written.
    Raises what `read_for` raises, and `NotFound`.
    """
    found = known_candidate(store, candidate)
    read = read_for(store, policies, found.conversation, purpose=SAFETY, by=by, reason=reason, now=now)
    if redact is None:
        return found, read
    texts = redact([text for _, text in read.parts], found.conversation)
    parts = tuple((part, text) for (part, _), text in zip(read.parts, texts, strict=True))
    return found, type(read)(read.conversation, read.purpose, parts, read.withheld)


def known_candidate(store: Reviews, candidate: str) -> Candidate:
    """Return a candidate. Raises `NotFound`."""
    found = store.candidate(candidate)
    if found is None:
        fix = "list what waits with `assent flag queue`; it may have been erased"
        raise NotFound(f"nothing with the id `{candidate}` waits for people", fix)
    return found


def open_to_review(
    store: AccessStore, policies: Sequence[Policy], candidates: Collection[Candidate], now: datetime
) -> set[str]:
    """Return the conversations among these of which safety may still read something at `now`."""
    cuts = frozenset(name for policy in policies for name in policy.cut_purposes)
    facts = store.facts_of_several({one.conversation for one in candidates})
    return {
        name
        for name, parts in facts.items()
        if any(may_read(decide_versions(fact, governing(policies, fact, now), now), SAFETY, cuts) for fact in parts)
    }


def _settlement(found: Candidate, flag: Flag | None, decision: ReviewDecision, at: datetime) -> Settlement:
    if flag is None and decision == "reverse":
        return Settlement(decision, at)  # it was never flagged: there is nothing to tell anybody
    made = flag or Flag(
        found.id, found.conversation, at, found.category, found.detector, "upheld by people", score=found.score
    )
    event = event_of(UPHELD if decision == "uphold" else REVERSED, made, at, decision)
    return Settlement(decision, at, made if flag is None else None, event)
