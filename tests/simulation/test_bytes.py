"""Are the bytes gone? Counted in files, in the server's folder and on a raw disk, by somebody who trusts nothing."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests import postgres_server
from tests.acceptance.stories.restorable import Lived, day, made
from tests.postgres_server import Server
from tests.simulation import byte_audit
from tests.simulation.byte_audit import Secret, count, try_slots, try_windows

ERASED_ON = day(14.5)
KEYS_GONE_ON = day(29)
"""When the last backup of keys from before the erasure is over its time."""

IMAGE_BYTES = 1 << 30
ERASED, KEPT = "erased", "kept"
MARKERS = [f"MARKER-{name}".encode() for name in (ERASED, KEPT)]


def secrets_of(home: Lived, name: str) -> list[Secret]:
    """Copy what sealed a conversation: records from their segments, wrapped keys from their slots."""
    with home.store() as store:
        kept = store.conversation(f"story:{name}")
        places = [place for place in store.places(0, 100) if _is_of(store, place.slot, {p.key for p in kept.parts})]
        epoch = store.contents.slots.epoch
    slots = (home.folder / "vault" / "slots" / str(epoch) / "slots").read_bytes()
    found = []
    for place in places:
        data = (home.folder / "vault" / "segments" / place.segment).read_bytes()
        begin = place.slot // 12 * 512 + place.slot % 12 * 40  # 12 slots of 40 bytes in each 512
        record = data[place.position : place.position + place.length]
        found.append(Secret(place.slot, record, slots[begin : begin + 40]))
    assert len(found) == 2
    return found


def _is_of(store: object, slot: int, parts: set[int]) -> bool:
    from sqlalchemy import select

    from assent.store.schema import sealed

    with store._database.reading() as connection:
        return connection.scalar(select(sealed.c.part).where(sealed.c.slot == slot)) in parts


def key_files(home: Lived) -> dict[str, bytes]:
    """Every file that is a key as it stands."""
    files = [*home.folder.joinpath("keys").rglob("*"), *home.keys.rglob("key")]
    return {path.name: data for path in files if path.is_file() and len(data := path.read_bytes()) == 32}


def lives(home: Lived) -> None:
    """Content comes in, is backed up, one conversation is deleted and erased, and every clock runs out."""
    home.takes(ERASED, KEPT)
    home.backs_up(day(1))


def erases(home: Lived) -> None:
    home.deletes(ERASED, day(0))
    home.backs_up(day(14))
    assert home.sweeps(ERASED_ON).json()["erased"] == 2
    for command in (("vault", "rotate"), ("vault", "compact")):
        assert home(*command, at=day(15)).status == 0
    assert home("backup", "prune", at=KEYS_GONE_ON).status == 0


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lived, list[Path]]]:
    """A home, and every folder in which its bytes may lie."""
    if request.param == "sqlite":
        yield made(tmp_path, "assent.db"), [tmp_path]
        return
    server: Server = request.getfixturevalue("postgres")
    name = server.blank()
    data = Path(server.run("SHOW data_directory")[0][0])
    yield made(tmp_path, server.address(name)), [tmp_path, data]
    server.drop(name)


def test_no_marker_and_no_key_is_left_anywhere(home: tuple[Lived, list[Path]]) -> None:
    lived, places = home
    lives(lived)
    keys = [lived.folder / "keys", lived.folder / "vault" / "slots", lived.keys]
    secrets = secrets_of(lived, ERASED)
    # the audit finds what is there: the epoch key unwraps the slots, and what they hold opens the records
    assert try_windows([lived.folder / "keys"], secrets).by_unwrapping
    assert try_slots(key_files(lived), [lived.folder / "vault" / "slots"], secrets)
    assert lived.texts(ERASED)
    # even while it is here, nothing of it stands in the clear
    assert count(places, MARKERS) == {}
    old = key_files(lived)
    erases(lived)
    assert count(places, MARKERS) == {}
    wrapped = [secret.wrapped for secret in secrets]
    epoch = [key for name, key in old.items() if name.startswith("epoch")]
    assert count(places, [*wrapped, *epoch, old["key"]]) == {}
    assert not try_windows(keys, secrets)
    assert not try_slots(key_files(lived), keys, secrets)
    assert lived.texts(ERASED, KEYS_GONE_ON) == []
    assert len(lived.texts(KEPT, KEYS_GONE_ON)) == 2


def test_the_audit_counts_what_lies_across_two_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_audit, "CHUNK", 10)
    path = tmp_path / "file"
    path.write_bytes(b"-------needle----------needleneedle")
    assert count([tmp_path], [b"needle", b"n", b"pin"]) == {b"needle": {str(path): 3}, b"n": {str(path): 3}}


def test_the_audit_is_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"a needle")
    assert byte_audit.main(["needle", "pin", "--", str(tmp_path)]) == 2
    assert capsys.readouterr().out == f"needle\t1\t{tmp_path / 'file'}\n"
    assert byte_audit.main(["pin", "--", str(tmp_path)]) == 0


# -- a raw disk ---------------------------------------------------------------------------


@contextmanager
def raw_disk(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Mount an ext4 of our own; yields the image and where it is mounted. Skips, and says why, where it cannot be."""
    if os.geteuid() != 0:
        pytest.skip("NOT SHOWN: a raw disk needs root, to mount an image by a loop device")
    # not below `folder`, where the server's own user may not go
    image, mount = folder / "disk.img", Path(tempfile.mkdtemp(prefix="assent-disk-"))
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
    tried = subprocess.run(["mount", "-o", "loop,nodiscard", image, mount], check=False, capture_output=True)
    if tried.returncode:
        mount.rmdir()
        pytest.skip(f"NOT SHOWN: this machine mounts no image: {tried.stderr.decode().strip()}")
    try:
        mount.chmod(0o755)
        yield image, mount
    finally:
        subprocess.run(["umount", mount], check=True)
        mount.rmdir()


@contextmanager
def on(kind: str, mount: Path) -> Iterator[tuple[Lived, Server | None]]:
    if kind == "sqlite":
        yield made(mount, "assent.db"), None
        return
    before = os.environ.get("TMPDIR")
    (mount / "tmp").mkdir(mode=0o777)
    (mount / "tmp").chmod(0o777)
    os.environ["TMPDIR"] = str(mount / "tmp")
    try:
        with postgres_server.starting() as server:
            yield made(mount, server.address(server.blank())), server
    finally:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before


@pytest.mark.deep
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_no_marker_and_no_key_is_left_on_a_raw_disk(tmp_path: Path, kind: str) -> None:
    """Below the file system too: deleted files, journals, and what was overwritten, as a thief of the disk sees it."""
    with raw_disk(tmp_path) as (image, mount):
        with on(kind, mount) as (lived, server):
            lives(lived)
            keys = {secret.slot: secret.wrapped for secret in secrets_of(lived, ERASED)}
            keys |= {name: key for name, key in key_files(lived).items() if name == "key" or name.startswith("epoch")}
            os.sync()
            # the image is read as it is: what opens the records lies on it, and the records' words do not
            assert set(count([image], [*MARKERS, *keys.values()])) == set(keys.values())
            erases(lived)
            if server is not None:
                with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
                    connection.execute("CHECKPOINT")
            assert lived.texts(ERASED, KEYS_GONE_ON) == []
            assert len(lived.texts(KEPT, KEYS_GONE_ON)) == 2
        os.sync()
        assert count([image], [*MARKERS, *keys.values()]) == {}
