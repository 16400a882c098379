"""Records on disk: one JSON file a headline, with what it takes to measure the same again."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from benchmarks.board.rounds import SETTINGS
from benchmarks.board.values import Headline, Record

_JSON: Final = TypeAdapter(Record)


def measured(name: str, headline: Headline) -> Record:
    """Measure a headline, and keep the result with today, this machine and the sizes of this process."""
    found_at, day = machine(headline.uses), datetime.now(UTC).date()
    return Record(name, headline.words, day.isoformat(), found_at, dict(SETTINGS), headline.measure())


def write(folder: Path, record: Record) -> None:
    """Write a record as `NAME.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{record.name}.json").write_bytes(_JSON.dump_json(record, indent=1, exclude_defaults=True) + b"\n")


def read(file: Path) -> Record:
    """Read one record."""
    return _JSON.validate_json(file.read_bytes())


def read_all(folder: Path) -> dict[str, Record]:
    """Read every record of a folder, in alphabetical order; none where there is no folder."""
    return {file.stem: read(file) for file in sorted(folder.glob("*.json"))}


def machine(uses: tuple[str, ...] = ()) -> str:
    """Describe this machine in a line: processor, cores, memory, load, and the versions that matter."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", *map(_version, uses)]
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, {cores} cores, {memory:.0f} GB, load {os.getloadavg()[0]:.1f}; {', '.join(versions)}"


def _version(distribution: str) -> str:
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return f"{distribution} absent"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
