"""How fast Claude Code sessions become conversations, beside parsing alone, and how much memory that takes.

Peers in the same run, over the same files: the standard library's JSON parser line by line
(what most log readers use), and orjson line by line, which only parses and so is the limit
that no importer in Python can pass. The importer parses, follows the graph and builds every
`Conversation` and `Part`.
"""

import json
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import orjson

from assent.connectors.formats.claude_code import IMPORTER
from assent.connectors.formats.port import Malformed, Skipped, Source
from assent.domain.conversation import Conversation
from benchmarks.board.importers import result_of, sizes_of
from benchmarks.board.rounds import setting
from benchmarks.board.values import Headline, Result, Words

MEGABYTES = setting("MEGABYTES", 60, small=2)
SESSION_TURNS = setting("SESSION_TURNS", 60, small=6)
ROUNDS = setting("ROUNDS", 5, small=2)
WORDS = ("the", "model reads", "a file,", "then", "für große Dateien", "→ 数据", "{braces}", '"quotes"', "\\n\n\t")


class _Session:
    """Writes one session the way the program does: every line names its parent."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance = chance
        self.id = f"{number:08x}-0000-4000-8000-{chance.getrandbits(48):012x}"
        self.lines: list[bytes] = []
        self.parent: str | None = None
        self.second = number * 10_000

    def text(self, words: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=words))

    def add(self, kind: str, **fields: object) -> None:
        uuid = f"{self.chance.getrandbits(128):032x}"
        self.second += self.chance.randint(1, 40)
        line = {
            "parentUuid": self.parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": "/workspace/app",
            "sessionId": self.id,
            "version": "2.1.0",
            "gitBranch": "main",
            "type": kind,
            **fields,
            "uuid": uuid,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.123Z", time.gmtime(1_750_000_000 + self.second)),
        }
        self.lines.append(orjson.dumps(line))
        self.parent = uuid

    def answer(self, message: str, *blocks: dict[str, object]) -> None:
        for block in blocks:
            self.add(
                "assistant",
                requestId=f"req_{message}",
                message={
                    "id": message,
                    "type": "message",
                    "role": "assistant",
                    "model": "claude",
                    "content": [block],
                    "stop_reason": None,
                    "usage": {"input_tokens": 10, "cache_read_input_tokens": 20_000, "output_tokens": 300},
                },
            )

    def turn(self) -> None:
        self.lines.append(orjson.dumps({"type": "file-history-snapshot", "messageId": self.id, "snapshot": {}}))
        self.add("user", message={"role": "user", "content": self.text(self.chance.randint(5, 120))})
        for _ in range(self.chance.randint(1, 6)):
            call = f"toolu_{self.chance.getrandbits(64):016x}"
            words = self.chance.choice((50, 200, 800, 4_000))
            result = self.text(words)
            name = self.chance.choice(("Read", "Bash", "Edit", "mcp__wiki__search"))
            self.answer(
                f"msg_{call}",
                {"type": "thinking", "thinking": self.text(60), "signature": "c2ln" * 60},
                {"type": "tool_use", "id": call, "name": name, "input": {"command": self.text(30), "path": "a.py"}},
            )
            self.add("progress", data={"type": "bash_progress", "output": ""}, toolUseID=call)
            self.add(
                "user",
                message={
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": call, "content": result, "is_error": False}],
                },
                toolUseResult={"stdout": result, "stderr": "", "interrupted": False, "isImage": False},
            )
        self.answer(f"msg_{self.parent}", {"type": "text", "text": self.text(150)})


def write_sessions(folder: Path, target_bytes: int) -> int:
    """Fill a project folder with seeded sessions of the real line shape; give its size in bytes."""
    chance = random.Random(20)
    project = folder / "projects" / "-workspace-app"
    project.mkdir(parents=True)
    size = number = 0
    while size < target_bytes:
        number += 1
        session = _Session(chance, number)
        for _ in range(SESSION_TURNS):
            session.turn()
        content = b"\n".join(session.lines) + b"\n"
        (project / f"{session.id}.jsonl").write_bytes(content)
        size += len(content)
    return size


def import_all(folder: Path) -> int:
    """Import everything and count records, holding one conversation at a time."""
    records = 0
    for record in IMPORTER.read(Source(folder)):
        if isinstance(record, Malformed):
            raise SystemExit(f"{record.place}: {record.problem}")
        records += record.records
    return records


def parse_lines(folder: Path, loads: Callable[[bytes], object]) -> int:
    """Parse every line with a plain loop and count them."""
    records = 0
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open("rb") as stream:
            for line in stream:
                loads(line)
                records += 1
    return records


def _check_the_answer(folder: Path) -> None:
    """Fail unless the importer accounts for every line and finds every tool result."""
    expected = parse_lines(folder, orjson.loads)
    found = list(IMPORTER.read(Source(folder)))
    conversations = [item for item in found if isinstance(item, Conversation)]
    skipped = sum(item.records for item in found if isinstance(item, Skipped))
    imported = sum(item.records for item in conversations)
    if imported + skipped != expected:
        raise SystemExit(f"{imported} imported + {skipped} skipped records are not {expected}")
    lines = b"".join(path.read_bytes() for path in folder.rglob("*.jsonl"))
    results = sum(part.speaker == "tool" for conversation in conversations for part in conversation.parts)
    if results != 2 * lines.count(b'"toolUseResult"'):
        raise SystemExit("tool results are missing")


def measure() -> Result:
    """Import folders of three sizes, and parse the largest with both peers."""
    with tempfile.TemporaryDirectory() as name:
        folders = {size: Path(name) / str(size) for size in sizes_of(MEGABYTES)}
        written = {write_sessions(folder, size): folder for size, folder in folders.items()}
        largest = written[max(written)]
        _check_the_answer(largest)
        peers = {
            "`json.loads` a line": partial(parse_lines, largest, json.loads),
            "`orjson.loads` a line": partial(parse_lines, largest, orjson.loads),
        }
        return result_of(import_all, written, peers, ROUNDS)


HEADLINE = Headline(
    Words(
        title="Importing Claude Code sessions",
        work=(
            f"{MEGABYTES} MB of sessions become conversations with marked parts; CPU time on one core. Every line "
            "must be accounted for and every tool result found."
        ),
        peer="`json.loads` a line, which most log readers use, and `orjson.loads` a line; both only parse",
    ),
    measure,
    uses=("orjson",),
)
