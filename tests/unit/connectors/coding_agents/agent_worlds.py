"""Homes of coding agents in a temporary folder, filled as the agents fill them, for the tests."""

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.conformance.connectors.kit import Seeded

from assent.connectors.coding_agents.product import CodingAgents, Settings, connect

BEGIN = datetime(2026, 1, 5, 10, tzinfo=UTC)
OLD_NS = int((BEGIN + timedelta(days=30)).timestamp()) * 10**9


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


class AgentWorld:
    """What the three have in common: a folder, markers in every trace, times long past."""

    agent = ""
    odd_ids: Sequence[str] = ()

    def __init__(self, tmp: Path) -> None:
        self.home = tmp / "home"
        self.home.mkdir()
        self.settings = Settings(name="mine", folder=tmp / "state", agent=self.agent, home=self.home, owner="me")
        self.seeded = 0

    def product(self) -> CodingAgents:
        product = connect(self.settings, lambda path: path.read_text())
        if self.home.exists():
            product.copies([])  # the plan was looked at
        return product

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        found = []
        for number in range(self.seeded, self.seeded + count):
            name = ids[number - self.seeded] if ids else f"{number:08x}-0000-4000-8000-{number:012x}"
            found.append(self.put(name, f"quagga{number:06d}zephyr", BEGIN + timedelta(minutes=number)))
        self.seeded += count
        self.age()
        return found

    def put(self, name: str, marker: str, at: datetime) -> Seeded:
        raise NotImplementedError

    def transcript(self, name: str) -> Path:
        raise NotImplementedError

    def turn(self, name: str, said: str, at: datetime) -> bytes:
        raise NotImplementedError

    def write(self, path: str, content: bytes, *, append: bool = False) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab" if append else "wb") as stream:
            stream.write(content)
        return file

    def age(self) -> None:
        for file in self.home.rglob("*"):
            if file.is_file() and not file.is_symlink():
                os.utime(file, ns=(OLD_NS, OLD_NS))

    def touch(self, name: str) -> None:
        os.utime(self.transcript(name))

    def take_turn(self, name: str, at: datetime) -> None:
        with self.transcript(name).open("ab") as stream:
            stream.write(self.turn(name, "one more thing", at))

    def delete(self, name: str) -> None:
        self.transcript(name).unlink()

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        wanted = [marker.encode() for marker in markers]
        found: dict[str, int] = {}
        for file in self.home.rglob("*"):
            if file.is_file():
                place, content = str(file.relative_to(self.home)), file.read_bytes()
                found[place] = sum(content.count(marker) for marker in wanted) if b"quagga" in content else 0
        return found

    def break_down(self) -> None:
        self.home.rename(self.home.with_name("away"))

    def mend(self) -> None:
        self.home.with_name("away").rename(self.home)

    def maintenance(self) -> AbstractContextManager[None]:
        return nullcontext()


class ClaudeCodeWorld(AgentWorld):
    agent = "claude-code"
    odd_ids = ("%", "_", "*", "x'; --", 'a"b', "-rf", "ä ö", "🦊", "a\nb")
    project = "projects/-work-app"

    def transcript(self, name: str) -> Path:
        return self.home / self.project / f"{name}.jsonl"

    def turn(self, name: str, said: str, at: datetime, **more: object) -> bytes:
        where = {
            "cwd": "/nowhere/app",
            "sessionId": name,
            "timestamp": iso(at),
            "isSidechain": False,
            "parentUuid": None,
        }
        message = {"role": "user", "content": said}
        return lines({"type": "user", "uuid": f"u-{name}-{iso(at)}", "message": message, **where, **more})

    def put(self, name: str, marker: str, at: datetime) -> Seeded:
        key = marker[6:12]
        content = [
            {"type": "text", "text": f"see plans/plan-{key}.md about {marker} and {' '.join('abcdefghijkl')} end"}
        ]
        answer = {
            "type": "assistant",
            "uuid": f"a-{name}",
            "parentUuid": f"u-{name}-{iso(at)}",
            "sessionId": name,
            "timestamp": iso(at + timedelta(minutes=5)),
            "message": {"role": "assistant", "id": "m", "model": "c", "content": content},
        }
        said = self.turn(name, f"please look at {marker}", at)
        self.write(f"{self.project}/{name}.jsonl", said + lines(answer))
        aside = self.turn(name, marker, at, isSidechain=True, agentId=key)
        self.write(f"{self.project}/{name}/subagents/agent-{key}.jsonl", aside)
        self.write(f"{self.project}/{name}/tool-results/t.txt", marker.encode())
        self.write(f"{self.project}/agent-{key}.jsonl", aside)
        millis = int(at.timestamp() * 1000)
        prompt = {"display": f"please look at {marker}", "timestamp": millis, "project": "/nowhere/app"}
        pasted = {"pastedContents": {"1": {"id": 1, "type": "text", "contentHash": f"cafe{key}"}}, "sessionId": name}
        self.write("history.jsonl", lines(prompt, {**prompt, **pasted}), append=True)
        self.write(f"paste-cache/cafe{key}.txt", marker.encode())
        self.write(f"plans/plan-{key}.md", f"# {marker}".encode())
        self.write(f"todos/{name}-agent-{name}.json", lines([marker]))
        self.write(f"tasks/{name}/1.json", lines([marker]))
        self.write(f"file-history/{name}/{key}@v1", marker.encode())
        self.write(f"session-env/{name}/env", marker.encode())
        self.write(f"debug/{name}.txt", marker.encode())
        self.write(f"telemetry/failed.{name}.json", lines({"sessionId": name, "event": marker}))
        index = self.home / self.project / "sessions-index.json"
        known = json.loads(index.read_bytes()) if index.exists() else {"version": 1, "entries": [], "path": "é"}
        known["entries"].append({"sessionId": name, "firstPrompt": marker})
        index.write_text(json.dumps(known, indent=2, ensure_ascii=False))
        return Seeded(name, marker, at, "me")


