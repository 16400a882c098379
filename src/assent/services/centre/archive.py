"""Everything that is kept about a person, in files for them to take away: made piece by piece, never whole in memory.

The person's own access is no purpose: the right to a copy lasts as long as there is something to
copy. So all that is still here is read, but for what has come to its end and is only waiting to
be erased; each reading is recorded like any other.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from assent.domain.errors import AssentError
from assent.domain.facts import facts_to_record
from assent.domain.instants import format_instant
from assent.ledger.receipt import encode_receipt
from assent.pipeline.folder import alone
from assent.policy.versions import decide_versions, governing
from assent.services.centre.asking import flags_of
from assent.services.ledger.prove import prove
from assent.services.receipts.issue import receipt_of
from assent.services.receipts.shown import shown_terms
from assent.services.run.reach import reached
from assent.store.port import (
    Accesses,
    Accounts,
    Acting,
    Campaigns,
    Choices,
    Conversations,
    Cuts,
    Erasures,
    Flags,
    Holds,
    Ledger,
    Notices,
    Policies,
    Prompts,
    Rights,
    Runs,
    Signals,
)
from assent.store.records import Access, ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import Policy
    from assent.services.centre.sealed import Archive, Progress
    from assent.services.ledger.log import Log
    from assent.store.records import Listing, StoredConversation

AT_ONCE: Final = 100
"""Conversations of one file: with their content they are in memory together."""

ACCESS: Final = "access"
"""The purpose under which a person's own reading is recorded; no policy grants or ends it."""

FIRST: Final = "about you"
"""The first stage; `conversations` and `cover` follow."""


class ArchiveStore(
    Accesses,
    Accounts,
    Acting,
    Campaigns,
    Choices,
    Conversations,
    Cuts,
    Erasures,
    Flags,
    Holds,
    Ledger,
    Notices,
    Policies,
    Prompts,
    Rights,
    Runs,
    Signals,
    Protocol,
):
    """What an archive reads of a store."""


@dataclass(frozen=True, slots=True)
class Making:
    """What making an archive needs. `cover` writes the page that lists what is in it, from the count of each file."""

    store: ArchiveStore
    log: Log
    policies: Sequence[Policy]
    now: Callable[[], datetime]
    cover: Callable[[Mapping[str, int]], bytes]


def make(making: Making, archive: Archive, subject: str) -> Progress:
    """Make an archive, or go on with one that was interrupted. Raises `NotFound` if it was removed meanwhile."""
    progress = archive.progress(subject, making.now())
    with alone(archive.place) as free:
        while free and progress.stage:
            progress = _next(making, archive, progress)
    return progress


def _next(making: Making, archive: Archive, progress: Progress) -> Progress:
    """Make what comes next, and write down that it is made: a stage, or the next stretch of conversations."""
    if progress.stage == "conversations":
        which = ConversationFilter(subject=progress.subject)
        found = making.store.find_conversations(which, Page(AT_ONCE, progress.after), look_at=AT_ONCE)
        records = list(_conversations(making, [entry.id for entry in found.items]))
        done = replace(
            progress,
            pieces=progress.pieces + 1,
            after=found.after,
            stage=progress.stage if found.after else "cover",
            conversations=progress.conversations + len(records),
        )
        archive.add(done.pieces, f"conversations/{done.pieces:06}.ndjson", _lines(records))
        archive.note(done)
        return done
    first = progress.stage == FIRST
    number = progress.pieces
    # a stage that was interrupted is made again from its beginning, over what there is of it
    for name, content in _about(making, progress.subject) if first else [_cover(making, archive, progress)]:
        number += 1
        archive.add(number, name, content)
    done = replace(progress, pieces=number, stage="conversations" if first else "")
    archive.note(done)
    return done


def _cover(making: Making, archive: Archive, progress: Progress) -> tuple[str, bytes]:
    counts: dict[str, int] = {}
    for name, content in archive.pieces(progress.pieces):
        kind = name.partition("/")[0]
        counts[kind] = counts.get(kind, 0) + (content.count(b"\n") if name.endswith(".ndjson") else 1)
    return "index.html", making.cover(counts)


