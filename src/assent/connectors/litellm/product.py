"""LiteLLM's proxy as a product: list, read, find every copy, blank, look again, watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from assent.connectors.litellm import statements
from assent.connectors.litellm.erasing import Copies, named, removed
from assent.connectors.litellm.reading import FORMAT, conversation_of
from assent.connectors.litellm.rows import Rows, askable, run, stream, tables
from assent.connectors.litellm.state import State
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.postgresql import look, tidy
from assent.connectors.table import Secret, Table
from assent.domain.errors import Invalid, Place

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from assent.connectors.formats.port import Record

SUMMARY: Final = "the request log of LiteLLM's proxy on PostgreSQL, and what it keeps beside it"


class Settings(Table):
    """The keys of a LiteLLM connector's file."""

    database_file: Path = Field(description="a file with the database's address, the proxy's DATABASE_URL")
    person: Literal["end_user", "user"] = Field(
        "end_user", description="the column that names the person: end_user, or user (who owns the key)"
    )
    plan: Literal["team_id", "organization_id"] = Field("team_id", description="the column that names the plan")
    surface: Literal["chat", "coding", "api"] = Field("chat", description="what the conversations are")
    memory: Literal["keep", "with-person"] = Field(
        "keep", description="entries of LiteLLM's memory that name no session: keep, or with a person's last session"
    )
    cold_storage: Literal["report", "elsewhere"] = Field(
        "report", description="objects in cold storage: report as not reachable, or erased elsewhere"
    )
    log_files: bool = Field(
        default=True, description="look at the write-ahead log and at samples; no where nobody may (managed servers)"
    )
    settle_minutes: Annotated[int, Field(ge=0)] = Field(
        10, description="watching waits so long for rows of requests that take longer"
    )


def connect(settings: Settings, secret: Secret) -> LiteLlm:
    """Connect a database. Raises `NotFound` if the file of its address is not there, `Invalid` if it holds none."""
    return LiteLlm(settings, Rows(secret(settings.database_file)))


class LiteLlm:
    """The database of one proxy."""

    format = FORMAT

    def __init__(self, settings: Settings, rows: Rows) -> None:
        self.name = settings.name
        self._settings = settings
        self._rows = rows

    @property
    def reach(self) -> str:
        log = "" if self._settings.log_files else ", and the server's own log and statistics"
        return (
            "log rows are blanked and keep spend, tokens and times; errors, audit, router, workflow, memory and files; "
            f"dead rows only in maintenance; not backups, archived logs, replicas and providers{log}"
        )

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        """List sessions that hold what somebody said; the product's own requests, such as titles, count as turns."""
        query = statements.listing(self._settings.person, self._settings.plan, since=since is not None)
        bound = {} if since is None else {"since": since.astimezone(UTC).replace(tzinfo=None)}
        with self._rows.reading() as connection:
            tables(connection)
            for row in stream(connection, query, **bound):
                if row.person != row.other:
                    yield Unlisted(Place(statements.SPEND), "several persons speak in one session")
                else:
                    yield Listed(row.id, row.person, _utc(row.created), _utc(row.turned), row.plan or "")

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        wanted = askable(ids)
        if not wanted:
            return
        found: dict[str, list[Any]] = {}
        with self._rows.reading() as connection:
            for row in run(connection, statements.reading(self._settings.person), ids=wanted):
                found.setdefault(row.id, []).append(row)
        for name, rows in found.items():
            yield from conversation_of(name, rows, self._settings.surface)

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._found(ids, State(self._settings.folder), remembered=False)

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._found(ids, State(self._settings.folder), remembered=True)

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        """Blank in one transaction, then look. Maintenance rewrites the tables, which locks the proxy out meanwhile."""
        if not ids:
            return {}
        state, wanted = State(self._settings.folder), askable(ids)
        if wanted:
            with self._rows.writing() as connection:
                self._copies(connection).blank(wanted, state)
        if maintenance:
            marks = state.marks()
            with self._rows.alone() as connection:
                moved = tidy(connection, tables(connection), [*marks.values()], log_files=self._settings.log_files)
            state.move(dict(zip(marks, moved, strict=True)))
        return self._found(ids, state, remembered=True)

    def watch(self, cursor: str = "") -> Iterator[Change]:
        """Say which requests came, by when they began; nothing that the proxy itself deletes is said."""
        started, request = _cursor(cursor)
        settle = self._settings.settle_minutes
        with self._rows.reading() as connection:
            tables(connection)
            for row in stream(connection, statements.WATCHING, started=started, request=request, settle=settle):
                at = row.started.replace(tzinfo=UTC)
                yield Change(row.id, "created" if row.first else "turn", at, f"{row.started.isoformat()} {row.request}")

    # -- looking ------------------------------------------------------------------------

    def _copies(self, connection: Connection) -> Copies:
        settings = self._settings
        return Copies(connection, memories=settings.memory == "with-person", cold=settings.cold_storage == "report")

    def _found(self, ids: Sequence[str], state: State, *, remembered: bool) -> dict[str, Sequence[Copy]]:
        """Look for copies; what was erased here before is looked for where it was, if it is `remembered`."""
        wanted = askable(ids)
        if not wanted:
            return {name: [] for name in ids}
        known = {name: gone for name in wanted if (gone := state.gone(name)) is not None}
        marks = state.marks({gone.mark for gone in known.values()})
        log = self._settings.log_files
        with self._rows.reading() as connection:
            copies = self._copies(connection)
            present, own = copies.present(wanted), copies.own_files(wanted)
            before = {name: gone.files for name, gone in known.items()}
            files = {name: [*own.get(name, ()), *before.get(name, ())] for name in own.keys() | before.keys()}
            of_files = {name: copies.of_files(some) for name, some in files.items()}
            looked = {number: look(connection, one, log_files=log) for number, one in marks.items()}
        state.move({n: None if _clean(some) else moved for n, (some, moved) in looked.items()})
        answers: dict[str, Sequence[Copy]] = {name: [] for name in ids}
        for name in wanted:
            found = [*named(present.get(name, {})), *of_files.get(name, ())]
            if (gone := known.get(name)) is not None:
                found += removed(kind for kind in gone.kinds if kind not in present.get(name, {}))
                found += looked[gone.mark][0] if gone.mark in looked else []
            answers[name] = [one for one in found if remembered or one.state != "removed"]
        return answers


def _clean(copies: Sequence[Copy]) -> bool:
    return all(copy.state == "removed" for copy in copies)


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _cursor(cursor: str) -> tuple[datetime, str]:
    if not cursor:
        return datetime.min, ""  # noqa: DTZ901 - times are UTC without a zone in these tables
    at, _, request = cursor.partition(" ")
    try:
        return datetime.fromisoformat(at), request
    except ValueError:
        raise Invalid("this is not a cursor of this connector", "leave it out to begin from the beginning") from None
