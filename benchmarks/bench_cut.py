"""A whole cut of real conversations: decide, decrypt, redact, compare, tell skills apart, judge, write.

Two kinds, for they are different work: chats with an assistant, a kilobyte a part, and talks in parts of a line. Both
are those of ASSENT_DATA (loud where absent: made-up words take their place), given to people who allow, as often as
MEGABYTES of text (environment, default 12) ask for, each time with other words in them. Beside them stand datatrove's
blocks (peer_cut.py), and the same again with 1 % of the people changed: the price of a refresh against the whole.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assent.domain.conversation import Conversation, Part
from assent.interfaces.cli.init import make_home
from assent.pipeline.recipe import PLAIN, STANDARD, parse_recipe
from assent.policy.versions import by_date
from assent.services.cut.order import CutOrder
from assent.services.cut.take import take
from assent.store.records import Account, Choice
from assent.wiring import Wiring
from benchmarks.board.rounds import cpu, no_data, no_peers, peak_megabytes, peers_environment, public_data, setting
from benchmarks.board.values import Aim, Figure, Growth, Headline, Result, Spread, Words

KINDS = ("chats", "talks")
MEGABYTES = setting("MEGABYTES", 12.0, small=0.2)
WORKERS = setting("WORKERS", 2, small=2)
DATA = public_data() / "conversations"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TALKED = NOW - timedelta(days=5)
A_PERSON = 8
AIM = Aim("at least", 20)
PEER_MEGABYTES = min(MEGABYTES, 2.0)
REPOSITORY = Path(__file__).resolve().parents[1]


def talks() -> dict[str, list[list[tuple[str, str]]]]:
    """Read every conversation there is, by kind: (speaker, text) by turns."""
    if not DATA.is_dir():
        sentence = "the kettle was on when a letter came and nobody read it before tea"
        words = sentence.split()
        made_up = [[("user", " ".join(words[n % 7 :])), ("assistant", " ".join(words[::-1] * 6))] for n in range(500)]
        return dict.fromkeys(KINDS, made_up)
    with gzip.open(DATA / "hh-rlhf-harmless" / "test.jsonl.gz", "rt") as lines:
        short = [
            [("user" if turn.startswith("Human:") else "assistant", turn.partition(":")[2].strip())
             for turn in side.split("\n\n") if turn.strip()]
            for line in lines for side in json.loads(line).values()
        ]  # fmt: skip
    arena = (DATA / "arena-hard" / "conversations.jsonl").read_text("utf-8").splitlines()
    long = [[(one["role"], one["content"]) for one in json.loads(line)["messages"]] for line in arena]
    return dict(zip(KINDS, (long, short), strict=True))


def conversations(kind: str, megabytes: float) -> Iterator[Conversation]:
    """Yield as many as asked for; each round of the data has words of its own, so that none is a copy."""
    found, size, number = talks()[kind], 0, 0
    while size < megabytes * 1e6:
        turns = found[number % len(found)]
        lap = number // len(found)
        parts = tuple(
            Part(str(n), f"t{n}", who, "person" if who == "user" else "model", "text", again(text, lap), TALKED)
            for n, (who, text) in enumerate(turns)
        )
        size += sum(len(part.text.encode()) for part in parts)
        yield Conversation(
            f"bench:{number}", "bench", parts, f"s{number // A_PERSON}", created_at=TALKED, last_turn_at=TALKED
        )
        number += 1


def again(text: str, lap: int) -> str:
    """Give every eighth word the number of the round, the first one at last: fewer than half of the shingles stay."""
    if not lap:
        return text
    words = text.split(" ")
    for n in range(min(7, len(words) - 1), len(words), 8):
        words[n] += str(lap)
    return " ".join(words)


def fill(home: Wiring, kind: str, megabytes: float) -> int:
    """Keep everything, with an allow of every person; return how many people there are."""
    people, waiting = set(), []
    for talk in conversations(kind, megabytes):
        waiting.append(talk)
        if talk.subject not in people:
            people.add(talk.subject)
            home.store.put_accounts([Account(talk.subject, plan="pro", age=30, region="DE")])
            at = TALKED - timedelta(days=30)
            home.store.add_choice(
                Choice(f"c-{talk.subject}", talk.subject, "training", "allow", at, "sha256:n", "web", "web", at)
            )
        if len(waiting) == 500:
            home.store.intake(waiting, plan=None, recorded_at=TALKED)
            waiting = []
    home.store.intake(waiting, plan=None, recorded_at=TALKED)
    return len(people)


def cut(
    home: Wiring, out: Path, at: datetime, recipe: str, engine: str, name: str = "bench"
) -> tuple[float, float, int]:
    """Return seconds, CPU seconds of all processes, and bytes of text of one cut."""
    order = CutOrder(
        name, "training", at, at, out, home.settings.home / "cuts", bytes(32), bytes(32), "bench",
        recipe=parse_recipe(recipe, "bench"), workers=home.cut_workers(engine, WORKERS, ""),
    )  # fmt: skip
    start, used = time.perf_counter(), cpu()
    taken = take(order, home.store, home.columns, by_date(home.policies), quiet)
    return time.perf_counter() - start, cpu() - used, taken.manifest["counts"]["bytes"]


class quiet:  # noqa: N801 - stands for a function
    """Shows no progress."""

    def __init__(self, _what: str, _total: int) -> None: ...

    def __enter__(self) -> object:
        return lambda _amount: None

    def __exit__(self, *_error: object) -> None: ...


@dataclass(frozen=True)
class Cut:
    """What one cut took: seconds, CPU seconds of all processes, and MB of text that went in."""

    wall: float
    cpu: float
    megabytes: float


def cuts(kind: str, megabytes: float, *ways: tuple[str, str, str]) -> dict[str, Cut]:
    """Fill a home and cut it in each way (name, engine, recipe); then a refresh after 1 % of the people changed."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        home = make_home(Wiring(None, NOW), folder / "home", ["anthropic/2025-10-08"]).at(NOW, folder / "home")
        people = fill(home, kind, megabytes)
        cut(home, folder / "warm", NOW, STANDARD, "local", "warm")
        given, found = 0.0, {}
        for name, engine, recipe in ways:
            wall, used, size = cut(home, folder / name, NOW, recipe, engine, name)
            given = given or size / 1e6  # what went in; copies and bad answers do not come out
            found[name] = Cut(wall, used, given)
        for n in range(0, people - 1, 100):
            at = NOW + timedelta(minutes=1)
            home.store.add_choice(Choice(f"w-{n}", f"s{n}", "training", "withdraw", at, "sha256:n", "web", "web", at))
        later = NOW + timedelta(hours=1)
        wall, used, _ = cut(home.at(later, folder / "home"), folder / "refreshed", later, STANDARD, "local", "standard")
        found["refresh"] = Cut(wall, used, given)
        home.store.close()
        return found


