"""LiteLLM's tables: what is blanked, what a bill keeps, what is spared or out of reach, how watching goes on."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import URL
from tests.postgres_server import Server
from tests.unit.connectors.litellm.litellm_world import BEGIN, LitellmWorld

from assent.connectors.formats.port import Malformed
from assent.connectors.litellm.product import Settings, connect
from assent.connectors.port import Listed, Unlisted, state_of
from assent.domain.errors import AssentError, Invalid, NotFound, Refused

pytestmark = pytest.mark.enable_socket

SECRET = "hush-hush-4711"


def address_of(kind: str) -> str:
    """Give an address at which nothing listens."""
    return URL.create(kind, "somebody", SECRET, "127.0.0.1", 9, "litellm").render_as_string(hide_password=False)


@pytest.fixture
def worlds(postgres: Server, tmp_path: Path) -> Iterator[Any]:
    """Databases of the shared server: its write-ahead log is everybody's, so it is left out of what is looked at."""
    made: list[LitellmWorld] = []

    def make(**keys: Any) -> LitellmWorld:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(LitellmWorld(postgres, folder, **{"log_files": False, **keys}))
        return made[-1]

    yield make
    for one in made:
        postgres.drop(one.name)


@pytest.fixture
def world(worlds: Any) -> LitellmWorld:
    return worlds()


def said(body: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": body}], **more}


def found(world: LitellmWorld, name: str) -> dict[str, str]:
    return {copy.kind: copy.state for copy in world.product().verify([name])[name]}


def test_a_blanked_row_keeps_everything_that_a_bill_is_made_of(world: LitellmWorld) -> None:
    ids = [one.id for one in world.seed(4)]
    before = world.bills()
    world.product().erase(ids[:2])
    assert world.bills() == before
    assert sum(row[2] for row in before) == 3.0  # 12 requests of 0.25 each
    with world.open() as connection:
        rows = connection.execute(
            'select messages, response, proxy_server_request, requester_ip_address, metadata from "LiteLLM_SpendLogs"'
            " where session_id = any(%s)",
            (ids[:2],),
        ).fetchall()
    kept = {"user_api_key_team_id": "team-1", "status": "success", "usage_object": {"total_tokens": 7}}
    assert rows == [({}, {}, {}, None, kept)] * 6


def test_deleting_the_rows_as_anybody_would_leaves_the_words_in_the_database(world: LitellmWorld) -> None:
    seeded = world.seed(3)
    with world.open() as connection:
        connection.execute('delete from "LiteLLM_SpendLogs"')
        connection.execute("vacuum")
    assert list(world.product().list()) == []
    assert world.bytes_left([one.marker for one in seeded])["database"] > 0
    assert {state_of(copies) for copies in world.product().verify([one.id for one in seeded]).values()} == {"present"}


def test_a_row_without_a_session_is_a_conversation_of_its_own_and_no_id_means_several(world: LitellmWorld) -> None:
    with world.open() as connection:
        for number, session in enumerate((None, "", None)):
            at = BEGIN + timedelta(days=number)
            world.request(connection, session, f"lone-{number}", at, said(f"marker000000{number}q"), "yes", "p-1")
    product = world.product()
    assert [one.id for one in product.list()] == [f"chatcmpl-lone-{number}" for number in range(3)]
    product.erase([""])
    assert len(list(product.list())) == 3
    product.erase(["chatcmpl-lone-1"])
    assert [one.id for one in product.list()] == ["chatcmpl-lone-0", "chatcmpl-lone-2"]


def test_a_row_that_holds_no_words_is_no_conversation_but_what_it_says_of_a_person_goes(world: LitellmWorld) -> None:
    with world.open() as connection:
        quiet = {"proxy_server_request": Jsonb({}), "response": Jsonb({}), "metadata": Jsonb({"user_agent": "me"})}
        world.request(connection, "s", "1", BEGIN, {}, "", "p-1", **quiet)
    assert list(world.product().list()) == []
    assert found(world, "s") == {"request log rows": "present"}
    world.product().erase(["s"])
    assert found(world, "s")["request log rows"] == "removed"


def test_the_last_turn_is_the_persons_not_what_a_tool_answered(world: LitellmWorld) -> None:
    call = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": "{}"}}]}
    result = {"role": "tool", "tool_call_id": "c", "content": "sunny"}
    anthropic = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "sunny"}]}
    question = said("weather?")["messages"]
    with world.open() as connection:
        for name, answer in (("tools", result), ("anthropic", anthropic)):
            later = BEGIN + timedelta(hours=1)
            world.request(connection, name, f"{name}-1", BEGIN, {"messages": question}, "one moment", "p-1")
            world.request(connection, name, f"{name}-2", later, {"messages": [*question, call, answer]}, "sunny", "p-1")
    product = world.product()
    assert {one.id: one.last_turn_at for one in product.list()} == dict.fromkeys(("anthropic", "tools"), BEGIN)
    for record in product.read(["tools", "anthropic"]):
        assert record.last_turn_at == BEGIN
        assert [part.text for part in record.parts if part.origin == "person"] == ["weather?"]


