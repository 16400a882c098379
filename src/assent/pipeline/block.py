"""What a block of a cut is: whole conversations in, whole conversations out, and an account of what left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from assent.domain.digests import digest

if TYPE_CHECKING:
    import pyarrow as pa


class Dropped(NamedTuple):
    """A part that a block keeps aside: its name (`<conversation>#<part>`) and the reason, never content."""

    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a block made of a batch.

    `rows` may have more columns than came in, and never fewer. `counts` are sums for the
    manifest, by a name of the block's own.
    """

    rows: pa.RecordBatch
    dropped: tuple[Dropped, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


class Block(Protocol):
    """A pure step over batches of the columns of `pipeline.write.PARTS`, by whole conversations, in order.

    The same rows give the same bytes, whatever the size of the batches, the process or the
    machine. A block is made of plain values and loads its models when it is first applied,
    so that it can be sent to a worker. It leaves a conversation out by dropping all its parts.
    """

    @property
    def name(self) -> str:
        """The name of its table in a recipe."""

    def describe(self) -> dict[str, Any]:
        """Return everything the output depends on besides rows and keys.

        Version, terms, seeds, digests of models: in text and integers, for the digest knows no floats.
        """

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Work on a batch of whole conversations."""


def block_digest(block: Block) -> str:
    """Return the digest that names a block and everything its output depends on, `sha256:...`."""
    return digest({"block": block.name, **block.describe()})