def by_the_peer(kind: str) -> float | None:
    """Return the CPU seconds of datatrove's blocks for each MB of the same texts; None where it is not there."""
    interpreter = peers_environment()
    if not interpreter:
        return None
    with tempfile.TemporaryDirectory() as made:
        path, size = Path(made) / "texts.jsonl", 0
        with path.open("w", encoding="utf-8") as file:
            for talk in conversations(kind, PEER_MEGABYTES):
                text = "\n\n".join(part.text for part in talk.parts)
                size += len(text.encode())
                file.write(json.dumps({"id": talk.id, "text": text}) + "\n")
        command = [interpreter, "-m", "benchmarks.peer_cut", str(path), made]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        return float(json.loads(done.stdout.splitlines()[-1])["seconds"]) / (size / 1e6)


def of_kind(kind: str) -> tuple[list[Figure], list[Figure], Growth]:
    """Measure one kind: figures, ratios, and how the cost grows over three sizes."""
    alone, standard = ("alone", "local", PLAIN), ("standard", "local", STANDARD)
    by_size = {size: cuts(kind, size, alone, standard) for size in (MEGABYTES / 16, MEGABYTES / 4)}
    found = by_size[MEGABYTES] = cuts(kind, MEGABYTES, alone, standard, ("pool", "pool", STANDARD))
    named = {
        "alone": f"{kind}, eligibility alone (`none`)",
        "standard": f"{kind}, standard recipe, one process",
        "pool": f"{kind}, standard recipe, {WORKERS} processes",
    }
    figures = [
        figure
        for name, title in named.items()
        for one in [found[name]]
        for figure in (
            Figure(title, Spread.single(one.megabytes / one.wall), "MB of text a second", AIM),
            Figure(f"{title}, CPU", Spread.single(one.cpu / one.megabytes), "seconds a MB"),
        )
    ]
    ratios = [
        Figure(f"{kind}, standard recipe, against eligibility alone, CPU",
               Spread.single(found["standard"].cpu / found["alone"].cpu)),
        Figure(f"{kind}, refresh after 1 % of the people changed, against the whole, CPU",
               Spread.single(found["refresh"].cpu / found["standard"].cpu), aim=Aim("at most", 0.03)),
    ]  # fmt: skip
    peer = by_the_peer(kind)
    if peer is not None:
        ours = found["standard"].cpu / found["standard"].megabytes
        figures.append(Figure(f"{kind}, datatrove, CPU", Spread.single(peer), "seconds a MB"))
        ratios.insert(0, Figure(f"{kind}, against datatrove, CPU", Spread.single(ours / peer), aim=Aim("at most", 0.1)))
    cost = tuple((size, Spread.single(one["standard"].cpu / size)) for size, one in by_size.items())
    growth = Growth(f"{kind}, a cut by the standard recipe, CPU", "seconds for each of the MB", "MB of text", cost)
    return figures, ratios, growth


def measure() -> Result:
    """Measure both kinds: the whole, in one process and in a pool, a refresh, and two smaller sizes."""
    done = [of_kind(kind) for kind in KINDS]
    absent = () if DATA.is_dir() else (no_data("real conversations, whose place made-up words took"),)
    return Result(
        figures=(
            *(figure for figures, *_ in done for figure in figures),
            Figure("peak memory of the process", Spread.single(peak_megabytes()), "MB"),
        ),
        ratios=tuple(ratio for _, ratios, *_ in done for ratio in ratios),
        growth=tuple(growth for *_, growth in done),
        absent=(*absent, *(() if peers_environment() else (no_peers("datatrove"),))),
    )


HEADLINE = Headline(
    Words(
        title="A whole cut",
        work=(
            f"{MEGABYTES:g} MB of chats, a kilobyte a part, and as much of talks in parts of 150 bytes: decided, "
            "decrypted, redacted, compared, told apart by skill, judged and written."
        ),
        peer=(
            "datatrove, which decides nothing and tells no skills apart: personal data of three kinds, MinHash and "
            "Gopher's filters over the same texts; and itself doing less: eligibility alone, and a refresh"
        ),
        remarks=(
            (
                "Each new part is decided by the reference, proved and named, so shorter parts cost more for each MB. "
                "What is unchanged is not read again."
            ),
        ),
    ),
    measure,
    uses=("duckdb", "pyarrow"),
)