def test_person_and_plan_come_from_the_columns_that_are_named(worlds: Any) -> None:
    world = worlds(person="user", plan="organization_id")
    with world.open() as connection:
        world.request(connection, "s", "1", BEGIN, said("x"), "y", "p-1", organization_id="acme", end_user="somebody")
    assert list(world.product().list()) == [Listed("s", "p-1", BEGIN, BEGIN, "acme")]


def test_a_session_of_several_persons_is_nobodys(world: LitellmWorld) -> None:
    with world.open() as connection:
        for number in (1, 2):
            at = BEGIN + timedelta(minutes=number)
            world.request(connection, "s", str(number), at, said(f"word {number}"), "y", f"p-{number}")
    assert [type(one) for one in world.product().list()] == [Unlisted]
    assert [type(one) for one in world.product().read(["s"])] == [Malformed]
    assert "p-1" not in str(list(world.product().list()))


def test_a_file_that_two_sessions_name_stays_until_the_second_goes(world: LitellmWorld) -> None:
    world.seed(1)
    one, other = world.seed(2)  # sessions 2 and 3 name the same file
    held = "select count(*) from \"LiteLLM_ManagedFileContentTable\" where id = 'row-shared-1'"
    with world.open() as connection:
        world.product().erase([one.id])
        assert connection.execute(held).fetchone() == (1,)
        world.product().erase([other.id])
        assert connection.execute(held).fetchone() == (0,)


@pytest.mark.parametrize("where", [{"provider": ["file-abc"]}, {"url": "s3://bucket/file"}])
def test_a_file_at_a_provider_is_not_reachable_until_its_entry_is_gone(world: LitellmWorld, where: Any) -> None:
    with world.open() as connection:
        world.request(connection, "s", "1", BEGIN, said("x", files=[{"file_id": "far"}]), "y", "p-1")
        world.file(connection, "far", "text", **where)
        world.product().erase(["s"])
        assert found(world, "s")["managed files"] == "not reachable"
        connection.execute('delete from "LiteLLM_ManagedFileTable"')
    assert found(world, "s")["managed files"] == "removed"


def test_objects_in_cold_storage_are_out_of_reach_unless_they_are_erased_elsewhere(worlds: Any) -> None:
    for where, expected in (("report", "not reachable"), ("elsewhere", None)):
        world = worlds(cold_storage=where)
        with world.open() as connection:
            cold = {"cold_storage_object_key": "2026/04/07/chatcmpl-1.json"}
            world.request(connection, "s", "1", BEGIN, said("x"), "y", "p-1", metadata=Jsonb(cold))
        world.product().erase(["s"])
        assert found(world, "s").get("cold storage") == expected


def test_memories_that_name_no_session_stay_unless_they_go_with_the_last_one_of_their_person(worlds: Any) -> None:
    for rule, left in (("keep", 1), ("with-person", 0)):
        world = worlds(memory=rule)
        with world.open() as connection:
            for name in ("one", "two"):
                world.request(connection, name, name, BEGIN, said(name), "y", "p-1")
            connection.execute(
                'insert into "LiteLLM_MemoryTable" (memory_id, key, value, user_id) values (1, 1, %s, %s)',
                ("likes tea", "p-1"),
            )
            count = 'select count(*) from "LiteLLM_MemoryTable"'
            world.product().erase(["one"])
            assert connection.execute(count).fetchone() == (1,)
            world.product().erase(["two"])
            assert connection.execute(count).fetchone() == (left,)


def test_an_id_that_equals_any_other_word_of_a_log_names_nothing(world: LitellmWorld) -> None:
    with world.open() as connection:
        connection.execute(
            'insert into "LiteLLM_ErrorLogs" (request_id, request_kwargs, exception_string) values (1, %s, %s)',
            (Jsonb({"role": "user", "model": "user", "litellm_session_id": "s"}), "user"),
        )
        assert world.product().copies(["user", "role", "litellm_session_id"]) == {
            "user": [],
            "role": [],
            "litellm_session_id": [],
        }
        world.product().erase(["user"])
        assert connection.execute('select exception_string from "LiteLLM_ErrorLogs"').fetchone() == ("user",)
        world.product().erase(["s"])
        assert connection.execute('select exception_string from "LiteLLM_ErrorLogs"').fetchone() == ("",)


