"""Phoenix as a product: its tables are mapped as anybody's are, its spans read as telemetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from assent.connectors.formats.port import Malformed, Record
from assent.connectors.phoenix.derived import BESIDE, gather, traces_of
from assent.connectors.phoenix.reading import sessions, spans_of
from assent.connectors.port import Copy, Listed, Unlisted
from assent.connectors.sql.database import Database, address, portions
from assent.connectors.sql.mapping import Fault, parse
from assent.connectors.sql.product import Settings as SqlSettings
from assent.connectors.sql.product import SqlProduct
from assent.connectors.sql.residue import Residue, residue_of
from assent.connectors.table import Secret, Table
from assent.connectors.telemetry.whole import conversation_of
from assent.domain.errors import Invalid, Place

SUMMARY: Final = "Arize Phoenix: sessions with their traces, annotations, dataset examples and experiments"
FORMAT: Final = "phoenix"

_TOGETHER: Final = 100
"""Sessions that are read in one transaction."""

_EXAMPLE: Final = {"dataset_example_id": "dataset_examples.id"}
_MAPPING: Final[dict[str, Any]] = {
    "conversations": {
        "table": "project_sessions",
        "id": "session_id",
        "created_at": "start_time",
        "updated_at": "end_time",
    },
    "messages": [
        {
            "table": "spans",
            "id": "span_id",
            "content": "attributes",
            "says": "person",
            "created_at": "start_time",
            "on": {"trace_rowid": "traces.id"},
        }
    ],
    "copies": [
        {"table": "project_session_annotations", "on": {"project_session_id": "project_sessions.id"}},
        {"table": "traces", "on": {"project_session_rowid": "project_sessions.id"}},
        {"table": "trace_annotations", "on": {"trace_rowid": "traces.id"}},
        {"table": "span_annotations", "on": {"span_rowid": "spans.id"}},
        {"table": "document_annotations", "on": {"span_rowid": "spans.id"}},
        {"table": "span_costs", "on": {"span_rowid": "spans.id"}},
        {"table": "span_cost_details", "on": {"span_cost_id": "span_costs.id"}},
        {"table": "dataset_examples", "on": {"span_rowid": "spans.id"}},
        {"table": "dataset_example_revisions", "on": _EXAMPLE},
        {"table": "dataset_splits_dataset_examples", "on": _EXAMPLE},
        {"table": "experiments_dataset_examples", "on": _EXAMPLE},
        {"table": "experiment_runs", "on": _EXAMPLE},
        {"table": "experiment_run_annotations", "on": {"experiment_run_id": "experiment_runs.id"}},
        {"table": "experiment_task_logs", "on": _EXAMPLE},
        {"table": "experiment_eval_logs", "on": {"experiment_run_id": "experiment_runs.id"}},
    ],
}


class Settings(Table):
    """The keys of a connector to Phoenix."""

    file: Path | None = Field(None, description="its SQLite file, `phoenix.db` in PHOENIX_WORKING_DIR")
    database: str = Field("", description="or its server, without password: postgresql://NAME@HOST/DATABASE")
    password_file: Path | None = Field(None, description="a file with the password of that account")
    db_schema: str = Field("", description="the schema of its tables (PHOENIX_SQL_DATABASE_SCHEMA)")
    log_files: bool = Field(
        default=True,
        description="wait until the write-ahead log lets go, too; off where nobody may read it (PostgreSQL)",
    )


def connect(settings: Settings, secret: Secret) -> Phoenix:
    """Connect Phoenix's database. Raises `Invalid` for settings that cannot be meant."""
    if (settings.file is None) == (settings.database == ""):
        raise Invalid("nothing says which database it is", "give `file` (SQLite) or `database` (a server), not both")
    password = "" if settings.password_file is None else secret(settings.password_file)
    where = settings.file if settings.file is not None else address(settings.database, password)
    return Phoenix(settings, Database(where, settings.db_schema))


class Phoenix(SqlProduct):
    """One Phoenix."""

    def __init__(self, settings: Settings, database: Database) -> None:
        fault = Fault()
        shared = settings.model_dump(include={"name", "folder", "log_files"})
        told = SqlSettings.model_validate({**shared, "format": FORMAT})
        super().__init__(told, database, parse(_MAPPING, fault), fault)

    @property
    def reach(self) -> str:
        """What it erases and what it does not reach."""
        rows = "sessions with traces, spans, annotations, dataset examples made from them and experiments on these"
        lost = "examples whose span was deleted before, uploads and exports"
        return f"{rows}; {residue_of(self._database.dialect, (), log_files=True).reach}, {lost}"

    @property
    def _residue(self) -> Residue:
        tables = [*self._schema.tables, *BESIDE]
        return residue_of(self._database.dialect, tables, log_files=self._settings.log_files)

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        after, page = 0, True
        while page:
            with self._database.reading() as connection:
                found = sessions(connection, after, _TOGETHER)
                spans = spans_of(connection, [one for _, one, _ in found])
            for number, one, began in found:
                after = number
                whole = conversation_of(FORMAT, one, spans.get(one, [])).conversation
                if since is None or whole.last_turn_at is None or whole.last_turn_at >= since:
                    yield Listed(one, whole.subject, whole.created_at or began, whole.last_turn_at)
            page = bool(found)

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        for some in portions(dict.fromkeys(ids), _TOGETHER):
            with self._database.reading() as connection:
                spans = spans_of(connection, some)
            for one in some:
                if one in spans:
                    whole = conversation_of(FORMAT, one, spans[one])
                    yield whole.conversation
                    if whole.unread:
                        yield Malformed(Place("a session"), "a span's messages cannot be read", whole.unread)

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._with_derived(ids, super().copies(ids))

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._with_derived(ids, super().verify(ids))

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        for some in portions(dict.fromkeys(ids), _TOGETHER):
            with self._database.writing() as connection:
                gather(connection, some)
        return super().erase(ids, maintenance=maintenance)

    def _with_derived(self, ids: Sequence[str], found: Mapping[str, Sequence[Copy]]) -> Mapping[str, Sequence[Copy]]:
        counts: dict[str, int] = {}
        for some in portions(dict.fromkeys(ids), _TOGETHER):
            with self._database.reading() as connection:
                counts |= traces_of(connection, some)
        made = {one: Copy("traces of experiments", "the database", note=f"{count:,}") for one, count in counts.items()}
        return {one: [*copies, made[one]] if one in made else copies for one, copies in found.items()}
