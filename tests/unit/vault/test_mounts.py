"""Which file systems keys may lie on, told from the texts of the kernel."""

import subprocess
from pathlib import Path

import pytest

from assent.domain.errors import Refused
from assent.vault import mounts
from assent.vault.mounts import Mount, examine, require_safe

ROOT = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"


def machine(folder: Path, mountinfo: str, options: dict[str, str] | None = None) -> Path:
    (folder / "self").mkdir()
    (folder / "self" / "mountinfo").write_text(mountinfo)
    for name, text in (options or {}).items():
        path = folder / "fs" / name / "options"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("ext4 /dev/sdb1 rw", True),
        ("xfs /dev/sdb1 rw,attr2", True),
        ("ext2 /dev/sdb1 rw", True),
        ("ext4 /dev/sdb1 rw,data=journal", False),
        ("ext3 /dev/sdb1 rw,data=journal", False),
        ("ext4 /dev/sdb1 rw,data=ordered", True),
        ("btrfs /dev/sdb1 rw,ssd,subvol=/", False),
        ("btrfs /dev/sdb1 rw,nodatacow,subvol=/", True),
        ("zfs pool/home rw,xattr", False),
        ("bcachefs /dev/sdb1 rw", False),
        ("nilfs2 /dev/sdb1 rw", False),
        ("nfs4 server:/export rw,vers=4.2", False),
        ("cifs //server/share rw", False),
        ("overlay overlay rw,lowerdir=/l", None),
        ("9p share rw,trans=virtio", None),
        ("fuse.sshfs me@server:/ rw", None),
        ("tmpfs tmpfs rw", None),
        ("somethingnew /dev/sdb1 rw", None),
    ],
)
def test_a_file_system_is_safe_if_it_overwrites_in_place(line: str, safe: bool | None, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    proc = machine(tmp_path, f"{ROOT}30 22 0:40 / {home} rw,noatime shared:1 - {line}\n")
    found = examine(home / "vault" / "slots", proc)
    assert (found.kind, found.safe) == (line.partition(" ")[0], safe)
    assert found.reason


def test_a_folder_of_keys_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "examine", lambda _folder: Mount("zfs", safe=False, reason="it keeps everything"))
    with pytest.raises(Refused, match="keys must not lie in `slots`, which is on `zfs`: it keeps everything"):
        require_safe(tmp_path / "slots")
    for safe in (True, None):
        good = Mount("ext4", safe=safe, reason="fine")
        monkeypatch.setattr(mounts, "examine", lambda _folder, good=good: good)
        assert require_safe(tmp_path / "slots") == good


@pytest.mark.parametrize(
    ("kind", "flag", "safe"), [("btrfs", "+C", True), ("ext4", "+j", False), ("zfs", "+C", False), ("xfs", "+j", True)]
)
def test_what_chattr_set_on_a_folder_counts(
    kind: str, flag: str, safe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = {"+C": 0x0080_0000, "+j": 0x0000_4000}  # FS_NOCOW_FL and FS_JOURNAL_DATA_FL of linux/fs.h
    monkeypatch.setattr(mounts, "_flags", lambda _folder: flags[flag])
    proc = machine(tmp_path, f"22 1 8:1 / / rw - {kind} /dev/sda1 rw\n")
    assert examine(tmp_path, proc).safe is safe


def test_the_flags_of_a_real_folder_are_read(tmp_path: Path) -> None:
    before = mounts._flags(tmp_path)
    done = subprocess.run(["chattr", "+A", tmp_path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"chattr sets no flag here: {done.stderr.strip()}")
    assert mounts._flags(tmp_path) & ~before == 0x80  # FS_NOATIME_FL


def test_a_journal_that_is_the_file_systems_own_default_is_seen_too(tmp_path: Path) -> None:
    proc = machine(tmp_path, ROOT, {"ext4/sda1": "rw\ndelalloc\ndata=journal\n"})
    assert examine(tmp_path, proc).safe is False


def test_the_deepest_mount_counts_and_of_two_at_one_point_the_later(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    lines = [f"30 22 0:40 / {home} rw - btrfs /dev/b rw", f"31 30 0:41 / {home} rw - xfs /dev/x rw"]
    proc = machine(tmp_path, "\n".join([*lines, ROOT]))
    assert examine(home, proc).kind == "xfs"
    assert examine(tmp_path, proc).kind == "ext4"


def test_a_mount_point_with_a_space_is_found(tmp_path: Path) -> None:
    home = tmp_path / "my home"
    home.mkdir()
    proc = machine(tmp_path, ROOT + f"30 22 0:40 / {tmp_path}/my\\040home rw - btrfs /dev/b rw\n")
    assert examine(home, proc).kind == "btrfs"


def test_a_link_into_another_file_system_is_followed(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    proc = machine(tmp_path, ROOT + f"30 22 0:40 / {tmp_path}/far rw - btrfs /dev/b rw\n")
    assert examine(tmp_path / "near" / "slots", proc).kind == "btrfs"


def test_a_machine_that_says_nothing_is_accepted_and_says_so(tmp_path: Path) -> None:
    found = examine(tmp_path, tmp_path / "no-such")
    assert (found.kind, found.safe) == ("unknown", None)
    (tmp_path / "proc").mkdir()
    assert examine(tmp_path, machine(tmp_path / "proc", "")).reason == "no mount holds it"


def test_this_machine_can_be_examined(tmp_path: Path) -> None:
    assert examine(tmp_path).reason