class CodexWorld(AgentWorld):
    agent = "codex"
    odd_ids = ("a/b", "..", "../../etc", "%", "_", "*", "x'; --", 'a"b', "-rf", "ä ö", "🦊", "a\nb", ".", " ")

    def transcript(self, name: str) -> Path:
        return next(
            file
            for file in self.home.rglob("rollout-*.jsonl")
            if json.loads(file.read_bytes().splitlines()[0])["payload"]["id"] == name
        )

    def turn(self, name: str, said: str, at: datetime) -> bytes:
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": said}]}
        shown = {"type": "user_message", "message": said}
        return lines(
            {"timestamp": iso(at), "type": "response_item", "payload": message},
            {"timestamp": iso(at), "type": "event_msg", "payload": shown},
        )

    def put(self, name: str, marker: str, at: datetime) -> Seeded:
        key = marker[6:12]
        meta = {"timestamp": iso(at), "type": "session_meta", "payload": {"id": name, "cwd": "/nowhere/app"}}
        words = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": marker}]}
        answer = {"timestamp": iso(at + timedelta(minutes=5)), "type": "response_item", "payload": words}
        session = lines(meta) + self.turn(name, f"please look at {marker}", at) + lines(answer)
        self.write(f"sessions/2026/01/05/rollout-2026-01-05T10-00-00-{key}.jsonl", session)
        if int(key) % 3 == 0:
            self.write(f"archived_sessions/rollout-2026-01-05T10-00-00-{key}.jsonl", session)
        self.write("history.jsonl", lines({"session_id": name, "ts": 1, "text": marker}), append=True)
        self.write("session_index.jsonl", lines({"id": name, "thread_name": marker}), append=True)
        if "/" not in name:
            self.write(f"shell_snapshots/{name}.sh", marker.encode())
        with closing(sqlite3.connect(self.home / "state_5.sqlite")) as state:
            state.execute("PRAGMA secure_delete = OFF")
            state.execute("PRAGMA journal_mode = WAL")
            state.execute("CREATE TABLE IF NOT EXISTS threads (id TEXT PRIMARY KEY, title TEXT)")
            state.execute("CREATE TABLE IF NOT EXISTS logs (id INTEGER PRIMARY KEY, thread_id TEXT, message TEXT)")
            state.execute("INSERT OR REPLACE INTO threads VALUES (?, ?)", (name, marker))
            state.execute("INSERT INTO logs (thread_id, message) VALUES (?, ?)", (name, marker))
            state.commit()
        return Seeded(name, marker, at, "me")


class GeminiCliWorld(AgentWorld):
    agent = "gemini-cli"
    odd_ids = ("a/b", "..", "../../etc", "%", "_", "*", "x'; --", 'a"b', "-rf", "ä ö", "🦊", "a\nb", ".", " ")
    project = "tmp/app"

    def transcript(self, name: str) -> Path:
        for file in (self.home / self.project / "chats").iterdir():
            if file.is_file() and json.loads(file.read_bytes().splitlines()[0])["sessionId"] == name:
                return file
        raise LookupError

    def turn(self, name: str, said: str, at: datetime) -> bytes:
        return lines({"id": f"u-{iso(at)}", "timestamp": iso(at), "type": "user", "content": said})

    def put(self, name: str, marker: str, at: datetime) -> Seeded:
        key = marker[6:12]
        about = {"sessionId": name, "projectHash": "app", "startTime": iso(at), "lastUpdated": iso(at)}
        answer = {"id": "a", "timestamp": iso(at + timedelta(minutes=5)), "type": "gemini", "content": marker}
        session = lines(about) + self.turn(name, f"please look at {marker}", at) + lines(answer)
        self.write(f"{self.project}/chats/session-2026-01-05T10-00-{key}.jsonl", session)
        logs = self.home / self.project / "logs.json"
        known = json.loads(logs.read_bytes()) if logs.exists() else []
        known.append({"sessionId": name, "messageId": 0, "type": "user", "message": marker})
        logs.write_text(json.dumps(known, indent=2, ensure_ascii=False))
        if "/" not in name and name not in (".", ".."):
            self.write(f"{self.project}/chats/{name}/{key}.jsonl", session)
            self.write(f"{self.project}/{name}/plans/plan.md", marker.encode())
            self.write(f"{self.project}/tool-outputs/session-{name}/out.txt", marker.encode())
            self.write(f"{self.project}/logs/session-{name}.jsonl", lines(marker))
        return Seeded(name, marker, at, "me")


WORLDS = {world.agent: world for world in (ClaudeCodeWorld, CodexWorld, GeminiCliWorld)}
