"""The files of the demo: the same seed gives the same bytes, and every importer reads all of what was said."""

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from assent.connectors.formats import chatgpt, claude_ai, claude_code, open_webui
from assent.connectors.formats.fields import arguments_text
from assent.connectors.formats.port import Importer, Malformed, Skipped, Source
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid
from assent.services.demo.exports import Written, write
from assent.services.demo.lantern import Lantern, generate
from assent.services.demo.people import App
from assent.services.demo.turns import Block, Talk, Turn

IMPORTERS: dict[App, Importer] = {
    "chatgpt": chatgpt.IMPORTER,
    "claude-ai": claude_ai.IMPORTER,
    "claude-code": claude_code.IMPORTER,
    "open-webui": open_webui.IMPORTER,
}
# what an importer may pass over: none of it was said by a person or a model
EXPECTED_SKIPS = {
    "node without a message",
    "account data",
    "project knowledge, not a conversation",
    "not a conversation file",
    "side copy, not imported",
    "file history snapshot",
}
Imported = dict[str, Conversation]


@pytest.fixture(scope="module")
def lantern() -> Lantern:
    return generate(random.Random(5))


@pytest.fixture(scope="module")
def written(lantern: Lantern, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(lantern, tmp_path_factory.mktemp("lantern"))


@pytest.fixture(scope="module")
def skipped() -> list[str]:
    return []


@pytest.fixture(scope="module")
def imported(written: Written, skipped: list[str]) -> Imported:
    found: Imported = {}
    for export in written.exports:
        for record in IMPORTERS[export.format].read(Source(export.path)):
            assert not isinstance(record, Malformed), record
            if isinstance(record, Skipped):
                skipped.append(record.reason)
                continue
            assert record.id not in found
            found[record.id] = record
            if export.subject is not None:
                assert record.subject in (None, export.subject)
    return found


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 8), ("two", 8), ("three", 9)):
        write(generate(random.Random(seed), 60), tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one") != digests(tmp_path / "three")


def test_the_size_is_that_of_a_demo(written: Written, lantern: Lantern) -> None:
    root = written.accounts.parent
    assert 10_000_000 <= written.size_bytes <= 25_000_000
    assert written.size_bytes == sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    assert written.files == len(digests(root))
    assert written.talks == len(lantern.talks)
    assert written.turns == sum(len(talk.turns) for talk in lantern.talks)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, lantern: Lantern) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Invalid, match="is not empty"):
        write(lantern, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_every_export_is_recognised_by_its_importer_alone(written: Written) -> None:
    kinds = {export.format: export for export in written.exports}
    assert set(kinds) == set(IMPORTERS)
    for name, export in kinds.items():
        assert [other for other, importer in IMPORTERS.items() if importer.sniff(export.path)] == [name]


def test_a_person_of_a_chatgpt_export_stands_in_the_export(written: Written, imported: Imported) -> None:
    subjects = {export.subject for export in written.exports if export.format == "chatgpt"}
    assert {chat.subject for chat in imported.values() if chat.source == "chatgpt"} == subjects


def test_every_talk_is_imported_once(lantern: Lantern, imported: Imported) -> None:
    assert set(imported) == {talk.conversation for talk in lantern.talks}


def test_nothing_that_was_said_is_skipped(imported: Imported, skipped: list[str]) -> None:
    assert imported
    assert set(skipped) <= EXPECTED_SKIPS


def test_talks_keep_their_person_title_surface_and_mode(lantern: Lantern, imported: Imported) -> None:
    for talk in lantern.talks:
        found = imported[talk.conversation]
        expected = None if talk.app == "claude-code" else talk.subject
        assert (found.subject, found.title, found.surface) == (expected, talk.title, talk.surface)
        assert found.mode == ("private" if talk.private else "normal")
        assert found.project == talk.folder


def test_times_survive_to_the_second(lantern: Lantern, imported: Imported) -> None:
    for talk in lantern.talks:
        found = imported[talk.conversation]
        asked = max(turn.at for turn in talk.main if turn.by == "person")
        assert found.created_at is not None
        assert found.last_turn_at is not None
        assert whole(found.created_at) == whole(talk.turns[0].at)
        assert whole(found.last_turn_at) == whole(asked)


def whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def spoken(talk: Talk) -> Iterator[tuple[Turn, str, str]]:
    """Everything a part must hold: (turn, what the part is, its text)."""
    for turn in talk.turns:
        for block in turn.blocks:
            match block.kind:
                case "text":
                    yield turn, "person" if turn.by == "person" and not turn.aside else "model", block.text
                case "reasoning":
                    yield turn, "reasoning", f"Working it out\n\n{block.text}" if talk.app == "chatgpt" else block.text
                case "call":
                    yield turn, "sent", sent(talk, block)
                    yield turn, "result", arguments_text(block.text)
                case "file":
                    yield turn, "file", "" if talk.app == "chatgpt" else block.text


def sent(talk: Talk, block: Block) -> str:
    arguments = dict(block.arguments)
    if talk.app == "chatgpt" and block.name == "python":
        return arguments["code"]
    return arguments_text(json.dumps(arguments))


def role(part: Part) -> str:
    if part.data == "file":
        return "file"
    if "reasoning" in part.marks:
        return "reasoning"
    if "tool-payload" in part.marks:
        return "sent" if part.origin == "model" else "result"
    return part.origin


def test_every_turn_is_imported_as_what_it_is(lantern: Lantern, imported: Imported) -> None:
    for talk in lantern.talks:
        left = talk.abandoned
        parts = [part for part in imported[talk.conversation].parts if "duplicate" not in part.marks]
        found = {(role(part), arguments_text(part.text), "abandoned" in part.marks) for part in parts}
        for turn, kind, text in spoken(talk):
            assert (kind, arguments_text(text), turn.id in left) in found, talk.app


def test_a_connectors_result_is_told_from_a_tools(lantern: Lantern, imported: Imported) -> None:
    seen = set()
    for talk in lantern.talks:
        names = {block.name for turn in talk.turns for block in turn.blocks if block.kind == "call"}
        origins = {part.origin for part in imported[talk.conversation].parts}
        assert ("connector" in origins) == any(name.startswith("mcp__") for name in names)
        seen |= {talk.app} if "connector" in origins else set()
    assert seen == set(IMPORTERS)


def test_subagents_are_not_the_person(lantern: Lantern, imported: Imported) -> None:
    for talk in lantern.talks:
        marked = {part.turn for part in imported[talk.conversation].parts if "sidechain" in part.marks}
        assert bool(marked) == ("subagent" in talk.kinds)


# Open WebUI keeps the time of a thumb outside the chat: there only the events say it.
def test_thumbs_are_imported_as_feedback(lantern: Lantern, imported: Imported) -> None:
    rated = {event.conversation for event in lantern.calendar.feedback}
    thumbs = {name for name, found in imported.items() if any(part.data == "feedback" for part in found.parts)}
    assert thumbs == rated
    timed = {name for name, found in imported.items() if found.feedback_at is not None}
    assert timed == {name for name in rated if not name.startswith("open-webui:")}


def test_custom_instructions_are_context_and_not_a_turn(lantern: Lantern, imported: Imported) -> None:
    told = [talk for talk in lantern.talks if talk.instructions]
    assert told
    for talk in told:
        (part,) = [part for part in imported[talk.conversation].parts if part.text == talk.instructions]
        assert {"system-context", "hidden"} <= part.marks


def test_shards_side_copies_and_indexes_are_there(written: Written, lantern: Lantern) -> None:
    root = written.accounts.parent / "exports"
    homes = sorted((root / "claude-code").iterdir())
    assert all((home / "history.jsonl").is_file() and (home / "todos").is_dir() for home in homes)
    assert list(root.rglob("subagents/agent-*.jsonl"))
    prompts = sum(len((home / "history.jsonl").read_text().splitlines()) for home in homes)
    asked = [turn for talk in lantern.talks if talk.app == "claude-code" for turn in talk.main if turn.by == "person"]
    assert prompts == len(asked)
    content = b"".join(path.read_bytes() for path in (root / "chatgpt").rglob("export.zip"))
    assert b"conversations-001.json" in content
    assert b"conversations.json.index" in content


def test_lines_beside_the_exports_are_json(written: Written, lantern: Lantern) -> None:
    accounts, events = (
        [json.loads(line) for line in path.read_text().splitlines()] for path in (written.accounts, written.events)
    )
    assert [record["subject"] for record in accounts] == [person.id for person in lantern.people]
    assert {record["event"] for record in events} >= {"question", "hold", "flag"}
    clients = {record["client"] for record in events if record["event"] == "question"}
    assert clients == {"simulated phone", "simulated desktop", "simulated terminal"}
