"""What the importers' benchmarks share: one reading of the files against parsing alone, and memory as files grow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.board.rounds import Work, cpu, grown, in_turn, thirds
from benchmarks.board.values import Figure, Growth, Result, Spread

_PEAK = """
import sys
from pathlib import Path
from {module} import import_all
from benchmarks.board.rounds import peak_megabytes
import_all(Path(sys.argv[1]))
print(peak_megabytes())
"""


def sizes_of(megabytes: int) -> tuple[int, int, int]:
    """Return three sizes in bytes, the last of them that many MB."""
    return thirds(megabytes * 1_000_000)


def result_of(
    import_all: Callable[[Path], int], written: Mapping[int, Path], peers: Mapping[str, Work], rounds: int
) -> Result:
    """Import the largest in turn with what only parses it, and every size for its time and peak memory."""
    size = max(written)
    sides: dict[str, Work] = {"assent": lambda: import_all(written[size]), **peers}
    times = in_turn(sides, rounds, cpu)
    by_size = {bytes_ // 1_000: lambda path=path: import_all(path) for bytes_, path in written.items()}
    peaks = tuple(
        (bytes_ // 1_000, Spread.single(_peak(import_all.__module__, path))) for bytes_, path in written.items()
    )
    return Result(
        figures=(
            Figure("assent: conversations with marked parts", times.rate("assent", size / 1e6), "MB a CPU second"),
            *(Figure(name, times.rate(name, size / 1e6), "MB a CPU second") for name in peers),
        ),
        ratios=tuple(Figure(f"against {name}", times.against("assent", name)) for name in peers),
        growth=(
            grown("importing", by_size, rounds, of="kB", clock=cpu),
            Growth("peak memory of a process that imports", "MB", "kB", peaks),
        ),
    )


def _peak(module: str, path: Path) -> float:
    """Import in a fresh process and read its peak memory."""
    command = [sys.executable, "-c", _PEAK.format(module=module), str(path)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
