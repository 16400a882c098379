import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from accounting import Account, account, anything, damaged
from chat_exports import (
    START,
    Json,
    chatgpt_branch,
    chatgpt_chat,
    chatgpt_message,
    in_chatgpt_shape,
    shape,
    write_folder,
    write_zip,
)
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.chatgpt import IMPORTER
from assent.domain.errors import Invalid


def _minute(count: int) -> datetime:
    return datetime.fromtimestamp(START, UTC) + timedelta(minutes=count)


def _import(tmp_path: Path, *chats: object) -> Account:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps(chats), "utf-8")
    found = account(IMPORTER, path)
    assert found.size_bytes == path.stat().st_size
    return found


def _one(tmp_path: Path, *messages: object, **fields: object) -> Account:
    return _import(tmp_path, chatgpt_chat("c1", messages, **fields))


def test_a_conversation_is_read_from_its_first_message_to_its_last(tmp_path: Path) -> None:
    found = _one(tmp_path, chatgpt_message("user", "Hello", 1), chatgpt_message("assistant", "Hi!", 2))
    (chat,) = found.conversations
    assert (chat.id, chat.title, chat.surface, chat.mode) == ("chatgpt:c1", "About c1", "chat", "normal")
    assert shape(found) == [
        ("user", "person", "text", "", "Hello", ""),
        ("assistant", "model", "text", "", "Hi!", ""),
    ]
    assert [(part.id, part.turn) for part in chat.parts] == [("n1/0", "n1"), ("n2/0", "n2")]
    assert chat.created_at == _minute(0)
    # Never `update_time`, which is a hundred days later here.
    assert chat.last_turn_at == _minute(1)
    assert (found.imported, found.reasons) == (2, {"node without a message": 1})


def test_branches_are_marked_and_the_persons_edit_counts_as_a_turn(tmp_path: Path) -> None:
    chat = chatgpt_chat("c1", [chatgpt_message("user", "Hello", 1), chatgpt_message("assistant", "Hi!", 2)])
    chatgpt_branch(chat, "other-answer", "n1", chatgpt_message("assistant", "Good day", 3))
    chatgpt_branch(chat, "edit", "root", chatgpt_message("user", "Hullo", 4))
    chatgpt_branch(chat, "later", "n2", chatgpt_message("assistant", "More", 5))
    found = _import(tmp_path, chat)
    assert [(part.text, "abandoned" in part.marks) for part in found.parts] == [
        ("Hello", False),
        ("Hi!", False),
        ("Good day", True),
        ("Hullo", True),
        ("More", True),
    ]
    assert found.conversations[0].last_turn_at == _minute(4)


@pytest.mark.parametrize("current", [None, "", "gone", 7, ["n1"]])
def test_without_a_current_node_the_newest_leaf_is_current(current: object, tmp_path: Path) -> None:
    chat = chatgpt_chat("c1", [chatgpt_message("user", "Hello", 1), chatgpt_message("assistant", "old", 2)])
    chatgpt_branch(chat, "newer", "n1", chatgpt_message("assistant", "new", 3))
    chat["current_node"] = current
    found = _import(tmp_path, chat)
    assert [(part.text, "abandoned" in part.marks) for part in found.parts] == [
        ("Hello", False),
        ("new", False),
        ("old", True),
    ]


@pytest.mark.parametrize(
    ("parents", "current"),
    [
        ({"n1": "n2"}, ["n1", "n2", "n3"]),  # a circle
        ({"n1": "n1"}, ["n1", "n2", "n3"]),
        ({"n2": "gone"}, ["n2", "n3"]),
        ({"n3": None}, ["n3"]),
        ({"n3": 5}, ["n3"]),
    ],
)
def test_circles_and_missing_parents_end_the_walk(parents: Json, current: list[str], tmp_path: Path) -> None:
    chat = chatgpt_chat("c1", [chatgpt_message("user", f"text {number}", number) for number in (1, 2, 3)])
    for node, parent in parents.items():
        chat["mapping"][node]["parent"] = parent
    found = _import(tmp_path, chat)
    assert {part.turn for part in found.parts if not part.marks} == set(current)
    assert len(found.parts) == 3


