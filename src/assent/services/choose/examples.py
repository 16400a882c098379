"""Worked examples from a person's own account: what an answer would do to their chats, computed and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from assent.domain.choices import REFUSALS, TITLED, Place, acts_on, project_target
from assent.domain.facts import ChoiceAct, choice_order
from assent.pipeline.redact.block import redact
from assent.pipeline.redact.finding import RedactTerms
from assent.policy.versions import decide_versions, governing
from assent.services.access import may_read
from assent.services.choose.standing import StandingStore, acts_of
from assent.store.port import Conversations
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.decision import Decision
    from assent.domain.facts import Act, Facts
    from assent.policy.model import Policy
    from assent.store.records import Choice, ConversationEntry

LOOKED_AT: Final = 100
"""How many chats are decided for one answer, newest first; how many there are is always said."""
PREVIEW_CHARACTERS: Final = 400
"""How much of a message is previewed."""

_CHATS_SEARCHED: Final = 5
_MESSAGES_SEARCHED: Final = 20
_NEXT: Final = timedelta(microseconds=1)


class ExampleStore(StandingStore, Conversations, Protocol):
    """What examples ask of a store."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What would hold if the person allowed a purpose now.

    Of `conversations`, `looked_at` were decided, newest first: `old` hold something that could be
    used at once, `open` are others in which that begins with the next message. A message written now would be
    erased by `if_allowed`, or by `if_declined` (None: no end is set, or there is no chat to write it in).
    """

    conversations: int
    looked_at: int
    open: int
    old: int
    if_allowed: datetime | None
    if_declined: datetime | None


class Piece(NamedTuple):
    """A stretch of a previewed message; `made_up`: it stands where personal data stood."""

    text: str
    made_up: bool


def examples_of(
    store: ExampleStore,
    policies: Sequence[Policy],
    subject: str,
    purpose: str,
    now: datetime,
    *,
    at_most: int = LOOKED_AT,
) -> Examples:
    """Work the examples out. `policies` are ordered by date."""
    acts = [act for act in acts_of(store, subject) if act.at <= now]
    listing = store.conversations(ConversationFilter(subject=subject), Page(at_most))
    facts = store.shown_facts_of([entry.id for entry in listing.items])
    old = fresh = 0
    ends: dict[Act, datetime | None] = {"allow": None, "decline": None}
    for entry in listing.items:
        known = facts.get(entry.id, [])
        if not known or entry.deleted_at is not None:
            continue
        place = place_of(entry, known)
        allowed = told(acts, place, purpose, "allow", now)
        counts = any(purpose in decided(replace(one, choices=allowed), policies, now).eligible for one in known)
        next_one = decided(next_message(known, allowed, now), policies, now + _NEXT)
        old += counts
        fresh += not counts and purpose in next_one.eligible
        if purpose in next_one.eligible and ends["allow"] is None:
            refused = told(acts, place, purpose, "decline", now)
            ends = {
                "allow": next_one.erase_by,
                "decline": decided(next_message(known, refused, now), policies, now + _NEXT).erase_by,
            }
    return Examples(listing.total, len(listing.items), fresh, old, ends["allow"], ends["decline"])


def preview_of(
    store: ExampleStore, policies: Sequence[Policy], subject: str, now: datetime, *, key: bytes
) -> list[Piece]:
    """Show one of the person's newest messages as a training set would hold it; empty if there is none to show.

    One with personal data is taken if one is found among the newest. `key` is a fresh secret that is forgotten.
    """
    cuts = frozenset(name for policy in policies for name in policy.cut_purposes)
    best: list[Piece] = []
    for entry in store.conversations(ConversationFilter(subject=subject), Page(_CHATS_SEARCHED)).items:
        stored = store.conversation(entry.id)
        if stored is None or entry.deleted_at is not None:
            continue
        facts = store.shown_facts_of([entry.id]).get(entry.id, [])
        own = [
            part
            for part, fact in zip(stored.parts, facts, strict=True)
            if part.origin == "person" and part.data == "text" and _readable(decided(fact, policies, now), cuts)
        ][-_MESSAGES_SEARCHED:]
        texts = store.content_of([part.key for part in own])
        for part in reversed(own):
            pieces = _redacted(texts.get(part.key, ""), key, subject)
            if any(piece.made_up for piece in pieces):
                return pieces
            best = best or pieces
    return best


def place_of(entry: ConversationEntry, facts: Sequence[Facts]) -> Place:
    """Say where a conversation stands, for acts that are about a project or about it alone."""
    project = project_target(entry.project) if entry.project else None
    return Place(entry.id, project, not entry.project and all(fact.data not in TITLED for fact in facts))


def told(acts: Sequence[Choice], place: Place, purpose: str, act: Act, now: datetime) -> tuple[ChoiceAct, ...]:
    """Return the acts that count for a place, with one more, about everything, that is only considered."""
    known = acts_on(acts, place)
    made = [ChoiceAct(one.purpose, one.act, one.at) for one in known]
    if act == "allow" and kept_apart(known, purpose):
        return tuple(made)  # what was kept out stays out
    return tuple(sorted([*made, ChoiceAct(purpose, act, now)], key=choice_order))


def kept_apart(acts: Sequence[Choice], purpose: str) -> bool:
    """Tell whether the act that decides for a place is a refusal of that conversation, or of its project, alone."""
    said = [act for act in acts if act.purpose == purpose and act.act != "defer"]
    return bool(said) and said[-1].scope != "everything" and said[-1].act in REFUSALS


def next_message(known: Sequence[Facts], choices: tuple[ChoiceAct, ...], now: datetime) -> Facts:
    """Make the facts of a message that the person would write next in a conversation."""
    like = next((fact for fact in known if fact.origin == "person" and fact.data == "text"), known[0])
    at = now + _NEXT
    clocks = {"created_at": at, "last_turn_at": at, "recorded_at": at}
    return replace(like, **clocks, feedback_at=None, choices=choices)  # type: ignore[arg-type]  # clocks are instants


def decided(facts: Facts, policies: Sequence[Policy], now: datetime) -> Decision:
    """Decide one part by the versions that govern it."""
    return decide_versions(facts, governing(policies, facts, now), now)


def _readable(decision: Decision, cuts: frozenset[str]) -> bool:
    return any(may_read(decision, purpose, cuts) for purpose in decision.use_until)


def _redacted(text: str, key: bytes, subject: str) -> list[Piece]:
    if not text.strip():
        return []
    done = redact([text], key, subject, RedactTerms())
    made, pieces, at = done.texts[0], [], 0
    for finding in done.findings[0]:
        pieces += [
            Piece(made[at : finding.start], made_up=False),
            Piece(made[finding.start : finding.end], made_up=True),
        ]
        at = finding.end
    return _cut([*pieces, Piece(made[at:], made_up=False)])


def _cut(pieces: list[Piece]) -> list[Piece]:
    kept, room = [], PREVIEW_CHARACTERS
    for piece in pieces:
        if piece.text and room > 0:
            kept.append(piece if len(piece.text) <= room else Piece(piece.text[:room].rstrip() + "…", piece.made_up))
        room -= len(piece.text)
    return kept
