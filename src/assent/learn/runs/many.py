"""One training in several processes: of one machine, each with a GPU of its own, or all on the CPU.

The order is written into the folder of the run, torch's own launcher starts the processes, and each of them carries
out the same order; accelerate divides the rows. What they make lies in the folder afterwards, as if one had made it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import AssentError, Refused
from assent.learn.runs.config import RunConfig
from assent.learn.runs.data import CutFiles, DataFile
from assent.learn.runs.train import WEIGHTS, Trained, TrainOrder, read_slices, train
from assent.learn.runs.weights import weights_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

ORDER: Final = "order.json"
LOOK_S: Final = 1.0
_TOLD: Final = "problem.json"


def train_together(order: TrainOrder, processes: int, progress: Progress) -> Trained:
    """Carry out an order in several processes. Raises what `train` raises, or `AssentError` if one of them died."""
    began, before = perf_counter(), read_slices(order.folder).get("slices", [])
    written, told = order.folder / ORDER, order.folder / _TOLD
    told.unlink(missing_ok=True)
    written.touch(mode=0o600)
    written.write_text(json.dumps(_record(order)), "utf-8")
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", __name__]
    try:
        with progress("training", 1) as advance:
            status = _run([sys.executable, "-m", *launcher, str(written)], partial(advance, 0))
            advance(1)
        if status:
            raise _problem(told, status)
    finally:
        written.unlink()
        told.unlink(missing_ok=True)
    weights = order.folder / WEIGHTS
    new = [one for one in read_slices(order.folder)["slices"] if one not in before]
    steps, tokens = (sum(one[name] for one in new) for name in ("steps", "tokens"))
    return Trained(weights, weights_digest(weights), steps, tokens, perf_counter() - began)


def _run(command: list[str], look: Callable[[], None]) -> int:
    """Run the launcher to its end, and tell the caller every second that it still runs: who raises there ends it."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as launched:  # noqa: S603 - ourselves
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return launched.wait(LOOK_S)
                look()
        except BaseException:
            launched.terminate()  # which ends the processes that it started
            raise


def main(path: Path) -> None:
    """Be one of the processes."""
    said = json.loads(path.read_text("utf-8"))
    files = said["files"]
    order = TrainOrder(
        RunConfig.model_validate_json(said["config"]),
        path.parent,
        CutFiles(files["split"], *(tuple(map(_file, files[kind])) for kind in ("messages", "parts"))),
        frozenset(said["without"]),
        said["resume"],
    )
    try:
        train(order, _silent)
    except AssentError as problem:
        told = {"refused": isinstance(problem, Refused), "message": problem.message, "fix": problem.fix}
        (path.parent / _TOLD).write_text(json.dumps(told), "utf-8")
        raise


def _record(order: TrainOrder) -> dict[str, Any]:
    files = json.loads(json.dumps(asdict(order.files), default=str))
    config, without = order.config.model_dump_json(), sorted(order.without)
    return {"config": config, "files": files, "without": without, "resume": order.resume}


def _file(said: dict[str, Any]) -> DataFile:
    return DataFile(Path(said["path"]), said["sha256"], said["rows"])


def _problem(told: Path, status: int) -> AssentError:
    if not told.exists():
        return AssentError(f"a process of the trainer ended with status {status}", "go on: assent train resume")
    said = json.loads(told.read_text("utf-8"))
    return (Refused if said["refused"] else AssentError)(said["message"], said["fix"])


@contextmanager
def _silent(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
    # only the first process could show progress, and it is not the one that somebody looks at
    yield lambda _amount: None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
