"""Searching files for markers, in a stream."""

from collections import Counter
from pathlib import Path

import pytest

from assent.services.reconcile import search
from assent.services.reconcile.search import count_markers, files_in

MARKERS = (b"mark-one", b"mark-other", b"mark-none")


@pytest.mark.parametrize("chunk", [1, 3, 7, 10, 1 << 20])
def test_every_marker_is_counted_wherever_the_reads_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(search, "_CHUNK", chunk)
    path = tmp_path / "file"
    path.write_bytes(b"mark-one mark-onemark-other\0mark- mark-two mark-other\nmark-on")
    assert count_markers(path, MARKERS) == Counter({b"mark-one": 2, b"mark-other": 2})


def test_what_is_not_there_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mark-")
    assert count_markers(tmp_path / "file", MARKERS) == Counter()
    assert count_markers(tmp_path / "gone", MARKERS) == Counter()
    assert count_markers(tmp_path / "file", ()) == Counter()


def test_folders_are_looked_through_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    (tmp_path / "alone").touch()
    assert list(files_in([tmp_path / "a", tmp_path / "alone", tmp_path / "gone"])) == [
        tmp_path / "a" / "b" / "file",
        tmp_path / "alone",
    ]
