"""How things are measured: sizes that can be set, rounds in turn, and costs that are compared round by round."""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.board.values import Growth, Spread

Number = TypeVar("Number", int, float)
Work = Callable[[], object]
Clock = Callable[[], float]

SETTINGS: Final[dict[str, float]] = {}
"""Every size that this process has asked for, as it is."""


def setting(name: str, usual: Number, *, small: Number) -> Number:
    """Return a size: that of the environment, else `small` under SIZE=small, else the usual one."""
    kind = type(usual)
    told = os.environ.get(name)
    found = kind(told) if told else small if is_small() else usual
    SETTINGS[name] = found
    return found


def is_small() -> bool:
    """Tell whether this run only tries whether everything works: its figures mean nothing."""
    return os.environ.get("SIZE") == "small"


def wall() -> float:
    """Return the seconds of a clock on the wall."""
    return time.perf_counter()


def cpu() -> float:
    """Return the CPU seconds of this process, all its threads, and of the processes that it has waited for.

    They depend less than the wall's on who else is at work.
    """
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def took(work: Work, clock: Clock = wall) -> float:
    """Return the seconds that work takes once."""
    start = clock()
    work()
    return clock() - start


class Times:
    """Seconds by side and round. Sides are compared within a round, so that a slow minute counts for both."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    def __getitem__(self, side: str) -> list[float]:
        """Return the seconds of a side, round after round."""
        return self._seconds[side]

    def add(self, side: str, seconds: float) -> None:
        """Keep the seconds of one more round of a side."""
        self._seconds.setdefault(side, []).append(seconds)

    @contextmanager
    def timing(self, side: str, clock: Clock = wall) -> Iterator[None]:
        """Time what is done inside as one more round of a side."""
        start = clock()
        yield
        self.add(side, clock() - start)

    def spread(self, side: str, times: float = 1.0) -> Spread:
        """Return the seconds of a side, multiplied: 1,000 for milliseconds, 1e6 / items for microseconds an item."""
        return Spread.of([one * times for one in self[side]])

    def rate(self, side: str, amount: float) -> Spread:
        """Return how much of `amount` is done in a second."""
        return Spread.of([amount / one for one in self[side]])

    def against(self, ours: str, peer: str) -> Spread:
        """Return what ours costs over what the peer costs, round by round."""
        return Spread.of([a / b for a, b in zip(self[ours], self[peer], strict=True)])


def in_turn(sides: Mapping[str, Work], rounds: int, clock: Clock = wall, *, warm: int = 1) -> Times:
    """Do every side once a round, in turn, after `warm` rounds that do not count."""
    times = Times()
    for number in range(warm + rounds):
        for name, work in sides.items():
            gc.collect()
            seconds = took(work, clock)
            if number >= warm:
                times.add(name, seconds)
    return times


def thirds(most: int) -> tuple[int, int, int]:
    """Return three sizes, each four times the one before."""
    return most // 16, most // 4, most


def grown(name: str, sizes: Mapping[int, Work], rounds: int, *, of: str, clock: Clock = wall) -> Growth:
    """Measure the same work at several sizes, in turn; the cost is in microseconds an item."""
    times = in_turn({str(size): work for size, work in sizes.items()}, rounds, clock)
    return growth(name, {size: times[str(size)] for size in sizes}, of=of)


def growth(name: str, seconds: Mapping[int, Sequence[float]], *, of: str) -> Growth:
    """Lay seconds by size out as microseconds an item."""
    points = tuple((size, Spread.of([1e6 * one / size for one in found])) for size, found in sorted(seconds.items()))
    return Growth(name, f"µs for each of the {of}", of, points)


def peak_megabytes() -> float:
    """Return the peak memory of this process in MB.

    The kernel's own status is read, because `getrusage` also counts the parent that started this process.
    """
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def peers_environment() -> str:
    """Return the interpreter with the peers that are not ours to install; empty where ASSENT_PEERS names none."""
    return os.environ.get("ASSENT_PEERS", "")


def no_peers(what: str) -> str:
    """Say that peers are absent, and how they are made to be there."""
    return f"{what}: ASSENT_PEERS names no interpreter of an environment that has it"


def public_data() -> Path:
    """Return the folder with the public data sets: ASSENT_DATA, else where a checkout may have them beside it."""
    return Path(os.environ.get("ASSENT_DATA") or Path(__file__).parents[3] / "shared" / "data")


def no_data(what: str) -> str:
    """Say that a public data set is absent, and how it is made to be there."""
    return f"{what}: ASSENT_DATA names no folder that has it"
