"""The file that says how a model is trained: every key, its meaning, its unit and what holds if it is left out.

The file is TOML. What it says, with the defaults filled in, has a digest that the record of the run keeps: two files
with the same digest ask for the same weights.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place
from assent.policy.parse import Places

EXAMPLE: Final = """\
[run]
trainer = "trl"                    # or "external": another program trains and reports by `assent train finish`
seed = 0
threads = 1                        # of the CPU; the weights depend on it to the bit
device = "auto"                    # "auto" takes a GPU if there is one; "cpu", "cuda"

[model]
size = "tiny"                      # from scratch: "tiny", "small" or a table:
# size = { layers = 4, width = 256, heads = 4, context = 512 }
# base = "models/some-model"       # or: go on from a model in a local folder; nothing is ever fetched
# template = "base"                # or "own"; a base keeps its own chat template if it has one

[train]
epochs = 1
batch = 8                          # rows a step and device
accumulate = 1                     # steps whose gradients are added before the weights change
learning_rate = 1e-3
warmup = 0.05                      # share of the steps over which the learning rate rises
schedule = "cosine"                # how it falls afterwards; "linear", "constant"
max_length = 512                   # tokens a row; a longer conversation is split between turns
packing = false                    # put short conversations into one row
assistant_only_loss = true         # learn what the assistant says, not what people ask
weight_decay = 0.01
precision = "float32"              # or "bfloat16"
# save_every = 500                 # steps between checkpoints inside a slice
# steps = 1000                     # stop each slice after so many

# [lora]                           # train an adapter of few weights instead of all
# rank = 16
# alpha = 32
# dropout = 0.0
# targets = "all-linear"           # or names of modules: ["q_proj", "v_proj"]

# [sharding]                       # so that a person can be forgotten without training everything anew
# shards = 4
# slices = 4

# [canaries]                       # made-up secrets, to measure how much the model remembers
# count = 20
# repeats = [1, 2, 4, 8]
# length = 8

