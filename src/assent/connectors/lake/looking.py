"""Looking for conversations in every data file that lies under a table, whether a version still knows it or not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyarrow import parquet

from assent.connectors.files.rows import NoColumnError
from assent.connectors.tree import Tree

if TYPE_CHECKING:
    from assent.connectors.lake.tables import Table

_NO_COLUMN: Final = "does not say whose its rows are: look at it by hand"
_OTHER: Final = "is no Parquet file, which is all that is read"
_DAMAGED: Final = "is damaged or cannot be read: mend or remove it"
_LINK: Final = "a link is neither followed nor removed: look at what it leads to"
_FOLDER: Final = "a folder that cannot be looked into: check its permissions"
_LOGS: Final = ("_delta_log", "metadata")
_TABLES: Final = (".parquet", ".orc", ".avro")


@dataclass(slots=True)
class Look:
    """What the data files hold of some conversations: rows by path, and the files that could not be read."""

    rows: dict[str, Mapping[str, int]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def look(table: Table, wanted: Collection[str]) -> Look:
    """Read the ids of every data file. Raises `OSError` if the table's folder cannot be read."""
    found = Look()
    home = Tree(table.root)
    for path in data_files(home):
        if not path.endswith(".parquet"):
            found.problems[path] = _OTHER
            continue
        try:
            with parquet.ParquetFile(table.root / path, pre_buffer=False) as file:
                if counts := table.count(file, path, wanted):
                    found.rows[path] = counts
        except FileNotFoundError:  # gone since it was listed
            continue
        except NoColumnError:
            found.problems[path] = _NO_COLUMN
        except Exception:  # noqa: BLE001 - what pyarrow raises for a damaged file
            found.problems[path] = _DAMAGED
    found.problems |= dict.fromkeys((path for path in home.links if path.endswith(_TABLES)), _LINK)
    found.problems |= dict.fromkeys(home.unreadable, _FOLDER)
    return found


def data_files(home: Tree) -> Iterator[str]:
    """Find the data files under a table, in a fixed order, without following links."""
    home.check()
    for file in home.files():
        if file.path.split("/")[0] not in _LOGS and file.name.endswith(_TABLES) and not file.name.startswith("."):
            yield file.path


def unlink(root: Path, path: str) -> None:
    """Remove a file under a table, if it is there; no link on the way is followed."""
    home = Tree(root)
    if (file := home.look(path)) is not None:
        home.unlink(file)
        with home.parent(path) as (folder, _name):
            os.fsync(folder)
