"""A whole cut of real conversations: decide, decrypt, redact, compare, tell skills apart, judge, write.

The conversations are those of ../shared/data (loud where absent: made-up words take their place), given to people
who allow, as often as MEGABYTES of text (environment, default 20) ask for, each time with other numbers in them.
Then the same again with 1 % of the people changed: the price of a refresh against that of the whole.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
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

MEGABYTES = float(os.environ.get("MEGABYTES", "20"))
WORKERS = int(os.environ.get("WORKERS", "2"))
DATA = Path(__file__).parents[2] / "shared" / "data" / "conversations"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TALKED = NOW - timedelta(days=5)
A_PERSON = 8


def dialogues() -> list[list[tuple[str, str]]]:
    """Read every dialogue there is: (speaker, text) by turns."""
    found = []
    if not DATA.is_dir():
        print(f"  {DATA} is not there: these are made-up words, and no measure of redaction or skill")
        words = [
            "the",
            "kettle",
            "was",
            "on",
            "when",
            "a",
            "letter",
            "came",
            "and",
            "nobody",
            "read",
            "it",
            "before",
            "tea",
        ]
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


def conversations() -> Iterator[Conversation]:
    """Yield as many as asked for; each round of the data has a line of its own in every turn, so that none repeats."""
    talks, size, number = dialogues(), 0, 0
    while size < MEGABYTES * 1e6:
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


def fill(home: Wiring) -> int:
    """Keep everything, with an allow of every person; return how many people there are."""
    people, waiting = set(), []
    for talk in conversations():
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
    start, cpu = time.perf_counter(), cpu_seconds()
    taken = take(order, home.store, home.columns, by_date(home.policies), quiet)
    return time.perf_counter() - start, cpu_seconds() - cpu, taken.manifest["counts"]["bytes"]


class quiet:  # noqa: N801 - stands for a function
    """Shows no progress."""

    def __init__(self, _what: str, _total: int) -> None: ...

    def __enter__(self) -> object:
        return lambda _amount: None

    def __exit__(self, *_error: object) -> None: ...


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Measure the whole, in one process and in a pool, and a refresh after 1 % of the people changed."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        home = make_home(Wiring(None, NOW), folder / "home", ["anthropic/2025-10-08"]).at(NOW, folder / "home")
        people = fill(home)
        cut(home, folder / "warm", NOW, STANDARD, "local", "warm")
        given = 0
        for engine, recipe, name in (
            ("local", PLAIN, "plain"),
            ("local", STANDARD, "local"),
            ("pool", STANDARD, "pool"),
        ):
            wall, cpu, size = cut(home, folder / name, NOW, recipe, engine, name)
            given = given or size
            text = given / 1e6  # what went in; copies and bad answers do not come out
            print(f"  {name:8} {text / wall:6.1f} MB/s  {cpu / text:6.3f} CPU seconds a MB  ({text:.1f} MB)")
        whole = cut(home, folder / "again", NOW, STANDARD, "local", "again")
        for n in range(0, people, 100):
            at = NOW + timedelta(minutes=1)
            home.store.add_choice(Choice(f"w-{n}", f"s{n}", "training", "withdraw", at, "sha256:n", "web", "web", at))
        later = NOW + timedelta(hours=1)
        refresh = cut(home.at(later, folder / "home"), folder / "refreshed", later, STANDARD, "local", "again")
        print(f"  refresh after 1 % changed: {refresh[0]:.2f} s of {whole[0]:.2f} s, {refresh[0] / whole[0]:.1%};"
              f" CPU {refresh[1] / whole[1]:.1%}")  # fmt: skip
        print(f"  peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
        shutil.rmtree(folder / "home")


if __name__ == "__main__":
    main()
