"""What a run tells about itself: a line of figures now and then, in a file and in MLflow if that is asked for.

Figures only: never content, never a person.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import orjson

from assent.domain.errors import Refused
from assent.learn.runs.extra import needing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

FILE: Final = "log.jsonl"
EXPERIMENT: Final = "assent"
"""The experiment of MLflow that runs are written to."""
_LOUD: Final = ("accelerate", "datasets", "huggingface_hub", "peft", "torch", "transformers", "trl")


class RunLog:
    """The file `log.jsonl` of a run, one JSON object a line: shard, slice, step, loss, lr, tokens, seconds."""

    def __init__(self, folder: Path, name: str, mlflow: str | None) -> None:
        """Go on with the file in `folder`. Raises `Refused` if MLflow is asked for and missing, or does not answer."""
        self._mlflow = None if mlflow is None else _Tracked(folder, name, mlflow)
        self._stream = (folder / FILE).open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if self._mlflow is not None:
            self._mlflow.end("FINISHED" if kind is None else "FAILED")

    def write(self, figures: dict[str, float | int]) -> None:
        """Add a line; it is on its way to the disk when this returns."""
        self._stream.write(orjson.dumps(figures) + b"\n")
        self._stream.flush()
        if self._mlflow is not None:
            self._mlflow.write(figures)


class _Tracked:
    """A run in MLflow, through its client alone: what is fluent there also sends who is signed in, and the program."""

    def __init__(self, folder: Path, name: str, where: str) -> None:
        with needing("logging to MLflow", "mlflow"):
            from mlflow import MlflowClient
        try:
            self._client = MlflowClient(_store(folder, where))
            found = self._client.get_experiment_by_name(EXPERIMENT)
            experiment = self._client.create_experiment(EXPERIMENT) if found is None else found.experiment_id
            runs = self._client.search_runs([experiment], f"attributes.run_name = '{name}'", max_results=1)
            run = runs[0] if runs else self._client.create_run(experiment, run_name=name)
            self._id = run.info.run_id
            self._client.update_run(self._id, "RUNNING")
        except Exception as problem:  # noqa: BLE001 - errors of every store below it come through as they are
            fix = "look at `mlflow` in `[log]`, and at the server"
            raise Refused(f"MLflow cannot be written to ({type(problem).__name__})", fix) from None
        self._answers = True

    def write(self, figures: dict[str, float | int]) -> None:
        where = f"shard-{figures['shard']}/slice-{figures['slice']}"
        for name in ("loss", "lr", "tokens", "seconds"):
            self._tell("log_metric", f"{where}/{name}", figures[name], step=int(figures["step"]))

    def end(self, state: str) -> None:
        self._tell("set_terminated", state)

    def _tell(self, what: str, *said: Any, **more: Any) -> None:
        """Tell it, and no more once it did not answer: it is asked for minutes, and every figure is in the file too."""
        if self._answers:
            try:
                getattr(self._client, what)(self._id, *said, **more)
            except Exception:  # noqa: BLE001 - the training is worth more than this record of it
                self._answers = False


def _store(folder: Path, where: str) -> str:
    """Name the store: a folder stands for a database in it, since MLflow writes no files into folders any more."""
    if "://" in where:
        return where
    place = folder / where
    place.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{place.absolute() / 'mlflow.db'}"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries below from writing to the terminal and from reaching for the network."""
    from datasets import utils
    from huggingface_hub import constants
    from transformers.utils import logging as said

    levels = {name: logging.getLogger(name).level for name in _LOUD}
    offline = constants.HF_HUB_OFFLINE, constants.HF_HUB_DISABLE_TELEMETRY
    verbosity = said.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            constants.HF_HUB_OFFLINE = constants.HF_HUB_DISABLE_TELEMETRY = True
            for name in _LOUD:
                logging.getLogger(name).setLevel(logging.CRITICAL)
            said.set_verbosity(logging.CRITICAL)
            said.disable_progress_bar()
            utils.logging.disable_progress_bar()
            yield
        finally:
            constants.HF_HUB_OFFLINE, constants.HF_HUB_DISABLE_TELEMETRY = offline
            said.set_verbosity(verbosity)
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def figures_of(logs: dict[str, Any]) -> dict[str, float | int] | None:
    """Take what we tell from what a trainer logs; None if it is no step."""
    if "loss" not in logs:
        return None
    return {"loss": float(logs["loss"]), "lr": float(logs["learning_rate"]), "tokens": int(logs.get("num_tokens", 0))}
