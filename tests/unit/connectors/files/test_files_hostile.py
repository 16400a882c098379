"""Folders as crashes, other programs, pipelines and hostile people leave them."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import zstandard
from tests.conformance.connectors.files_worlds import BEGIN, FolderWorld, json_lines, turn

from assent.connectors.files import json_rows
from assent.connectors.files.product import Files, Settings
from assent.connectors.formats import jsonl
from assent.connectors.port import Copy, Listed, Unlisted, state_of
from assent.domain.errors import Invalid, Refused

HERS = json_lines([turn("hers", "ann", "user", "a secret of hers", BEGIN)])
HIS = json_lines([turn("his", "ben", "user", "his", BEGIN)])


@pytest.fixture
def world(tmp_path: Path) -> FolderWorld:
    return FolderWorld(tmp_path)


def erased(world: FolderWorld) -> list[Copy]:
    return list(world.product().erase(["hers"])["hers"])


# -- kept lines keep every byte ---------------------------------------------------------------

KEPT = {
    "spaces and key order": b'{ "role":"user" ,  "conversation_id" : "his"}\n',
    "no feed at the end": b'{"conversation_id": "his"}',
    "carriage returns": b'{"conversation_id": "his"}\r\n\r\n',
    "line separators of Unicode": '{"conversation_id": "his", "content": "a\u2028b\u2029c\x85d"}\n'.encode(),
    "escapes and large numbers": b'{"conversation_id": "h\\u0069s", "n": 1e400, "m": 0.1000000000000000055}\n'[:-40]
    + b'"}\n',
    "not UTF-8": b'{"conversation_id": "his", "content": "\xff\xfe"}\n',
    "half an emoji": b'{"conversation_id": "his", "content": "\\ud83d"}\n',
    "no JSON": b"conversation_id: her, him, hersel\n",
    "cut off": b'{"conversation_id": "his", "content": "and the',
    "another kind of value": b'["hers-not"]\n17\nnull\n',
    "no id": b'{"role": "user"}\n{"conversation_id": null}\n{"conversation_id": ""}\n{"conversation_id": {"a": 1}}\n',
    "marks and blanks": b"\xef\xbb\xbf\n\xef\xbb\xbf\n \t\r\n\x0b\n\n",
    "zero bytes": b"\0\0\0\0\n",
    "deep": b"[" * 5_000 + b"\n",
    "two keys of one name": b'{"conversation_id": "hers", "conversation_id": "his"}\n',
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=list(KEPT))
def test_kept_lines_keep_every_byte(world: FolderWorld, kept: bytes) -> None:
    world.write("a.jsonl", HERS + HERS + kept if not kept.endswith(b"\n") else HERS + kept + HERS)
    assert state_of(erased(world)) == "removed"
    assert (world.root / "a.jsonl").read_bytes() == kept


def test_a_mark_at_the_beginning_of_a_file_stays_there(world: FolderWorld) -> None:
    world.write("a.jsonl", b"\xef\xbb\xbf" + HERS + HIS)
    assert state_of(erased(world)) == "removed"
    assert (world.root / "a.jsonl").read_bytes() == b"\xef\xbb\xbf" + HIS


def test_an_id_in_any_spelling_is_found(world: FolderWorld) -> None:
    spelled = [
        rb'{"conversation_\u0069d": "h\u0065rs"}',
        b'{"conversation_id":"hers"}',
        b' {"conversation_id": "hers" } \r',
    ]
    world.write("a.jsonl", b"\n".join([*spelled, HIS]))
    assert world.product().copies(["hers"])["hers"] == [Copy("rows", "a.jsonl", "present", "3 rows")]
    assert state_of(erased(world)) == "removed"
    assert (world.root / "a.jsonl").read_bytes() == HIS


def test_a_number_is_an_id_too(world: FolderWorld) -> None:
    world.write("a.jsonl", b'{"conversation_id": 7}\n{"conversation_id": 77}\n{"conversation_id": 7.0}\n')
    assert state_of(world.product().erase(["7"])["7"]) == "removed"
    assert (world.root / "a.jsonl").read_bytes() == b'{"conversation_id": 77}\n{"conversation_id": 7.0}\n'


def test_files_without_a_row_of_it_are_not_touched(world: FolderWorld) -> None:
    for path, content in (("a.jsonl", HIS), ("b.jsonl.gz", gzip.compress(HIS)), ("c.jsonl", b""), ("d.txt", HERS)):
        world.write(path, content)
    before = {file: file.stat().st_ino for file in world.root.iterdir()}
    world.write("z.jsonl", HERS)
    assert state_of(erased(world)) == "removed"
    assert {file: file.stat().st_ino for file in before} == before
    assert (world.root / "z.jsonl").read_bytes() == b""


def test_mode_and_times_of_a_file_stay(world: FolderWorld) -> None:
    world.write("a.jsonl", HERS + HIS)
    file = world.root / "a.jsonl"
    file.chmod(0o640)
    os.utime(file, ns=(10**18, 10**18))
    erased(world)
    assert (file.stat().st_mode & 0o7777, file.stat().st_mtime_ns) == (0o640, 10**18)


# -- what cannot be read is named and never lost -------------------------------------------------


def test_a_line_that_cannot_be_read_and_says_the_id_is_never_called_removed(world: FolderWorld) -> None:
    for number, line in enumerate((HERS[:-30], b"'hers', 'ann'\n", b'{"conversation_id": "h\\u0065rs", oh\n')):
        world.write(f"{number}.jsonl", HIS + line)
        copy = erased(world)[0]
        assert (copy.kind, copy.place, copy.state) == ("unreadable line", f"{number}.jsonl:2", "not reachable")
        assert (world.root / f"{number}.jsonl").read_bytes() == HIS + line
        (world.root / f"{number}.jsonl").unlink()


def test_lines_that_cannot_be_read_are_listed_by_their_place(world: FolderWorld) -> None:
    world.write("day=2026-01-05/a.jsonl", HIS + b"oops\n" + b'{"role": "user"}\n')
    world.write("owner=ann/b.jsonl", b"[]\n")
    said = [one for one in world.product().list() if isinstance(one, Unlisted)]
    assert [str(one.place) for one in said] == [
        "day=2026-01-05/a.jsonl:2",
        "day=2026-01-05/a.jsonl:3",
        "owner=*/b.jsonl:1",
    ]
    assert [one.problem for one in said][1] == "the row has no id of a conversation"


def test_a_line_over_the_limit_goes_through_whole_and_is_named(
    world: FolderWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 1_000)
    long = b'{"conversation_id": "other", "content": "' + b"x" * 5_000 + b'"}\n'
    hers = b'{"content": "' + b"x" * 5_000 + b'", "conversation_id": "hers"}\n'
    world.write("a.jsonl", HERS + long + HIS)
    assert state_of(erased(world)) == "removed"
    assert (world.root / "a.jsonl").read_bytes() == long + HIS
    world.write("a.jsonl", long + hers)
    assert [(one.kind, one.place) for one in erased(world)][:1] == [("unreadable line", "a.jsonl:2")]
    assert (world.root / "a.jsonl").read_bytes() == long + hers


DAMAGED = {
    "a cut gzip": ("a.jsonl.gz", gzip.compress(HERS * 50)[:-20]),
    "a changed gzip": ("a.jsonl.gz", gzip.compress(HERS * 50)[:-8] + b"\0" * 8),
    "rubbish after gzip": ("a.jsonl.gz", gzip.compress(HERS) + b"rubbish"),
    "a cut zstd": ("a.jsonl.zst", zstandard.compress(HERS * 50)[:-6]),
    "a changed zstd": ("a.jsonl.zst", zstandard.ZstdCompressor(write_checksum=True).compress(HERS)[:-4] + b"\0\0\0\0"),
    "no table": ("a.parquet", b"PAR1 and nothing more"),
}


@pytest.mark.parametrize(("path", "content"), DAMAGED.values(), ids=list(DAMAGED))
def test_what_cannot_be_read_to_its_end_is_left_as_it_is_and_never_called_removed(
    world: FolderWorld, path: str, content: bytes
) -> None:
    world.write(path, content)
    world.write("b.jsonl", HERS)
    copies = {copy.place: copy for copy in erased(world)}
    assert (copies[path].state, copies["b.jsonl"].state) == ("not reachable", "removed")
    assert (world.root / path).read_bytes() == content
    assert [one for one in world.product().list() if isinstance(one, Unlisted)]
    assert {one.kind for one in world.product().watch()} <= {"created"}


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_members_and_frames_are_read_to_the_last(world: FolderWorld, pack: object) -> None:
    assert callable(pack)
    path = "a.jsonl.gz" if pack is gzip.compress else "a.jsonl.zst"
    world.write(path, pack(HIS) + pack(HERS[:40]) + pack(HERS[40:]) + pack(b"") + pack(HIS))
    assert state_of(erased(world)) == "removed"
    with (world.root / path).open("rb") as stream, json_rows.unpacked(stream) as text:
        assert text.read() == HIS + HIS


def test_a_name_says_nothing_of_what_is_in_a_file(world: FolderWorld) -> None:
    world.write("plain.jsonl.gz", HERS + HIS)
    world.write("packed.jsonl", gzip.compress(HERS + HIS))
    assert state_of(erased(world)) == "removed"
    assert (world.root / "plain.jsonl.gz").read_bytes() == HIS
    assert gzip.decompress((world.root / "packed.jsonl").read_bytes()) == HIS


# -- what lies where it should not ----------------------------------------------------------------


def test_a_link_out_of_the_folder_is_neither_followed_nor_taken_for_looked_at(
    world: FolderWorld, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_bytes(HERS)
    world.write("a.jsonl", HERS)
    (world.root / "b.jsonl").symlink_to(outside)
    (world.root / "within.jsonl").symlink_to(world.root / "a.jsonl")
    (world.root / "nowhere.jsonl").symlink_to(tmp_path / "nowhere")
    (world.root / "folder").symlink_to(tmp_path)
    copies = {copy.place: copy.state for copy in erased(world)}
    assert copies == {"a.jsonl": "removed", "b.jsonl": "not reachable"}
    assert outside.read_bytes() == HERS


def test_a_second_name_keeps_a_file_from_being_called_removed(world: FolderWorld, tmp_path: Path) -> None:
    world.write("a.jsonl", HERS + HIS)
    os.link(world.root / "a.jsonl", tmp_path / "backup")
    assert [copy.state for copy in erased(world)] == ["not reachable"]
    assert (world.root / "a.jsonl").read_bytes() == HERS + HIS
    (tmp_path / "backup").unlink()
    assert state_of(erased(world)) == "removed"


def test_copies_that_editors_and_writers_left_are_found(world: FolderWorld) -> None:
    names = (
        ".a.jsonl.swp",
        "a.jsonl~",
        "a.jsonl.tmp",
        "#a.jsonl#",
        "a.jsonl.bak",
        "_temporary/0/part-0",
        ".hidden/x.jsonl",
    )
    for name in names:
        world.write(name, HERS + HIS)
    assert {copy.place for copy in world.product().copies(["hers"])["hers"]} == set(names)
    assert not list(world.product().list())  # nobody reads them
    assert state_of(erased(world)) == "removed"
    assert {content for _, content in world.contents()} == {HIS}


def test_a_file_that_another_program_has_open_is_left_alone(world: FolderWorld) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this machine does not say which files are open")
    world.write("a.jsonl", HERS)
    held = world.root / "a.jsonl"
    with held.open("rb") as opened, subprocess.Popen(["sleep", "60"], stdin=opened) as other:
        try:
            assert [(copy.state, copy.note[:6]) for copy in erased(world)] == [("not reachable", "in use")]
            with pytest.raises(Refused, match="has files of this place open"):
                world.product().erase(["hers"], maintenance=True)
        finally:
            other.kill()
    assert state_of(erased(world)) == "removed"


# -- while others write, and after a crash ---------------------------------------------------------


def test_what_is_appended_while_a_file_is_rewritten_is_not_lost(world: FolderWorld) -> None:
    world.write("a.jsonl", (HERS + HIS * 9) * 300)
    file, stop, written = world.root / "a.jsonl", threading.Event(), 0

    def append() -> None:
        nonlocal written
        while not stop.wait(0.01):
            with file.open("ab") as stream:
                stream.write(json_lines([turn("later", "ben", "user", str(written), BEGIN)]))
            written += 1

    other = threading.Thread(target=append)
    other.start()
    try:
        for _ in range(20):
            state = state_of(erased(world))
            if state == "removed":
                break
    finally:
        stop.set()
        other.join()
    if state != "removed":  # it never came between two lines: then it says so, and nothing is lost
        assert state == "not reachable"
        assert state_of(erased(world)) == "removed"
    rows = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert sum(row["conversation_id"] == "his" for row in rows) == 2_700
    assert [row["content"] for row in rows if row["conversation_id"] == "later"] == [str(one) for one in range(written)]


KILLED = """
import os, signal, sys
from pathlib import Path
from assent.connectors.files.product import Settings, connect
steps = {"n": 0}
real = {name: getattr(os, name) for name in ("fsync", "rename", "utime", "unlink", "open")}
def counted(name):
    def call(*args, **keys):
        steps["n"] += 1
        if steps["n"] == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return real[name](*args, **keys)
    return call
