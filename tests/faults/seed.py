"""Seed faults into both evaluators, one at a time, and see that the tests notice: `python -m tests.faults.seed`.

A fault is a small wrong edit that a person could make. Each is applied to a copy of the sources, and a fast part of
the suite runs on the copy. A fault that no test notices survives: then a case or a law is missing, or the fault is
no fault and says so (`equivalent`). Exit status: 0 all noticed, 1 some survived or could not be applied.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.faults.fault import Fault
from tests.faults.reference_faults import REFERENCE_FAULTS
from tests.faults.set_faults import SET_FAULTS

REPOSITORY = Path(__file__).resolve().parents[2]
FAULTS = (*REFERENCE_FAULTS, *SET_FAULTS)
AT_ONCE = 2
VALUES = ("tests/unit/domain", "tests/laws/test_durations.py")
AGREEMENT = ("tests/faults/quick.py",)
MEANING = ("tests/laws/test_parameters.py", "tests/conformance/test_cases.py")
LAWS = ("tests/laws/test_laws.py",)
# both evaluators read these, so their agreement says little about them
SHARED = ("policy/build.py", "policy/explain.py", "policy/versions.py")
OPTIONS = (
    *("-x", "-q", "-rf", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "tests.faults.profile"),
    *("--hypothesis-profile", "faults", "-k", "not test_the_evaluators_agree_on_made_up_policies"),
)  # fmt: skip


class Outcome(NamedTuple):
    """What became of a fault: the first test that failed (None: all passed), or that the tests could not run on it."""

    fault: Fault
    noticed_by: str | None
    broken: bool = False

    def problem(self) -> str | None:
        """Say what is wrong with this outcome, if anything."""
        if self.broken:
            return "the tests could not run on it, so it shows nothing"
        if self.noticed_by is None and not self.fault.equivalent:
            return "survived"
        if self.noticed_by is not None and self.fault.equivalent:
            return "is noticed, so it is not equivalent"
        return None


def seeded(fault: Fault | None, source: Path, folder: Path) -> Path:
    """Copy the sources with one fault in them."""
    copy = folder / "src"
    shutil.copytree(source, copy)
    if fault is not None:
        path = copy / "assent" / fault.file
        text = path.read_text(encoding="utf-8")
        if text.count(fault.old) != 1:
            message = f"`{fault.name}`: its text stands {text.count(fault.old)} times in {fault.file}, not once"
            raise LookupError(message)
        path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return copy


def first_failure(source: Path, fault: Fault | None = None) -> tuple[str | None, bool]:
    """Run the fast suite on a source folder; return the first test that failed, and whether the run broke."""
    suite = (*AGREEMENT, *MEANING, *LAWS, *VALUES)
    if fault is not None and fault.file in SHARED:
        suite = (*MEANING, *AGREEMENT, *LAWS, *VALUES)
    elif fault is not None and fault.file.startswith("domain/"):
        suite = (*VALUES, *AGREEMENT, *MEANING, *LAWS)
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *OPTIONS, *suite]
    ran = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"^FAILED \S*?(\w+)\.py::(\w+)(\[[^\n]*?\])?(?: - |$)", ran.stdout, re.MULTILINE)
    if ran.returncode == 0:
        return None, False
    return (
        (f"{found[1]}: {found[2]}{found[3] or ''}", False) if found else (ran.stdout[-300:] + ran.stderr[-300:], True)
    )


def outcome(fault: Fault, source: Path) -> Outcome:
    """Seed one fault and run the tests on it."""
    with tempfile.TemporaryDirectory(prefix="assent-fault-") as folder:
        try:
            copy = seeded(fault, source, Path(folder))
        except LookupError as problem:
            return Outcome(fault, str(problem), broken=True)
        return Outcome(fault, *first_failure(copy, fault))


def outcomes(faults: Iterable[Fault], source: Path = REPOSITORY / "src") -> Iterator[Outcome]:
    """Try faults, some at once, in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda fault: outcome(fault, source), faults)


def table(found: Sequence[Outcome]) -> str:
    """Write the outcomes as a Markdown table."""
    rows = ["| side | file | what is wrong | noticed first by |", "|---|---|---|---|"]
    for one in found:
        by = f"`{one.noticed_by}`" if one.noticed_by else f"nothing: {one.fault.equivalent or 'SURVIVED'}"
        by = by.replace("|", "\\|")
        rows.append(f"| {one.fault.side} | `{one.fault.file}` | {one.fault.name} | {by} |")
    return "\n".join(rows)


def main() -> int:
    """Seed the faults that were asked for and print what noticed each."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.seed", description=__doc__)
    parser.add_argument("--source", type=Path, default=REPOSITORY / "src", help="the folder to seed faults into")
    parser.add_argument("--only", metavar="WORD", default="", help="only faults whose file or name has this word")
    parser.add_argument("--table", type=Path, help="write the outcomes as a Markdown table into this file")
    asked = parser.parse_args()
    failed, _ = first_failure(asked.source)
    if failed:
        print(f"without any fault `{failed}` fails already\nrepair that first", file=sys.stderr)
        return 1
    found = []
    for one in outcomes([f for f in FAULTS if asked.only in f"{f.file} {f.name}"], asked.source):
        found.append(one)
        word = one.problem() or ("equivalent" if one.noticed_by is None else "noticed")
        print(f"{word:10} {one.fault.file}: {one.fault.name}\n           {one.noticed_by or ''}", flush=True)
    if asked.table:
        asked.table.write_text(table(found) + "\n", encoding="utf-8")
    wrong = [one for one in found if one.problem()]
    print(f"{len(found)} faults, {sum(one.noticed_by is not None for one in found)} noticed, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