def test_tables_of_another_version_may_be_missing_but_not_the_log(world: LitellmWorld) -> None:
    (one,) = world.seed(1)
    with world.open() as connection:
        connection.execute('drop table "LiteLLM_WorkflowEvent", "LiteLLM_AuditLog", "LiteLLM_ManagedFileTable"')
        world.product().erase([one.id])
        assert found(world, one.id)["request log rows"] == "removed"
        connection.execute('drop table "LiteLLM_SpendLogs"')
    with pytest.raises(NotFound, match="no log of LiteLLM"):
        list(world.product().list())


# -- maintenance ----------------------------------------------------------------------------


def test_dead_rows_and_samples_go_in_maintenance_and_not_before(world: LitellmWorld) -> None:
    gone, kept = world.seed(2)
    world.product().erase([gone.id])
    before = found(world, gone.id)
    assert (before["dead row versions"], before["column statistics"]) == ("pending maintenance",) * 2
    assert world.bytes_left([gone.marker])["database"] > 0
    world.product().erase([gone.id], maintenance=True)
    assert set(found(world, gone.id).values()) == {"removed"}
    assert world.bytes_left([gone.marker])["database"] == 0
    assert found(world, kept.id)["request log rows"] == "present"


def test_maintenance_is_refused_while_another_program_reads(world: LitellmWorld) -> None:
    (one,) = world.seed(1)
    world.product().erase([one.id])
    with closing(world.open()) as connection:
        connection.execute("begin isolation level repeatable read")
        connection.execute('select count(*) from "LiteLLM_SpendLogs"')
        with pytest.raises(Refused, match="another program is reading"):
            world.product().erase([one.id], maintenance=True)
    world.product().erase([one.id], maintenance=True)
    assert set(found(world, one.id).values()) == {"removed"}


def test_a_role_that_may_not_look_says_so_and_calls_nothing_removed(worlds: Any, postgres: Server) -> None:
    world = worlds(log_files=True)
    (one,) = world.seed(1)
    with world.open() as connection:
        connection.execute("drop role if exists gateway_reader")
        connection.execute("create role gateway_reader login")
        connection.execute("grant select, update, delete on all tables in schema public to gateway_reader")
        secret = world.settings.database_file.with_name("reader")
        secret.write_text(postgres.url.set(database=world.name, username="gateway_reader").render_as_string())
        product = connect(world.settings.model_copy(update={"database_file": secret}), Path.read_text)
        product.erase([one.id])
        states = {copy.kind: copy for copy in product.verify([one.id])[one.id]}
        assert states["write-ahead log"].state == "pending maintenance"
        assert "pg_read_server_files" in states["write-ahead log"].note
        connection.execute("drop owned by gateway_reader")
        connection.execute("drop role gateway_reader")


# -- watching and addresses -----------------------------------------------------------------


def test_watching_goes_on_behind_the_last_request_and_waits_for_late_rows(worlds: Any) -> None:
    world = worlds()
    with world.open() as connection:
        for number, name in enumerate(("a", "b", "a")):
            at = BEGIN + timedelta(hours=number)
            world.request(connection, name, f"{number}", at, said(f"word {number}"), "y", "p-1")
        changes = list(world.product().watch())
        assert [(change.id, change.kind) for change in changes] == [("a", "created"), ("b", "created"), ("a", "turn")]
        assert [change.id for change in world.product().watch(changes[0].cursor)] == ["b", "a"]
        assert list(world.product().watch(changes[-1].cursor)) == []
        now = datetime.now(UTC)
        world.request(connection, "c", "now", now - timedelta(minutes=1), said("word"), "y", "p-1")
    patient = connect(world.settings.model_copy(update={"settle_minutes": 10}), Path.read_text)
    assert list(patient.watch(changes[-1].cursor)) == []
    assert [change.id for change in world.product().watch(changes[-1].cursor)] == ["c"]
    with pytest.raises(Invalid, match="cursor"):
        list(world.product().watch("17"))


@pytest.mark.parametrize("address", ["sqlite:///gateway.db", "not an address", address_of("mysql")])
def test_an_address_that_is_not_postgresql_is_refused_without_being_shown(address: str, tmp_path: Path) -> None:
    settings = Settings(name="gateway", folder=tmp_path, database_file=tmp_path / "address")
    with pytest.raises(Invalid) as problem:
        connect(settings, lambda _: address)
    assert SECRET not in str(problem.value)


def test_a_server_that_is_not_there_is_said_without_its_password(tmp_path: Path) -> None:
    settings = Settings(name="gateway", folder=tmp_path, database_file=tmp_path / "address")
    product = connect(settings, lambda _: address_of("postgresql"))
    with pytest.raises(AssentError) as problem:
        product.verify(["s"])
    assert SECRET not in json.dumps([problem.value.message, problem.value.fix])
    assert SECRET not in product.reach
