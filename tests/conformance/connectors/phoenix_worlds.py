"""Phoenix's tables as far as content goes through them, filled as its server fills them (read of 20.26.1)."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.pool import NullPool
from tests.conformance.connectors.kit import ODD_IDS, Seeded
from tests.postgres_server import Server

from assent.connectors.phoenix.product import Phoenix, Settings, connect

BEGIN = datetime(2026, 3, 4, 9, tzinfo=UTC)
MARKER = re.compile(rb"marker[0-9]{7}q")
TABLES = sa.MetaData()
JSON = sa.JSON().with_variant(JSONB, "postgresql")


def _table(name: str, *columns: str, key: bool = True) -> sa.Table:
    """`trace_rowid>traces` is a key that takes its row along, `span_rowid?spans` one that lets go, `{x` holds JSON."""
    made = [sa.Column("id", sa.Integer, primary_key=True)] if key else []
    for text in columns:
        column, cascade, target = re.fullmatch(r"(\w+|\{\w+)(?:([>?])(\w+))?", text).groups()  # type: ignore[union-attr]
        if target:
            rule = "CASCADE" if cascade == ">" else "SET NULL"
            reference = sa.ForeignKey(f"{target}.id", ondelete=rule)
            made.append(sa.Column(column, sa.Integer, reference, nullable=cascade == "?", primary_key=not key))
        elif column.startswith("{"):
            made.append(sa.Column(column[1:], JSON))
        else:
            kind = sa.DateTime(timezone=True) if column.endswith("_time") else sa.Text()
            made.append(sa.Column(column, kind, unique=column in ("session_id", "span_id")))
    return sa.Table(name, TABLES, *made)


_table("projects", "name")
SESSIONS = _table("project_sessions", "session_id", "project_id>projects", "start_time", "end_time")
TRACES = _table("traces", "project_rowid>projects", "trace_id", "project_session_rowid?project_sessions", "start_time")
TRACES.c.trace_id.unique = True
SPANS = _table(
    "spans", "trace_rowid>traces", "span_id", "parent_id", "start_time", "end_time", "{attributes", "{events"
)
SPAN_NOTES = _table("span_annotations", "span_rowid>spans", "explanation", "{metadata")
TRACE_NOTES = _table("trace_annotations", "trace_rowid>traces", "explanation", "{metadata")
_table("document_annotations", "span_rowid>spans", "explanation", "{metadata")
SESSION_NOTES = _table("project_session_annotations", "project_session_id>project_sessions", "explanation", "{metadata")
COSTS = _table("span_costs", "span_rowid>spans", "trace_rowid>traces", "total_tokens")
_table("span_cost_details", "span_cost_id>span_costs", "tokens")
_table("datasets", "name")
EXAMPLES = _table("dataset_examples", "dataset_id>datasets", "span_rowid?spans", "external_id")
REVISIONS = _table("dataset_example_revisions", "dataset_example_id>dataset_examples", "{input", "{output", "{metadata")
_table("dataset_splits", "name")
SPLIT = _table(
    "dataset_splits_dataset_examples",
    "dataset_split_id>dataset_splits",
    "dataset_example_id>dataset_examples",
    key=False,
)
_table("experiments", "dataset_id>datasets")
IN_EXPERIMENT = _table(
    "experiments_dataset_examples",
    "experiment_id>experiments",
    "dataset_example_id>dataset_examples",
    "dataset_example_revision_id>dataset_example_revisions",
    key=False,
)
RUNS = _table(
    "experiment_runs", "experiment_id>experiments", "dataset_example_id>dataset_examples", "trace_id", "{output"
)
RUN_NOTES = _table("experiment_run_annotations", "experiment_run_id>experiment_runs", "explanation", "trace_id")
LOGS = _table("experiment_logs", "experiment_id>experiments", "message", "{detail")
TASK_LOGS = sa.Table(
    "experiment_task_logs",
    TABLES,
    sa.Column("id", sa.Integer, sa.ForeignKey("experiment_logs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("dataset_example_id", sa.Integer, sa.ForeignKey("dataset_examples.id", ondelete="CASCADE")),
)
EVAL_LOGS = sa.Table(
    "experiment_eval_logs",
    TABLES,
    sa.Column("id", sa.Integer, sa.ForeignKey("experiment_logs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("experiment_run_id", sa.Integer, sa.ForeignKey("experiment_runs.id", ondelete="CASCADE")),
)
EXAMPLES.c.dataset_id.nullable = False

Rows = dict[sa.Table, list[dict[str, Any]]]


class PhoenixWorld:
    """What Phoenix keeps, in one of its two databases."""

    odd_ids: Sequence[str] = ODD_IDS

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self.number = 0
        with self.engine().begin() as connection:
            TABLES.create_all(connection)
            for name in ("projects", "datasets", "dataset_splits"):
                connection.execute(sa.insert(TABLES.tables[name]), [{"id": 1, "name": "one"}])
            connection.execute(sa.insert(TABLES.tables["experiments"]), [{"id": 1, "dataset_id": 1}])

    def engine(self) -> sa.Engine:
        raise NotImplementedError

    def where(self) -> dict[str, Any]:
        raise NotImplementedError

    def raw(self) -> Iterator[tuple[str, Path]]:
        raise NotImplementedError

    def product(self) -> Phoenix:
        keys = {"name": "traces", "folder": self.tmp / "own", **self.where()}
        return connect(Settings.model_validate(keys), Path.read_text)

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        numbers = range(self.number + 1, self.number + 1 + count)
        self.number += count
        names = list(ids) if ids is not None else [f"session-{number:07d}" for number in numbers]
        rows: Rows = {table: [] for table in TABLES.sorted_tables}
        made = [_session(rows, number, name) for number, name in zip(numbers, names, strict=True)]
        with self.engine().begin() as connection:
            for table, some in rows.items():
                if some:
                    connection.execute(sa.insert(table), some)
        self.settle()
        return made

    def settle(self) -> None:
        """Do what the server does by itself after a while."""

    def touch(self, id: str) -> None:  # noqa: A002
        """Somebody looks at a session: an evaluator's trace ends later than all turns of the person."""
        later = {"end_time": BEGIN + timedelta(days=4_000)}
        with self.engine().begin() as connection:
            connection.execute(sa.update(SESSIONS).where(SESSIONS.c.session_id == id).values(later))

    def take_turn(self, id: str, at: datetime) -> None:  # noqa: A002
        rows: Rows = {TRACES: [], SPANS: []}
        with self.engine().begin() as connection:
            number = 10**6 + self.number
            session = connection.execute(sa.select(SESSIONS.c.id).where(SESSIONS.c.session_id == id)).scalar_one()
            _trace(rows, number, session, at)
            _span(rows, number, at, {"session": {"id": id}, "llm": _llm([("user", "and now?")], "as before")}, [])
            connection.execute(sa.insert(TRACES), rows[TRACES])
            connection.execute(sa.insert(SPANS), rows[SPANS])
            connection.execute(sa.update(SESSIONS).where(SESSIONS.c.id == session).values(end_time=at))

    def delete(self, id: str) -> None:  # noqa: A002
        """Delete a session as Phoenix does: what hangs on it goes along, or lets go of it."""
        with self.engine().connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.session_id == id))
            connection.commit()

    def maintenance(self) -> AbstractContextManager[None]:
        return nullcontext()

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        words = {marker.encode() for marker in markers}
        found: Counter[str] = Counter()
        for place, path in self.raw():
            found[place] += sum(word in words for word in MARKER.findall(path.read_bytes()))
        return found


