"""A worker that is a process of its own answers as a thread would, and is replaced where it dies."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest

from assent.domain.errors import AssentError, Invalid, Place
from assent.services.choose.desk import Rejected
from assent.services.ledger.beside import OwnProcess
from assent.services.ledger.queue import GroupQueue

pytestmark = pytest.mark.anyio

Work = Callable[[Sequence[str]], list[int | Exception]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def work(died: Path, items: Sequence[str]) -> list[int | Exception]:
    """Answer who works; what the items say may be against one of them, against all, or against the process."""
    if "raise" in items:
        raise Rejected("expired", "the group is too old", "ask again")
    if "die" in items or ("die once" in items and not died.exists()):
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    odd = Invalid("it is odd", "send it even", Place("x.toml", 3))
    return [odd if item == "odd" else os.getpid() for item in items]


def made(died: Path) -> Work:
    return partial(work, died)


def worker(folder: Path) -> OwnProcess[str, int]:
    return OwnProcess(partial(made, folder / "died"))


class Tidying:
    """Work that has something to do while nobody waits: it notes for how long it was quiet, and fails at last."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes

    def __call__(self, items: Sequence[str]) -> list[int | Exception]:
        return [len(self.notes.read_text().split()) for _ in items]

    def meanwhile(self, quiet_s: float) -> float:
        with self.notes.open("a") as notes:
            notes.write(f"{quiet_s} ")
        if quiet_s:
            raise OSError("the disk is full")
        return 0.01


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())}


async def test_another_process_answers_in_order_and_ends_when_it_is_closed(tmp_path: Path) -> None:
    beside = worker(tmp_path)
    before = children()
    told = await beside(["a", "odd", "b"])
    assert await beside(["c"]) == [told[0]]
    assert {told[0], told[2]} == children() - before
    assert isinstance(told[1], Invalid)
    assert (told[1].message, told[1].fix, told[1].place) == ("it is odd", "send it even", Place("x.toml", 3))
    await beside.close()
    assert children() == before


async def test_what_speaks_against_the_whole_group_is_raised_with_all_that_it_says(tmp_path: Path) -> None:
    beside = worker(tmp_path)
    with pytest.raises(Rejected, match="too old") as caught:
        await beside(["raise", "a"])
    assert (caught.value.reason, caught.value.fix, caught.value.status) == ("expired", "ask again", 409)
    assert len(await beside(["a"])) == 1
    await beside.close()


@pytest.mark.fault("killed writer of choices")
async def test_where_it_dies_another_one_does_the_group_again_and_it_is_said(tmp_path: Path) -> None:
    deaths: list[str] = []
    beside = OwnProcess(partial(made, tmp_path / "died"), lambda: deaths.append("died"))
    (first,) = await beside(["a"])
    (second,) = await beside(["die once"])
    assert first != second
    (third,) = await beside(["a"])
    assert second == third
    os.kill(int(str(third)), signal.SIGKILL)  # between two groups
    assert len(await beside(["a"])) == 1
    await beside.close()
    assert deaths == ["died", "died"]


@pytest.mark.fault("killed writer of choices")
async def test_one_that_always_dies_of_a_group_says_so_and_serves_the_next(tmp_path: Path) -> None:
    queue = GroupQueue(worker(tmp_path))
    with pytest.raises(AssentError, match="again and again"):
        await queue.of("die")
    assert await queue.of("a") > 0
    await queue.close()
    assert children() == set()


async def test_an_answer_that_nobody_waited_for_is_not_taken_for_another(tmp_path: Path) -> None:
    beside = worker(tmp_path)
    (first,) = await beside(["a"])
    left = asyncio.create_task(beside(["a", "b", "c"]))
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    (second,) = await beside(["a"])
    assert first != second
    await beside.close()


async def test_while_no_group_waits_it_does_what_nobody_waits_for(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    beside: OwnProcess[str, int] = OwnProcess(partial(Tidying, notes))
    beside.begin()
    for groups in (1, 2):
        while notes.read_text() != "0.0 0.01 " * groups:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        # it failed, and answers all the same
        assert await beside(["a"]) == [2 * groups]
    await beside.close()
