"""GDPRbench's four mixes through assent's services, beside PostgreSQL and Redis as GDPRbench uses them.

The mixes, the nine kinds of metadata and the spread of the records are those of GDPRbench (Shastri, Banakar,
Wasserman, Kumar, Chidambaram, PVLDB 13(7), 2020; github.com/GDPRbench/GDPRbench): controller, customer and processor
by its files, regulator by the paper, whose file gives the 46 % only. This is an implementation of our own. One client,
one operation at a time, each durable before the next.

What the operations are here (PostgreSQL and Redis as their clients do it; then assent):

| GDPRbench | the others | assent |
|---|---|---|
| a record | a row; a hash | a conversation of one part, sealed |
| its user | a column | the subject |
| its purpose | a column | what that person allowed: a choice, with its leaf in the ledger |
| objections, sharing | columns | choices about the purpose `sharing` |
| its time to live | a column | the policy's; nothing is stored |
| create | INSERT; HSET | intake |
| read by key | SELECT; HGETALL | the owner's own conversation, opened |
| metadata by user | WHERE usr | the person's page: every conversation, decided |
| metadata by purpose, processor | WHERE pur | the cut for it, taken before and shown apart |
| the same, customer | WHERE pur | of the person's own what it may use: nobody sees another's |
| update data | UPDATE; HSET | intake of the new text; the old one's key goes afterwards |
| set by user | UPDATE WHERE usr | a refusal asked for in writing, in the ledger |
| set by purpose, controller | UPDATE WHERE pur | a new version of the policy, checked and kept |
| the same, customer | UPDATE WHERE pur | a refusal of that person: nobody changes another's |
| delete by key | DELETE; DEL | deletion by the owner: out of use at once |
| get system logs | as shipped nothing; the log's end | newest leaves, erasures, sweeps, imports |
| verify deletion | there is no row | the proof: path, receipt, checkpoint, no key opens |

`afterwards` is what assent does to end a mix: it erases what was deleted, keys, copies and receipts included. The
others leave the bytes. Before measuring, all answers of a small run must be the same everywhere.
A peer does SAMPLE operations of each kind (for Redis a fiftieth of it), and its time is that of all, by kind.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.board.rounds import setting
from benchmarks.board.values import Aim, Figure, Headline, Result, Spread, Table, Words
from benchmarks.gdprbench.ours import filled
from benchmarks.gdprbench.peers import postgres, redis_as_shipped
from benchmarks.gdprbench.records import MIXES, OPERATIONS, RECORDS, Operation, Scale, System

SAMPLE = setting("SAMPLE", 100, small=20)
REDIS_SAMPLE: Final = max(SAMPLE // 50, 1)
SMALL: Final = Scale(kept=500, operations=300)
MOST_S: Final = 30.0
"""What a mix may take: the aim is for 100,000 records and 10,000 operations."""

OURS: Final = ("assent, SQLite", "assent, PostgreSQL")
PEER: Final = "PostgreSQL, primary key"
REDIS: Final = "Redis as shipped"

Open = Callable[[], AbstractContextManager[System]]


class Cost(NamedTuple):
    """What a mix took: seconds, those of what was left to do afterwards, and milliseconds an operation by kind."""

    whole: float
    afterwards: float
    each: Mapping[str, float]


def systems(made: Path, scale: Scale) -> dict[str, tuple[Open, int | None]]:
    """Name every system: how it is opened and filled, and how many operations of a kind it does at most."""
    found: dict[str, tuple[Open, int | None]] = {
        "assent, SQLite": (partial(filled, "sqlite", made / "sqlite", scale), None),
        "assent, PostgreSQL": (partial(filled, "postgres", made / "postgres", scale), None),
        PEER: (partial(postgres, scale, indexed=False), SAMPLE),
        "PostgreSQL, all indexed": (partial(postgres, scale, indexed=True), SAMPLE),
    }
    if shutil.which("redis-server"):
        found[REDIS] = (partial(redis_as_shipped, scale), REDIS_SAMPLE)
    return found


def compare(made: Path) -> int:
    """Run all mixes at a small size everywhere; returns how many answers were the same. `SystemExit` where not."""
    expected: list[object] = []
    for name, (opened, _) in systems(made, SMALL).items():
        with opened() as system:
            found = [_comparable(mix, one, system.answer(mix, one)) for mix in MIXES for one in SMALL.stream(mix)]
        expected = expected or found
        for place, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
            if ours != theirs:
                raise SystemExit(f"operation {place} is answered otherwise by {name}")
    return len(expected)


def _comparable(mix: str, operation: Operation, answer: object) -> object:
    if mix == "customer" and isinstance(answer, set):  # the others show everybody's records
        return {number for number in answer if SMALL.person(number) == SMALL.person(operation.number)}
    return answer


def carry_out(system: System, mix: str, stream: Sequence[Operation], most: int | None) -> Cost:
    """Carry a mix out; `most` operations of a kind are done, and count for all of it."""
    of_kind = Counter(one.kind for one in stream)
    spent: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for operation in stream:
        if most is not None and done[operation.kind] >= most:
            continue
        start = time.perf_counter()
        system.answer(mix, operation)
        spent[operation.kind] += time.perf_counter() - start
        done[operation.kind] += 1
    start = time.perf_counter()
    system.settle()
    afterwards = time.perf_counter() - start
    each = {kind: spent[kind] / done[kind] for kind in sorted(of_kind)}
    whole = sum(each[kind] * count for kind, count in of_kind.items())
    return Cost(whole, afterwards, {kind: seconds * 1000 for kind, seconds in each.items()})


def measure() -> Result:
    """Compare at a small size, then measure every system on all four mixes."""
    with tempfile.TemporaryDirectory() as folder:
        made, scale = Path(folder), Scale()
        notes = [f"{compare(made):,} answers of a small run were the same everywhere."]
        streams = {mix: scale.stream(mix) for mix in MIXES}
        costs: dict[str, dict[str, Cost]] = {}
        for name, (opened, most) in systems(made, scale).items():
            start = time.perf_counter()
            with opened() as system:
                filling = time.perf_counter() - start
                costs[name] = {mix: carry_out(system, mix, stream, most) for mix, stream in streams.items()}
                cuts = f", the cuts among it {system.cuts_s:.0f} s" if hasattr(system, "cuts_s") else ""
                notes.append(f"{name} was filled in {filling:.0f} s{cuts}.")
    return shown(costs, notes)


def shown(costs: Mapping[str, Mapping[str, Cost]], notes: Sequence[str]) -> Result:
    """Lay the costs out: seconds a mix, what assent costs over PostgreSQL with a primary key, and each operation."""
    figures, ratios = [], []
    for name, mixes in costs.items():
        for mix, cost in mixes.items():
            ours = name in OURS
            figures.append(
                Figure(f"{mix}: {name}", Spread.single(cost.whole), "s", Aim("at most", MOST_S) if ours else None)
            )
            if ours:
                figures.append(Figure(f"{mix}: {name}, erasing afterwards", Spread.single(cost.afterwards), "s"))
                ratios.append(Figure(f"{mix}: {name}", Spread.single(cost.whole / costs[PEER][mix].whole)))
    rows = [
        (mix, kind, *(f"{one[mix].each[kind]:,.2f}" for one in costs.values()))
        for mix in MIXES
        for kind in next(iter(costs.values()))[mix].each
    ]
    table = Table(("mix", "operation", *costs), tuple(rows), "Milliseconds an operation")
    absent = () if REDIS in costs else (f"{REDIS}: there is no `redis-server` on the path",)
    return Result(tuple(figures), tuple(ratios), tables=(table,), notes=tuple(notes), absent=absent)


HEADLINE = Headline(
    Words(
        title="GDPRbench",
        work=(
            f"The four mixes of GDPRbench, {OPERATIONS:,} operations each on {RECORDS:,} records, by an implementation "
            "of our own: one client, one operation at a time, each durable before the next. All answers of a small run "
            "must be the same everywhere first. What each operation is here stands in the benchmark's first lines."
        ),
        peer="PostgreSQL with a primary key only, as GDPRbench ships it; with every field indexed; Redis as shipped",
        remarks=(
            "The peers delete rows and leave the bytes; assent ends a mix by erasing what was deleted, shown apart.",
            f"Peers do {SAMPLE} operations of each kind, Redis {REDIS_SAMPLE}; their time is that of all, by kind.",
            "A processor reads a cut, which is taken before. A customer sees and changes nobody else's records.",
        ),
    ),
    measure,
    uses=("psycopg", "redis"),
)
