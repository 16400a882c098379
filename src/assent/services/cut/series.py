"""The series of a cut: what the cuts of one name share, in a folder of the home.

    key         names people in every number of the cut: 32 bytes, for its owner only
    terms.json  the purpose, the recipe and the number of buckets, as they were when the series began
    state.json  what the newest number consists of, bucket by bucket
    governed.json  which versions of policies were combined for its rows
    workings/   what came of each conversation (pipeline/workings.py)
    members/    who is in the newest number, bucket by bucket

All of it can be taken away: the next number is then made from scratch, under another key.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from assent.domain.digests import canonical, digest, digest_bytes
from assent.domain.errors import AssentError, NotFound, Refused
from assent.pipeline.folder import alone, settle
from assent.pipeline.recipe import Recipe
from assent.pipeline.workings import WORKINGS, Workings
from assent.pipeline.write import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from assent.services.cut.order import CutOrder

KEY: Final = "key"
_TERMS: Final = "terms.json"
_STATE: Final = "state.json"
_GOVERNED: Final = "governed.json"
MEMBERS: Final = "members"

PARTS_A_BUCKET: Final = 2_000
MOST_BUCKETS: Final = 4_096
"""A bucket is about this many parts when a series begins, and there are no more buckets than this: a power of two."""


@dataclass(slots=True)
class State:
    """What the newest number consists of. `buckets` maps a bucket to the inputs, files and counts of its shards."""

    number: int = 0
    manifest: str = ""
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)


class Series:
    """One series, open for one process."""

    def __init__(self, folder: Path, purpose: str, recipe: Recipe, buckets: int) -> None:
        """Use a folder that was made; `open_series` is the usual way in."""
        self.folder = folder
        self.purpose = purpose
        self.recipe = recipe
        self.buckets = buckets
        self.key = (folder / KEY).read_bytes()
        work = digest([recipe.work_digest, digest_bytes(self.key)])
        self.workings = Workings(folder / WORKINGS, work)
        self.written_digest = digest([work, list(recipe.formats), SETTINGS])
        """Names what files depend on besides the conversations in them."""

    @property
    def state(self) -> State:
        """Read what the newest number consists of; an empty state where nothing is known."""
        try:
            return State(**json.loads((self.folder / _STATE).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return State()

    def keep_state(self, state: State) -> None:
        """Remember what a number consists of, after it was recorded."""
        fields = ("number", "manifest", "buckets")
        _put(self.folder / _STATE, canonical({name: getattr(state, name) for name in fields}))

    @property
    def governed(self) -> dict[str, tuple[str, ...]]:
        """For each policy digest of a row in the workings, the digests of the versions that were combined."""
        try:
            found = json.loads((self.folder / _GOVERNED).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return {name: tuple(versions) for name, versions in found.items()}

    def keep_governed(self, governed: Mapping[str, Sequence[str]]) -> None:
        """Remember versions that were combined; before the rows that name them."""
        if governed.keys() - self.governed.keys():
            _put(self.folder / _GOVERNED, canonical({name: list(versions) for name, versions in governed.items()}))

    def members_before(self, bucket: int) -> pa.Table:
        """Read who was in a bucket of the newest number: `conversation`, `part`, `subject`."""
        try:
            with pa.ipc.open_file(pa.BufferReader(self._members(bucket).read_bytes())) as reader:
                return reader.read_all()
        except FileNotFoundError:
            return pa.table({name: pa.array([], pa.string()) for name in ("conversation", "part", "subject")})

    def keep_members(self, bucket: int, members: pa.Table) -> None:
        """Remember who is in a bucket of the newest number."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, members.schema) as writer:
            writer.write_table(members)
        self._members(bucket).parent.mkdir(mode=0o700, exist_ok=True)
        _put(self._members(bucket), sink.getvalue().to_pybytes())

    def _members(self, bucket: int) -> Path:
        return self.folder / MEMBERS / f"{bucket:05}.members"

    def bucket_key(self) -> str:
        """Return the key of the hash that spreads people over buckets."""
        return digest_bytes(self.key + b"buckets").removeprefix("sha256:")


@contextmanager
def open_series(order: CutOrder, eligible: int) -> Iterator[Series]:
    """Open the series that an order belongs to, or begin it; one process at a time.

    `eligible` parts decide how many buckets a new series has. Raises `Refused` if it is in use, or
    was begun for another purpose or by another recipe.
    """
    folder = order.keys / order.name
    order.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    with _held(folder):
        if order.afresh:
            _clear(folder)
        if not (folder / _TERMS).exists():
            _begin(folder, order, eligible)
        terms = json.loads((folder / _TERMS).read_bytes())
        recipe = Recipe.model_validate(terms["recipe"])
        if terms["purpose"] != order.purpose or (order.recipe is not None and order.recipe != recipe):
            what = "purpose" if terms["purpose"] != order.purpose else "recipe"
            fix = "give the cut another name, or begin the series again: --afresh"
            raise Refused(f"the cuts named `{order.name}` have another {what}", fix)
        yield Series(folder, order.purpose, recipe, terms["buckets"])


def terms_of(keys: Path, name: str) -> tuple[str, Recipe]:
    """Read purpose and recipe of a series. Raises `NotFound` where none was begun."""
    try:
        terms = json.loads((keys / name / _TERMS).read_bytes())
    except FileNotFoundError:
        raise NotFound(
            f"no cut named `{name}` can be refreshed here", "begin one: assent cut create NAME ..."
        ) from None
    return terms["purpose"], Recipe.model_validate(terms["recipe"])


def remove_series(keys: Path, name: str) -> bool:
    """Take a series away, its key with it; False if there is none."""
    folder = keys / name
    if not folder.is_dir():
        return False
    with _held(folder):
        _clear(folder)
    folder.rmdir()
    settle(keys)
    return True


def _begin(folder: Path, order: CutOrder, eligible: int) -> None:
    wanted = max(1, eligible // PARTS_A_BUCKET)
    buckets = order.buckets or min(MOST_BUCKETS, 1 << (wanted - 1).bit_length())
    recipe = (order.recipe or Recipe()).model_dump()
    _put(folder / KEY, order.key)
    _put(folder / _TERMS, json.dumps({"purpose": order.purpose, "recipe": recipe, "buckets": buckets}).encode())


def _clear(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    with alone(folder) as free:
        if not free:
            raise Refused(f"a cut named `{folder.name}` is being made", "wait for it")
        yield


def _put(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(number)
    fresh.replace(path)
    settle(path.parent)
    if not path.is_file():
        raise AssentError("a file of the cut could not be written", "look at the disk")
