"""The folder of keys: for their owner's eyes, written whole, used in the order in which they came."""

import os
import stat
from pathlib import Path

import pytest

from assent.domain.errors import AssentError, NotFound, Refused
from assent.store.keys import KeyFolder


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    folder = KeyFolder(tmp_path / "keys")
    folder.begin("first", b"s" * 32)
    return folder


def test_keys_are_written_for_their_owner_alone_and_never_twice(keys: KeyFolder, tmp_path: Path) -> None:
    keys.begin("other", b"t" * 32)
    assert (keys.signing(), keys.subjects()) == (["first"], b"s" * 32)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert found == {"ledger.key": 0o600, "subjects.key": 0o600}


def test_an_old_umask_changes_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KeyFolder(tmp_path / "keys").begin("first", b"s" * 32)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys" / "ledger.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["ledger.key", "subjects.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_is_refused_with_the_reason(
    keys: KeyFolder, tmp_path: Path, name: str, mode: int
) -> None:
    (tmp_path / "keys" / name).chmod(mode)
    with pytest.raises(Refused, match=f"others on this machine may read or write `keys/{name}`") as caught:
        (keys.signing(), keys.subjects())
    assert caught.value.fix == f"run `chmod 600 keys/{name}`"


def test_a_home_without_keys_names_the_command(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path / "keys")
    for read in (keys.signing, keys.subjects):
        with pytest.raises(NotFound) as caught:
            read()
        assert "assent ledger init" in caught.value.fix
    assert keys.coming() is None


def test_a_prepared_key_is_used_once_it_is_taken(keys: KeyFolder) -> None:
    keys.take()
    assert keys.signing() == ["first"]
    for number in range(2, 12):
        keys.prepare(f"key {number}")
        assert keys.coming() == f"key {number}"
        with pytest.raises(AssentError, match="there already"):
            keys.prepare("another")
        keys.take()
        assert keys.coming() is None
    assert keys.signing() == ["first", *(f"key {number}" for number in range(2, 12))]
    assert keys.keep_newest() == 10
    assert keys.signing() == ["key 11"]
    keys.prepare("key 12")
    keys.take()
    assert keys.signing() == ["key 11", "key 12"]
