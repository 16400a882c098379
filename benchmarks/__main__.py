"""Measure headlines and write the board, or compare with what is recorded.

Each headline runs in a process of its own, so that none pays for the memory or the threads of another, and is recorded
as soon as it is measured: a run that was stopped keeps what it has.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.board import check, page, picture, records
from benchmarks.board.rounds import is_small
from benchmarks.board.values import Headline, Record, Result

HERE: Final = Path(__file__).parent
PREFIX: Final = "bench_"
SMALL: Final = HERE / "results" / "small"
"""Where a run with SIZE=small writes: beside the record, and not kept in the repository."""


def names() -> list[str]:
    """Every benchmark, without its prefix, in alphabetical order."""
    modules = pkgutil.iter_modules([str(HERE)])
    return sorted(module.name.removeprefix(PREFIX) for module in modules if module.name.startswith(PREFIX))


def headline(name: str) -> Headline:
    """Load one benchmark."""
    found: Headline = importlib.import_module(f"benchmarks.{PREFIX}{name}").HEADLINE
    return found


def measured(name: str, settings: dict[str, float] | None = None) -> Record | None:
    """Measure a headline at these sizes, or its own; none, said aloud, where that failed."""
    print(f"== {name}: measuring", flush=True)
    start = time.monotonic()
    record = apart("--measure", name, settings or {})
    for one in record.result.absent if record else ():
        print(f"!! {name}: absent: {one}", flush=True)
    print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    return record


def apart(how: str, name: str, settings: dict[str, float]) -> Record | None:
    """Let a process of its own load a headline at these sizes and write a record; none, said aloud, where it failed."""
    sizes = {key: f"{value:g}" if value % 1 else f"{value:.0f}" for key, value in settings.items()}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks", how, name, folder]
        status = subprocess.run(command, check=False, cwd=HERE.parent, env={**os.environ, **sizes}).returncode
        if status:
            print(f"!! {name}: failed with status {status}; nothing is recorded", flush=True)
            return None
        return records.read(Path(folder) / f"{name}.json")


def bench(chosen: list[str], out: Path) -> int:
    """Measure, record and write the board; 0 done, 1 when a headline failed."""
    failed, kept = [], []
    for name in chosen:
        record = measured(name)
        if record is None:
            failed.append(name)
            continue
        if not (record.result.figures or record.result.ratios):
            kept.append(f"{name} measured nothing, so nothing is recorded: {'; '.join(record.result.absent)}")
            continue
        print(page.section(record), flush=True)
        file = out / "records" / f"{name}.json"
        if file.exists() and (lost := poorer(records.read(file).result, record.result)):
            kept.append(f"{name} keeps its record of another day, which has what was absent now: {lost}")
            continue
        records.write(out / "records", record)
        write_board(out)
    for line in (*kept, *(f"{name} failed" for name in failed)):
        print(f"!! {line}")
    print(f"the board is in {out / 'RESULTS.md'}")
    return 1 if failed else 0


def poorer(then: Result, now: Result) -> str:
    """Name the peers and data that this run had not and the recorded one had."""
    lacking = {one.partition(":")[0] for one in then.absent}
    return "; ".join(one for one in now.absent if one.partition(":")[0] not in lacking)


def write_board(out: Path) -> None:
    """Write the page and the pictures of all records."""
    kept = records.read_all(out / "records")
    (out / "RESULTS.md").write_text(page.page(kept, sorted({*names()} - {*kept})), "utf-8")
    (out / "pictures").mkdir(exist_ok=True)
    for name, record in kept.items():
        (out / "pictures" / f"{name}.svg").write_text(picture.picture(record) + "\n", "utf-8")


def compare(chosen: list[str], out: Path) -> int:
    """Measure again at the recorded sizes and compare the ratios; 1 when one is worse twice, or a headline failed."""
    kept, bad = records.read_all(out / "records"), 0
    for name in chosen:
        if name not in kept:
            print(f"!! {name}: no record, so nothing to compare with", flush=True)
            continue
        then = kept[name]
        if not then.result.ratios:
            print(f"-- {name}: no ratio is recorded: {then.words.alone or 'its peer was absent'}", flush=True)
            continue
        now = measured(name, then.settings)
        if now and any(one.worse for one in check.compared(then.result, now.result)):
            print(f"-- {name}: worse than recorded; once more, in case the machine was busy", flush=True)
            now = better(now, measured(name, then.settings))
        bad += 1 if now is None else sum(told(name, one) for one in check.compared(then.result, now.result))
    print(f"{bad} worse than recorded, or failed" if bad else "no ratio is worse than recorded")
    return 1 if bad else 0


def better(first: Record, second: Record | None) -> Record | None:
    """Take of each ratio the smaller of two runs: noise makes ratios larger as often as smaller, but seldom twice."""
    if second is None:
        return None
    before = {one.name: one for one in first.result.ratios}
    ratios = (min(one, before.get(one.name, one), key=lambda of: of.spread.median) for one in second.result.ratios)
    return replace(second, result=replace(second.result, ratios=tuple(ratios)))


def told(name: str, one: check.Compared) -> bool:
    """Print one comparison; returns whether it is worse."""
    if one.now is None or one.then is None:
        lacking = "not measured now, see what is absent" if one.now is None else "not in the record"
        print(f"!! {name}: `{one.name}`: not compared: {lacking}", flush=True)
        return False
    figures = f"recorded {page.spread(one.then)}, now {page.spread(one.now)}, limit {page.shown(check.limit(one.then))}"
    print(f"{'WORSE' if one.worse else 'ok   '} {name}: `{one.name}`: {figures}", flush=True)
    return one.worse


def renew(out: Path) -> int:
    """Give the records the words that the benchmarks have now, and write page and pictures; measures nothing."""
    for name, record in records.read_all(out / "records").items():
        # words tell sizes, so they are asked for at the sizes of the record
        if name in names() and (found := apart("--words", name, record.settings)):
            records.write(out / "records", replace(record, words=found.words))
    write_board(out)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked for; 0 done, 1 worse or failed, 3 when there is no benchmark of that name."""
    known = names()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help=f"one of: {', '.join(known)}")
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=SMALL if is_small() else HERE,
                        help="where records, pictures and RESULTS.md are; default: this folder, or with SIZE=small "
                        "results/small in it")  # fmt: skip
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with the records, and write nothing")
    what.add_argument("--page", action="store_true", help="write page and pictures anew, and measure nothing")
    for hidden in ("--measure", "--words"):
        what.add_argument(hidden, nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if alone := asked.measure or asked.words:
        name, found = alone[0], headline(alone[0])
        records.write(
            Path(alone[1]), records.measured(name, found if asked.measure else replace(found, measure=Result))
        )
        return 0
    if asked.page:
        return renew(asked.out)
    if asked.only is not None and asked.only not in known:
        print(f"no benchmark `{asked.only}`\nname one of: {', '.join(known)}", file=sys.stderr)
        return 3
    chosen = known if asked.only is None else [asked.only]
    return compare(chosen, asked.out) if asked.check else bench(chosen, asked.out)


if __name__ == "__main__":
    sys.exit(main())
