"""Sealed files of a backup: read back whole, or not at all."""

from pathlib import Path

import pytest

from assent.domain.errors import Refused
from assent.services.backup.frames import Written, read_frames, write_frames

KEY = bytes(range(32))
PIECES = [(b"first" * 100, 2), (b"", 0), (b"last", 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "table"
    assert write_frames(path, KEY, PIECES) == Written(3, 3)
    return path


def test_pieces_are_read_as_they_were_written(path: Path) -> None:
    assert list(read_frames(path, KEY, 3)) == [piece for piece, _ in PIECES]
    assert b"first" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def swapped(data: bytes) -> bytes:
    first = int.from_bytes(data[:4], "big") + 4
    second = int.from_bytes(data[first : first + 4], "big") + 4
    return data[first : first + second] + data[:first] + data[first + second :]


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:],
        lambda data: data[int.from_bytes(data[:4], "big") + 4 :],
        swapped,
        lambda data: b"",
    ],
    ids=["cut short", "made longer", "changed", "first frame gone", "frames swapped", "empty"],
)
def test_what_was_not_written_so_is_refused(path: Path, harm: object) -> None:
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(Refused, match="damaged"):
        list(read_frames(path, KEY, 3))


def test_another_key_or_another_name_opens_nothing(path: Path) -> None:
    with pytest.raises(Refused, match="not its keys"):
        list(read_frames(path, bytes(32), 3))
    path.rename(path.with_name("other"))
    with pytest.raises(Refused, match="not its keys"):
        list(read_frames(path.with_name("other"), KEY, 3))


def test_a_file_is_never_written_over(path: Path) -> None:
    with pytest.raises(FileExistsError):
        write_frames(path, KEY, PIECES)
