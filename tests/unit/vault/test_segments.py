"""Segments in a folder, in memory and behind obstore keep the same contract."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore

from assent.domain.errors import AssentError
from assent.vault.segments import FolderSegments, ObjectSegments, Segments, open_segments

NAME = "2026-11-22/plain/1-9"


@pytest.fixture(params=["folder", "memory", "obstore folder"])
def segments(request: pytest.FixtureRequest, tmp_path: Path) -> Segments:
    if request.param == "folder":
        return FolderSegments(tmp_path / "segments")
    return ObjectSegments(MemoryStore() if request.param == "memory" else LocalStore(tmp_path))


def test_a_stretch_of_a_segment_is_read(segments: Segments) -> None:
    segments.put(NAME, b"0123456789")
    assert segments.read(NAME, 3, 4) == b"3456"
    assert list(segments.names()) == [(NAME, 10)]
    assert abs(datetime.now(UTC) - segments.written(NAME)) < timedelta(minutes=5)


def test_a_segment_is_never_written_twice(segments: Segments) -> None:
    segments.put(NAME, b"first")
    with pytest.raises(FileExistsError):
        segments.put(NAME, b"second")
    assert segments.read(NAME, 0, 5) == b"first"
    assert [name for name, _ in segments.names()] == [NAME]


def test_a_removed_segment_is_gone_and_removing_it_again_is_no_error(segments: Segments) -> None:
    segments.put(NAME, b"here")
    segments.remove(NAME)
    segments.remove(NAME)
    segments.remove("2020-01-01/never/1-1")
    assert list(segments.names()) == []
    with pytest.raises(FileNotFoundError):
        segments.read(NAME, 0, 4)
    with pytest.raises(FileNotFoundError):
        segments.written(NAME)


def test_what_a_crash_left_half_written_is_listed_so_that_it_can_be_removed(tmp_path: Path) -> None:
    segments = FolderSegments(tmp_path)
    segments.put(NAME, b"whole")
    (tmp_path / "2026-11-22" / "plain" / "10-12.part").write_bytes(b"ha")
    assert dict(segments.names()) == {NAME: 5, "2026-11-22/plain/10-12.part": 2}
    segments.remove("2026-11-22/plain/10-12.part")
    assert dict(segments.names()) == {NAME: 5}


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    FolderSegments(tmp_path / "segments").put(NAME, b"sealed")
    assert (tmp_path / "segments" / NAME).stat().st_mode & 0o077 == 0
    assert (tmp_path / "segments").stat().st_mode & 0o077 == 0


def test_a_place_is_a_folder_or_the_address_of_an_object_store(tmp_path: Path) -> None:
    assert isinstance(open_segments(str(tmp_path)), FolderSegments)
    assert isinstance(open_segments("s3://bucket/prefix"), ObjectSegments)
    with pytest.raises(AssentError, match="the address of the segments cannot be opened"):
        open_segments("gopher://old")