def _about(making: Making, subject: str) -> Iterator[tuple[str, bytes]]:
    """Write everything but conversations, in one file a kind."""
    store = making.store
    account = store.account(subject)
    yield "account.json", _json({} if account is None else asdict(account))
    choices = list(store.choices(subject))
    yield "choices.ndjson", _lines(map(asdict, choices))
    yield from _proofs(making, [choice.id for choice in choices])
    shown = dict.fromkeys(choice.notice for choice in choices if choice.notice)
    for digest in shown:
        rendering = store.rendering(digest)
        if rendering is not None:
            kind = "html" if rendering.surface in ("html", "fragment") else "txt"
            yield f"shown/{digest.rpartition(':')[2]}.{kind}", rendering.body.encode()
    yield "prompts.ndjson", _lines(_prompts(store, subject))
    yield "signals.ndjson", _lines(map(asdict, _whole(lambda page: store.signals(subject, page))))
    yield "flags.ndjson", _lines(map(asdict, flags_of(store, subject)))
    yield "holds.ndjson", _lines(_holds(store, subject))
    yield "training-sets.ndjson", _lines(_cuts(store, subject))
    yield "training-runs.ndjson", _lines(one.to_record() for one in reached(store, subjects=[subject]))
    yield "requests.ndjson", _lines(map(asdict, _whole(lambda page: store.requests(page, subject=subject))))
    yield "erased.ndjson", _lines(_erased(store, subject))
    yield "devices.ndjson", _lines(map(asdict, store.devices_of(subject)))
    yield "guardians.ndjson", _lines(map(asdict, store.guardians_of(subject)))
    yield "ledger-keys.txt", "".join(f"{signer.verifier.vkey}\n" for signer in making.log.signers).encode()


def _proofs(making: Making, choices: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for choice in choices:
        name = choice.replace(":", "-")
        try:
            proven = prove(making.store, making.log, choice)
        except AssentError:  # an imported act has no leaf, and the newest waits for its checkpoint
            continue
        yield f"proofs/{name}.tlog-proof", proven.proof.encode()
        yield f"proofs/{name}.json", proven.record
        if proven.choice.terms:
            terms = shown_terms(making.store, proven.choice)
            yield f"receipts/{name}.json", encode_receipt(receipt_of(proven, terms))


def _conversations(making: Making, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    now = making.now()
    stored, facts = making.store.conversations_of(names), making.store.shown_facts_of(names)
    for name in names:
        if name in stored and facts.get(name):
            record = _conversation(making, stored[name], facts[name], now)
            if record is not None:
                yield record


def _conversation(
    making: Making, stored: StoredConversation, facts: Sequence[Facts], now: datetime
) -> dict[str, Any] | None:
    decided = [decide_versions(one, governing(making.policies, one, now), now) for one in facts]
    # by their keys' order both reads agree; a part that came or went between them is left to the next download
    trio = [(p, f, d) for p, f, d in zip(stored.parts, facts, decided, strict=False) if not d.due()]
    if not trio:
        return None
    entry = stored.entry
    making.store.log_access(Access(entry.id, ACCESS, "the person", "download of everything", len(trio), now))
    texts = making.store.content_of([part.key for part, _, _ in trio])
    said: dict[str, Any] = {**asdict(entry), "subject": None}
    said.pop("subject")
    said["parts"] = [
        {
            "id": part.id,
            "turn": part.turn,
            "speaker": part.speaker,
            "name": part.name,
            "marks": sorted(part.marks),
            "text": texts.get(part.key),
            "facts": {k: v for k, v in facts_to_record(fact).items() if k not in _SAID_ELSEWHERE},
            "decision": {k: v for k, v in decision.to_record().items() if k != "part"},
        }
        for part, fact, decision in trio
    ]
    return said


_SAID_ELSEWHERE: Final = ("part", "subject", "conversation", "choices")


def _prompts(store: ArchiveStore, subject: str) -> Iterator[dict[str, Any]]:
    for campaign in _whole(store.campaigns):
        for prompt in store.prompts_of(campaign.id, subject):
            yield asdict(prompt)


def _holds(store: Holds, subject: str) -> Iterator[dict[str, Any]]:
    """Write the holds that may be told, without who else they cover."""
    for one in store.holds_on(subject):
        hold = one.hold
        yield {
            "id": hold.id,
            "matter": hold.matter,
            "scope": hold.scope,
            "start": hold.start,
            "review_at": hold.review_at,
            "released_at": hold.released_at,
            "conversations": one.conversations,
        }


def _cuts(store: Cuts, subject: str) -> Iterator[dict[str, Any]]:
    for cut in store.cuts_with_person(subject):
        said = asdict(cut)
        said.pop("directory")
        yield said


def _erased(store: Erasures, subject: str) -> Iterator[dict[str, Any]]:
    for stone in _whole(lambda page: store.tombstones(page, subject=subject)):
        said = asdict(stone)
        said.pop("subject")
        yield said


def _whole(read: Callable[[Page], Listing[Any]]) -> Iterator[Any]:
    page: Page | None = Page(1_000)
    while page is not None:
        listing = read(page)
        yield from listing.items
        page = Page(1_000, listing.after) if listing.after else None


def _json(value: object) -> bytes:
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2).encode() + b"\n"


def _lines(values: Iterable[object]) -> bytes:
    return b"".join(json.dumps(one, default=_plain, ensure_ascii=False).encode() + b"\n" for one in values)


def _plain(value: Any) -> object:
    return sorted(value) if isinstance(value, frozenset) else format_instant(value)
