"""A whole cut of real conversations: decide, decrypt, redact, compare, tell skills apart, judge, write.

The conversations are those of ASSENT_DATA (loud where absent: made-up words take their place), given to people
who allow, as often as MEGABYTES of text (environment, default 20) ask for, each time with other numbers in them.
Then the same again with 1 % of the people changed: the price of a refresh against that of the whole.
"""

from __future__ import annotations

import gzip
import json
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
from benchmarks.board.rounds import cpu, no_data, peak_megabytes, public_data, setting
from benchmarks.board.values import Aim, Figure, Growth, Headline, Result, Spread, Words

MEGABYTES = setting("MEGABYTES", 20.0, small=0.2)
WORKERS = setting("WORKERS", 2, small=2)
DATA = public_data() / "conversations"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TALKED = NOW - timedelta(days=5)
A_PERSON = 8


def dialogues() -> list[list[tuple[str, str]]]:
    """Read every dialogue there is: (speaker, text) by turns."""
    found = []
    if not DATA.is_dir():
        sentence = "the kettle was on when a letter came and nobody read it before tea"
        words = sentence.split()
        return [[("user", " ".join(words[n % 7 :])), ("assistant", " ".join(words[::-1] * 6))] for n in range(500)]
    with gzip.open(DATA / "hh-rlhf-harmless" / "test.jsonl.gz", "rt") as lines:
        for line in lines:
            for side in json.loads(line).values():
                turns = side.split("\n\n")
                found.append(
                    [("user" if turn.startswith("Human:") else "assistant", turn.partition(":")[2].strip())
                     for turn in turns if turn.strip()]
                )  # fmt: skip
    arena = (DATA / "arena-hard" / "conversations.jsonl").read_text("utf-8").splitlines()
    found.extend([(one["role"], one["content"]) for one in json.loads(line)["messages"]] for line in arena)
    return found


def conversations(megabytes: float) -> Iterator[Conversation]:
    """Yield as many as asked for; each round of the data has a line of its own in every turn, so that none repeats."""
    talks, size, number = dialogues(), 0, 0
    while size < megabytes * 1e6:
        turns = talks[number % len(talks)]
        lap = number // len(talks)
        mark = "" if not lap else " ".join(f"{word}{lap}" for word in ("round", "again", "once", "more", "other"))
        parts = tuple(
            Part(str(n), f"t{n}", who, "person" if who == "user" else "model", "text", f"{mark} {text}".strip(), TALKED)
            for n, (who, text) in enumerate(turns)
        )
        size += sum(len(part.text.encode()) for part in parts)
        yield Conversation(
            f"bench:{number}", "bench", parts, f"s{number // A_PERSON}", created_at=TALKED, last_turn_at=TALKED
        )
        number += 1


def fill(home: Wiring, megabytes: float) -> int:
    """Keep everything, with an allow of every person; return how many people there are."""
    people, waiting = set(), []
    for talk in conversations(megabytes):
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


def cuts(megabytes: float, *ways: tuple[str, str, str]) -> dict[str, Cut]:
    """Fill a home and cut it in each way (name, engine, recipe); then a refresh after 1 % of the people changed."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        home = make_home(Wiring(None, NOW), folder / "home", ["anthropic/2025-10-08"]).at(NOW, folder / "home")
        people = fill(home, megabytes)
        cut(home, folder / "warm", NOW, STANDARD, "local", "warm")
        given, found = 0.0, {}
        for name, engine, recipe in ways:
            wall, used, size = cut(home, folder / name, NOW, recipe, engine, name)
            given = given or size / 1e6  # what went in; copies and bad answers do not come out
            found[name] = Cut(wall, used, given)
        for n in range(0, people, 100):
            at = NOW + timedelta(minutes=1)
            home.store.add_choice(Choice(f"w-{n}", f"s{n}", "training", "withdraw", at, "sha256:n", "web", "web", at))
        later = NOW + timedelta(hours=1)
        wall, used, _ = cut(home.at(later, folder / "home"), folder / "refreshed", later, STANDARD, "local", "standard")
        found["refresh"] = Cut(wall, used, given)
        home.store.close()
        return found


def measure() -> Result:
    """Measure the whole, in one process and in a pool, a refresh, and two smaller sizes."""
    standard, alone = ("standard", "local", STANDARD), ("alone", "local", PLAIN)
    by_size = {size: cuts(size, alone, standard) for size in (MEGABYTES / 16, MEGABYTES / 4)}
    found = cuts(MEGABYTES, alone, standard, ("pool", "pool", STANDARD))
    by_size[MEGABYTES] = found
    named = {
        "alone": "eligibility alone (`none`)",
        "standard": "standard recipe, one process",
        "pool": f"standard recipe, {WORKERS} processes",
    }
    aim = Aim("at least", 20)
    cost = tuple((size, Spread.single(one["standard"].cpu / size)) for size, one in by_size.items())
    return Result(
        figures=(
            *(Figure(title, Spread.single(found[name].megabytes / found[name].wall), "MB of text a second", aim)
              for name, title in named.items()),
            *(Figure(f"{title}, CPU", Spread.single(found[name].cpu / found[name].megabytes), "seconds a MB")
              for name, title in named.items()),
            Figure("peak memory of the process", Spread.single(peak_megabytes()), "MB"),
        ),
        ratios=(
            Figure("standard recipe, against eligibility alone, CPU",
                   Spread.single(found["standard"].cpu / found["alone"].cpu)),
            Figure("refresh after 1 % of the people changed, against the whole, CPU",
                   Spread.single(found["refresh"].cpu / found["standard"].cpu)),
        ),
        growth=(Growth("a cut by the standard recipe, CPU", "seconds for each of the MB", "MB of text", cost),),
        absent=() if DATA.is_dir() else (no_data("real dialogues, whose place made-up words took"),),
    )  # fmt: skip


HEADLINE = Headline(
    Words(
        title="A whole cut",
        work=(
            f"{MEGABYTES:g} MB of dialogues in small parts, decided, decrypted, redacted, compared, told apart by "
            "skill, judged and written."
        ),
        peer=(
            "itself doing less: eligibility alone, and a refresh; no other program cuts a training set under a policy"
        ),
        remarks=(
            (
                "Each new part is decided by the reference, proved and named, and the parts of these dialogues have "
                "120 bytes: longer parts go faster in MB. What is unchanged is not read again."
            ),
        ),
    ),
    measure,
    uses=("duckdb", "pyarrow"),
)