def test_only_what_the_person_did_moves_the_last_turn(tmp_path: Path) -> None:
    found = _one(
        tmp_path,
        chatgpt_message("user", "Hello", 1),
        chatgpt_message("assistant", "Hi", 2),
        chatgpt_message("user", {"content_type": "user_editable_context", "user_profile": "P"}, 3),
        chatgpt_message("user", "hidden", 4, metadata={"is_visually_hidden_from_conversation": True}),
        chatgpt_message("tool", "result", 5, name="web"),
    )
    assert found.conversations[0].last_turn_at == _minute(1)


FAULTS = [
    # what is wrong, the node, what is said
    ("no object", "x", "a node of a conversation is not an object"),
    ("message is text", {"message": "x"}, "a message is not an object"),
    ("no author", {"message": {"content": {}}}, "a message has no author"),
    ("author without a role", {"message": chatgpt_message("user", "x", author={})}, "a message has no author"),
    ("no content", {"message": chatgpt_message("user", None)}, "a message has no content"),
    ("no content type", {"message": chatgpt_message("user", {"parts": ["x"]})}, "a message has no content type"),
    (
        "parts is text",
        {"message": chatgpt_message("user", {"content_type": "text", "parts": "x"})},
        "a message's parts are not a list",
    ),
    (
        "a part is a number",
        {"message": chatgpt_message("user", {"content_type": "text", "parts": [1]})},
        "a message's part is neither text nor an object",
    ),
    (
        "text is a number",
        {"message": chatgpt_message("user", {"content_type": "code", "text": 1})},
        "a message's text is not text",
    ),
    (
        "thoughts is text",
        {"message": chatgpt_message("user", {"content_type": "thoughts", "thoughts": "x"})},
        "a message's thoughts are not a list",
    ),
]


@pytest.mark.parametrize(("node", "problem"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_broken_message_loses_no_other(node: object, problem: str, tmp_path: Path) -> None:
    chat = chatgpt_chat("c1", [chatgpt_message("user", "Hello"), chatgpt_message("assistant", "Hi")])
    chat["mapping"]["bad"] = node
    found = _import(tmp_path, chatgpt_chat("c0", [chatgpt_message("user", "Before")]), chat)
    assert [part.text for part in found.parts] == ["Before", "Hello", "Hi"]
    assert found.problems == [("conversations.json", 2, problem)]
    assert (found.imported, found.skipped, found.malformed) == (3, 2, 1)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "node without a message"),
        (chatgpt_message("user", {"content_type": "hologram"}), "unknown content type"),
        (chatgpt_message("critic", "x"), "unknown author role"),
    ],
)
def test_what_is_not_known_is_skipped_with_a_reason(message: object, reason: str, tmp_path: Path) -> None:
    found = _one(tmp_path, chatgpt_message("user", "Hello"), message)
    assert found.reasons[reason] >= 1
    assert (found.imported, found.records, found.malformed) == (1, 3, 0)


@pytest.mark.parametrize(
    ("chat", "counts", "said"),
    [
        (7, (0, 0, 1), "a conversation is not an object"),
        ({"id": "c1", "mapping": [1]}, (0, 0, 1), "a conversation's mapping is not an object"),
        ({"id": "c1", "title": "empty"}, (0, 1, 0), "conversation without messages"),
        ({"id": "c1", "mapping": None}, (0, 1, 0), "conversation without messages"),
        (
            chatgpt_chat("c1", [chatgpt_message("user", ""), chatgpt_message("system", "")]),
            (0, 3, 0),
            "conversation without content",
        ),
    ],
)
def test_a_conversation_without_messages_is_accounted_for(
    chat: object, counts: tuple[int, int, int], said: str, tmp_path: Path
) -> None:
    found = _import(tmp_path, chat)
    assert (found.imported, found.skipped, found.malformed) == counts
    assert said in {*found.reasons, *(problem for _, _, problem in found.problems)}


