"""The port of a table: what readers see, which files lie under it, and how its library lets go of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import pyarrow as pa
from pyarrow import parquet

Kind = Literal["data file", "older data file", "change data", "orphan data file"]


@dataclass(frozen=True, slots=True)
class Held:
    """What a file under a table is to it. `until` says what has to happen before it goes."""

    kind: Kind
    until: str = ""


class Table(Protocol):
    """One table as it is at this moment. Paths are relative to `root`.

    Raises `OSError` or `AssentError` if the table cannot be reached.
    """

    @property
    def root(self) -> Path:
        """The folder of all of its files."""
        ...

    @property
    def changed(self) -> tuple[str, int]:
        """Name the version that readers see, and when it was made, in nanoseconds."""
        ...

    def batches(self, columns: Collection[str], ids: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read what readers see, all of it or the rows of some conversations, without columns that are not there."""
        ...

    def count(self, file: parquet.ParquetFile, path: str, ids: Collection[str]) -> Mapping[str, int]:
        """Count rows in a data file. Raises `NoColumnError` (files/rows) if it does not say whose its rows are."""
        ...

    def held(self) -> Mapping[str, Held]:
        """Say what each file that some version knows is to the table; all others are orphans."""
        ...

    def statistics(self) -> Iterator[tuple[str, Collection[str]]]:
        """Give each file of metadata with the data files of which it holds texts as bounds."""
        ...

    def until(self, statistics: str) -> str:
        """Say what has to happen before a file of metadata goes."""
        ...

    def delete(self, ids: Collection[str]) -> None:
        """Delete the rows of conversations from what readers see."""
        ...

    def let_go(self, files: Collection[str], *, at_once: bool) -> None:
        """Let go of older versions whose time is over (`at_once`: of all), and of those of `files` that none knows."""
        ...