for name in real:
    setattr(os, name, counted(name))
tmp = Path(sys.argv[1])
connect(Settings(name="rows", folder=tmp / "state", path=tmp / "data", rows="turn"), str).erase(["hers"])
"""


def _killed_at(world: FolderWorld, step: int) -> bool:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(world.tmp), str(step)], check=False, capture_output=True)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode != 0


def _check_after_a_kill(world: FolderWorld, step: int) -> bool:
    kept = {"a.jsonl": HIS, "b.jsonl.gz": HIS * 3, "c.jsonl.tmp": b""}
    world.write("a.jsonl", HERS + HIS)
    world.write("b.jsonl.gz", gzip.compress(HIS * 3 + HERS))
    world.write("c.jsonl.tmp", HERS)
    killed = _killed_at(world, step)
    for path, content in world.contents():  # readers see the old file or the new one, never half of one
        if not path.startswith(".assent-"):
            text = gzip.decompress(content) if path.endswith(".gz") else content
            assert text in (kept[path], HERS + HIS, HIS * 3 + HERS, HERS)
    assert state_of(erased(world)) == "removed"
    left = {path: gzip.decompress(content) if path.endswith(".gz") else content for path, content in world.contents()}
    assert left == kept
    return killed


@pytest.mark.fault("killed connector")
@pytest.mark.parametrize("step", [17, 26])
def test_killed_in_the_middle_and_run_again_nothing_is_half(world: FolderWorld, step: int) -> None:
    assert _check_after_a_kill(world, step)


@pytest.mark.fault("killed connector")
@pytest.mark.deep
def test_killed_at_every_step_and_run_again_nothing_is_half(tmp_path: Path) -> None:
    step, killed = 0, True
    while killed:
        step += 1
        (tmp_path / str(step)).mkdir()
        killed = _check_after_a_kill(FolderWorld(tmp_path / str(step)), step)
    assert step > 30


# -- watching -----------------------------------------------------------------------------------


def test_a_conversation_that_moves_from_file_to_file_is_not_deleted(world: FolderWorld) -> None:
    world.write("a.jsonl", HERS + HIS)
    cursor = list(world.product().watch())[-1].cursor
    world.write("b.jsonl", HERS)
    world.write("a.jsonl", HIS)
    assert list(world.product().watch(cursor)) == []


def test_what_is_not_in_a_file_that_is_being_written_is_not_deleted(world: FolderWorld) -> None:
    world.write("a.jsonl", HIS + HERS)
    cursor = list(world.product().watch())[-1].cursor
    world.write("a.jsonl", HIS + HERS[:50])
    assert list(world.product().watch(cursor)) == []
    world.write("a.jsonl", HIS)
    assert [(change.id, change.kind) for change in world.product().watch(cursor)] == [("hers", "deleted")]


def test_files_that_are_rotated_delete_nothing_where_the_settings_say_so(tmp_path: Path) -> None:
    world = FolderWorld(tmp_path, gone="ignored")
    world.write("a.jsonl", HIS + HERS)
    cursor = list(world.product().watch())[-1].cursor
    (world.root / "a.jsonl").unlink()
    assert list(world.product().watch(cursor)) == []


def test_what_was_erased_here_is_no_news_and_leaves_no_digest(world: FolderWorld) -> None:
    world.write("a.jsonl", HIS + HERS)
    cursor = list(world.product().watch())[-1].cursor
    erased(world)
    assert "hers" not in (world.tmp / "state" / "seen.json").read_text()
    assert list(world.product().watch(cursor)) == []
    world.write("b.jsonl", HERS)
    assert [(change.id, change.kind) for change in world.product().watch(cursor)] == [("hers", "created")]


def test_a_cursor_of_somebody_else_is_refused(world: FolderWorld) -> None:
    with pytest.raises(Invalid, match="not a cursor"):
        list(world.product().watch("abc"))


# -- settings -------------------------------------------------------------------------------------


def test_one_place_is_named(tmp_path: Path) -> None:
    for keys in ({}, {"path": tmp_path, "bucket": "s3://rows/a"}):
        with pytest.raises(Invalid, match="neither `path` nor `bucket`"):
            _connected(tmp_path, **keys)


def test_a_pattern_says_which_files(tmp_path: Path) -> None:
    world = FolderWorld(tmp_path, pattern="chats/**/*.log")
    for path in ("chats/a.log", "chats/1/2/b.log", "other/c.log", "chats/d.jsonl"):
        world.write(path, json_lines([turn(path, "ann", "user", "hi", BEGIN)]))
    assert {one.id for one in world.product().list() if isinstance(one, Listed)} == {"chats/a.log", "chats/1/2/b.log"}


def test_keys_inside_keys_are_found(tmp_path: Path) -> None:
    world = FolderWorld(tmp_path, id="meta.thread.id", owner="meta.who", plan="plan.name", content="body.text")
    row = {
        "meta": {"thread": {"id": "hers"}, "who": 7}, "plan.name": "pro", "role": "user", "body": {"text": "a"},
        "created_at": 1_767_600_000,
    }  # fmt: skip
    world.write("a.jsonl", json_lines([row]))
    (listed,) = world.product().list()
    assert isinstance(listed, Listed)
    assert (listed.id, listed.owner, listed.plan, listed.last_turn_at is not None) == ("hers", "7", "pro", True)
    assert state_of(erased(world)) == "removed"


def _connected(tmp_path: Path, **keys: object) -> Files:
    from assent.connectors.files.product import connect

    return connect(Settings(name="rows", folder=tmp_path / "state", **keys), str)