def test_a_conversation_without_an_id_is_named_by_its_content(tmp_path: Path) -> None:
    chat = chatgpt_chat("", [chatgpt_message("user", "Hello")])
    first, again = _import(tmp_path, chat), _import(tmp_path, chat, chat)
    assert [chat.id for chat in first.conversations] == [chat.id for chat in again.conversations]
    assert again.reasons["duplicate of an earlier record"] == 2
    assert (again.imported, again.records) == (1, 4)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("normal", "chat", "")),
        ({"is_do_not_remember": True}, ("private", "chat", "")),
        ({"is_temporary_chat": True}, ("private", "chat", "")),
        ({"is_do_not_remember": None, "memory_scope": "global_enabled"}, ("normal", "chat", "")),
        ({"voice": "cove"}, ("normal", "voice", "")),
        ({"gizmo_id": "g-p-6957", "gizmo_type": "snorlax"}, ("normal", "chat", "g-p-6957")),
        ({"gizmo_id": "g-abc"}, ("normal", "chat", "")),
    ],
)
def test_what_the_export_says_of_a_conversation(fields: Json, expected: tuple[str, ...], tmp_path: Path) -> None:
    (chat,) = _one(tmp_path, chatgpt_message("user", "Hello"), **fields).conversations
    assert (chat.mode, chat.surface, chat.project) == expected


@pytest.mark.parametrize("time", [None, "soon", -1e30, 1e300, True, {}])
def test_an_unreadable_time_is_no_time(time: object, tmp_path: Path) -> None:
    message = chatgpt_message("user", "Hello", create_time=time)
    (chat,) = _one(tmp_path, message, create_time=time).conversations
    assert (chat.created_at, chat.last_turn_at, chat.parts[0].created_at) == (None, None, None)


@pytest.mark.parametrize("time", [START, START * 1e3, START * 1e9, "2025-10-09T08:53:20Z", "2025-10-09T10:53:20+02:00"])
def test_times_are_read_in_every_unit(time: object, tmp_path: Path) -> None:
    (chat,) = _one(tmp_path, chatgpt_message("user", "Hello", create_time=time)).conversations
    assert chat.last_turn_at == _minute(0)


def _files() -> dict[str, object]:
    chats = [chatgpt_chat(f"c{number}", [chatgpt_message("user", f"Hello {number}")]) for number in range(3)]
    return {
        "conversations-000.json": chats[:2],
        "conversations-001.json": chats[2:] + chats[:1],
        "conversations.json.index": b"binary",
        "chat.html": b"<html></html>",
        "user.json": {"id": "user-1", "email": "someone@example.org"},
        "message_feedback.json": [
            {
                "message_id": "n1",
                "conversation_id": "c1",
                "rating": "thumbs_down",
                "content": '{"text": "wrong"}',
                "create_time": "2025-12-01T00:00:00Z",
            },
            {"conversation_id": "gone", "rating": "thumbs_up"},
            "no rating",
        ],
        "shared_conversations.json": [],
        "file-A1-cat.png": b"\x89PNG",
    }


@pytest.mark.parametrize("folder", ["", "export/"])
@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_shards_ratings_and_the_account_belong_to_one_export(write: object, folder: str, tmp_path: Path) -> None:
    path = write(tmp_path / "export.zip", {f"{folder}{name}": content for name, content in _files().items()})
    found = account(IMPORTER, path)
    assert [chat.id for chat in found.conversations] == ["chatgpt:c0", "chatgpt:c1", "chatgpt:c2"]
    assert {chat.subject for chat in found.conversations} == {"user-1"}
    rated = found.conversations[1]
    rating = rated.parts[-1]
    assert (rating.data, rating.origin, rating.turn, rating.name) == ("feedback", "person", "n1", "thumbs_down")
    assert rated.feedback_at == datetime(2025, 12, 1, tzinfo=UTC)
    assert rated.last_turn_at == _minute(0)
    assert found.reasons == {
        "node without a message": 3,
        "duplicate of an earlier record": 2,
        "rating of a conversation that is not in the export": 1,
        "account data": 1,
        "list of shared links": 1,
    }
    assert found.problems == [(f"{folder}message_feedback.json", 3, "a rating is not an object")]
    assert (found.imported, found.malformed) == (4, 1)
    assert [copy.name for copy in found.side_copies] == (["chat.html"] if write is write_folder else [])


