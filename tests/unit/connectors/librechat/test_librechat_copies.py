"""Copies that LibreChat makes: whose they are, what is spared, and what is not said to be gone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bson import ObjectId, Timestamp
from tests.conformance.connectors.kit import Seeded
from tests.conformance.connectors.librechat_worlds import BEGIN, OWNER, LibreChatWorld

from assent.connectors.formats.port import Malformed
from assent.connectors.port import Copy, Listed, Unlisted, state_of
from assent.domain.conversation import Conversation
from assent.domain.errors import AssentError

OTHER = "64f000000000000000000002"


@pytest.fixture
def world(tmp_path: Path) -> LibreChatWorld:
    return LibreChatWorld(tmp_path)


def of_kind(copies: list[Copy], kind: str) -> list[Copy]:
    return [copy for copy in copies if copy.kind == kind]


def erased(world: LibreChatWorld, one: Seeded, *, maintenance: bool = False) -> list[Copy]:
    return list(world.product().erase([one.id], maintenance=maintenance)[one.id])


# -- files --------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["message", "conversation", "queue", "link", "preset", "agent"])
def test_a_file_that_something_kept_uses_is_spared(world: LibreChatWorld, user: str) -> None:
    gone, kept = world.seed(2)
    named = {"file_id": "file-0"}
    match user:
        case "message":
            world.base.messages.update_one({"messageId": "m1-1"}, {"$push": {"files": named}})
        case "conversation":
            world.base.conversations.update_one({"conversationId": kept.id}, {"$push": {"files": "file-0"}})
        case "queue":
            world.base.agentqueuedturns.update_one({"conversationId": kept.id}, {"$set": {"files": [named]}})
        case "link":
            world.base.sharedlinks.update_one({"conversationId": kept.id}, {"$set": {"fileSnapshots": [named]}})
        case "preset":
            world.base.presets.insert_one({"file_ids": ["file-0"]})
        case "agent":
            world.base.agents.insert_one({"tool_resources": {"file_search": {"file_ids": ["file-0"]}}})
    erased(world, gone)
    assert world.base.files.find_one({"file_id": "file-0"})["text"] == gone.marker
    assert world.at(f"/uploads/{OWNER}/file-0__notes.txt").read_text() == gone.marker
    assert world.base.files.find_one({"file_id": "picture-0"}) is None
    assert not world.at(f"/images/{OWNER}/picture-0.png").exists()


def test_a_file_goes_with_the_last_conversation_that_uses_it(world: LibreChatWorld) -> None:
    first, last = world.seed(2)
    world.base.messages.update_one({"messageId": "m1-1"}, {"$push": {"files": {"file_id": "file-0"}}})
    erased(world, first)
    erased(world, last)
    assert world.base.files.find_one({"file_id": "file-0"}) is None
    assert world.bytes_left([first.marker])["uploads"] == 0


def test_a_file_that_stayed_when_its_conversation_went_is_not_said_to_be_gone(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    row = world.base.files.find_one({"file_id": "file-0"})
    erased(world, gone, maintenance=True)
    world.base.files.insert_one(row)  # as if this one row had not been erased
    assert state_of(world.product().verify([gone.id])[gone.id]) == "present"
    erased(world, gone)
    assert world.base.files.find_one({"file_id": "file-0"}) is None


def test_rows_without_an_id_are_named_and_an_empty_id_reaches_nothing(world: LibreChatWorld) -> None:
    world.base.conversations.insert_many([{"conversationId": one, "user": OWNER} for one in ("", None)])
    world.file("loose", "", "kept", f"/uploads/{OWNER}/loose.txt")
    assert [type(found) for found in world.product().list()] == [Unlisted, Unlisted]
    assert dict(world.product().erase([""])) == {"": []}
    assert list(world.product().watch()) == []
    assert world.base.conversations.count_documents({}) == 2
    assert world.at(f"/uploads/{OWNER}/loose.txt").exists()


def test_naming_the_file_of_somebody_else_erases_nothing_of_theirs(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    world.file("theirs", "elsewhere", "kept", f"/uploads/{OTHER}/theirs.txt", owner=OTHER)
    world.base.messages.update_one({"messageId": "m0-1"}, {"$push": {"files": {"file_id": "theirs"}}})
    erased(world, gone)
    assert world.base.files.find_one({"file_id": "theirs"}) is not None
    assert world.at(f"/uploads/{OTHER}/theirs.txt").read_text() == "kept"


@pytest.mark.parametrize(
    "path", ["/uploads/../outside.txt", "/uploads//etc/passwd", "/uploads/link/kept.txt", "/etc/x"]
)
def test_a_path_that_leads_out_of_the_folder_reaches_nothing(world: LibreChatWorld, tmp_path: Path, path: str) -> None:
    (gone,) = world.seed(1)
    outside = tmp_path / "outside.txt"
    outside.write_text("kept")
    (tmp_path / "kept.txt").write_text("kept")
    (world.uploads / "link").symlink_to(tmp_path)
    world.base.files.update_one({"file_id": "file-0"}, {"$set": {"filepath": path}})
    copies = erased(world, gone)
    assert (outside.read_text(), (tmp_path / "kept.txt").read_text()) == ("kept", "kept")
    assert "not reachable" in {copy.state for copy in of_kind(copies, "upload")}


def test_two_rows_of_the_same_bytes_keep_them_for_the_other(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    path = f"/uploads/{OWNER}/file-0__notes.txt"
    world.file("another", "elsewhere", "kept", path)
    erased(world, gone)
    assert world.at(path).read_text() == "kept"


def test_bytes_in_a_cloud_are_not_reachable_and_the_products_own_sweeper_is_told(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    world.file("cloud", gone.id, gone.marker, "s3://bucket/key", source="s3", storageKey="key")
    copies = erased(world, gone, maintenance=True)
    assert [copy.state for copy in of_kind(copies, "upload") if copy.place == "s3"] == ["not reachable"]
    row = world.base.files.find_one({"file_id": "cloud"})
    assert row["expiredAt"] < datetime.now(UTC)
    assert row["storageKey"] == "key"
    assert sum(world.bytes_left([gone.marker]).values()) == 0
    world.base.files.delete_one({"file_id": "cloud"})  # as the sweeper does: nobody looked into the bucket all the same
    assert state_of(world.product().verify([gone.id])[gone.id]) == "not reachable"


def test_without_folders_uploads_are_not_said_to_be_gone(tmp_path: Path) -> None:
    world = LibreChatWorld(tmp_path, uploads_dir=None, images_dir=None)
    (gone,) = world.seed(1)
    copies = erased(world, gone, maintenance=True)
    assert {copy.state for copy in of_kind(copies, "upload")} == {"not reachable"}
    assert state_of(world.product().verify([gone.id])[gone.id]) == "not reachable"


# -- memories, counters, links ------------------------------------------------------------


@pytest.mark.parametrize(("rule", "left"), [("keep", [1, 1]), ("with-last", [1, 0])])
def test_memories_go_with_the_last_conversation_of_their_person_if_so_agreed(
    tmp_path: Path, rule: str, left: list[int]
) -> None:
    world = LibreChatWorld(tmp_path, memories=rule)
    first, last = world.seed(2)
    world.put("of-another", 90, OTHER)
    world.base.memoryentries.insert_many(
        [{"userId": ObjectId(owner), "key": "likes", "value": "tea"} for owner in (OWNER, OTHER)]
    )
    counts = []
    for one in (first, last):
        erased(world, one)
        counts.append(world.base.memoryentries.count_documents({"userId": ObjectId(OWNER)}))
    assert counts == left
    assert world.base.memoryentries.count_documents({"userId": ObjectId(OTHER)}) == 1


def test_counters_of_tags_and_projects_are_counted_anew_each_time(world: LibreChatWorld) -> None:
    first, second, third = world.seed(3)
    project = ObjectId("64f0000000000000000000aa")
    world.base.conversationtags.insert_one({"user": OWNER, "tag": "work", "count": 3})
    world.base.chatprojects.insert_one(
        {"_id": project, "user": OWNER, "conversationCount": 3, "lastConversationId": third.id}
    )
    for _ in range(2):
        erased(world, third)
    erased(world, first)
    assert world.base.conversationtags.find_one({"tag": "work"})["count"] == 1
    told = world.base.chatprojects.find_one({"_id": project})
    assert (told["conversationCount"], told["lastConversationId"]) == (1, second.id)


def test_the_rights_to_a_shared_link_go_with_it_and_others_stay(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    link = world.base.sharedlinks.find_one({"conversationId": gone.id})["_id"]
    world.base.aclentries.insert_many([{"resourceId": link}, {"resourceId": ObjectId()}])
    erased(world, gone)
    assert world.base.aclentries.count_documents({}) == 1


def test_token_counts_stay(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    world.base.transactions.insert_one({"conversationId": gone.id, "rawAmount": -5})
    erased(world, gone)
    assert world.base.transactions.count_documents({}) == 1


# -- threads, strays, shared ids -------------------------------------------------------------


def test_threads_of_subagents_hang_on_their_conversation(world: LibreChatWorld) -> None:
    (one,) = world.seed(1)
    assert [listed.id for listed in world.product().list() if isinstance(listed, Listed)] == [one.id]
    copies = list(world.product().copies([one.id])[one.id])
    assert [copy.note for copy in of_kind(copies, "subagent thread")] == ["2 rows"]
    erased(world, one)
    assert world.base.conversations.count_documents({}) == world.base.messages.count_documents({}) == 0


def test_messages_that_no_conversation_is_left_of_are_listed_read_and_erased(world: LibreChatWorld) -> None:
    (one,) = world.seed(1)
    world.base.conversations.delete_many({"conversationId": one.id})
    listed = {found.id: found for found in world.product().list() if isinstance(found, Listed)}
    assert (listed[one.id].owner, listed[one.id].last_turn_at) == (OWNER, one.last_turn_at)
    assert [found.subject for found in world.product().read([one.id]) if isinstance(found, Conversation)] == [OWNER]
    erased(world, one, maintenance=True)
    assert state_of(world.product().verify([one.id])[one.id]) == "removed"
    assert sum(world.bytes_left([one.marker]).values()) == 0


def test_an_id_that_two_people_have_means_neither(world: LibreChatWorld) -> None:
    mine = world.put("same", 1)
    theirs = world.put("same", 2, OTHER)
    assert [type(found) for found in world.product().list()] == [Unlisted]
    assert [copy.state for copy in erased(world, mine)] == ["not reachable"]
    left = world.bytes_left([mine.marker, theirs.marker])
    assert min(left["messages"], left["conversations"], left["uploads"]) > 0
    assert [type(found) for found in world.product().read(["same"])] == [Malformed]


def test_a_message_of_somebody_else_under_the_same_id_makes_it_nobodys(world: LibreChatWorld) -> None:
    (mine,) = world.seed(1)
    world.base.messages.insert_one({"conversationId": mine.id, "messageId": "x", "user": OTHER, "text": "theirs"})
    assert [copy.state for copy in erased(world, mine)] == ["not reachable"]
    assert [type(found) for found in world.product().read([mine.id])] == [Malformed]
    assert world.base.messages.find_one({"messageId": "x"})["text"] == "theirs"


def test_a_temporary_chat_is_read_as_private(world: LibreChatWorld) -> None:
    (one,) = world.seed(1)
    later = {"$set": {"isTemporary": True, "expiredAt": BEGIN + timedelta(days=30)}}
    world.base.conversations.update_one({"conversationId": one.id}, later)
    assert [found.mode for found in world.product().read([one.id]) if isinstance(found, Conversation)] == ["private"]


# -- what the servers say of themselves --------------------------------------------------------


def test_blocks_that_stay_free_after_compacting_stay_pending(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    world.server.packs_badly = True
    copies = erased(world, gone, maintenance=True)
    (blocks,) = of_kind(copies, "freed blocks")
    assert blocks.state == "pending maintenance"
    assert "mongodump" in blocks.note


def test_a_server_that_does_not_say_what_is_free_is_not_believed(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    world.server.says_nothing = True
    copies = erased(world, gone, maintenance=True)
    assert [copy.state for copy in of_kind(copies, "freed blocks")] == ["not reachable"]


def test_freed_blocks_can_be_left_to_an_encrypted_disk(tmp_path: Path) -> None:
    world = LibreChatWorld(tmp_path, freed_blocks="leave")
    (gone,) = world.seed(1)
    erased(world, gone, maintenance=True)
    assert state_of(world.product().verify([gone.id])[gone.id]) == "removed"


def test_the_replication_log_is_waited_for_until_it_has_rolled_past(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    log = world.server.rows["local"]["oplog.rs"]
    log.insert_one({"ts": Timestamp(BEGIN, 1)})
    (entries,) = of_kind(erased(world, gone, maintenance=True), "entries")
    assert entries.state == "pending maintenance"
    assert "2026-01-05" in entries.note
    log.delete_many({})
    log.insert_one({"ts": Timestamp(datetime.now(UTC) + timedelta(hours=1), 1)})
    assert state_of(world.product().verify([gone.id])[gone.id]) == "removed"


def test_an_index_that_nobody_connected_is_not_reachable(tmp_path: Path) -> None:
    world = LibreChatWorld(tmp_path, search=False)
    (gone,) = world.seed(1)
    for copies in (erased(world, gone, maintenance=True), world.product().verify([gone.id])[gone.id]):
        assert [copy.state for copy in of_kind(list(copies), "search documents")] == ["not reachable"]


def test_a_search_server_that_is_down_leaves_every_row(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    world.meili.down = True
    with pytest.raises(AssentError, match="MeiliSearch"):
        world.product().erase([gone.id])
    assert world.base.messages.count_documents({"conversationId": gone.id}) == 2


def test_a_failed_task_of_the_search_is_no_erasure(world: LibreChatWorld) -> None:
    (gone,) = world.seed(1)
    world.meili.fails = world.meili.lies = True
    assert {copy.state for copy in of_kind(erased(world, gone), "search documents")} == {"present"}


def test_an_index_with_more_documents_than_a_search_gives_is_emptied(
    world: LibreChatWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.connectors.librechat.search._HITS", 3)
    gone, kept = world.seed(2)
    for number in range(10):
        world.meili.add("messages", f"more-{number}", {"messageId": f"more-{number}", "conversationId": gone.id})
    erased(world, gone)
    assert {one["conversationId"] for one in world.meili.indexes["messages"].values()} == {kept.id}
