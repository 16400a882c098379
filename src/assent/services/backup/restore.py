"""Bring a home back from a backup: rows and bytes first, then what was erased since, and the keys last.

Until the last step nothing but the replay writes, and no content opens: its keys are not there.
So what was erased after the backup was taken is never readable again, not even for a moment.
Every step can be done again; a restore that was stopped goes on where it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from assent.domain.errors import Incomplete, Refused
from assent.domain.instants import format_instant
from assent.services.backup.doubt import Backed, doubt, unknown_leaves
from assent.services.backup.ledger import continue_ledger
from assent.services.backup.prune import key_backups
from assent.services.erase.journal import Entry, Journal, erasure_of, hold_of, stones_of
from assent.store.migrate import NEWEST
from assent.store.records import Backup, Restore
from assent.vault.disk import make_folder, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from assent.policy.model import Policy
    from assent.services.backup.opened import Opened
    from assent.services.ledger.log import Log
    from assent.store.port import Store, TileStore
    from assent.vault.segments import Segments
    from assent.vault.slots import SlotStore

_KEYS_AT_ONCE: Final = 50_000


@dataclass(frozen=True, slots=True)
class Target:
    """The home that comes back: an empty store, an empty vault, the folder of its journal, its ledger's name.

    `log` appends to that ledger, if it has one; `policies` are its versions, ordered by date.
    """

    store: Store
    slots: SlotStore
    segments: Segments
    journal: Path
    origin: str
    log: Log | None = None
    policies: Sequence[Policy] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody answers for going on without the journal, and says why."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    `erasures` and `parts` of them were carried out anew, `holds` taken over from the journal.
    `keys` open what was kept, `left` keys of the backup were not put back: what they sealed is
    erased. The ledger has `leaves`; `unknown` of them were published after the backup, and the choices
    that they commit to are lost. None: nobody looked. `doubted` permissions ended for it (`services.backup.doubt`).
    """

    backup: str
    taken_at: datetime
    rows: int
    segments: int
    erasures: int
    parts: int
    holds: int
    keys: int
    left: int
    epoch: int
    leaves: int
    unknown: int | None
    doubted: int


def restore(
    opened: Opened,
    target: Target,
    *,
    journal: Path | None,
    lost: Lost | None,
    ledger: TileStore | None = None,
    now: datetime,
    on_step: Callable[[str], None],
) -> Restored:
    """Bring back a backup into an empty home, and replay the `journal` of the home that was lost.

    `ledger` is where its ledger was published, if anywhere: that one is continued.

    Raises `Incomplete` after rows and bytes if neither the journal nor somebody who answers for
    its loss is named: the home then reads, opens nothing and refuses to write. Raises `Refused`
    if the backup was taken by another step of the schema, the home is not empty, or the journal
    is of another home or has gaps.
    """
    manifest = opened.manifest
    if manifest.step != NEWEST:
        fix = f"restore it with assent {manifest.version}, then upgrade"
        raise Refused(f"the backup stands at step `{manifest.step}` and this assent at `{NEWEST}`", fix)
    mark = Restore(manifest.id, manifest.taken_at, now, manifest.mark.number)
    # by itself and first: a writer that waits for its turn already must find the mark
    target.store.begin_restore(mark)
    on_step("segments")
    _segments(opened, target.segments)
    if not target.store.loaded():
        on_step("tables")
        target.store.load({name: opened.table(name) for name in manifest.tables}, manifest.numbers)
    on_step("journal")
    _settle_journal(opened, target.journal, journal)
    if journal is None and lost is None:
        raise Incomplete(
            f"what was erased and held after `{format_instant(manifest.taken_at)}` is not known here, so the home"
            " reads, opens no content and refuses to write",
            "run the same command with `--journal FOLDER` of the lost home; if that is lost too, say who answers for it"
            " and why: `--journal-lost --by NAME --reason TEXT`",
        )
    on_step("replay")
    replayed = _replay(target, manifest.mark.number, manifest.mark.chain)
    on_step("ledger")
    if ledger is not None:
        continue_ledger(target.store, ledger, target.origin)
    unknown = len(unknown_leaves(target.store, manifest.leaves) - replayed.others)
    doubted = 0
    if unknown:
        on_step("choices")
        doubted = doubt(target.store, target.log, target.policies, Backed(manifest.id, manifest.taken_at), now=now)
    on_step("keys")
    keys, left = _keys(opened, target)
    rotation = target.slots.rotate(on_slots=lambda _amount: None)
    answers = (lost.by, lost.reason) if lost else (None, None)
    target.store.finish_restore(now, backups=_beside(opened), lost_by=answers[0], lost_reason=answers[1])
    target.store.see_clock(now)
    return Restored(
        backup=manifest.id,
        taken_at=manifest.taken_at,
        rows=sum(table.rows for table in manifest.tables.values()),
        segments=len(manifest.segments),
        erasures=replayed.erasures,
        parts=replayed.parts,
        holds=replayed.holds,
        keys=keys,
        left=left,
        epoch=rotation.to_epoch,
        leaves=target.store.staged(),
        unknown=unknown if ledger is not None else None,
        doubted=doubted,
    )