def test_an_export_without_conversations_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "export.zip", {"user.json": {}, "photo.png": b""})
    with pytest.raises(Invalid, match="no conversations"):
        account(IMPORTER, path)


IMAGE = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-A1", "width": 9, "height": 9}
AUDIO = {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_B2", "format": "wav"}
LIVE = {
    "content_type": "real_time_user_audio_video_asset_pointer",
    "audio_asset_pointer": AUDIO,
    "frames_asset_pointers": [IMAGE],
    "video_container_asset_pointer": {"asset_pointer": "sediment://file_C3"},
}
GOOD = chatgpt_chat(
    "c1",
    [
        chatgpt_message("user", "Hello"),
        chatgpt_message("assistant", {"content_type": "multimodal_text", "parts": [IMAGE, LIVE, "x"]}),
    ],
)


@pytest.mark.parametrize(
    ("content", "counts"),
    [
        (b"", (0, 0, 1)),
        (b"\xef\xbb\xbf" + json.dumps([GOOD]).encode(), (2, 1, 0)),
        (json.dumps([GOOD], indent=1).replace("\n", "\r\n").encode(), (2, 1, 0)),
        (json.dumps([GOOD]).encode()[:-5], (0, 0, 1)),
        (json.dumps([GOOD, GOOD]).encode()[:-5], (2, 1, 1)),
        (json.dumps([GOOD]).encode().replace(b"Hello", b"\xff\xfe"), (0, 0, 1)),
        (b"[" + b'{"title": 1e999},' + json.dumps(GOOD).encode() + b"]", (2, 1, 1)),
        (b"<html>", (0, 0, 1)),
    ],
)
def test_a_damaged_file_is_accounted_for(content: bytes, counts: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_bytes(content)
    found = account(IMPORTER, path)
    assert (found.imported, found.skipped, found.malformed) == counts


@given(damaged([GOOD]) | anything)
def test_any_json_adds_up(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("any") / "conversations.json"
    path.write_text(json.dumps([value, chatgpt_chat("after", [chatgpt_message("user", "Still here")])]), "utf-8")
    found = account(IMPORTER, path)
    nodes = value.get("mapping") if isinstance(value, dict) else None
    expected = len(nodes) if isinstance(nodes, dict) and nodes else 1
    # A number that no parser can hold makes the whole conversation unreadable: one record.
    assert found.records - 2 in (expected, 1)
    assert found.part("Still here")


@given(st.binary(max_size=60))
def test_any_bytes_are_no_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "conversations.json"
    path.write_bytes(content)
    assert account(IMPORTER, path).imported == 0
    IMPORTER.sniff(path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"conversations.json": [GOOD]}, True),
        ({"conversations-007.json": [GOOD]}, True),
        ({"conversations.json": [{"uuid": "u", "chat_messages": []}]}, False),
        ({"other.json": [GOOD]}, False),
        ({"conversations.json": b"\xff\xfe"}, False),
    ],
)
def test_sniffing(files: dict[str, object], expected: bool, tmp_path: Path) -> None:
    assert IMPORTER.sniff(write_zip(tmp_path / "a.zip", files)) is expected
    assert IMPORTER.sniff(write_folder(tmp_path / "a", files)) is expected
    assert not IMPORTER.sniff(tmp_path / "nothing")


@pytest.mark.data
def test_real_conversations_in_this_shape_come_back_whole(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "conversations" / "arena-hard" / "conversations.jsonl"
    chats = in_chatgpt_shape(source)
    found = _import(tmp_path, *chats)
    said = [
        message["content"]
        for line in source.read_text("utf-8").splitlines()
        for message in json.loads(line)["messages"]
        if message["content"]
    ]
    assert [part.text for part in found.parts] == said
    assert (len(found.conversations), found.malformed) == (len(chats), 0)
