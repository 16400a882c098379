"""The rooms of policies, imports and counts: what was used, what came in, and how much there is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from assent.domain.errors import NotFound
from assent.store.records import Counts, ImportNote, ImportRun, Listing, Page, PolicyText
from assent.store.schema import (
    account,
    choice,
    conversation,
    flag,
    hold,
    import_note,
    import_run,
    part,
    sealed,
    sweep,
    tombstone,
)
from assent.store.schema import cut as cuts
from assent.store.schema import policy as policies
from assent.store.sql.paging import listing, values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, RowMapping, Table

_MANY: Final = 1_000
"""Records of one import after which the counts of the tables are behind."""

_NOTE = select(import_note.c.place, import_note.c.kind, import_note.c.reason, import_note.c["count"])


def _policy(row: RowMapping) -> PolicyText:
    return PolicyText(**values_of(row))


def _run(row: RowMapping) -> ImportRun:
    return ImportRun(**values_of(row))


def _note(row: RowMapping) -> ImportNote:
    return ImportNote(**values_of(row))


class PolicyRoom(Room):
    """Policy files as they were used."""

    def add_policy(self, policy: PolicyText) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(policies.c.digest).where(policies.c.digest == policy.digest)) is None:
                connection.execute(insert(policies).values(asdict(policy)))

    def policy(self, digest: str) -> PolicyText | None:
        def find() -> PolicyText | None:
            with self._database.reading() as connection:
                row = connection.execute(select(policies).where(policies.c.digest == digest)).mappings().one_or_none()
            return None if row is None else _policy(row)

        return self._held_texts.get(PolicyText, digest, find)

    def policies(self) -> Iterator[PolicyText]:
        return walk(self._database, select(policies), (policies.c.added_at, policies.c.digest), _policy)


class ImportRoom(Room):
    """Accounts of imports."""

    def begin_import(self, format_name: str, path: str, started_at: datetime) -> int:
        row = {"format": format_name, "path": path, "started_at": started_at}
        with self._database.writing() as connection:
            number: int = connection.scalars(insert(import_run).values(row).returning(import_run.c.id)).one()
            return number

    def finish_import(self, run: ImportRun, notes: Iterable[ImportNote]) -> None:
        with self._database.writing() as connection:
            values = asdict(run)
            change = update(import_run).where(import_run.c.id == values.pop("id")).values(values)
            if connection.execute(change).rowcount == 0:
                raise NotFound(f"there is no import `{run.id}`", "begin it first")
            connection.execute(delete(import_note).where(import_note.c.run == run.id))
            for piece in pieces(notes):
                connection.execute(insert(import_note), [{"run": run.id, **asdict(note)} for note in piece])
        if run.imported >= _MANY:
            self._database.count_anew(conversation, part, sealed)

    def imports(self, page: Page) -> Listing[ImportRun]:
        with self._database.reading() as connection:
            return listing(connection, select(import_run), (import_run.c.id,), page, _run)

    def import_notes(self, run: int, page: Page) -> Listing[ImportNote]:
        query = _NOTE.where(import_note.c.run == run)
        with self._database.reading() as connection:
            return listing(connection, query, (-import_note.c.id,), page, _note)


class CountRoom(Room):
    """How much there is."""

    def tend(self) -> None:
        self._database.shorten_log()

    def counts(self) -> Counts:
        with self._database.reading() as connection:

            def count(table: Table, *which: ColumnElement[bool]) -> int:
                return connection.scalar(select(func.count()).select_from(table).where(*which)) or 0

            sources: Any = connection.execute(select(conversation.c.source, func.count()).group_by("source"))
            return Counts(
                accounts=count(account),
                conversations=count(conversation),
                parts=count(part),
                choices=count(choice),
                flags=count(flag),
                holds_standing=count(hold, hold.c.released_at.is_(None)),
                tombstones=count(tombstone),
                policies=count(policies),
                sweeps_unfinished=count(sweep, sweep.c.finished_at.is_(None)),
                cuts=count(cuts),
                by_source={source: number for source, number in sources},  # noqa: C416 - rows are not pairs
            )