def _session(rows: Rows, number: int, name: str) -> Seeded:
    """Two turns, the second with the whole history; every kind of annotation; an example, an experiment on it."""
    word, person, at = f"marker{number:07d}q", f"p-{number % 3}", BEGIN + timedelta(hours=number)
    first, second, run, judge = (10 * number + step for step in range(4))
    session = {"id": number, "session_id": name, "project_id": 1, "start_time": at, "end_time": at + timedelta(hours=1)}
    rows[SESSIONS].append(session)
    rows[SESSION_NOTES].append({"project_session_id": number, "explanation": f"on {word}", "metadata": {}})
    said = [("user", f"tell me about {word}"), ("assistant", f"{word} is a word"), ("user", f"more of {word}")]
    for step, trace in enumerate((first, second)):
        start = at + timedelta(minutes=2 * step)
        _trace(rows, trace, number, start)
        given, answer = (said[:1], said[1][1]) if step == 0 else (said, f"{word} again")
        attributes = {"session": {"id": name}, "user": {"id": person}, "llm": _llm(given, answer)}
        _span(rows, trace, start, attributes, [{"name": "note", "attributes": {"text": word}}])
        rows[SPAN_NOTES].append({"span_rowid": trace, "explanation": f"because {word}", "metadata": {"of": word}})
        rows[TRACE_NOTES].append({"trace_rowid": trace, "explanation": f"about {word}", "metadata": {}})
        rows[COSTS].append({"span_rowid": trace, "trace_rowid": trace, "total_tokens": "7"})
    example = {"dataset_example_id": number, "input": {"q": word}, "output": {"a": word}, "metadata": {"m": word}}
    rows[EXAMPLES].append({"id": number, "dataset_id": 1, "span_rowid": first})
    rows[REVISIONS] += [{"id": 2 * number, **example}, {"id": 2 * number + 1, **example}]
    rows[SPLIT].append({"dataset_split_id": 1, "dataset_example_id": number})
    in_experiment = {"experiment_id": 1, "dataset_example_id": number, "dataset_example_revision_id": 2 * number}
    rows[IN_EXPERIMENT].append(in_experiment)
    out = {"id": number, "experiment_id": 1, "dataset_example_id": number, "output": {"task_output": word}}
    rows[RUNS].append({**out, "trace_id": f"{run:032x}"})
    note = {"experiment_run_id": number, "explanation": f"{word} is right", "trace_id": f"{judge:032x}"}
    rows[RUN_NOTES].append(note)
    for trace in (run, judge):
        _trace(rows, trace, None, at)
        _span(rows, trace, at, {"input": {"value": word}, "output": {"value": word}}, [])
    rows[LOGS] += [
        {"id": 2 * number + step, "experiment_id": 1, "message": f"failed on {word}", "detail": {"of": word}}
        for step in (0, 1)
    ]
    rows[TASK_LOGS].append({"id": 2 * number, "dataset_example_id": number})
    rows[EVAL_LOGS].append({"id": 2 * number + 1, "experiment_run_id": number})
    return Seeded(name, word, at + timedelta(minutes=2), person)


