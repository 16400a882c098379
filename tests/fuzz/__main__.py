"""Fuzz every reader for a set time each: `python -m tests.fuzz [--seconds 60] [--only NAME]...` (`make check-fuzz`).

What the fuzzer learned stays in `.fuzz/corpus` and is gone on from. An input that breaks a reader is copied to `found`,
where the tests read it from then on; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.fuzz.target import FOUND, GROUPS, MEMORY_MB, REPOSITORY, WITHIN_S, Target, targets

HERE = REPOSITORY / ".fuzz"
LONGEST_BYTES = 16_384
"""Of an input: a fault that needs more is rare, and longer ones cost the others their turns."""

_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_REACHED = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)")


@dataclass
class Outcome:
    """What came of one reader: inputs read, places of our code reached, inputs worth keeping, and what was found."""

    runs: int
    reached: int
    kept: int
    found: list[Path]
    said: str


def fuzz(group: str, target: Target, seconds: int) -> Outcome:
    """Run the fuzzer on one reader in a process of its own."""
    corpus, seeds, broken = (HERE / kind / target.name for kind in ("corpus", "seeds", "broken"))
    for folder in (corpus, seeds, broken):
        folder.mkdir(parents=True, exist_ok=True)
    for data in target.inputs():
        (seeds / sha256(data).hexdigest()[:16]).write_bytes(data)
    options = [
        f"-max_total_time={seconds}", f"-timeout={WITHIN_S}", f"-rss_limit_mb={MEMORY_MB}", f"-max_len={LONGEST_BYTES}",
        f"-artifact_prefix={broken}/", "-print_final_stats=1",
    ]  # fmt: skip
    command = [sys.executable, "-m", "tests.fuzz.one", group, target.name, *options, str(corpus), str(seeds)]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "lib"), "PYTHONWARNINGS": "ignore"}
    run = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, check=False)
    said = (run.stdout + run.stderr).decode(errors="replace")
    done, reached = _DONE.search(said), _REACHED.findall(said)
    found = sorted(broken.iterdir())
    if run.returncode and not found:
        raise SystemExit(f"the fuzzer of `{target.name}` could not work:\n{said[-3_000:]}")
    runs = int(done[1]) if done else int((re.findall(r"^#(\d+)", said, re.MULTILINE) or ["0"])[-1])
    return Outcome(runs, *(map(int, reached[-1]) if reached else (0, 0)), found, said)


def keep(target: Target, outcome: Outcome) -> list[Path]:
    """Copy what was found to where the tests read it, and take it out of the way of the next run."""
    kept = []
    for path in outcome.found:
        place = FOUND / target.name / path.name.partition("-")[2][:12]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, place)
        kept.append(place)
    return kept


def main() -> int:
    """Fuzz reader after reader and say what came of it."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--seconds", type=int, default=60, help="for each reader")
    asked.add_argument("--only", action="append", default=[], metavar="NAME", help="a reader or a group; repeatable")
    told = asked.parse_args()
    chosen = [(group, one) for group in GROUPS[:-1] for one in targets(group)]
    chosen = [(group, one) for group, one in chosen if not told.only or {group, one.name} & {*told.only}]
    if not chosen:
        asked.error(f"no reader or group of that name; groups: {', '.join(GROUPS[:-1])}")
    (planted,) = targets(GROUPS[-1])
    proof = fuzz(GROUPS[-1], planted, 60)
    for path in proof.found:
        path.unlink()
    if not proof.found:
        raise SystemExit(f"the fuzzer does not find a fault that was planted:\n{proof.said[-3_000:]}")
    print(f"{'reader':32} {'inputs':>10} {'reached':>8} {'kept':>6}  found", flush=True)
    faults = 0
    for group, target in chosen:
        outcome = fuzz(group, target, told.seconds)
        kept = keep(target, outcome)
        faults += len(kept)
        names = ", ".join(str(path.relative_to(REPOSITORY)) for path in kept)
        print(f"{target.name:32} {outcome.runs:10,} {outcome.reached:8,} {outcome.kept:6,}  {names or '-'}", flush=True)
        if kept:
            print(
                "\n".join(line for line in outcome.said.splitlines() if not line.startswith("#"))[-2_500:], flush=True
            )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
