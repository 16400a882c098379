"""Which copies of a chat of Open WebUI are its own, what becomes of each, and what is spared."""

import json
import sqlite3
import struct
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.conformance.connectors.open_webui_world import OpenWebUiWorld, person

from assent.connectors.port import Copy, Listed, state_of
from assent.domain.errors import AssentError, NotFound, Refused

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def world(tmp_path: Path) -> Iterator[OpenWebUiWorld]:
    world = OpenWebUiWorld(tmp_path)
    yield world
    world.close()


def _states(copies: Any) -> dict[str, str]:
    return {copy.kind: copy.state for copy in copies}


def _rows(world: OpenWebUiWorld, query: str) -> list[Any]:
    with world.open() as database:
        return [tuple(row) for row in database.execute(text(query.replace(":", r"\:")))]


def _wholly(world: OpenWebUiWorld, ids: list[str], **keys: Any) -> dict[str, Any]:
    world.product(**keys).erase(ids)
    with world.maintenance():
        return dict(world.product(**keys).erase(ids, maintenance=True))


# -- listing --------------------------------------------------------------------------------------


def test_the_plan_is_what_the_groups_of_a_person_say(world: OpenWebUiWorld) -> None:
    world.seed(3)
    with world.open() as database:
        database.execute(text("""INSERT INTO "group" (id, name) VALUES ('h', 'pro')"""))
        database.execute(text("INSERT INTO group_member VALUES ('n', 'h', :owner)"), {"owner": person(1)})
    plans = {one.owner: one.plan for one in world.product().list() if isinstance(one, Listed)}
    assert plans == {person(0): "", person(1): "plus, pro", person(2): ""}
    chosen = world.product(plan_groups=("pro", "plus")).list()
    assert {one.plan for one in chosen if isinstance(one, Listed) and one.owner == person(1)} == {"pro"}


def test_a_chat_that_a_chat_started_is_no_chat_of_its_own(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    assert _rows(world, "SELECT count(*) FROM chat") == [(2,)]
    assert [listed.id for listed in world.product().list() if isinstance(listed, Listed)] == [one.id]
    world.product().erase([one.id])
    assert _rows(world, "SELECT count(*) FROM chat") == [(0,)]


def test_a_chat_without_rows_of_messages_is_dated_by_its_text(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    with world.open() as database:
        database.execute(text("DELETE FROM chat_message"))
    assert [listed.last_turn_at for listed in world.product().list() if isinstance(listed, Listed)] == [
        one.last_turn_at
    ]


def test_what_is_no_json_is_listed_and_erased_all_the_same(world: OpenWebUiWorld) -> None:
    one, other = world.seed(2)
    with world.open() as database:
        for column in ("chat", "meta"):
            database.execute(text(f"UPDATE chat SET {column} = '{{not json' WHERE id = :id"), {"id": one.id})
        database.execute(text("UPDATE chat_message SET content = '[[', output = 'add_memory{'"))
        database.execute(text("UPDATE feedback SET meta = '42', snapshot = ''"))
        database.execute(text("UPDATE memory SET meta = '[]'"))
    assert len(list(world.product().list())) == 2
    assert len(list(world.product().read([one.id, other.id]))) == 2
    answers = _wholly(world, [one.id])
    assert state_of(answers[one.id]) == "removed"
    assert [listed.id for listed in world.product().list() if isinstance(listed, Listed)] == [other.id]


# -- what is spared ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"id": "k", "user_id": "u", "knowledge_id": "b", "created_at": 1, "updated_at": 1}, "knowledge_file"),
        ({"id": "m", "user_id": "u", "channel_id": "c"}, "message"),
    ],
    ids=["a knowledge base", "a message in a channel"],
)
def test_a_file_that_something_else_names_stays_with_all_of_it(
    world: OpenWebUiWorld, row: dict[str, Any], where: str
) -> None:
    (one,) = world.seed(1)
    ((own, path),) = _rows(world, "SELECT id, path FROM file WHERE filename LIKE 'marker%'")
    if where == "knowledge_file":
        row = {**row, "file_id": own}
    else:
        row = {**row, "data": json.dumps({"files": [{"id": own}]})}
    with world.open() as database:
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        database.execute(text(f"INSERT INTO {where} ({names}) VALUES ({marks})"), row)
    answers = _wholly(world, [one.id])
    assert state_of(answers[one.id]) == "removed"
    assert not [copy for copy in answers[one.id] if own in copy.place]
    assert Path(path).read_text() == f"all about {one.marker}"
    with closing(world.chroma()) as vectors:
        kept = vectors.execute("SELECT count(*) FROM collections WHERE name = ?", (f"file-{own}",)).fetchone()
    assert kept == (1,)


