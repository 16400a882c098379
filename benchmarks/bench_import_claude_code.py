"""How fast Claude Code sessions become conversations, beside parsing alone, and how much memory that takes.

Peers in the same run, over the same files: the standard library's JSON parser line by line
(what most log readers use), and orjson line by line, which only parses and so is the limit
that no importer in Python can pass. The importer parses, follows the graph and builds every
`Conversation` and `Part`.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from assent.connectors.formats.claude_code import IMPORTER
from assent.connectors.formats.port import Malformed, Skipped, Source
from assent.domain.conversation import Conversation

MEGABYTE = 1_000_000
TARGET_BYTES = 60 * MEGABYTE
SESSION_TURNS = 60
ROUNDS = 5
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


def _peak_bytes(folder: Path) -> int:
    """Import in a fresh process and read its peak memory."""
    code = "import sys, benchmarks.bench_import_claude_code as b; b.report_peak(sys.argv[1])"
    answer = subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True)
    return int(answer.stdout)


def report_peak(folder: str) -> None:
    """Print the peak memory of importing a folder, in bytes.

    The kernel's own status is read, because `getrusage` also counts the parent that started this process.
    """
    import_all(Path(folder))
    status = Path("/proc/self/status").read_text("ascii")
    print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name) / "small", Path(name) / "large"
        size = write_sessions(small, TARGET_BYTES)
        _check_the_answer(small)
        runs: dict[str, Callable[[], int]] = {
            "assent import": lambda: import_all(small),
            "json.loads per line": lambda: parse_lines(small, json.loads),
            "orjson.loads per line": lambda: parse_lines(small, orjson.loads),
        }
        speeds: dict[str, list[float]] = {label: [] for label in runs}
        for turn in range(ROUNDS + 1):
            for label, run in runs.items():
                start = time.process_time()
                run()
                speed = size / MEGABYTE / (time.process_time() - start)
                if turn:  # the first round warms up
                    speeds[label].append(speed)
        middle = {label: statistics.median(values) for label, values in speeds.items()}
        print(f"{size / MEGABYTE:.0f} MB of sessions, CPU time on one core, median of {ROUNDS} (min to max)")
        for label, values in speeds.items():
            ratio = middle["assent import"] / middle[label]
            spread = f"{min(values):.0f} to {max(values):.0f}"
            print(f"{label:22} {middle[label]:6.0f} MB/s ({spread}); assent is {ratio:.2f} times as fast")
        size_large = write_sessions(large, 2 * TARGET_BYTES)
        peak, peak_large = _peak_bytes(small), _peak_bytes(large)
        print(
            f"peak memory {peak / MEGABYTE:.0f} MB for {size / MEGABYTE:.0f} MB, "
            f"{peak_large / MEGABYTE:.0f} MB for {size_large / MEGABYTE:.0f} MB: "
            f"growth {(peak_large - peak) / MEGABYTE:+.1f} MB"
        )


if __name__ == "__main__":
    main()
