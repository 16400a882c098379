"""Where bytes that are overwritten are gone, and where they stay.

A slot is destroyed by zeros in its place. On a file system that never overwrites in place, or that writes all data to
a journal first, the old bytes remain on the device: with 200 keys each, btrfs and ext4 with `data=journal` kept 200,
ext4 in its default mode, xfs and btrfs with `nodatacow` kept none. Rotation kills what remains, later.
"""

from __future__ import annotations

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assent.domain.errors import Refused

_STAYS: Final = (False, "it never overwrites in place, so destroyed keys stay on the device")
_FAR: Final = (False, "what a server elsewhere does with old bytes and with locks is not known here")
_GOES: Final = (True, "it overwrites in place; what lies beneath it (snapshots, flash) is not seen from here")
_MEMORY: Final = (None, "it is memory: keys are lost with the next start of the machine")
_UNKNOWN: Final = (None, "nobody measured it; what may remain goes with the next rotation")
_KINDS: Final[dict[str, tuple[bool | None, str]]] = {
    **dict.fromkeys(("btrfs", "zfs", "bcachefs", "nilfs2"), _STAYS),
    **dict.fromkeys(("nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "lustre", "afs", "beegfs", "gpfs"), _FAR),
    **dict.fromkeys(("ext2", "ext3", "ext4", "xfs"), _GOES),
    **dict.fromkeys(("tmpfs", "ramfs"), _MEMORY),
}
_JOURNALLED: Final = frozenset({"ext3", "ext4"})

_GET_FLAGS: Final = 0x8008_6601
_JOURNAL_DATA: Final = 0x0000_4000
_NO_COPY_ON_WRITE: Final = 0x0080_0000
"""FS_IOC_GETFLAGS, FS_JOURNAL_DATA_FL and FS_NOCOW_FL of linux/fs.h: what `chattr` sets and `lsattr` shows."""

_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a folder lies: the `kind` of file system, whether zeros destroy there (None: nobody knows), and why."""

    kind: str
    safe: bool | None
    reason: str


def examine(folder: Path, proc: Path = _PROC) -> Mount:
    """Tell whether keys may be kept in a folder, or in the nearest one above that exists."""
    place = folder.resolve()
    while not place.exists():
        place = place.parent
    try:
        lines = (proc / "self" / "mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return Mount("unknown", None, "this machine does not say what it is mounted on")
    found = None
    for line in lines:
        mount = _Line.parse(line)
        # of several mounts at one point the last one lies on top
        if place.is_relative_to(mount.point) and (found is None or len(mount.point.parts) >= len(found.point.parts)):
            found = mount
    if found is None:
        return Mount("unknown", None, "no mount holds it")
    return _judge(found, _flags(place), proc)


def require_safe(folder: Path) -> Mount:
    """Examine a folder of keys. Raises `Refused` with the reason if destroyed keys are known to stay there."""
    mount = examine(folder)
    if mount.safe is False:
        fix = "move it to ext4 or xfs; on btrfs, make it an empty folder and run `chattr +C` on it"
        raise Refused(f"keys must not lie in `{folder.name}`, which is on `{mount.kind}`: {mount.reason}", fix)
    return mount


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of mountinfo (proc_pid_mountinfo(5)): mount point, file system, source, its options."""

    point: Path
    kind: str
    source: str
    options: frozenset[str]

    @staticmethod
    def parse(line: str) -> _Line:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        kind, source, options = after.split(" ", 2)
        point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4])
        return _Line(Path(point), kind, source, frozenset([*fields[5].split(","), *options.split(",")]))


def _judge(mount: _Line, flags: int, proc: Path) -> Mount:
    kind = mount.kind
    if kind == "btrfs" and ("nodatacow" in mount.options or flags & _NO_COPY_ON_WRITE):
        return Mount(kind, safe=True, reason="copy on write is off; a snapshot keeps what it saw until a rotation")
    if kind in _JOURNALLED and ("data=journal" in _options(mount, proc) or flags & _JOURNAL_DATA):
        return Mount(kind, safe=False, reason="it writes data to its journal first, and the journal keeps it")
    safe, reason = _KINDS.get(kind, _UNKNOWN)
    return Mount(kind, safe, reason)


def _options(mount: _Line, proc: Path) -> frozenset[str]:
    """Return the options in force; mountinfo leaves out those that stand in the file system itself."""
    try:
        told = (proc / "fs" / mount.kind / Path(mount.source).name / "options").read_text("ascii").split()
    except OSError:
        told = []
    return mount.options | frozenset(told)


def _flags(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8)), "little")
    except OSError:
        return 0  # a file system without such flags
    finally:
        os.close(descriptor)
