"""The recipe of a cut: which blocks work on the rows, in which order, and what is chosen among them afterwards.

A recipe is one TOML file. Each block has a table, `[blocks.NAME]`; a block without a table is left out, and the
order is fixed here: what people wrote about themselves goes before anything is compared or counted.
"""

from __future__ import annotations

import tomllib
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place
from assent.pipeline.block import block_digest
from assent.pipeline.extra import needing

if TYPE_CHECKING:
    from assent.pipeline.block import Block

ORDER: Final = {
    "reservations": "assent.pipeline.reservations:Reservations",
    "normalise": "assent.pipeline.normalise:Normalise",
    "redact": "assent.pipeline.redact.block:Redact",
    "language": "assent.pipeline.language:Language",
    "quality": "assent.pipeline.quality:Quality",
    "skill": "assent.pipeline.skill.block:Skill",
    "decontaminate": "assent.pipeline.decontaminate:Decontaminate",
    "tokens": "assent.pipeline.tokens:Tokens",
}
"""Blocks by the name of their table, in the order in which they work, and where they are."""

KEYED: Final = frozenset({"redact"})
"""Blocks that are given the key of the cut."""

STANDARD: Final = """\
# The recipe that is used where none is named.
formats = ["messages"]

[blocks.reservations]
[blocks.normalise]
[blocks.redact]
[blocks.language]
[blocks.quality]
[blocks.skill]

[dedup]

[balance]
[split]
"""
PLAIN: Final = "formats = ['messages']\n"
"""No block at all: what is eligible, as it was written."""

Format = Literal["messages", "sharegpt", "preferences", "ratings"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Dedup(_Strict):
    """Which copies are left out. `threshold` is a Jaccard similarity in per cent."""

    threshold: int = Field(default=80, ge=50, le=100)
    strict_twin: bool = False
    """Whether a text also goes if somebody who declined has written nearly the same: their texts are read for it."""
    boilerplate: bool = True
    """Whether turns go that many people have in common."""


class Balance(_Strict):
    """How much of the cut one person may be. `mix` gives shares by skill, which count against each other."""

    conversations: int | None = Field(default=1_000, ge=1)
    rows: int | None = Field(default=20_000, ge=1)
    mix: dict[str, int] = {}


class Split(_Strict):
    """Shares of people, in ten-thousandths, that are held back; the others are for training."""

    validation: int = Field(default=100, ge=0, le=5_000)
    test: int = Field(default=100, ge=0, le=4_999)


class Recipe(_Strict):
    """A recipe that was read. Two with the same digest do the same."""

    formats: tuple[Format, ...] = Field(default=("messages",), strict=False)
    blocks: dict[str, dict[str, Any]] = {}
    dedup: Dedup | None = None
    balance: Balance | None = None
    split: Split | None = None

    def made(self, key: bytes) -> list[Block]:
        """Build the blocks, in their order. Raises `Invalid` for terms that a block does not know."""
        return [_made(name, self.blocks[name], key) for name in ORDER if name in self.blocks]

    def describe(self) -> list[dict[str, Any]]:
        """Say for the manifest what each block depends on, with its digest."""
        blocks = [(block.name, block.describe(), block_digest(block)) for block in self.made(bytes(32))]
        return [{**described, "block": name, "digest": found} for name, described, found in blocks]

    @property
    def work_digest(self) -> str:
        """Name everything that the work on a single conversation depends on, but for its key."""
        return digest([*self.describe(), {"dedup": self.dedup is not None}])


def parse_recipe(text: str, name: str) -> Recipe:
    """Read a recipe. Raises `Invalid` with the place and the fix."""
    try:
        found = Recipe.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"the recipe is not TOML: {error}", "correct it", Place(name)) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(one) for one in first["loc"])
        raise Invalid(f"`{where}` of the recipe: {first['msg'].lower()}", "correct it", Place(name)) from None
    if strange := sorted(found.blocks.keys() - ORDER.keys()):
        raise Invalid(f"there is no block `{strange[0]}`", f"use some of {', '.join(ORDER)}", Place(name))
    for block in found.made(bytes(32)):
        block.describe()
    return found


def _made(name: str, terms: dict[str, Any], key: bytes) -> Block:
    if name == "decontaminate":
        return _benchmarks(terms)
    module, _, kind = ORDER[name].partition(":")
    with needing(f"the block `{name}`"):
        made = getattr(import_module(module), kind)
    from_terms = getattr(import_module(module), f"{kind}Terms", None)
    known = set() if from_terms is None else set(signature(from_terms).parameters)
    if strange := sorted(terms.keys() - known):
        fix = f"use some of {', '.join(sorted(known))}" if known else "it has none"
        raise Invalid(f"the block `{name}` has no term `{strange[0]}`", fix)
    values = () if from_terms is None else (from_terms(**terms),)
    block: Block = made(key, *values) if name in KEYED else made(*values)
    return block


def _benchmarks(terms: dict[str, Any]) -> Block:
    """Build the block that is made of files: `files` names the benchmarks, the rest are its terms."""
    with needing("the block `decontaminate`"):
        from assent.pipeline.decontaminate import (  # noqa: PLC0415 - an extra
            Decontaminate,
            DecontaminateTerms,
            build_index,
        )

    found = DecontaminateTerms(**{name: value for name, value in terms.items() if name != "files"})
    return Decontaminate(found, build_index([Path(file) for file in terms.get("files", [])], found))
