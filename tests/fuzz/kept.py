"""What assent wrote itself and somebody may have changed: backups, journals, cuts, records in segments, evidence."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from zstandard import ZstdCompressor

from assent.domain.digests import canonical, digest_bytes
from assent.ledger.keys import KeyChange
from assent.ledger.note import new_signer, sign_note
from assent.pipeline.check import check
from assent.services.backup.frames import read_frames, write_frames
from assent.services.backup.manifest import read_keys, read_manifest
from assent.services.cut_check.evidence import Evidence, Header
from assent.services.cut_check.files import open_folder
from assent.services.erase.journal import Journal
from assent.services.evidence.archive import SIGNED, SUMS, Archive
from assent.services.evidence.check import check_evidence
from assent.services.evidence.export import FORMAT
from assent.vault.sealing import Sealing, shipped_dictionary
from tests.fuzz.target import Target, at, quietly

KEY = bytes(32)
SIGNER = new_signer("log.example/a", KEY)
JOURNAL = b'{"number":1,"previous":"","kind":"hold","at":"2026-11-22T12:00:00Z","body":{}}\n'
CONVERSATION = (
    b'{"conversation":"c","acts":[],"flags":[],"facts":{},"parts":[{"facts":{"part":"p"},"marks":[]}],"gone":[]}'
)
SEALING = Sealing(shipped_dictionary())
BACKUP = {
    "format": "assent/backup/v1", "id": "b", "taken_at": "2026-11-22T12:00:00Z", "version": "1", "step": "r1",
    "mark": {"number": 1, "chain": "00"}, "tables": {"parts": {"frames": 1, "rows": 2}}, "numbers": {}, "slots": 1,
    "segments": {"s": {"size": 1, "digest": "d"}}, "papers": {"frames": 1}, "journal": {"frames": 1}, "leaves": 3,
}  # fmt: skip
BACKUP_KEYS = {
    "format": "assent/key-backup/v1", "id": "b", "taken_at": "2026-11-22T12:00:00Z", "folder": "f", "manifest": "m",
    "expires_at": "2026-11-23T12:00:00Z", "slots": {"frames": 1}, "home": {"frames": 1},
}  # fmt: skip
ROWS = b'{"a":1}\n'
CUT: dict[str, Any] = {
    "assent_cut": 1, "name": "c", "number": 1, "at": "2026-11-22T12:00:00Z",
    "counts": {"considered": 1, "written": 1, "excluded": {}},
    "files": [{"name": "data/a.jsonl", "sha256": digest_bytes(ROWS).removeprefix("sha256:"), "bytes": 8, "rows": 1}],
}  # fmt: skip
ERASED = {"assent_cut_erased": 1, "manifest": digest_bytes(canonical(CUT)), "erasures": {"e": 1}, "files": CUT["files"]}
HEADER = Header("c", 1, "sha256:0", datetime(2026, 11, 22, tzinfo=UTC), None).to_record()


def backup(data: bytes) -> None:
    read_manifest(at("backup/manifest.json", data).parent)


def backup_keys(data: bytes) -> None:
    read_keys(at("backup-keys/keys.json", data).parent)


def frames(data: bytes) -> None:
    for _ in read_frames(at("table", data), KEY, 2):
        pass


def two_frames() -> list[bytes]:
    path = at("table", b"")
    path.unlink()
    write_frames(path, KEY, [(b"first", 1), (b"second", 1)])
    return [path.read_bytes()]


def journal(data: bytes) -> None:
    """Read a journal from its beginning, and find its end."""
    folder = at("journal/2026-11-22.jsonl", data).parent
    kept = Journal(folder)
    try:
        for _ in kept.read():
            pass
    finally:
        kept.mark()


def one_record(data: bytes) -> None:
    """Open a record as it came, and one that was sealed under its key but not by us."""
    for record in (data, b"\1" + AESGCM(KEY).encrypt(bytes(12), data, b"assent/part/v1" + bytes(7) + b"\1")):
        quietly(lambda record=record: SEALING.open([(1, KEY, record)]))


def records() -> list[bytes]:
    return [
        *SEALING.seal([(1, KEY, "how long")]),
        ZstdCompressor().compress(b"\xff" * 99),
        ZstdCompressor().compress(bytes(1 << 20)),
    ]


def cut(data: bytes) -> None:
    """Read a manifest by the two programs that check cuts; they share no code."""
    folder = at("cut/manifest.json", data).parent
    at("cut/data/a.jsonl", ROWS)
    for read in (check, lambda path: list(open_folder(path).differences())):
        quietly(lambda read=read: read(folder))


def erased(data: bytes) -> None:
    """Read what left a cut, beside a manifest that is whole."""
    folder = at("erased-cut/manifest.json", canonical(CUT)).parent
    at("erased-cut/data/a.jsonl", ROWS)
    at("erased-cut/erased.json", data)
    for read in (check, lambda path: list(open_folder(path).differences())):
        quietly(lambda read=read: read(folder))


def cut_evidence(data: bytes) -> None:
    Evidence(data.split(b"\n")).strangers()


def evidence(data: bytes) -> None:
    check_evidence(io.BytesIO(data), ())


def archived(data: bytes) -> bytes:
    """Make an archive whose digests fit and whose members, `name<tab>content` in lines, are somebody else's."""
    whole = io.BytesIO()
    archive = Archive(whole)
    for name, content in dict(one.partition(b"\t")[::2] for one in data.split(b"\n")).items():
        if name.isascii() and b"\0" not in name and 0 < len(name) < 100:
            archive.write(name.decode(), content.replace(b"\\n", b"\n"))
    archive.write(SUMS, archive.sums())
    archive.write(SIGNED, b"text\n\n\xe2\x80\x94 a AAAA\n")
    archive.close()
    return whole.getvalue()


def members() -> list[bytes]:
    """Write an archive of a log without entries, signed by nobody, and some that hold less."""
    change = sign_note(KeyChange(SIGNER.name, 0, (SIGNER.verifier,)).text, [SIGNER])
    whole = {
        "about.json": json.dumps({"v": FORMAT, "origin": SIGNER.name, "at": "2026-11-22T12:00:00Z"}),
        "ledger/keys/0": change.replace("\n", "\\n"),
        **{f"{name}/index.jsonl": "" for name in ("policies", "notices", "renderings", "erasures", "cuts")},
    }
    lines = [f"{name}\t{content}".encode() for name, content in whole.items()]
    index = b'{"digest":"d","name":"n","id":1,"proven":true,"locale":"en","evidence":null,"retired_at":null}'
    return [
        b"\n".join(lines),
        b"\n".join([*lines[:2], *(line + index for line in lines[2:])]),
        b"about.json\t[]",
        b"about.json\t{}",
    ]


TARGETS = [
    Target("backup-manifest", backup, [json.dumps(BACKUP).encode()]),
    Target("backup-keys", backup_keys, [json.dumps(BACKUP_KEYS).encode()]),
    Target("backup-frames", frames, two_frames),
    Target("journal", journal, [JOURNAL]),
    Target("sealed-record", one_record, records),
    Target("cut-manifest", cut, [json.dumps(CUT).encode()]),
    Target("erased-from-cut", erased, [json.dumps(ERASED).encode()]),
    Target("cut-evidence", cut_evidence, [json.dumps(HEADER).encode() + b"\n" + CONVERSATION]),
    Target("evidence", evidence, lambda: map(archived, members())),
    Target("evidence-changed", lambda data: evidence(archived(data)), members),
]  # fmt: skip
