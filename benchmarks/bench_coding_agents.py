"""A folder of Claude Code: list every session with its person's last turn, erase some with every side copy.

SESSIONS (environment; default 100,000) sessions are made, each a transcript of ten lines, a to-do list, a debug log and
two lines of the shared prompt history; every tenth has a plan and files from before an edit. ERASED (1,000) of them go.

The peers know where everything lies and believe themselves: to list, a walk and `json.loads` of every line; to erase, a
walk, `rm -r` of whatever is named after a session, and one pass over the history. The connector does more: it asks
whether a kept session names the plan, remembers what goes, looks again at every file, and says what it found.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from assent.connectors.coding_agents.product import CodingAgents, Settings, connect
from assent.connectors.port import Listed, state_of
from assent.domain.instants import parse_instant
from assent.services.connect.erase import erase
from benchmarks.board.rounds import Times, cpu, growth, in_turn, setting, thirds, took
from benchmarks.board.values import Figure, Headline, Result, Words

SESSIONS = setting("SESSIONS", 100_000, small=320)
ERASED = setting("ERASED", 1_000, small=10)
ROUNDS = setting("ROUNDS", 5, small=2)
IN_A_PROJECT = 500
TURNS = 5
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
LONG_AGO = int(BEGIN.timestamp())
SENTENCE = "the kettle was on when the letter came and nobody thought of reading it before the tea was poured"
WORDS = SENTENCE.split()


def name_of(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def write_home(home: Path, sessions: int) -> None:
    """Fill a folder as the program does, all files long unchanged."""
    chance = random.Random(9)
    for folder in ("todos", "debug", "plans", "file-history"):
        (home / folder).mkdir(parents=True)
    history = []
    for number in range(sessions):
        project = home / "projects" / f"-work-{number // IN_A_PROJECT}"
        project.mkdir(parents=True, exist_ok=True)
        name = name_of(number)
        (project / f"{name}.jsonl").write_bytes(_transcript(chance, number, name, history))
        (home / "todos" / f"{name}-agent-{name}.json").write_text("[]")
        (home / "debug" / f"{name}.txt").write_text(f"{name}: started\n")
        if number % 10 == 0:
            (home / "plans" / f"plan-{number}.md").write_text("# a plan\n")
            (home / "file-history" / name).mkdir()
            (home / "file-history" / name / "0a@v1").write_text("before\n")
    (home / "history.jsonl").write_bytes(b"".join(history))
    for file in home.rglob("*"):
        os.utime(file, (LONG_AGO, LONG_AGO))


def _transcript(chance: random.Random, number: int, name: str, history: list[bytes]) -> bytes:
    lines, parent = [], None
    where = {"cwd": f"/work/{number // IN_A_PROJECT}", "sessionId": name, "isSidechain": False, "version": "2.1.0"}
    for turn in range(TURNS):
        at = BEGIN + timedelta(minutes=number % 100_000, seconds=turn * 40)
        said = " ".join(chance.choices(WORDS, k=20))
        if number % 10 == 0 and turn == 0:
            said += f" (see plans/plan-{number}.md)"
        for kind, message, later in (
            ("user", {"role": "user", "content": said}, 0),
            ("assistant", {"id": f"m{turn}", "role": "assistant", "model": "c",
                           "content": [{"type": "text", "text": " ".join(chance.choices(WORDS, k=40))}]}, 20),
        ):  # fmt: skip
            line = {"type": kind, "uuid": f"{number}-{turn}-{kind}", "parentUuid": parent, **where, "message": message,
                    "timestamp": (at + timedelta(seconds=later)).isoformat().replace("+00:00", "Z")}  # fmt: skip
            parent = line["uuid"]
            lines.append(json.dumps(line).encode() + b"\n")
        if turn < 2:
            prompt = {"display": said, "timestamp": int(at.timestamp() * 1000), "sessionId": name}
            history.append(json.dumps(prompt).encode() + b"\n")
    return b"".join(lines)


def product(home: Path, state: Path) -> CodingAgents:
    """Connect the folder anew, and look at the plan once."""
    settings = Settings(name="bench", folder=state, agent="claude-code", home=home, owner="me")
    found = connect(settings, str)
    found.copies([])
    return found


def listed(home: Path, state: Path) -> dict[str, datetime | None]:
    found = product(home, state).list()
    return {one.id: one.last_turn_at for one in found if isinstance(one, Listed)}


def listed_by_hand(home: Path) -> dict[str, datetime | None]:
    found: dict[str, datetime | None] = {}
    for folder, _, names in os.walk(home / "projects"):
        for name in names:
            newest = ""
            with Path(folder, name).open("rb") as stream:
                for line in stream:
                    value = json.loads(line)
                    if value["type"] == "user":
                        newest = max(newest, value["timestamp"])
            found[name.removesuffix(".jsonl")] = parse_instant(newest)
    return found


def erased(home: Path, state: Path, ids: list[str]) -> None:
    outcomes = list(erase(product(home, state), ids, lambda _ids: {}))
    left = [one for one in outcomes if one.state != "removed" or state_of(one.copies) != "removed"]
    if len(outcomes) != len(ids) or left:
        raise SystemExit(f"of {len(ids)} sessions {len(left)} are not removed")


def erased_by_hand(home: Path, ids: list[str]) -> None:
    wanted, plans = set(ids), {f"plan-{int(name[:8], 16)}.md" for name in ids}
    for folder, folders, names in os.walk(home):
        for name in [*folders, *names]:
            if name[:36] in wanted or name in plans:
                path = Path(folder, name)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    history = home / "history.jsonl"
    with history.open("rb") as lines:
        kept = [line for line in lines if json.loads(line)["sessionId"] not in wanted]
    history.write_bytes(b"".join(kept))


def files(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def erased_in_turn(home: Path, state: Path, other: Path) -> Times:
    """Erase others each time, in both ways, and stop unless the same files are left."""
    times, step = Times(), max(1, SESSIONS // (ERASED * (ROUNDS + 1)))
    for turn in range(ROUNDS):
        ids = [name_of(number) for number in range(turn, SESSIONS, step * (ROUNDS + 1))][:ERASED]
        times.add("assent", took(partial(erased, home, state, ids), cpu))
        times.add("by hand", took(partial(erased_by_hand, other, ids), cpu))
        same_history = (home / "history.jsonl").read_bytes() == (other / "history.jsonl").read_bytes()
        if files(home) != files(other) or not same_history:
            raise SystemExit("what is left differs")
    return times


def measure() -> Result:
    """List folders of three sizes and erase from the largest, in both ways, in turn."""
    lists: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for sessions in thirds(SESSIONS):  # the largest comes last, and the rest is done with it
            home, state = Path(name) / f"home-{sessions}", Path(name) / f"state-{sessions}"
            write_home(home, sessions)
            if listed(home, state) != listed_by_hand(home):
                raise SystemExit("the lists differ")
            sides = {"assent": partial(listed, home, state), "by hand": partial(listed_by_hand, home)}
            listing = in_turn(sides, ROUNDS, cpu, warm=0)
            lists[sessions] = listing["assent"]
        other = Path(name) / "other"
        shutil.copytree(home, other)  # the same modification times, or every file would be in use
        erasing = erased_in_turn(home, state, other)
    acts = (("to list", listing, SESSIONS), ("to erase", erasing, ERASED))
    return Result(
        figures=tuple(
            Figure(f"{act}, {side}", times.spread(side, 1e6 / count), "µs of CPU each")
            for act, times, count in acts
            for side in ("assent", "by hand")
        ),
        ratios=tuple(Figure(f"{act}, against a script", times.against("assent", "by hand")) for act, times, _ in acts),
        growth=(growth("to list, CPU", lists, of="sessions"),),
    )


HEADLINE = Headline(
    Words(
        title="A folder of Claude Code",
        work=(
            f"{SESSIONS:,} sessions listed with their person's last turn, and {ERASED:,} of them erased with "
            "every side copy, others each time. Both ways must list the same and leave the same files."
        ),
        peer="a walk and `json.loads` of every line; a walk, `rm -r` and one pass over the history",
        remarks=(
            (
                "The peers know where everything lies and believe themselves. The connector also asks whether a kept "
                "session names a plan, remembers what goes, looks again at every file, and says what it found."
            ),
        ),
    ),
    measure,
)
