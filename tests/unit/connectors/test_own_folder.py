"""What a connector remembers survives a crash in the middle of a line, and stays its owner's alone."""

from pathlib import Path

import pytest

from assent.connectors.coding_agents.state import State
from assent.connectors.comparing import CHANGES, Difference, compared
from assent.connectors.files.memory import Memory as FilesMemory
from assent.connectors.librechat.memory import Memory as LibreChatMemory
from assent.connectors.own_folder import OwnFolder
from assent.domain.errors import Invalid

KINDS = [State, FilesMemory, LibreChatMemory]


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_a_crash_cut_off_does_not_swallow_the_next(kind: type[OwnFolder], tmp_path: Path) -> None:
    own = kind(tmp_path / "own")
    own.append("erased.jsonl", [{"id": "one"}])
    with (own.folder / "erased.jsonl").open("ab") as file:
        file.write(b'{"id": "tw')
    own.append("erased.jsonl", [{"id": "three"}])
    assert [line["id"] for line in own.lines("erased.jsonl")] == ["one", "three"]
    assert own.folder.stat().st_mode & 0o777 == 0o700
    assert (own.folder / "erased.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_is_no_object_is_as_if_nothing_was_kept(tmp_path: Path) -> None:
    own = OwnFolder(tmp_path)
    (tmp_path / "seen.json").write_text("[1]")
    assert own.load("seen.json") == own.load("other.json") == {}
    own.save("seen.json", {"a": 1})
    assert own.load("seen.json") == {"a": 1}


def test_changes_are_told_oldest_first_from_look_to_look_and_once(tmp_path: Path) -> None:
    own = OwnFolder(tmp_path)
    looks: list[list[Difference]] = [[(9, "b", "created"), (5, "a", "created")], [(7, "c", "created")]]

    def compare(seen: dict[str, object]) -> tuple[list[Difference], dict[str, object]]:
        return looks[len(seen)], {**seen, str(len(seen)): True}

    first = list(compared(own, compare, ""))
    assert [change.id for change in first] == ["a", "b"]
    (later,) = compared(own, compare, first[-1].cursor)
    assert (later.id, later.at) == ("c", first[-1].at)
    assert len(list(own.lines(CHANGES))) == 3
    with pytest.raises(Invalid, match="not a cursor"):
        list(compared(own, compare, "²"))
