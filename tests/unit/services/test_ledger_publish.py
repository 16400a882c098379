"""Publishing, auditing and witnesses: what outsiders get, and what happens when something was changed."""

import http.server
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest
from obstore.store import S3Store
from tests.unit.services.ledger_world import NOW, ORIGIN, choices, ledger, log_of, signer, witness

from assent.domain.errors import Invalid, NotFound, Refused
from assent.ledger.checkpoint import Checkpoint, open_checkpoint
from assent.ledger.encoding import read_hash
from assent.ledger.merkle import EMPTY_ROOT, verify_consistency
from assent.ledger.note import new_signer, parse_verifier, sign_note
from assent.ledger.tiles import new_tiles
from assent.services.ledger.append import append
from assent.services.ledger.audit import audit_copy, audit_store
from assent.services.ledger.prove import served
from assent.services.ledger.publish import publish
from assent.services.ledger.rotate import retire, rotate
from assent.services.ledger.tree import Tree
from assent.services.ledger.witness import cosign, request_of
from assent.store.objects import Objects, open_objects
from assent.store.port import Store

LOG = log_of()
KEY = signer().verifier


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with ledger(tmp_path) as begun:
        append(begun, LOG, choices(0, 300), now=NOW)
        yield begun


def lines_of(number: int, note: str, at: int = int(NOW.timestamp())) -> str:
    return witness(number).sign(note.partition("\n\n")[0] + "\n", at=at)


