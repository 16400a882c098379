"""Ready configs for other trainers: one module a program, each naming the version whose form it writes.

`rows` writes what they read. Nothing here is run: the folder that comes of it holds a config, the registration of the
data where a program wants one, and `train.sh`, which starts the run through the gate and records its end.

Of a copy of the data, erasure must know. So rows, caches and prepared tokens lie in the `work` folder of the run, which
goes when the run ends, and nowhere else; the exported folder holds none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assent.learn.runs.config import LoraTable, RunConfig
    from assent.learn.runs.export.rows import Form

TRAINERS: Final = ("axolotl", "llama-factory", "torchtune")


DATA: Final = "data"
"""The folder of what is copied for a program, inside the exported one: a link to the `work` folder of the run."""

WEIGHTS: Final = "weights"
"""Where a program writes what it made, inside the exported folder."""


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What a program is to train: a local model folder `base`, on `conversations` of the split `train`.

    Paths are relative to the exported folder, in which the program is started; only `base` is not.
    """

    config: RunConfig
    base: Path
    splits: tuple[str, ...]
    conversations: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Files to write, by name; the command that trains; where the weights are then; what the environment must say."""

    files: Mapping[str, str]
    command: str
    weights: str = WEIGHTS
    environment: Mapping[str, str] = field(default_factory=dict)


class Trainer(Protocol):
    """A module of this package."""

    PROGRAM: str
    """The program's own name."""

    VERSION: str
    """The version whose form is written; the tests hold what it accepts."""

    FORM: Form
    """What it can read of a conversation."""

    SPLITS: tuple[str, ...]
    """The splits that it looks at."""

    def ready(self, order: ExportOrder) -> Ready:
        """Write the program's config. Raises `Refused` for what the program cannot do."""
        ...


def trainer(name: str) -> Trainer:
    """Return the adapter of one of `TRAINERS`."""
    module: Any = import_module(f"assent.learn.runs.export.{name.replace('-', '_')}")
    found: Trainer = module
    return found


def whole_alpha(lora: LoraTable) -> int:
    """Return the scale of an adapter as these programs take it. Raises `Refused` if it is no whole number."""
    if lora.alpha != int(lora.alpha):
        raise Refused(f"the program takes whole numbers for `lora.alpha`, not `{lora.alpha}`", "round it")
    return int(lora.alpha)


def rows_of(split: str) -> str:
    """Name the file of a split, as it is while the run goes on."""
    return f"{DATA}/{split}.parquet"


def yaml(table: Mapping[str, Any], indent: str = "") -> str:
    """Write a table as YAML: a key a line, tables and lists of tables below their key, everything else as JSON."""
    lines = []
    for key, value in table.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{key}:\n{yaml(value, f'{indent}  ')}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            items = "".join(f"{indent}- {yaml(item, f'{indent}  ').lstrip()}" for item in value)
            lines.append(f"{indent}{key}:\n{items}")
        else:
            lines.append(f"{indent}{key}: {_scalar(value)}\n")
    return "".join(lines)


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # YAML 1.1 takes 1e-05 for a word
    return text.replace("e", ".0e") if isinstance(value, float) and "e" in text and "." not in text else text
