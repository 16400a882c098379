"""Tracers: made-up conversations that nobody said, whose markers tell whether something gone is gone.

They go through intake, plan, sweep and erasure like any other conversation. The markers stand
in their text and title and nowhere else: not even the store keeps them, but the seed from which
they are made. So a marker that is found in a file was written there in the clear.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.conversation import Conversation, Part
from assent.services.reconcile.finding import Finding
from assent.services.reconcile.search import count_markers, files_in
from assent.store.records import Account, Page, Tracer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.services.reconcile.world import ReconcileWorld
    from assent.store.port import Store

State = Literal["here", "erased", "lost"]
SOURCE: Final = "tracer"
BEGIN: Final = "assent-tracer-"
"""How every marker begins."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A tracer and its state: `lost` is gone without a tombstone."""

    tracer: Tracer
    state: State


def markers_of(tracer: Tracer) -> tuple[bytes, bytes]:
    """Make the two markers of a tracer: of its text and of its title."""
    text, title = (f"{BEGIN}{hmac.digest(tracer.seed, of, hashlib.sha256).hex()}" for of in (b"text", b"title"))
    return text.encode(), title.encode()


def plant(store: Store, tracers: Sequence[Tracer], *, plan: str, now: datetime) -> None:
    """Take in one made-up conversation for each tracer, whose person asks at once that it be deleted."""
    store.plant(tracers)
    store.put_accounts([Account(_subject(one), plan=plan, age=40, signed_in=True) for one in tracers])
    store.intake([_conversation(one, now) for one in tracers], plan=plan, recorded_at=now)
    for one in tracers:
        store.request_deletion(one.conversation, now)


def _subject(tracer: Tracer) -> str:
    return tracer.conversation


def _conversation(tracer: Tracer, now: datetime) -> Conversation:
    text, title = (marker.decode() for marker in markers_of(tracer))
    said = f"nobody said this; it shows whether what is erased is gone: {text}"
    return Conversation(
        id=tracer.conversation,
        source=SOURCE,
        subject=_subject(tracer),
        title=f"tracer {title}",
        parts=(
            Part("1", "1", "user", "person", "text", said, now),
            Part("2", "1", "assistant", "model", "text", said, now),
        ),
        created_at=now,
        last_turn_at=now,
    )


def look(store: Store) -> list[Seen]:
    """Say of every tracer what became of it, oldest first."""
    return [Seen(one, _state(store, one)) for one in store.tracers()]


def _state(store: Store, tracer: Tracer) -> State:
    if store.conversation(tracer.conversation) is not None:
        return "here"
    return "erased" if store.tombstones(Page(1), conversation=tracer.conversation).items else "lost"


def tracers(world: ReconcileWorld) -> Iterator[Finding]:
    """Find tracers that cannot be read though they are here, that are lost, or whose markers stand somewhere."""
    seen = look(world.store)
    lost = [one.tracer.conversation for one in seen if one.state == "lost"]
    if lost:
        says = f"{len(lost):,} tracers are gone without a tombstone"
        yield Finding("tracers", len(lost), says, "something deletes past the sweep: find it", tuple(lost[:5]))
    mute = [one.tracer.conversation for one in seen if one.state == "here" and not _reads(world.store, one.tracer)]
    if mute:
        says = f"{len(mute):,} tracers are here and cannot be read: this look at files would prove nothing"
        yield Finding("tracers", len(mute), says, "see what is said of rows without keys or bytes", tuple(mute[:5]))
    owner = {marker: one.tracer.conversation for one in seen for marker in markers_of(one.tracer)}
    for name, places in world.places.items():
        if places is None or not owner:
            continue
        found: Counter[str] = Counter()
        for path in files_in(places):
            for marker, count in count_markers(path, tuple(owner)).items():
                found[owner[marker]] += count
        if found:
            says = f"markers of {len(found):,} tracers stand in the clear in {name}, {found.total():,} times"
            fix = "content was written there unsealed: find out by what, and erase it there"
            yield Finding("markers", found.total(), says, fix, tuple(sorted(found)[:5]))


def _reads(store: Store, tracer: Tracer) -> bool:
    kept = store.conversation(tracer.conversation)
    if kept is None:
        return True  # erased since
    said = store.content_of([part.key for part in kept.parts])
    text, title = (marker.decode() for marker in markers_of(tracer))
    return len(said) == len(kept.parts) and all(text in one for one in said.values()) and title in kept.entry.title
