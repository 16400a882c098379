"""`assent vault`: where keys and records lie, a new epoch, room of what was erased."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import NOW, Home, claude_ai, made

from assent.vault import mounts
from assent.vault.local import LocalEpochKeys
from assent.vault.mounts import Mount


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = made(tmp_path / "home")
    chats = (("one", "2025-12-20T00:00:00Z"), ("two", "2025-12-20T01:00:00Z"))
    export = claude_ai(tmp_path / "export", *chats, text="a marker that is said once")
    assert found("import", "claude-ai", export, "--subject", "me", "--plan", "pro", "--age", "adult").status == 0
    return found


def test_status_counts_keys_and_segments_and_names_the_mount(home: Home) -> None:
    found = home("vault", "status", "--json").json()
    assert (found["epoch"], found["epoch_keys"], found["unfinished_epochs"]) == (1, "local", [])
    assert found["keys"] >= 4
    assert found["segments"] >= 1
    assert found["segment_bytes"] > 0
    assert found["mount"]["reason"]
    assert "epoch     1 since 20" in home("vault", "status").out


def test_after_a_rotation_everything_opens_and_the_old_key_is_gone(home: Home) -> None:
    before = home("vault", "status", "--json").json()["keys"]
    shown = home("explain", "--all", "--json").out
    done = home("vault", "rotate", "--json").json()
    assert done == {
        "from_epoch": 1,
        "to_epoch": 2,
        "survivors": before,
        "destroyed": {"epoch": 1, "effective": "now", "note": "zeroed and removed"},
    }
    assert home("vault", "rotate").out.splitlines() == [
        f"epoch 3: {before:,} keys",
        "epoch 2: destroyed; zeroed and removed",
    ]
    assert home("explain", "--all", "--json").out == shown
    assert home("vault", "status", "--json").json()["keys"] == before
    assert [path.name for path in (home.folder / "keys" / "epochs").iterdir()] == ["epoch-3.key"]


def test_a_rotation_that_stopped_half_way_is_told_until_it_is_finished(home: Home) -> None:
    LocalEpochKeys(home.folder / "keys" / "epochs", lambda: b"k" * 32).make(7)
    said = home("vault", "status")
    assert said.status == 2
    assert "epoch 7 is not destroyed yet: run `assent vault rotate`" in said.out
    assert home("vault", "rotate").status == 0
    assert home("vault", "status").status == 0


def test_compacting_takes_out_what_was_erased_and_leaves_the_rest(home: Home) -> None:
    assert home("vault", "compact", "--json").json() == {"removed": 0, "rewritten": 0, "left": []}
    before = home("vault", "status", "--json").json()["segment_bytes"]
    (home.folder / "vault" / "segments" / "2025-12-01").mkdir()
    (home.folder / "vault" / "segments" / "2025-12-01" / "1-9").write_bytes(b"what a crash left")
    said = home("vault", "compact")
    assert (said.status, said.out) == (0, "1 segments removed, 0 written anew\n")
    assert home("vault", "status", "--json").json()["segment_bytes"] == before


def test_nothing_that_was_said_lies_in_the_home_in_clear(home: Home) -> None:
    for path in home.folder.rglob("*"):
        if path.is_file():
            assert b"a marker that is said once" not in path.read_bytes(), path.name


def test_a_home_on_a_mount_that_keeps_what_is_overwritten_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "examine", lambda _folder: Mount("btrfs", safe=False, reason="it keeps everything"))
    said = home("vault", "status")
    assert said.status == 2
    assert "keys must not lie in `slots`, which is on `btrfs`: it keeps everything" in said.err
    assert "chattr +C" in said.err


@pytest.mark.parametrize("named", ["vault-of-gold", "aws:eu", ""])
def test_a_keeper_of_keys_that_nobody_knows_is_refused(named: str, home: Home) -> None:
    with (home.folder / "assent.toml").open("a") as settings:
        settings.write(f'epoch_keys = "{named}"\n')
    said = home("vault", "status", at=NOW)
    assert said.status == 1
    assert "`epoch_keys` names no keeper of keys" in said.err
