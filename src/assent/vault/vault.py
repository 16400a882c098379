"""The vault: texts in, places out; a text opens as long as its slot holds a key."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from assent.domain.contents import Sealed
from assent.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date, datetime

    from assent.domain.contents import Piece
    from assent.vault.sealing import Sealing
    from assent.vault.segments import Segments
    from assent.vault.slots import Rotation, SlotStore

KEY_BYTES: Final = 32
SEGMENT_BYTES: Final = 64 << 20
"""A segment ends with the record that reaches this size."""

_COPY: Final = re.compile(r".*/\d+-\d+-(\d+)")
_LANE: Final = re.compile(r"[a-z0-9-]+")
_READ_ON: Final = 16 << 10
"""Bytes that are cheaper read and thrown away than skipped by another read."""
_SPAN: Final = 8 << 20


class Vault:
    """Sealed content of one store. Any number of threads may use it at once."""

    def __init__(
        self, slots: SlotStore, segments: Segments, sealing: Sealing, new_keys: Callable[[int], bytes]
    ) -> None:
        """Keep keys in `slots` and records in `segments`; `new_keys(n)` draws n fresh bytes."""
        self.slots = slots
        self._segments = segments
        self._sealing = sealing
        self._new_keys = new_keys

    def keep(self, pieces: Sequence[Piece], *, day: date) -> list[Sealed]:
        """Seal texts and keep them under a day of intake, lane by lane; return where, in the order of the pieces.

        Everything is durable when this returns. A crash before leaves bytes and keys that no row names, and never the
        other way round. Raises `Invalid` if a lane is no slug.
        """
        for lane in {piece.lane for piece in pieces}:
            if not _LANE.fullmatch(lane):
                raise Invalid(f"`{lane}` is no lane", "use lower-case letters, digits and `-`")
        records = self._seal([(piece.slot, piece.text) for piece in pieces])
        places: dict[int, Sealed] = {}
        in_lanes = sorted(zip(pieces, records, strict=True), key=lambda one: (one[0].lane, one[0].slot))
        for lane, found in groupby(in_lanes, key=lambda one: one[0].lane):
            places |= self._put([(piece.slot, record) for piece, record in found], day, lane)
        return [places[piece.slot] for piece in pieces]

    def read(self, places: Sequence[Sealed]) -> dict[int, str]:
        """Open texts by slot; one whose key is destroyed is left out.

        Raises `NotFound` if a segment is gone though the key is there: the record may have moved since its place was
        read from the store. Raises `AssentError` if a record or a slot is damaged.
        """
        keys = self.slots.read([place.slot for place in places])
        records = self._records([place for place in places if place.slot in keys])
        return self._open([(slot, keys[slot], record) for slot, record in records])

    def seal_inline(self, texts: Sequence[tuple[int, str]]) -> list[bytes]:
        """Seal short texts, each with its slot, whose records stand in rows. Keys are durable when this returns."""
        return self._seal(texts)

    def open_inline(self, sealed: Sequence[tuple[int, bytes]]) -> dict[int, str]:
        """Open records that stand in rows, by slot; one whose key is destroyed is left out."""
        keys = self.slots.read([slot for slot, _ in sealed])
        return self._open([(slot, keys[slot], record) for slot, record in sealed if slot in keys])

    def destroy(self, slots: Sequence[int]) -> None:
        """Destroy the keys of slots, durably; again does no harm. What they sealed is noise then, in every copy."""
        self.slots.destroy(slots)

    def opens(self, slots: Sequence[int]) -> set[int]:
        """Return which of these slots still hold a key."""
        return self.slots.holding(slots)

    def copy(self, places: Sequence[Sealed], *, day: date, lane: str) -> list[Sealed]:
        """Copy sealed records as they are into new segments, and return where, in the order of the places.

        `day` and `lane` name the new segments. What was copied stays until its segment is removed.
        """
        # a name that was used before, be it free again, may stand for other bytes in a backup
        copied = 1 + max((_times_copied(place.segment) for place in places), default=0)
        moved = self._put(sorted(self._records(places)), day, lane, copied)
        return [moved[place.slot] for place in places]

    def segments(self) -> Iterator[tuple[str, int]]:
        """Yield every segment with its size in bytes."""
        return self._segments.names()

    def written(self, segment: str) -> datetime:
        """Return when a segment was written. Raises `FileNotFoundError` if there is none of that name."""
        return self._segments.written(segment)

    def remove_segment(self, name: str) -> None:
        """Remove a segment; one that is gone already is no error."""
        self._segments.remove(name)

    @property
    def since(self) -> datetime:
        """When the epoch came into force, by the clock of the file system."""
        return self.slots.since

    def rotate(self, *, on_slots: Callable[[int], None] = lambda _amount: None) -> Rotation:
        """Wrap every live key anew and destroy the old epoch, with every copy of its slots anywhere."""
        return self.slots.rotate(on_slots=on_slots)

    def close(self) -> None:
        """Forget the epoch key."""
        self.slots.close()

    def _seal(self, texts: Sequence[tuple[int, str]]) -> list[bytes]:
        drawn = self._new_keys(KEY_BYTES * len(texts))
        keys = [drawn[at : at + KEY_BYTES] for at in range(0, len(drawn), KEY_BYTES)]
        records = self._sealing.seal((slot, key, text) for (slot, text), key in zip(texts, keys, strict=True))
        self.slots.write({slot: key for (slot, _), key in zip(texts, keys, strict=True)})
        return records

    def _open(self, records: Sequence[tuple[int, bytes, bytes]]) -> dict[int, str]:
        return dict(zip((slot for slot, _, _ in records), self._sealing.open(records), strict=True))

    def _put(self, records: Sequence[tuple[int, bytes]], day: date, lane: str, copied: int = 0) -> dict[int, Sealed]:
        """Write records, in ascending order of slots, as one segment or several; `copied` times they were before."""
        places: dict[int, Sealed] = {}
        for group in _segments_of(records):
            name = self._put_one(f"{day.isoformat()}/{lane}/{group[0][0]}-{group[-1][0]}", group, copied)
            position = 0
            for slot, record in group:
                places[slot] = Sealed(slot, name, position, len(record))
                position += len(record)
        return places

    def _put_one(self, name: str, records: Sequence[tuple[int, bytes]], copied: int) -> str:
        data = b"".join(record for _, record in records)
        while True:
            wanted = f"{name}-{copied}" if copied else name
            try:
                self._segments.put(wanted, data)
            except FileExistsError:
                copied += 1  # a crash left one that no row names
            else:
                return wanted

    def _records(self, places: Iterable[Sealed]) -> Iterator[tuple[int, bytes]]:
        """Read records; neighbours in a segment come by one read."""
        for near in _neighbours(sorted(places, key=lambda place: (place.segment, place.position))):
            start = near[0].position
            try:
                stretch = self._segments.read(near[0].segment, start, near[-1].position + near[-1].length - start)
            except FileNotFoundError:
                if held := self.slots.holding([place.slot for place in near]):
                    fix = "read its place from the store again, or run `assent reconcile`"
                    raise NotFound(f"segment `{near[0].segment}` is gone, and {len(held)} keys are not", fix) from None
                continue  # erased since its key was read
            for place in near:
                yield place.slot, stretch[place.position - start : place.position - start + place.length]


def _times_copied(segment: str) -> int:
    match = _COPY.fullmatch(segment)
    return int(match[1]) if match else 0


def _segments_of(records: Sequence[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    group: list[tuple[int, bytes]] = []
    size = 0
    for one in records:
        group.append(one)
        size += len(one[1])
        if size >= SEGMENT_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _neighbours(places: Iterable[Sealed]) -> Iterator[list[Sealed]]:
    near: list[Sealed] = []
    end = 0
    for place in places:
        other = near and place.segment != near[0].segment
        if near and (other or place.position - end > _READ_ON or place.position - near[0].position > _SPAN):
            yield near
            near = []
        near.append(place)
        end = place.position + place.length
    if near:
        yield near
