"""A cut that a careless program could have written: true in every detail but what a test plants in it."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.stores import new_store
from tests.unit.services.ledger_world import log_of

from assent.domain.conversation import Conversation, Part
from assent.domain.digests import canonical, digest, digest_bytes
from assent.domain.facts import Facts, facts_to_record
from assent.domain.instants import format_instant
from assent.ledger.leaf import commitment
from assent.policy.parse import parse_policy
from assent.services.cut_check.check import check_cut
from assent.services.cut_check.evidence import Evidence
from assent.services.cut_check.export import export_evidence
from assent.services.cut_check.report import Report
from assent.services.ledger.append import append
from assent.services.ledger.rotate import found as begin_log
from assent.store.records import Account, Choice, Cut, CutRow, StagedReceipt
from assent.store.sqlite import SqliteStore

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TURN = datetime(2026, 4, 10, tzinfo=UTC)
ALLOWED = TURN - timedelta(days=5)
POLICY = Path(__file__).resolve().parents[4] / "policies/anthropic/2025-10-08.toml"
TEXT = POLICY.read_text("utf-8")
DIGEST = parse_policy(TEXT, "policy").digest
COLUMNS = pa.schema(
    [(name, pa.string()) for name in ("part", "conversation", "person", "turn")]
    + [("ordinal", pa.int32())]
    + [(name, pa.string()) for name in ("speaker", "origin", "data")]
    + [("marks", pa.list_(pa.string())), ("tool", pa.string()), ("created_at", pa.timestamp("us", tz="UTC"))]
    + [(name, pa.string()) for name in ("text", "decision", "proof", "receipt", "policy")]
)


def decision_of(facts: Facts, policy: str = DIGEST) -> str:
    return digest({"facts": facts_to_record(replace(facts, subject=None)), "policy": policy})


class Cutter:
    """Writes whatever it is told into a cut."""

    def __init__(self, folder: Path, store: SqliteStore) -> None:
        self.folder = folder
        self.store = store
        self.log = log_of()
        self.texts = [("policy.toml", TEXT)]
        self.rows: list[dict] = []
        begin_log(store, self.log, now=TURN)

    def person(self, subject: str, *, plan: str | None = "pro", age: int | None = 30, allows: bool = True) -> None:
        self.store.put_accounts([Account(subject, plan=plan, age=age, region="DE")])
        if allows:
            self.choose(subject, "allow", ALLOWED)

    def choose(self, subject: str, act: str, at: datetime, *, logged: bool = True) -> str:
        choice = Choice(f"{act}-of-{subject}", subject, "training", act, at, "sha256:n", "web", "web", at)
        append(self.store, self.log, [choice], now=at) if logged else self.store.add_choice(choice)
        return choice.id

    def keep(
        self, name: str, subject: str | None, *, at: datetime = TURN, marks: frozenset = frozenset(), **more: object
    ) -> str:
        parts = (
            Part("m1", "t1", "user", "person", "text", f"question of {name}", at),
            Part("m2", "t2", "assistant", "model", "text", f"answer to {name}", at, marks=marks),
        )
        chat = Conversation(f"test:{name}", "test", parts, subject, created_at=at, last_turn_at=at)
        self.store.intake([replace(chat, **more)], plan=None, recorded_at=at)
        return chat.id

    def put(self, conversation: str, **changes: object) -> None:
        """Put all parts of a conversation into the cut, with what is true of them but for `changes`."""
        stored = self.store.conversation(conversation)
        for part, facts in zip(stored.parts, self.store.facts_of(conversation), strict=True):
            row = {
                "part": facts.part,
                "conversation": conversation,
                "person": None if facts.subject is None else sha256(facts.subject.encode()).hexdigest()[:32],
                "turn": part.turn,
                "ordinal": part.ordinal,
                "speaker": part.speaker,
                "origin": part.origin,
                "data": part.data,
                "marks": sorted(part.marks),
                "tool": None,
                "created_at": part.created_at,
                "text": "what was said, redacted",
                "decision": decision_of(facts),
                "proof": "choice",
                "receipt": f"allow-of-{facts.subject}",
                "policy": DIGEST,
            }
            self.rows.append(row | changes)

    def honest(self, count: int = 2) -> None:
        """Put some conversations that may be there."""
        for number in range(count):
            self.person(f"ann{number}")
            self.put(self.keep(f"honest{number}", f"ann{number}"))

    def write(self, *, form: int = 2, at: datetime = NOW) -> Path:
        """Write the cut with a manifest that agrees with it, and have the store record it."""
        folder = self.folder / "cut"
        (folder / "data").mkdir(parents=True)
        half = len(self.rows) // 4 * 2
        for number, rows in enumerate((self.rows[:half], self.rows[half:])):
            table = pa.Table.from_pylist(rows, COLUMNS)
            pq.write_table(table, folder / f"data/parts-train-{number:05}.parquet")
        lines = [
            canonical({"id": name, "messages": []}) for name in dict.fromkeys(r["conversation"] for r in self.rows)
        ]
        (folder / "data/messages-train-00000.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        (folder / "README.md").write_text("a card")
        self.describe(form=form, at=at)
        digest_now = digest_bytes((folder / "manifest.json").read_bytes())
        names = dict.fromkeys(CutRow(row["conversation"], row["part"].partition("#")[2]) for row in self.rows)
        said = {"v": "assent/cut/v1", "act": "made", "name": "spring", "number": 1, "manifest": digest_now}
        record = canonical(said | {"merkle_root": None})
        leaf = StagedReceipt(record.decode(), bytes(32), commitment(bytes(32), record))
        self.store.record_cut(Cut("spring", 1, digest_now, NOW, str(folder)), names, leaf=leaf)
        self.choose("somebody-else", "decline", NOW)  # brings the leaf of the cut under a checkpoint
        return folder

    def describe(self, *, form: int = 2, at: datetime = NOW, written: int | None = None) -> None:
        """Write the manifest of what lies there."""
        folder, files = self.folder / "cut", []
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"):
            content = path.read_bytes()
            said = {"name": str(path.relative_to(folder)), "sha256": sha256(content).hexdigest(), "bytes": len(content)}
            if path.suffix == ".parquet":
                said["rows"] = pq.read_metadata(path).num_rows
            files.append(said)
        rows = self.rows if written is None else self.rows[:written]
        counts = {
            "considered": len(rows) + 3,
            "written": len(rows),
            "excluded": {"unanswered": 3},
            "conversations": len({row["conversation"] for row in rows}),
            "proofs": dict(Counter(row["proof"] for row in rows)),
        }
        under = Counter(row["policy"] for row in rows)
        manifest = {
            "assent_cut": form,
            "name": "spring",
            "number": 1,
            "purpose": "training",
            "at": format_instant(at),
            "policies": [{"name": "p", "digest": DIGEST, "effective": "2025-10-08T00:00:00Z"}],
            "decided_under": [{"policy": one, "versions": [one], "parts": n} for one, n in sorted(under.items())],
            "counts": counts,
            "files": files,
        }
        (folder / "manifest.json").write_bytes(canonical(manifest))

    def evidence(self, at: datetime = NOW) -> list[dict]:
        """Export the evidence, as objects."""
        out = io.BytesIO()
        list(export_evidence(self.folder / "cut", out, self.store, self.log, now=at))
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def check(self, lines: list[dict] | None = None, *, at: datetime = NOW, keyed: bool = True) -> Report:
        """Check the cut that was written, by evidence of `at` or the lines given."""
        lines = self.evidence(at) if lines is None else lines
        keys = [signer.verifier for signer in self.log.signers] if keyed else []
        return check_cut(self.folder / "cut", Evidence(map(json.dumps, lines)), self.texts, keys)


@contextmanager
def cutter(folder: Path) -> Iterator[Cutter]:
    folder.mkdir(exist_ok=True)
    store = new_store(folder / "assent.db")
    try:
        yield Cutter(folder, store)
    finally:
        store.close()