def test_a_published_folder_is_what_the_standard_says(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "public"
    made = publish(store, LOG, open_objects(str(folder)))
    assert (made.old_size, made.size, made.bundles, made.tiles) == (0, 300, 2, 3)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == [
        "checkpoint", "keys/000", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
        "tile/entries/001.p/44",
    ]  # fmt: skip
    assert (folder / "tile/entries/000").stat().st_size == 256 * 34
    assert open_checkpoint((folder / "checkpoint").read_text("utf-8"), [KEY], ORIGIN).size == 300
    append(store, LOG, choices(300, 300), now=NOW)
    again = publish(store, LOG, open_objects(str(folder)))
    assert (again.old_size, again.size, again.bundles) == (300, 600, 2)
    assert (folder / "tile/0/001.p/44").exists()
    assert audit_copy(open_objects(str(folder)), ORIGIN, KEY).faults == ()


def test_publishing_again_writes_nothing_but_what_is_new(store: Store) -> None:
    target = open_objects("memory:")
    publish(store, LOG, target)
    assert publish(store, LOG, target).bundles == 1  # the last, partial one
    seen: list[int] = []
    publish(store, LOG, target, whole=True, done=seen.append)
    assert sum(seen) == 300


def test_a_lost_file_comes_back(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "public"
    publish(store, LOG, open_objects(str(folder)))
    (folder / "tile/0/000").unlink()
    assert [fault.place for fault in audit_copy(open_objects(str(folder)), ORIGIN).faults] == ["tile/0/000"]
    publish(store, LOG, open_objects(str(folder)), whole=True)
    assert audit_copy(open_objects(str(folder)), ORIGIN).faults == ()


def test_a_longer_or_another_log_is_never_overwritten(store: Store, tmp_path: Path) -> None:
    target = open_objects("memory:")
    publish(store, LOG, target)
    published = target.get("checkpoint")
    for folder, count, message in (
        ("older", 10, "has 300 leaves and this one 10"),
        ("fork", 301, "another root for 300"),
    ):
        (tmp_path / folder).mkdir()
        with ledger(tmp_path / folder) as other:
            append(other, LOG, choices(5_000, count), now=NOW)
            with pytest.raises(Refused, match=message):
                publish(other, LOG, target)
    (tmp_path / "strange").mkdir()
    strange = log_of(signer(9))
    with ledger(tmp_path / "strange", strange) as other, pytest.raises(Refused, match="not this log"):
        publish(other, strange, target)
    assert target.get("checkpoint") == published


@pytest.mark.parametrize(
    ("path", "change", "place"),
    [
        ("tile/entries/000", lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], "checkpoint"),
        ("tile/entries/001.p/44", lambda data: data[:-34], "tile/entries/001.p/44"),
        ("tile/entries/001.p/44", lambda data: data[:-1], "tile/entries/001.p/44"),
        ("tile/0/000", lambda data: data[32:64] + data[:32] + data[64:], "tile/0/000"),
        ("tile/1/000.p/1", lambda data: bytes(32), "tile/1/000.p/1"),
        ("checkpoint", lambda data: data.replace(b"\n300\n", b"\n299\n"), "checkpoint"),
        ("keys/000", lambda data: data.replace(b"\n0\n", b"\n1\n"), "checkpoint"),
    ],
)
def test_a_changed_file_is_found_where_it_is(store: Store, path: str, change: object, place: str) -> None:
    target = open_objects("memory:")
    publish(store, LOG, target)
    target.put(path, change(target.get(path)))
    assert place in [fault.place for fault in audit_copy(target, ORIGIN, KEY).faults]


def test_a_copy_is_followed_through_changes_of_keys(store: Store) -> None:
    target = open_objects("memory:")
    rotate(store, LOG, signer(1), now=NOW)
    both = log_of(signer(0), signer(1))
    append(store, both, choices(300, 5), now=NOW)
    retire(store, both, now=NOW)
    newest = log_of(signer(1))
    append(store, newest, choices(305, 5), now=NOW)
    publish(store, newest, target)
    for key in (KEY, signer(1).verifier):
        assert audit_copy(target, ORIGIN, key).faults == ()
    assert "no known key" in audit_copy(target, ORIGIN, signer(5).verifier).faults[0].message
    assert audit_store(store, newest).faults == ()


def test_an_empty_place_is_said_to_be_empty() -> None:
    (fault,) = audit_copy(open_objects("memory:"), ORIGIN).faults
    assert (fault.place, fault.message) == ("checkpoint", "there is none")


@pytest.mark.parametrize(
    ("damage", "place", "message"),
    [
        ("UPDATE choice SET act = 'decline' WHERE id = 'c7'", "leaf 7", "something else than its choice"),
        ("DELETE FROM choice WHERE id = 'c8'", "leaf 8", "its choice is gone"),
        ("UPDATE leaf SET commitment = zeroblob(32) WHERE number = 9", "checkpoint", "another root"),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 0", "tile/0/000", "does not follow"),
        ("DELETE FROM leaf WHERE number = 299", "leaf 299", "is missing"),
        ("DELETE FROM leaf WHERE number = 100", "leaf 101", "stands where leaf 100 should"),
        ("UPDATE ledger_head SET checkpoint = replace(checkpoint, '300', '299')", "checkpoint", "does not hold"),
    ],
)
def test_an_audit_says_what_is_wrong_and_where(store: Store, damage: str, place: str, message: str) -> None:
    store.erase_salts(["c1"])
    whole = audit_store(store, LOG)
    assert (whole.size, whole.waiting, whole.erased, whole.faults) == (300, 0, 1, ())
    with store._database.writing() as connection:
        for name in ("choice_never_changes", "choice_never_goes", "leaf_never_changes", "leaf_never_goes"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(damage)
    found = {fault.place: fault.message for fault in audit_store(store, LOG).faults}
    assert message in found[place]


def test_a_witness_is_asked_and_its_answer_is_kept(store: Store) -> None:
    log = log_of(witnesses=2)
    first, *_, empty, origin, size, root, _, _, end = request_of(store, 0).split("\n")
    assert (first, empty, origin, size, end) == ("old 0", "", ORIGIN, "300", "")
    old_root = read_hash(root, "root")
    append(store, log, choices(300, 50), now=NOW)
    head, _, note = request_of(store, 300).partition("\n\n")
    old, *hashes = head.split("\n")
    assert old == "old 300"
    new = open_checkpoint(note, [KEY], ORIGIN)
    assert verify_consistency(300, 350, [read_hash(line, "hash") for line in hashes], old_root, new.root)
    with pytest.raises(NotFound, match="350 leaves"):
        request_of(store, 351)
    (taken,) = cosign(store, log, lines_of(1, note), now=NOW)
    assert (taken.size, parse_verifier(taken.witness)) == (350, log.witnesses[1])
    cosign(store, log, note + lines_of(0, note) + lines_of(1, note), now=NOW)
    assert open_checkpoint(served(store), [KEY, *log.witnesses], ORIGIN, quorum=2).size == 350
    target = open_objects("memory:")
    publish(store, log, target)
    assert target.get("checkpoint").decode() == served(store)


def test_lines_for_an_older_checkpoint_name_its_size(store: Store) -> None:
    log = log_of(witnesses=1)
    older = served(store)
    append(store, log, choices(300, 1), now=NOW)
    with pytest.raises(Invalid, match="does not hold"):
        cosign(store, log, lines_of(0, older), now=NOW)
    assert cosign(store, log, lines_of(0, older), now=NOW, size=300)[0].size == 300
    assert store.cosigned(0) == 300


def test_what_no_witness_signed_is_refused(store: Store) -> None:
    log = log_of(witnesses=1)
    note = served(store)
    fork = Checkpoint(ORIGIN, 300, EMPTY_ROOT).text
    other = new_signer("stranger.example", b"x" * 32, 4)
    late = int((NOW + timedelta(hours=1)).timestamp())
    for text, message in (
        (note + lines_of(1, note), "no known key"),
        (note + other.sign(note.partition("\n\n")[0] + "\n", at=1), "no known key"),
        (note, "no known key"),
        (lines_of(0, note)[:-9] + "AAAAAA==\n", "."),
        (lines_of(0, note, late), "future"),
        (sign_note(fork, [witness(0)]), "not one of this log"),
        (sign_note(Checkpoint(ORIGIN, 400, EMPTY_ROOT).text, [witness(0)]), "has 300 leaves"),
        ("nothing", "no signature lines"),
        ("— ", "."),
        ("", "no signature lines"),
    ):
        with pytest.raises((Invalid, Refused), match=message):
            cosign(store, log, text, now=NOW)
    with pytest.raises(Refused, match="cosignatures of no witness"):
        cosign(store, LOG, note + lines_of(0, note), now=NOW)
    assert store.cosignatures(300) == []


@pytest.mark.parametrize("where", ["memory:", "folder"])
def test_a_place_of_publication_keeps_its_contract(where: str, tmp_path: Path) -> None:
    target = open_objects(where if where == "memory:" else str(tmp_path / "made" / "here"))
    assert (target.get("tile/0/000"), target.exists("tile/0/000")) == (None, False)
    target.put("tile/0/x001/067.p/8", b"one")
    target.put("tile/0/x001/067.p/8", b"two")
    assert (target.get("tile/0/x001/067.p/8"), target.exists("tile/0/x001/067.p/8")) == (b"two", True)
    assert not target.replace("checkpoint", b"x", b"y")
    assert target.get("checkpoint") is None
    assert target.replace("checkpoint", None, b"a")
    assert not target.replace("checkpoint", None, b"b")
    assert not target.replace("checkpoint", b"b", b"c")
    assert target.replace("checkpoint", b"a", b"c")
    assert target.get("checkpoint") == b"c"


class Bucket(http.server.BaseHTTPRequestHandler):
    """As much of an object store's protocol as obstore speaks to it, with conditional writes."""

    files: dict[str, tuple[bytes, str]]
    kinds: dict[str, str]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        _, tag = self.files.get(self.path, (b"", None))
        wanted, forbidden = self.headers.get("if-match"), self.headers.get("if-none-match")
        if (forbidden == "*" and tag) or (wanted and wanted != tag):
            self.answer(412)
            return
        self.files[self.path] = (body, f'"{len(self.files)}-{hash(body)}"')
        self.kinds[self.path] = self.headers["content-type"]
        self.answer(200, tag=self.files[self.path][1])

    def do_GET(self) -> None:
        body, tag = self.files.get(self.path, (b"", ""))
        self.answer(200 if tag else 404, body, tag)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def answer(self, status: int, body: bytes = b"", tag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Sun, 22 Nov 2026 12:00:00 GMT")
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serving(socket_enabled: None) -> Iterator[object]:
    servers: list[http.server.ThreadingHTTPServer] = []

    def serve(handler: object) -> str:
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_object_store_gets_the_same_files(store: Store, serving: object) -> None:
    bucket = type("Mine", (Bucket,), {"files": {}, "kinds": {}})
    keys = {"endpoint": serving(bucket), "region": "here", "access_key_id": "a", "secret_access_key": "s"}
    target = Objects(S3Store("bucket", prefix="ledger", config=keys, client_options={"allow_http": True}))
    publish(store, LOG, target)
    assert audit_copy(target, ORIGIN, KEY).faults == ()
    assert bucket.kinds["/bucket/ledger/checkpoint"] == "text/plain; charset=utf-8"
    assert bucket.kinds["/bucket/ledger/tile/0/000"] == "application/octet-stream"
    before = target.get("checkpoint")
    append(store, LOG, choices(300, 1), now=NOW)
    publish(store, LOG, target)
    assert not target.replace("checkpoint", before, b"an older one")
    assert not target.replace("checkpoint", None, b"another one")
    assert audit_copy(target, ORIGIN, KEY).size == 301


def test_any_web_server_can_serve_the_folder(store: Store, tmp_path: Path, serving: object) -> None:
    folder = tmp_path / "public"
    publish(store, LOG, open_objects(str(folder)))
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    address = serving(partial(quiet, directory=str(folder)))

    def fetch(path: str) -> bytes:
        with urlopen(f"{address}/{path}", timeout=10) as answer:
            return answer.read()

    checkpoint = open_checkpoint(fetch("checkpoint").decode(), [KEY], ORIGIN)
    tree = Tree(store)
    for tile in new_tiles(0, checkpoint.size):
        assert fetch(tile.path) == tree.tile(tile.level, tile.number)[: 32 * tile.width]