# [log]
# mlflow = "mlflow"                # a folder (of the run, unless absolute), or the address of a tracking server
"""
"""A configuration with every key, for people who begin one."""

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RunTable(_Table):
    """Who trains, and what the bits of the result depend on besides the data.

    `seed` starts every draw of chance. `threads` is the number of CPU threads: sums are added in an order that depends
    on it. `device` is where the model lies; `auto` takes a GPU if there is one.
    """

    trainer: Literal["trl", "external"] = "trl"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Shape(_Table):
    """A model from scratch: layers, width of the hidden state, heads of attention, and the longest input in tokens."""

    layers: Annotated[int, Field(ge=1, le=256)]
    width: Annotated[int, Field(ge=8, le=65_536)]
    heads: Annotated[int, Field(ge=1, le=512)]
    context: Annotated[int, Field(ge=16, le=2**20)]

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        # Rotary positions turn pairs of numbers, so a head has an even width.
        if self.width % (2 * self.heads):
            raise ValueError("`width` must be a multiple of twice `heads`")
        return self


def _kind(value: object) -> str:
    return "(name)" if isinstance(value, str) else "(table)"


_TABLE: Final = Tag("(table)")
_Named = Annotated[Literal["tiny", "small"], Tag("(name)")]
_All = Annotated[Literal["all-linear"], Tag("(name)")]
_Modules = Annotated[tuple[str, ...], Field(min_length=1, strict=False), Tag("(table)")]

SIZES: Final = {
    "tiny": Shape(layers=2, width=64, heads=2, context=512),
    "small": Shape(layers=6, width=384, heads=6, context=1024),
}
"""Shapes with a name. `tiny` (0.1 million weights) is for trying things out on one core, `small` has 11 million."""


class ModelTable(_Table):
    """Where the weights begin: `base`, a local folder, or `size`, from scratch with a byte-level tokenizer.

    `template` says how a conversation becomes text: `base` as the base model was taught, `own` as the models from
    scratch are. Left out, it is `base` if the folder brings a chat template, else `own`.
    """

    base: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    size: Annotated[_Named | Annotated[Shape, _TABLE], Discriminator(_kind)] | None = None
    template: Literal["base", "own"] | None = None

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if (self.base is None) == (self.size is None):
            raise ValueError("give either `base` or `size`")
        if self.template == "base" and self.base is None:
            raise ValueError('`template = "base"` needs a `base`')
        return self

    @property
    def shape(self) -> Shape | None:
        """The shape of a model from scratch, None with a base."""
        return SIZES[self.size] if isinstance(self.size, str) else self.size


class TrainTable(_Table):
    """How it learns.

    `batch` rows a step and device, of at most `max_length` tokens each; gradients of `accumulate` steps are added up.
    `learning_rate` rises over the share `warmup` of the steps and falls by `schedule`. `weight_decay` is AdamW's.
    `precision` is that of the arithmetic; the weights are kept in float32. `save_every` (steps) lets a killed run go on
    inside a slice, not only between slices. `steps` ends each slice early. `packing` fills rows with whole
    conversations of one slice; the model sees the neighbours in its row.
    """

    epochs: Count = 1
    batch: Count = 8
    accumulate: Count = 1
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    warmup: Share = 0.05
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    max_length: Annotated[int, Field(ge=16, le=2**20)] = 512
    packing: bool = False
    assistant_only_loss: bool = True
    weight_decay: Share = 0.01
    precision: Literal["float32", "bfloat16"] = "float32"
    save_every: Count | None = None
    steps: Count | None = None


class LoraTable(_Table):
    """Low-rank adapters instead of all weights: rank, scale (`alpha`), dropout, and the modules that get one."""

    rank: Annotated[int, Field(ge=1, le=4096)] = 16
    alpha: Annotated[float, Field(gt=0)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: Annotated[_All | _Modules, Discriminator(_kind)] = "all-linear"


class ShardingTable(_Table):
    """Into how many models the people are divided, and in how many slices each learns. A checkpoint ends each slice."""

    shards: Annotated[int, Field(ge=1, le=256)] = 1
    slices: Annotated[int, Field(ge=1, le=256)] = 1


class CanariesTable(_Table):
    """Made-up secrets (learn/runs/canaries.py): `count` for each of `repeats`, of `length` random digits each."""

    count: Annotated[int, Field(ge=1, le=100_000)]
    repeats: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (1,)
    length: Annotated[int, Field(ge=4, le=18)] = 8


class LogTable(_Table):
    """Where figures go besides `log.jsonl`.

    `mlflow` is the address of a tracking server or of its database, or a folder for one: of the run, unless absolute.
    """

    mlflow: Annotated[str, Field(min_length=1, max_length=4096)] | None = None


class RunConfig(_Table):
    """A whole configuration. `model` may be left out for an external trainer only."""

    run: RunTable = RunTable()
    model: ModelTable | None = None
    train: TrainTable = TrainTable()
    lora: LoraTable | None = None
    sharding: ShardingTable = ShardingTable()
    canaries: CanariesTable | None = None
    log: LogTable = LogTable()

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.model is None:
            if self.run.trainer == "trl":
                raise ValueError("`model` is missing: name a `base` or a `size`")
            return self
        shape = self.model.shape
        if shape is not None and self.train.max_length > shape.context:
            raise ValueError(f"`train.max_length` is more than the {shape.context} tokens of the model's context")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of every key, defaults filled in; fractions are written as text."""
        return digest(_exact(self.model_dump(mode="json")))


def parse_config(text: str, file: str) -> RunConfig:
    """Read a configuration. Raises `Invalid` with place and fix."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"this is not TOML: {str(error).lower()}", "correct the syntax", Place(file)) from None
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise _problem(error.errors(include_url=False)[0], Places(text, file)) from None


def _exact(value: Any) -> Any:
    """Write fractions as their shortest text: canonical JSON knows integers only."""
    match value:
        case dict():
            return {key: _exact(item) for key, item in value.items()}
        case list():
            return [_exact(item) for item in value]
        case float():
            return repr(value)
    return value


def _problem(fault: Any, places: Places) -> Invalid:
    path = tuple(part for part in fault["loc"] if part not in ("(name)", "(table)"))
    name = ".".join(str(part) for part in path)
    shown = "`assent train start --example` prints a file with every key"
    if fault["type"] == "missing":
        return Invalid(f"`{name}` is missing", f"add it; {shown}", places.of(path[:-1]))
    if fault["type"] == "extra_forbidden":
        return Invalid(f"`{name}` is not known here", f"take it out; {shown}", places.of(path))
    said = str(fault["msg"]).removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    return Invalid(f"`{name}`: {said}" if name else said, f"correct the value; {shown}", places.of(path))
