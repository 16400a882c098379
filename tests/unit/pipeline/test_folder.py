"""A folder of a cut is complete under its name, or not there at all."""

import stat
from pathlib import Path

import pytest

from assent.domain.errors import Invalid, Refused
from assent.pipeline.folder import unfinished


def test_it_has_its_name_only_when_it_is_published(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    with unfinished(target) as folder:
        (folder.path / "a").write_text("x")
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert not target.exists()
        folder.publish()
    assert [path.name for path in target.iterdir()] == ["a"]
    assert [path.name for path in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError, SystemExit])
def test_what_was_not_published_is_gone(tmp_path: Path, problem: type[BaseException]) -> None:
    def fill() -> None:
        with unfinished(tmp_path / "out") as folder:
            (folder.path / "a").write_text("x")
            (folder.path / "b").mkdir()
            raise problem

    with pytest.raises(problem):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_first(tmp_path: Path) -> None:
    left = tmp_path / ".out.unfinished"
    (left / "folder").mkdir(parents=True)
    (left / "parts.parquet").write_text("old")
    with unfinished(tmp_path / "out") as folder:
        assert list(folder.path.iterdir()) == []
        folder.publish()
    assert list((tmp_path / "out").iterdir()) == []


def test_an_empty_folder_may_stand_there_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with unfinished(tmp_path / "out") as folder:
        (folder.path / "a").write_text("x")
        folder.publish()
    for target in (tmp_path / "out", tmp_path / "out" / "a"):
        with pytest.raises(Invalid, match="not an empty folder"), unfinished(target):
            pytest.fail("a folder that holds something was opened")
    assert (tmp_path / "out" / "a").read_text() == "x"


def test_two_do_not_write_one_folder(tmp_path: Path) -> None:
    with unfinished(tmp_path / "out") as folder:
        (folder.path / "a").write_text("x")
        with pytest.raises(Refused, match="another cut"), unfinished(tmp_path / "out"):
            pytest.fail("two wrote at once")
        assert (folder.path / "a").read_text() == "x"
        folder.publish()
    assert (tmp_path / "out" / "a").exists()
