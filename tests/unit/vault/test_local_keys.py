"""Epoch keys as files: for their owner alone, and gone when destroyed."""

import os
from pathlib import Path

import pytest

from assent.domain.errors import AssentError, NotFound, Refused
from assent.vault.local import LocalEpochKeys


def keys_in(folder: Path) -> LocalEpochKeys:
    return LocalEpochKeys(folder / "keys" / "epochs", lambda: os.urandom(32))


def test_a_key_comes_back_from_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    key = keys_in(tmp_path).make(1)
    assert (len(key), keys_in(tmp_path).open(1)) == (32, key)
    path = tmp_path / "keys" / "epochs" / "epoch-1.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Refused, match=r"others on this machine may read `epoch-1\.key`"):
        keys_in(tmp_path).open(1)


def test_an_epoch_has_one_key(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    first = keys.make(1)
    with pytest.raises(AssentError, match="epoch `1` has a key already"):
        keys.make(1)
    assert keys.open(1) == first


def test_a_destroyed_key_is_gone_and_again_is_no_error(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    assert keys.known() == []
    for epoch in (2, 10, 9):
        keys.make(epoch)
    assert keys.known() == [2, 9, 10]
    for _ in range(2):
        assert keys.destroy(9).effective == "now"
    assert keys.known() == [2, 10]
    with pytest.raises(NotFound, match="epoch `9` has no key"):
        keys.open(9)


def test_zeros_that_a_crash_left_are_no_key(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    keys.make(3)
    (tmp_path / "keys" / "epochs" / "epoch-3.key").write_bytes(bytes(32))
    with pytest.raises(NotFound, match="epoch `3` has no key"):
        keys.open(3)
    assert keys.known() == [3]
