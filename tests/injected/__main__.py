"""Inject every fault that there is a test for, and write what came of it into `docs/reference/faults.md`.

It says after each test how far it is and about how long the rest takes. Stopped, it goes on where it was: tests that
held for this state of `src/` are not run again (`--fresh` forgets them).

Exit status: 0 everything held, 1 something did not, 4 something was not run.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from tests.injected.known import KNOWN, TESTS, marked
from tests.injected.record import FAILED, HELD, KEPT, NOT_RUN, PAGE, Result, Tally, page, rows, source_digest

GUESS_S = 10.0
"""What a test is taken to last that never ran."""


class Runner:
    """A plugin of pytest: leaves out what is done, notes what came of the rest, says how far it is."""

    def __init__(self, tally: Tally, faults: Sequence[str], *, earlier_too: bool) -> None:
        self._tally = tally
        self._faults = frozenset(faults)
        self._source = source_digest()
        self._earlier_too = earlier_too
        self._fault_of: dict[str, str] = {}
        self._left: dict[str, float] = {}
        self._speaks = os.fdopen(os.dup(2), "w")
        self.chosen: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        for item in items:
            if mark := item.get_closest_marker("fault"):
                self._fault_of[item.nodeid] = mark.args[0]
        named = {item for item in items if self._fault_of.get(item.nodeid) in self._faults}
        self.chosen = [item.nodeid for item in items if item in named]
        todo = [item for item in items if item in named and not self._done(item.nodeid)]
        known = self._tally.results
        self._left = {item.nodeid: known[item.nodeid].seconds if item.nodeid in known else GUESS_S for item in todo}
        config.hook.pytest_deselected(items=[item for item in items if item not in todo])
        items[:] = todo
        done = len(self.chosen) - len(todo)
        self.say(f"{len(todo)} tests to run, {done} are done, about {_length(sum(self._left.values()))}")

    def _done(self, test: str) -> bool:
        found = self._tally.results.get(test)
        return found is not None and found.outcome == HELD and (self._earlier_too or found.source == self._source)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.passed and report.when != "call":
            return
        told = dict(report.user_properties)
        why = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
        result = Result(
            test=report.nodeid,
            fault=self._fault_of[report.nodeid],
            outcome=HELD if report.passed else NOT_RUN if report.skipped else FAILED,
            why=why,
            times=told.get("times", 1),
            seed=told.get("seed"),
            seconds=round(report.duration, 1),
            day=f"{datetime.now(UTC):%Y-%m-%d}",
            source=self._source,
        )
        self._tally.add(result)
        self._left.pop(report.nodeid, None)
        rest = _length(sum(self._left.values()))
        line = f"{result.outcome}: {result.fault}, {result.times} times in {result.seconds} s"
        self.say(f"{line}; {len(self._left)} left, about {rest}; {report.nodeid}")
        if result.outcome == FAILED:
            self.say(report.longreprtext)
        elif result.outcome == NOT_RUN:
            self.say(f"  {why}")

    def say(self, line: str) -> None:
        self._speaks.write(f"{line}\n")
        self._speaks.flush()


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


@click.command(help=__doc__)
@click.option("--scale", type=click.Choice(["small", "full"]), default="full", show_default=True,
              help="small: what the normal test run has. full: the long kill loops, races and years too.")  # fmt: skip
@click.option("--only", multiple=True, metavar="FAULT", help="Only this fault; may be given again. Writes no page.")
@click.option("--fresh", is_flag=True, help="Forget what earlier runs came to.")
@click.option("--earlier-too", is_flag=True, help="Count what held for earlier states of `src/` as done.")
@click.option("--results", "folder", type=click.Path(path_type=Path), default=KEPT, help="Where results are kept.")
@click.option(
    "--page/--no-page", "writes", default=None, help="Write the page; else only at full scale, of everything."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def main(scale: str, only: tuple[str, ...], folder: Path, **how: bool | None) -> None:
    known = [fault.name for fault in KNOWN]
    if unknown := sorted(set(only) - set(known)):
        raise click.UsageError(f"there is no fault `{unknown[0]}`; there are: {', '.join(known)}")
    tally = Tally(folder / "tally.jsonl")
    if how["fresh"]:
        tally.clear()
    faults = list(only) or known
    runner = Runner(tally, faults, earlier_too=bool(how["earlier_too"]))
    files = sorted({test.partition("::")[0] for name in faults for test in marked()[name]})
    began = time.monotonic()
    with (folder / "pytest.log").open("w") as log, contextlib.redirect_stdout(log):
        marks = "fault" if scale == "full" else "fault and not deep"
        status = pytest.main(["-q", "-m", marks, *(str(TESTS.parent / file) for file in files)], plugins=[runner])
    results = [tally.results[test] for test in runner.chosen if test in tally.results]
    writes = how["writes"] if how["writes"] is not None else scale == "full" and not only
    if writes:
        PAGE.write_text(page(rows(tally.results.values())), "utf-8")
        runner.say(f"wrote {PAGE.relative_to(TESTS.parent)}")
    failed = sum(one.outcome == FAILED for one in results)
    missing = len(runner.chosen) - len(results) + sum(one.outcome == NOT_RUN for one in results)
    runner.say(
        f"{sum(one.times for one in results if one.outcome == HELD):,} faults injected in {len(results)} tests: "
        f"{failed} did not hold, {missing} were not run; {_length(time.monotonic() - began)}"
    )
    if how["as_json"]:
        told = [
            {"fault": row.fault.name, "times": row.times, "seeds": row.seeds, "outcome": row.outcome}
            for row in rows(results)
            if row.fault.name in faults
        ]
        click.echo(json.dumps({"scale": scale, "failed": failed, "not_run": missing, "faults": told}))
    sys.exit(1 if failed or status not in (0, 2, 5) else 4 if missing or status == 2 else 0)


if __name__ == "__main__":
    main()