def test_a_file_of_somebody_else_is_never_a_copy_of_the_chat(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    with world.open() as database:
        database.execute(text("UPDATE file SET user_id = 'somebody else'"))
    kinds = {copy.kind for copy in world.product().copies([one.id])[one.id]}
    assert "upload" not in kinds
    assert "file row with its text" not in kinds


def test_a_file_goes_with_the_last_chat_that_uses_it(world: OpenWebUiWorld) -> None:
    first, second = world.seed(2)
    ((shared,),) = _rows(world, "SELECT id FROM file WHERE filename = 'shared.txt'")
    with world.open() as database:
        database.execute(text("UPDATE file SET user_id = :owner WHERE id = :id"), {"owner": second.owner, "id": shared})
    _wholly(world, [first.id])
    assert _rows(world, f"SELECT count(*) FROM file WHERE id = '{shared}'") == [(1,)]
    _wholly(world, [second.id])
    assert _rows(world, "SELECT count(*) FROM file") == [(0,)]


def test_a_file_that_was_used_again_after_it_was_remembered_is_spared(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    with world.lie():
        world.product().erase([one.id])
    ((own,),) = _rows(world, "SELECT id FROM file WHERE filename LIKE 'marker%'")
    (later,) = world.seed(1)
    with world.open() as database:
        database.execute(text("UPDATE chat SET chat = replace(chat, '\"files\": [', :more) WHERE id = :id"),
                         {"id": later.id, "more": f'"files": [{{"type": "file", "id": "{own}"}}, '})  # fmt: skip
    _wholly(world, [one.id])
    assert _rows(world, f"SELECT count(*) FROM file WHERE id = '{own}'") == [(1,)]


# -- memories -----------------------------------------------------------------------------------------


def test_memories_go_by_rule(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    owner, at = one.owner or "", int(one.last_turn_at.timestamp()) if one.last_turn_at else 0
    by_hand = world.add_memory(owner, "written by hand", at + 5, {"created_by": "manual"})
    by_tool = world.add_memory(owner, "written by the tool in the chat", at + 9_999, {"created_by": "manual"})
    read = world.add_memory(owner, "written long ago, read in the chat", at - 9_999, {"created_by": "manual"})
    elsewhere = world.add_memory(person(7), "somebody else's", at + 5, {"created_by": "tool", "chat_id": one.id})
    blocks = [
        {"type": "function_call", "name": "add_memory", "call_id": "1"},
        {"type": "function_call_output", "call_id": "1", "output": [{"text": json.dumps({"id": by_tool})}]},
        {"type": "function_call", "name": "search_memories", "call_id": "2"},
        {"type": "function_call_output", "call_id": "2", "output": [{"text": json.dumps({"id": read})}]},
    ]
    with world.open() as database:
        told = {"output": json.dumps(blocks), "chat": one.id}
        database.execute(text("UPDATE chat_message SET output = :output WHERE chat_id = :chat"), told)

    def going(rule: str) -> set[str]:
        copies = world.product(memories=rule).copies([one.id])[one.id]
        return {copy.place.rpartition(" ")[2] for copy in copies if copy.kind == "memory"}

    named = {row[0] for row in _rows(world, "SELECT id FROM memory")} - {by_hand, by_tool, read, elsewhere}
    assert going("keep") == set()
    assert going("of-chat") == {*named, by_tool}
    assert going("made-meanwhile") == {*named, by_tool, by_hand}
    _wholly(world, [one.id])
    assert {row[0] for row in _rows(world, "SELECT id FROM memory")} == {by_hand, read, elsewhere}
    with closing(world.chroma()) as vectors:
        left = {row[0] for row in vectors.execute("SELECT embedding_id FROM embeddings")}
    assert {by_hand, read, elsewhere} <= left
    assert by_tool not in left


# -- bytes --------------------------------------------------------------------------------------------


def test_the_queue_of_the_vector_store_loses_the_text_and_goes_on_counting(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    with closing(world.chroma()) as vectors:
        (newest,) = vectors.execute("SELECT max(seq_id) FROM embeddings_queue").fetchone()
    _wholly(world, [one.id])
    with closing(world.chroma()) as vectors:
        assert vectors.execute("SELECT max(seq_id) FROM embeddings_queue").fetchone()[0] >= newest
        rows = vectors.execute("SELECT id, metadata, vector FROM embeddings_queue ORDER BY seq_id DESC").fetchall()
    assert rows[0] == ("", None, None)


def test_what_lies_behind_the_last_vector_of_a_kept_index_is_emptied(world: OpenWebUiWorld) -> None:
    one, _ = world.seed(2)
    with closing(world.chroma()) as vectors:
        query = "SELECT s.id FROM segments s JOIN collections c ON c.id = s.collection WHERE scope = 'VECTOR'"
        ((index,),) = vectors.execute(f"{query} AND c.name LIKE 'user-memory-%' LIMIT 1").fetchall()
    folder = world.data / "vector_db" / index
    header = struct.pack("<i6QiI3QdQ", 1, 0, 10, 2, 40, 0, 0, -1, 0, 0, 0, 0, 0.0, 0)
    (folder / "header.bin").write_bytes(header)
    (folder / "data_level0.bin").write_bytes(b"v" * 80 + one.marker.encode() * 24 + b"." * 32)
    (folder / "length.bin").write_bytes(b"l" * 8 + one.marker.encode()[:8] * 4)
    other = world.data / "vector_db" / "of another form"
    other.mkdir()
    (other / "header.bin").write_bytes(b"short")
    _wholly(world, [one.id])
    assert (folder / "data_level0.bin").read_bytes() == b"v" * 80 + bytes(320)
    assert (folder / "length.bin").read_bytes() == b"l" * 8 + bytes(32)


def test_a_chat_that_the_product_deleted_by_itself_is_found_in_the_free_pages(world: OpenWebUiWorld) -> None:
    one, other = world.seed(2)
    world.delete(one.id)
    found = world.product().verify([one.id])[one.id]
    assert state_of(found) == "present"  # links, rating, files: all that the product leaves
    assert _states(found)["free pages and write-ahead log"] == "pending maintenance"
    answers = _wholly(world, [one.id])
    assert state_of(answers[one.id]) == "removed"
    assert sum(world.bytes_left([one.marker]).values()) == 0
    assert state_of(world.product().copies([other.id])[other.id]) == "present"


def test_the_audit_log_keeps_every_line_and_loses_bodies(world: OpenWebUiWorld) -> None:
    one, other = world.seed(2)
    log = world.data / "audit.log"
    cut_off = json.dumps(
        {"verb": "POST", "request_uri": "/api", "request_object": f'{{"what does the word {one.marker} mean'}
    )
    with log.open("a") as file:
        file.write(f"{cut_off}\nno json at all\n")
    with zipfile.ZipFile(world.data / "audit.2026-01-01.log.zip", "w") as packed:
        packed.writestr("audit.2026-01-01.log", log.read_bytes())
    before = log.read_bytes().splitlines()
    kept = [line for line in before if other.marker.encode() in line]
    _wholly(world, [one.id])
    after = log.read_bytes().splitlines()
    assert len(after) == len(before)
    assert [line for line in after if line in kept] == kept
    assert b"no json at all" in after
    with zipfile.ZipFile(world.data / "audit.2026-01-01.log.zip") as packed:
        assert packed.read("audit.2026-01-01.log").splitlines() == after
    emptied = [json.loads(line) for line in after if line not in before]
    assert emptied
    assert {(line["verb"], line["request_object"]) for line in emptied} == {("POST", "")}


# -- what cannot be seen ------------------------------------------------------------------------------


def test_vectors_that_lie_elsewhere_are_not_reachable(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    (world.data / "vector_db" / "chroma.sqlite3").unlink()
    with world.maintenance():
        answers = world.product().erase([one.id], maintenance=True)
    assert state_of(answers[one.id]) == "not reachable"
    assert {copy.kind for copy in answers[one.id] if copy.state == "not reachable"} == {"vectors"}


def test_uploads_in_an_object_store_are_not_reachable(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    with world.open() as database:
        database.execute(text("UPDATE file SET path = 's3://bucket/' || id"))
    answers = _wholly(world, [one.id])
    assert {copy.kind for copy in answers[one.id] if copy.state == "not reachable"} == {"upload"}


def test_a_data_folder_that_is_not_there_is_an_error_and_not_an_empty_one(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    database = world.data.with_name("elsewhere.db")
    product = world.product(database=database)
    with closing(sqlite3.connect(world.data / "webui.db")) as old, closing(sqlite3.connect(database)) as new:
        old.backup(new)
    assert state_of(product.copies([one.id])[one.id]) == "present"
    world.data.rename(world.data.with_name("away"))
    with pytest.raises(NotFound):
        product.verify([one.id])
    world.data.with_name("away").rename(world.data)


# -- maintenance and orders ------------------------------------------------------------------------------


def test_maintenance_is_refused_while_the_server_answers_or_holds_a_database_open(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    with pytest.raises(Refused):
        world.product().erase([one.id], maintenance=True)
    with world.maintenance():
        for path in (world.data / "webui.db", world.data / "vector_db" / "chroma.sqlite3"):
            with closing(sqlite3.connect(path)) as open_elsewhere:
                open_elsewhere.execute("BEGIN")
                open_elsewhere.execute("SELECT count(*) FROM sqlite_master").fetchall()
                with pytest.raises(Refused):
                    world.product().erase([one.id], maintenance=True)
    assert state_of(world.product().copies([one.id])[one.id]) == "present"


def test_a_maintenance_pass_cleans_up_after_every_erasure_before_it(world: OpenWebUiWorld) -> None:
    one, other, kept = world.seed(3)
    world.product().erase([one.id])
    with world.maintenance():
        world.product().erase([other.id], maintenance=True)
    answers = world.product().verify([one.id, other.id])
    assert {name: state_of(copies) for name, copies in answers.items()} == {one.id: "removed", other.id: "removed"}
    assert sum(world.bytes_left([one.marker, other.marker]).values()) == 0
    assert state_of(world.product().copies([kept.id])[kept.id]) == "present"


def test_no_id_reaches_an_address_that_means_more_than_one_thing(
    world: OpenWebUiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ["all", ".", "..", "share/all", "a?b", "a#b", "%2e%2e", "a b"]
    world.seed(len(ids), ids)
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(world, "do", lambda order, name: asked.append((order, name)))
    world.product().erase([*ids, "", "*"])
    assert not [name for _, name in asked if name in {*ids, "", "*"}]
    assert _rows(world, "SELECT count(*) FROM chat WHERE meta NOT LIKE '%internal%'") == [(0,)]


def test_an_account_that_is_no_administrator_erases_nothing(world: OpenWebUiWorld) -> None:
    (one,) = world.seed(1)
    (world.data.parent / "password").write_text("wrong")
    with pytest.raises(Refused):
        world.product().erase([one.id])
    with pytest.raises(Refused):
        world.product(admin_email="").erase([one.id])
    (world.data.parent / "key").write_text("no key of an administrator")
    with pytest.raises(AssentError):
        world.product(api_key_file=world.data.parent / "key").erase([one.id])
    assert state_of(world.product().copies([one.id])[one.id]) == "present"


# -- watching ---------------------------------------------------------------------------------------------


def test_a_deletion_counts_from_when_the_event_function_wrote_it_down(world: OpenWebUiWorld) -> None:
    one, other = world.seed(2)
    cursor = list(world.product().watch())[-1].cursor
    at = datetime(2026, 4, 1, 12, tzinfo=UTC)
    line = {"event": "chat.deleted", "chat": one.id, "at": at.timestamp()}
    (world.data / "assent-events.jsonl").write_text(f"{json.dumps(line)}\n{{cut off\n")
    world.delete(one.id)
    world.delete(other.id)
    first, second = world.product().watch(cursor)
    assert (first.id, first.kind, first.at) == (one.id, "deleted", at)
    assert (second.id, second.kind) == (other.id, "deleted")
    assert second.at > at


def test_what_was_seen_to_be_deleted_is_pending_until_a_maintenance_pass(world: OpenWebUiWorld) -> None:
    one, _ = world.seed(2)
    list(world.product().watch())
    world.delete(one.id)
    list(world.product().watch())
    copies: list[Copy] = list(world.product().verify([one.id])[one.id])
    assert _states(copies)["free pages and write-ahead log"] == "pending maintenance"
    assert state_of(_wholly(world, [one.id])[one.id]) == "removed"


def test_what_was_only_seen_to_be_deleted_keeps_its_copies_when_others_are_cleaned(world: OpenWebUiWorld) -> None:
    seen, ordered = world.seed(2)
    list(world.product().watch())
    world.delete(seen.id)
    list(world.product().watch())
    _wholly(world, [ordered.id])
    assert _rows(world, "SELECT count(*) FROM feedback") == [(1,)]  # nobody ordered it: a hold may stand on it
    assert state_of(world.product().verify([seen.id])[seen.id]) == "present"


def test_a_chat_that_nobody_owns_is_erased_too(world: OpenWebUiWorld) -> None:
    one, _ = world.seed(2)
    with world.open() as database:
        for table in ("chat", "chat_message"):
            database.execute(text(f"UPDATE {table} SET user_id = NULL"))
        for table in ("chat_file", "shared_chat", "feedback"):
            database.execute(text(f"DELETE FROM {table}"))
    world.product().erase([one.id])
    assert _rows(world, "SELECT count(*) FROM chat WHERE meta NOT LIKE '%internal%'") == [(1,)]


def test_what_comes_into_use_again_after_an_erasure_is_nobodys_leftover(world: OpenWebUiWorld) -> None:
    one, _, other = world.seed(3)  # of three persons
    (later,) = [seeded for seeded in world.seed(3) if seeded.owner == one.owner]
    _wholly(world, [one.id])
    tag = f"tag_{one.marker}"
    with world.open() as database:
        for seeded in (later, other):
            told = {"meta": json.dumps({"tags": [tag]}), "id": seeded.id}
            database.execute(text("UPDATE chat SET meta = :meta WHERE id = :id"), told)
        database.execute(
            text("INSERT INTO tag (id, name, user_id) VALUES (:id, 'x', :owner)"), {"id": tag, "owner": one.owner}
        )
    assert state_of(world.product().verify([one.id])[one.id]) == "removed"


def test_a_sound_that_was_made_again_after_an_erasure_is_found_and_goes(world: OpenWebUiWorld) -> None:
    one, _ = world.seed(2)
    (sound,) = [path for path in (world.data / "cache/audio/speech").glob("*.json") if one.marker in path.read_text()]
    content = sound.read_text()
    _wholly(world, [one.id])
    sound.write_text(content)
    assert state_of(world.product().verify([one.id])[one.id]) == "present"
    assert state_of(_wholly(world, [one.id])[one.id]) == "removed"
    assert not sound.exists()


def test_chunks_of_a_search_that_another_chat_made_too_stay(world: OpenWebUiWorld) -> None:
    one, other = world.seed(2)
    with closing(world.chroma()) as vectors:
        names = [row[0] for row in vectors.execute("SELECT name FROM collections WHERE name LIKE 'web-search-%'")]
    with world.open() as database:
        (chat,) = database.execute(text("SELECT chat FROM chat WHERE id = :id"), {"id": other.id}).one()
        both = chat.replace(names[1], names[0]) if names[1] in chat else chat.replace(names[0], names[1])
        database.execute(text("UPDATE chat SET chat = :chat WHERE id = :id"), {"chat": both, "id": other.id})
    world.product().erase([one.id])  # now it is only remembered, and still used by the other
    assert state_of(_wholly(world, [one.id])[one.id]) == "removed"
    with closing(world.chroma()) as vectors:
        left = [row[0] for row in vectors.execute("SELECT name FROM collections WHERE name LIKE 'web-search-%'")]
    assert sorted(left) == sorted(names)