def _llm(said: Sequence[tuple[str, str]], answer: str) -> dict[str, Any]:
    def written(role: str, text: str) -> dict[str, Any]:
        return {"message": {"role": role, "content": text}}

    return {"input_messages": [written(*one) for one in said], "output_messages": [written("assistant", answer)]}


def _trace(rows: Rows, number: int, session: int | None, at: datetime) -> None:
    made = {"id": number, "project_rowid": 1, "trace_id": f"{number:032x}", "start_time": at}
    rows[TRACES].append({**made, "project_session_rowid": session})


def _span(rows: Rows, number: int, at: datetime, attributes: dict[str, Any], events: list[Any]) -> None:
    times = {"start_time": at, "end_time": at + timedelta(seconds=5)}
    ids = {"id": number, "trace_rowid": number, "span_id": f"{number:016x}", "parent_id": None}
    rows[SPANS].append({**ids, **times, "attributes": attributes, "events": events})


class SqlitePhoenix(PhoenixWorld):
    """A working folder of Phoenix."""

    def __init__(self, tmp: Path) -> None:
        self.file = tmp / "phoenix" / "phoenix.db"
        self.file.parent.mkdir()
        with closing(sqlite3.connect(self.file)) as database:
            database.execute("PRAGMA journal_mode = wal")
        super().__init__(tmp)

    def engine(self) -> sa.Engine:
        return sa.create_engine(f"sqlite:///{self.file}", poolclass=NullPool)

    def where(self) -> dict[str, Any]:
        return {"file": self.file}

    def raw(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self.file.parent.iterdir()):
            yield path.name, path

    def break_down(self) -> None:
        self.file.parent.rename(self.tmp / "away")

    def mend(self) -> None:
        (self.tmp / "away").rename(self.file.parent)

    @contextmanager
    def lie(self) -> Iterator[None]:
        tables = ("project_sessions", "traces", "spans", "dataset_example_revisions")
        with self.engine().begin() as connection:
            for table in tables:
                ignored = f"BEFORE DELETE ON {table} BEGIN SELECT RAISE(IGNORE); END"
                connection.exec_driver_sql(f"CREATE TRIGGER lie_{table} {ignored}")
        yield
        with self.engine().begin() as connection:
            for table in tables:
                connection.exec_driver_sql(f"DROP TRIGGER lie_{table}")


class PostgresPhoenix(PhoenixWorld):
    """A database of a server of our own."""

    def __init__(self, tmp: Path, server: Server) -> None:
        self._server = server
        self.database = server.blank()
        super().__init__(tmp)

    def engine(self) -> sa.Engine:
        url = sa.make_url(self._server.address(self.database)).set(drivername="postgresql+psycopg")
        return sa.create_engine(url, poolclass=NullPool)

    def where(self) -> dict[str, Any]:
        return {"database": self._server.address(self.database)}

    def settle(self) -> None:
        with self.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in ("VACUUM ANALYZE", "VACUUM pg_catalog.pg_statistic", "CHECKPOINT"):
                connection.exec_driver_sql(statement)

    def raw(self) -> Iterator[tuple[str, Path]]:
        with self.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")  # what the server keeps in memory is in its files then
            oid = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar()
        data = Path(str(self._server.url.query["host"])) / "data"
        for place, folder in (("database", data / "base" / str(oid)), ("write-ahead log", data / "pg_wal")):
            yield from ((place, path) for path in folder.rglob("*") if path.is_file())

    def break_down(self) -> None:
        self._server.run("alter database {} allow_connections false", self.database)

    def mend(self) -> None:
        self._server.run("alter database {} allow_connections true", self.database)

    def give_back(self) -> None:
        self._server.drop(self.database)
