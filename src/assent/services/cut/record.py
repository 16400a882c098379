"""The end of a cut: its number, manifest and key, its place in the store's record, and then its name on the disk."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import pyarrow as pa

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import AssentError, Refused
from assent.domain.instants import format_instant
from assent.pipeline.card import card
from assent.pipeline.check import FORMAT
from assent.pipeline.messages import MessageCounts
from assent.pipeline.write import (
    CARD_FILE,
    EXCLUDED,
    EXCLUDED_FILE,
    MANIFEST_FILE,
    PARTS,
    PARTS_FILE,
    SETTINGS,
    file_record,
    put_bytes,
    schema_record,
)
from assent.settings import MAX_PAGE_ROWS
from assent.store.port import Cuts, Erasures, Reclaiming
from assent.store.records import Cut, CutRow, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from assent.pipeline.folder import Unfinished
    from assent.policy.model import Policy
    from assent.services.cut.order import CutOrder

_MEMBERS: Final = pa.schema([("conversation", pa.string()), ("part", pa.string()), ("subject", pa.string())])


class RecordStore(Cuts, Erasures, Reclaiming, Protocol):
    """What recording a cut asks of a store."""


class Members:
    """Who is in the cut, on the disk until the store has it: a file without a name, gone with the process."""

    def __init__(self, folder: Path) -> None:
        """Begin an empty list on the disk of `folder`."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self._writer = pa.ipc.new_stream(self._file, _MEMBERS)

    def close(self) -> None:
        """Let the file go."""
        self._writer.close()
        self._file.close()

    def add(self, rows: Iterable[CutRow]) -> None:
        """Append rows."""
        found = [{"conversation": row.conversation, "part": row.part, "subject": row.subject} for row in rows]
        if found:
            self._writer.write_batch(pa.RecordBatch.from_pylist(found, schema=_MEMBERS))

    def rows(self) -> Iterator[CutRow]:
        """Read everything back, in order; nothing can be added afterwards."""
        self._writer.close()
        self._file.seek(0)
        with pa.ipc.open_stream(self._file) as reader:
            for batch in reader:
                yield from (CutRow(**row) for row in batch.to_pylist())


@dataclass(slots=True)
class Written:
    """What lies in the folder so far, counted. `files` maps a file's name to its rows; `text_bytes` are UTF-8.

    `erased_before` is the newest erasure from before the first row was read.
    """

    members: Members
    erased_before: int = 0
    considered: int = 0
    eligible: int = 0
    rows: int = 0
    conversations: int = 0
    text_bytes: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    people: set[str] = field(default_factory=set)
    governed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    under: Counter[str] = field(default_factory=Counter)
    proofs: Counter[str] = field(default_factory=Counter)
    messages: MessageCounts = field(default_factory=MessageCounts)
    files: dict[str, int] = field(default_factory=dict)


def finish(
    order: CutOrder, store: RecordStore, policies: Sequence[Policy], written: Written, folder: Unfinished
) -> tuple[dict[str, Any], str]:
    """Give the cut its number, keep its key, record it, and name its folder last; return manifest and digest.

    The record comes before the name: a folder of personal data that the store does not know
    of would escape erasure, a record without a folder harms nobody. Raises `Refused` if a part
    was erased meanwhile: its erasure could not know of this cut.
    """
    if written.considered != written.rows + written.excluded.total():
        raise AssentError("the counts of this cut do not add up, so nothing was written", "cut again, or report it")
    order.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(order.keys):
        number = _next_number(store, order.name)
        manifest, digest = _describe(order, policies, written, folder.path, number)
        _keep_key(order.keys / f"{order.name}-{number}.key", order.key)
        cut = Cut(order.name, number, digest, order.now, str(order.directory.absolute()))
        store.record_cut(cut, written.members.rows())
        _require_all_here(store, cut, written.erased_before)
        folder.publish()
    return manifest, digest


def newest_erasure(store: Erasures) -> int:
    """Return the number of the newest erasure, 0 before the first."""
    listing = store.erasures(Page(limit=1))
    return listing.items[0].id if listing.items else 0


def _require_all_here(store: RecordStore, cut: Cut, after: int) -> None:
    while erasures := store.chained(after, MAX_PAGE_ROWS):
        for erasure in erasures:
            if (cut.name, cut.number) in ((name, number) for name, number, _, _ in store.cuts_with_erased(erasure.id)):
                raise Refused("parts were erased while the cut was written, so it is not published", "cut again")
        after = erasures[-1].id


def _next_number(store: Cuts, name: str) -> int:
    newest, page = 0, Page(limit=MAX_PAGE_ROWS)
    while True:
        listing = store.cuts(page)
        newest = max((newest, *(cut.number for cut in listing.items if cut.name == name)))
        if listing.after is None:
            return newest + 1
        page = Page(limit=MAX_PAGE_ROWS, after=listing.after)


def _describe(
    order: CutOrder, policies: Sequence[Policy], written: Written, folder: Path, number: int
) -> tuple[dict[str, Any], str]:
    """Write the card and the manifest."""
    files = [file_record(folder / name, rows).to_record() for name, rows in sorted(written.files.items())]
    manifest = _manifest(order, policies, written, number, files)
    put_bytes(folder / CARD_FILE, card(manifest).encode())
    manifest["files"] = sorted(
        [*files, file_record(folder / CARD_FILE).to_record()], key=lambda file: str(file["name"])
    )
    content = canonical(manifest)
    put_bytes(folder / MANIFEST_FILE, content)
    return manifest, digest_bytes(content)


def _manifest(
    order: CutOrder, policies: Sequence[Policy], written: Written, number: int, files: list[dict[str, object]]
) -> dict[str, Any]:
    schemas = {PARTS_FILE: schema_record(PARTS)}
    if order.keep_excluded:
        schemas[EXCLUDED_FILE] = schema_record(EXCLUDED)
    messages = written.messages
    return {
        "assent_cut": FORMAT,
        "assent": order.version,
        "name": order.name,
        "number": number,
        "purpose": order.purpose,
        "at": format_instant(order.at),
        "policies": [
            {"name": policy.name, "digest": policy.digest, "effective": format_instant(policy.effective)}
            for policy in policies
        ],
        "decided_under": [
            {"policy": digest, "versions": list(written.governed[digest]), "parts": parts}
            for digest, parts in sorted(written.under.items())
        ],
        "counts": {
            "considered": written.considered,
            "eligible": written.eligible,
            "written": written.rows,
            "excluded": dict(written.excluded),
            "people": len(written.people),
            "conversations": written.conversations,
            "bytes": written.text_bytes,
            "proofs": dict(written.proofs),
        },
        "messages": {
            "conversations": messages.written,
            "left_out": dict(messages.left_out),
            "silent_parts": dict(messages.silent),
        },
        "files": files,
        "schema": schemas,
        "settings": SETTINGS,
    }


def _keep_key(path: Path, key: bytes) -> None:
    """Write the key for its owner only. One of a cut that was never recorded may lie there: nothing uses it."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(number)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one cut of this home be numbered at a time."""
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
