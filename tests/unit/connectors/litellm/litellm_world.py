"""LiteLLM's database as its proxy fills it: on a real PostgreSQL of our own, searched byte by byte past every layer."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from tests.conformance.connectors.kit import ODD_IDS, Seeded
from tests.postgres_server import Server

from assent.connectors.litellm.product import LiteLlm, Settings, connect

BEGIN = datetime(2026, 4, 7, 8, tzinfo=UTC)
PLAN = "team-1"

# Column names and types are LiteLLM's own (1.106); tables that hold no content are left out.
SCHEMA = """
create table "LiteLLM_SpendLogs" (
    request_id text primary key, call_type text not null, api_key text not null default '',
    spend double precision not null default 0, total_tokens integer not null default 0,
    prompt_tokens integer not null default 0, completion_tokens integer not null default 0,
    "startTime" timestamp(3) not null, "endTime" timestamp(3) not null, model text not null default '',
    "user" text default '', metadata jsonb default '{}', request_tags jsonb default '[]', team_id text,
    organization_id text, end_user text, requester_ip_address text, messages jsonb default '{}',
    response jsonb default '{}', session_id text, status text, proxy_server_request jsonb default '{}',
    litellm_call_id text, created_at timestamp(3) not null default now(), updated_at timestamp(3) not null default now()
);
create index on "LiteLLM_SpendLogs" ("startTime", request_id);
create index on "LiteLLM_SpendLogs" (session_id);
create index on "LiteLLM_SpendLogs" (litellm_call_id);
create table "LiteLLM_ErrorLogs" (
    request_id text primary key, "startTime" timestamp(3) not null default now(),
    request_kwargs jsonb not null default '{}', exception_string text not null default ''
);
create table "LiteLLM_AuditLog" (
    id text primary key, action text not null, table_name text not null, object_id text not null,
    before_value jsonb, updated_values jsonb
);
create table "LiteLLM_AdaptiveRouterSession" (
    session_id text, router_name text, model_name text, turn_count integer not null default 0,
    last_user_content text, last_assistant_content text, tool_call_history jsonb not null default '[]',
    pending_tool_calls jsonb not null default '{}', primary key (session_id, router_name, model_name)
);
create table "LiteLLM_WorkflowRun" (
    run_id text primary key, session_id text unique not null, status text, input jsonb, output jsonb, metadata jsonb
);
create table "LiteLLM_WorkflowEvent" (
    event_id text primary key, run_id text not null references "LiteLLM_WorkflowRun", data jsonb
);
create table "LiteLLM_WorkflowMessage" (
    message_id text primary key, run_id text not null references "LiteLLM_WorkflowRun", content text not null,
    session_id text
);
create table "LiteLLM_MemoryTable" (
    memory_id text primary key, key text unique not null, value text not null, metadata jsonb, user_id text
);
create table "LiteLLM_ManagedFileTable" (
    id text primary key, unified_file_id text unique not null, file_object jsonb, storage_backend text,
    storage_url text, flat_model_file_ids text[] default '{}'
);
create table "LiteLLM_ManagedFileContentTable" (id text primary key, content bytea not null);
"""
TABLES = re.findall(r'create table "(\w+)"', SCHEMA)

_MARKER = re.compile(rb"marker[0-9]{7}q")


class LitellmWorld:
    """One database of a server of our own; a marker stands in every copy that LiteLLM makes of a conversation."""

    odd_ids: Sequence[str] = ODD_IDS

    def __init__(self, server: Server, tmp: Path, **keys: Any) -> None:
        self._server = server
        self.name = server.blank()
        self.address = server.address(self.name)
        secret = tmp / "database"
        secret.write_text(self.address)
        self.settings = Settings(name="gateway", folder=tmp / "own", database_file=secret, settle_minutes=0, **keys)
        self.numbers = 0
        with self.open() as connection:
            connection.execute(SCHEMA)

    def open(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.address, autocommit=True)

    def product(self) -> LiteLlm:
        return connect(self.settings, Path.read_text)

    # -- what people and the proxy do -------------------------------------------------------

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        numbers = range(self.numbers + 1, self.numbers + 1 + count)
        self.numbers += count
        names = list(ids) if ids is not None else [f"session-{number:07d}" for number in numbers]
        with self.open() as connection, connection.transaction():
            seeded = [self._chat(connection, number, name) for number, name in zip(numbers, names, strict=True)]
        with self.open() as connection:
            # as the server does by itself: samples of the columns go into pg_statistic, images of pages into the log
            connection.execute("vacuum analyze " + ", ".join(f'"{table}"' for table in TABLES))
            connection.execute("vacuum pg_catalog.pg_statistic")
            connection.execute("checkpoint")
        return seeded

    def _chat(self, connection: psycopg.Connection[Any], number: int, name: str) -> Seeded:
        """Two turns of a chat and the title that the product asks for, with all that stands beside them."""
        word, person = f"marker{number:07d}q", f"p-{number % 3}"
        first = BEGIN + timedelta(hours=number)
        question, answer = f"tell me about {word}", f"{word} is a word"
        title = f"Give a title. <chat>USER: {question}</chat>"
        asked = [{"role": "user", "content": question}]
        more = [*asked, {"role": "assistant", "content": answer}, {"role": "user", "content": f"more of {word}"}]
        own, shared = f"file-{number}", f"shared-{number // 2}"
        asked_with_file = {"messages": more, "files": [{"file_id": own}, {"file_id": shared}]}
        self.request(connection, name, f"{number}-1", first, {"messages": asked}, answer, person)
        self.request(
            connection,
            name,
            f"{number}-2",
            first + timedelta(seconds=30),
            {"messages": [asked_of(title)]},
            word,
            person,
        )
        self.request(
            connection, name, f"{number}-3", first + timedelta(minutes=5), asked_with_file, f"{word} again", person
        )
        self._beside(connection, number, name, word)
        for file in (own, shared):
            text = f"for two: {file}" if file == shared else f"about {word}"
            self.file(connection, file, text)
        return Seeded(name, word, first + timedelta(minutes=5), person)

    def request(
        self,
        connection: psycopg.Connection[Any],
        session: str,
        request: str,
        at: datetime,
        body: Mapping[str, Any],
        answer: str,
        person: str,
        **columns: Any,
    ) -> None:
        """Write a row of the log, as the proxy does with `store_prompts_in_spend_logs`."""
        response = {"id": request, "choices": [{"message": {"role": "assistant", "content": answer}}]}
        said = json.dumps(body)
        metadata = {
            "user_api_key_team_id": PLAN,
            "status": "success",
            "usage_object": {"total_tokens": 7},
            "guardrail_information": [{"guardrail_name": "pii", "guardrail_request": said}],
            "requester_metadata": {"note": answer},
        }
        row = {
            "request_id": f"chatcmpl-{request}",
            "call_type": "acompletion",
            "spend": 0.25,
            "total_tokens": 7,
            "prompt_tokens": 4,
            "completion_tokens": 3,
            '"startTime"': at.replace(tzinfo=None),
            '"endTime"': at.replace(tzinfo=None) + timedelta(seconds=20),
            '"user"': person,
            "metadata": Jsonb(metadata),
            "team_id": PLAN,
            "end_user": person,
            "requester_ip_address": "10.0.0.1",
            "response": Jsonb(response),
            "session_id": session,
            "proxy_server_request": Jsonb({"model": "m", **body}),
            "litellm_call_id": f"call-{request}",
            **columns,
        }
        names, values = ", ".join(row), ", ".join(["%s"] * len(row))
        connection.execute(
            f'insert into "LiteLLM_SpendLogs" ({names}) values ({values}) on conflict do nothing', list(row.values())
        )

    def _beside(self, connection: psycopg.Connection[Any], number: int, name: str, word: str) -> None:
        of_session = Jsonb({"litellm_session_id": name, "text": word})
        run, text = f"run-{number}", f"about {word}"
        said = Jsonb({"text": word})
        rows: list[tuple[str, Sequence[Any]]] = [
            ('"LiteLLM_ErrorLogs" (request_id, request_kwargs, exception_string)', (f"call-{number}-1", said, text)),
            ('"LiteLLM_ErrorLogs" (request_id, request_kwargs)', (f"other-{number}", of_session)),
            (
                '"LiteLLM_AuditLog" (id, action, table_name, object_id, updated_values)',
                (f"{number}", "updated", "t", "o", of_session),
            ),
            (
                '"LiteLLM_AdaptiveRouterSession" (session_id, router_name, model_name, turn_count, last_user_content)',
                (name, "r", f"m-{number}", 3, text),
            ),
            ('"LiteLLM_MemoryTable" (memory_id, key, value, metadata)', (f"{number}", f"k-{number}", text, of_session)),
        ]
        if not connection.execute('select 1 from "LiteLLM_WorkflowRun" where session_id = %s', (name,)).fetchone():
            rows += [('"LiteLLM_WorkflowRun" (run_id, session_id, status, input)', (run, name, "completed", said))]
            rows += [('"LiteLLM_WorkflowEvent" (event_id, run_id, data)', (f"{number}", run, said))]
            rows += [('"LiteLLM_WorkflowMessage" (message_id, run_id, content)', (f"{number}", run, text))]
        for into, values in rows:
            connection.execute(f"insert into {into} values ({', '.join(['%s'] * len(values))})", values)

    def file(
        self, connection: psycopg.Connection[Any], name: str, text: str, url: str = "", provider: Sequence[str] = ()
    ) -> None:
        """Upload a file through the proxy, which keeps its bytes in the database or elsewhere."""
        connection.execute(
            'insert into "LiteLLM_ManagedFileTable"'
            " (id, unified_file_id, file_object, storage_url, flat_model_file_ids)"
            " values (%s, %s, %s, %s, %s) on conflict do nothing",
            (name, name, Jsonb({"filename": f"{text}.txt"}), url or f"litellm_db://row-{name}", list(provider)),
        )
        if not url:
            connection.execute(
                'insert into "LiteLLM_ManagedFileContentTable" values (%s, %s) on conflict do nothing',
                (f"row-{name}", text.encode()),
            )

    def touch(self, id: str) -> None:  # noqa: A002 - the word of the port
        with self.open() as connection:
            connection.execute(
                "update \"LiteLLM_SpendLogs\" set updated_at = now() + interval '9 days', status = 'success'"
                " where session_id = %s",
                (id,),
            )

    # -- looking past everything -------------------------------------------------------------

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        """Search the files of the database and of the write-ahead log."""
        words = {marker.encode() for marker in markers}
        found: Counter[str] = Counter()
        for place, content in raw_bytes(self._server, self.name):
            found[place] += sum(word in words for word in _MARKER.findall(content))
        return found

    def bills(self) -> list[tuple[Any, ...]]:
        """Read what a bill is made of."""
        columns = 'request_id, api_key, spend, total_tokens, prompt_tokens, completion_tokens, "startTime", "endTime"'
        more = 'model, team_id, organization_id, end_user, "user", request_tags, status, created_at, updated_at'
        with self.open() as connection:
            return connection.execute(f'select {columns}, {more} from "LiteLLM_SpendLogs" order by 1').fetchall()

    # -- breaking ----------------------------------------------------------------------------

    def break_down(self) -> None:
        self._server.run("alter database {} allow_connections false", self.name)

    def mend(self) -> None:
        self._server.run("alter database {} allow_connections true", self.name)

    def maintenance(self) -> AbstractContextManager[None]:
        return nullcontext()

    @contextmanager
    def lie(self) -> Iterator[None]:
        """Say that each order was carried out, and carry out none."""
        with self.open() as connection:
            connection.execute("create function lie() returns trigger language plpgsql as 'begin return null; end'")
            for table in TABLES:
                connection.execute(
                    f'create trigger lie before update or delete on "{table}" for each row execute function lie()'
                )
        try:
            yield
        finally:
            with self.open() as connection:
                connection.execute("drop function lie cascade")


def raw_bytes(server: Server, database: str) -> Iterator[tuple[str, bytes]]:
    """Give every file of a database, and of the write-ahead log of a server of ours, with what it had in memory."""
    server.run("checkpoint", database=database)
    ((number,),) = server.run("select oid from pg_database where datname = current_database()", database=database)
    data = Path(str(server.url.query.get("host", ""))) / "data"
    if data.is_dir():
        for place, folder in (("database", data / "base" / str(number)), ("write-ahead log", data / "pg_wal")):
            yield from ((place, path.read_bytes()) for path in folder.rglob("*") if path.is_file())
    else:  # a server elsewhere, named in the environment
        rows = server.run(
            f"select pg_read_binary_file('base/{number}/' || name) from pg_ls_dir('base/{number}') name",
            database=database,
        )
        yield from (("database", bytes(content)) for (content,) in rows)


def asked_of(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
