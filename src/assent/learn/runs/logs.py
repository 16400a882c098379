"""What a run tells about itself: a line of figures now and then, in a file and in MLflow if that is asked for.

Figures only: never content, never a person.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import orjson

from assent.learn.runs.extra import needing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

FILE: Final = "log.jsonl"
_LOUD: Final = ("accelerate", "datasets", "huggingface_hub", "peft", "torch", "transformers", "trl")


class RunLog:
    """The file `log.jsonl` of a run, one JSON object a line: shard, slice, step, loss, lr, tokens, seconds."""

    def __init__(self, folder: Path, name: str, mlflow: str | None) -> None:
        """Go on with the file in `folder`. Raises `Refused` if MLflow is asked for and not installed."""
        self._stream = (folder / FILE).open("ab")
        self._mlflow = None
        if mlflow is not None:
            with needing("logging to MLflow", "mlflow"):
                import mlflow as client
            client.set_tracking_uri(mlflow)
            client.set_experiment("assent")
            client.start_run(run_name=name)
            self._mlflow = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if self._mlflow is not None:
            self._mlflow.end_run("FINISHED" if kind is None else "FAILED")

    def write(self, figures: dict[str, float | int]) -> None:
        """Add a line; it is on its way to the disk when this returns."""
        self._stream.write(orjson.dumps(figures) + b"\n")
        self._stream.flush()
        if self._mlflow is not None:
            where = f"shard-{figures['shard']}/slice-{figures['slice']}"
            said = {name: figures[name] for name in ("loss", "lr", "tokens", "seconds")}
            self._mlflow.log_metrics({f"{where}/{name}": value for name, value in said.items()}, step=figures["step"])


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