def _segments(opened: Opened, segments: Segments) -> None:
    there = dict(segments.names())
    for name, kept in opened.manifest.segments.items():
        if there.get(name) != kept.size:
            if name in there:
                segments.remove(name)
            segments.put(name, opened.segment(name))


def _settle_journal(opened: Opened, folder: Path, journal: Path | None) -> None:
    """Put the journal into the home: the lost home's own, or else the copy in the backup."""
    coming = folder.with_name(f"{folder.name}.part")
    if journal is not None and journal.resolve() == folder.resolve():
        return
    if folder.is_dir() and (journal is None or Journal(folder).mark().number >= Journal(journal).mark().number):
        return
    shutil.rmtree(coming, ignore_errors=True)
    if journal is None:
        opened.journal_into(coming)
    else:
        make_folder(coming)
        for day in Journal(journal).days():
            shutil.copyfile(journal / day, coming / day)
            (coming / day).chmod(0o600)
    shutil.rmtree(folder, ignore_errors=True)
    coming.rename(folder)
    sync_folder(folder.parent)


class _Replayed(NamedTuple):
    """What stood behind a mark: erasures, their parts that were here, acts on holds, and leaves that are no choices."""

    erasures: int
    parts: int
    holds: int
    others: set[int]


def _replay(target: Target, number: int, chain: str) -> _Replayed:
    """Do again what is behind a mark of the journal."""
    erasures: dict[int, Entry] = {}
    others: set[int] = set()
    holds = 0
    last = number
    for entry in _behind(Journal(target.journal), number, chain):
        last = entry.mark.number
        if entry.kind == "erasure":
            erasures[entry.body["id"]] = entry
        elif entry.kind == "no choices":
            others.update(entry.body["leaves"])
        elif entry.kind != "backup":
            target.store.replay_hold(hold_of(entry))
            holds += 1
    parts = 0
    # several processes write the journal: its order is almost, not quite, that of the chain
    for _, entry in sorted(erasures.items()):
        parts += target.store.replay_erasure(erasure_of(entry), list(stones_of(entry)), entry.body["slots"])
    target.store.replayed(last)
    return _Replayed(len(erasures), parts, holds, others)


def _behind(journal: Journal, number: int, chain: str) -> Iterator[Entry]:
    """Read the entries behind a mark, and see that it is this journal's mark. Raises `Refused` otherwise."""
    first = True
    for entry in journal.read(number - 1):
        if first and (entry.mark.number, entry.mark.chain) != (number, chain):
            raise Refused("the journal is of another home, or does not reach back to the backup", _NAME)
        first = False
        if entry.mark.number > number:
            yield entry
    if first:
        raise Refused("the journal ends before the backup was taken", _NAME)


_NAME: Final = "name the journal of the home that was backed up, or a younger backup"


def _keys(opened: Opened, target: Target) -> tuple[int, int]:
    """Put back the keys of what is still here; returns how many, and how many were left out."""
    here = _flat(target.store.slots())
    wanted = next(here, None)
    batch: dict[int, bytes] = {}
    put = left = 0
    for slot, key in opened.slots():
        while wanted is not None and wanted < slot:
            wanted = next(here, None)
        if wanted != slot:
            left += 1
            continue
        batch[slot] = key
        put += 1
        if len(batch) >= _KEYS_AT_ONCE:
            target.slots.write(batch)
            batch = {}
    if batch:
        target.slots.write(batch)
    return put, left


def _flat(stretches: Iterator[Sequence[int]]) -> Iterator[int]:
    for stretch in stretches:
        yield from stretch


def _beside(opened: Opened) -> list[Backup]:
    """Name the backups of keys that lie beside this one, also those taken after it: they end on time too."""
    return [
        Backup(
            id=keys.id,
            taken_at=keys.taken_at,
            folder=keys.folder,
            keys_folder=str(opened.keys_folder),
            manifest=keys.manifest,
            journal=0,
            slots=keys.slots.rows,
            keys_expire_at=keys.expires_at,
        )
        for keys in key_backups(opened.keys_folder)
    ]
