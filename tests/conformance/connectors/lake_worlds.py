"""Tables of a lake in a temporary folder, with older versions, change data and statistics, for the tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet
from pyiceberg.avro.file import AvroFile
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.expressions import EqualTo
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table
from tests.conformance.connectors.files_worlds import BEGIN, secret
from tests.conformance.connectors.kit import ODD_IDS, Seeded

from assent.connectors.lake.product import Lake, Settings, connect

SCHEMA = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("owner", pa.string()),
        ("role", pa.string()),
        ("content", pa.string()),
        ("created_at", pa.timestamp("us", "UTC")),
    ]
)


def turn(name: str, owner: str, role: str, text: str, at: datetime) -> dict[str, Any]:
    return {"conversation_id": name, "owner": owner, "role": role, "content": text, "created_at": at}


def arrow(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


class LakeWorld:
    """What both have in common. The marker is the beginning of a text, so that bounds of columns hold it."""

    odd_ids = ODD_IDS

    def __init__(self, tmp: Path, **keys: Any) -> None:
        self.tmp = tmp
        self.keys = {"rows": "turn", "vacuum_now": True, **keys}
        self.seeded = 0

    @property
    def root(self) -> Path:
        raise NotImplementedError

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        raise NotImplementedError

    def settings(self) -> Settings:
        raise NotImplementedError

    def product(self) -> Lake:
        return connect(self.settings(), secret)

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        found, asked, answered = [], [], []
        for number in range(self.seeded, self.seeded + count):
            name = ids[number - self.seeded] if ids else f"c-{number:06d}-{number % 7}"
            marker, at, owner = f"qua{number:06d}zeph", BEGIN + timedelta(minutes=number), f"person-{number % 3}"
            asked.append(turn(name, owner, "user", f"{marker} please", at))
            answered.append(turn(name, owner, "assistant", f"{marker}, gladly", at + timedelta(minutes=5)))
            found.append(Seeded(name, marker, at, owner))
        self.seeded += count
        self.append([*asked, *answered])
        return found

    def take_turn(self, name: str, at: datetime) -> None:
        self.append([turn(name, "person-0", "user", "one more thing", at)])

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        wanted = [marker.encode() for marker in markers]
        found = {}
        for file in sorted(self.root.rglob("*")):
            if file.is_file():
                said = file.read_bytes() + _said(file)
                found[str(file.relative_to(self.root))] = sum(said.count(one) for one in wanted if b"qua" in said)
        return found

    def break_down(self) -> None:
        self.root.rename(self.tmp / "away")

    def mend(self) -> None:
        (self.tmp / "away").rename(self.root)

    def maintenance(self) -> AbstractContextManager[None]:
        return nullcontext()


def _said(file: Path) -> bytes:
    """Give what a packed file says."""
    if file.suffix == ".parquet":
        return json.dumps(parquet.read_table(io.BytesIO(file.read_bytes())).to_pylist(), default=str).encode()
    if file.suffix == ".avro":
        with AvroFile(PyArrowFileIO().new_input(str(file))) as reader:
            return b"".join(str(record).encode() for record in reader)
    return b""


class DeltaWorld(LakeWorld):
    """A Delta table with a change data feed."""

    configuration: Mapping[str, str] = {"delta.enableChangeDataFeed": "true"}

    def __init__(self, tmp: Path, **keys: Any) -> None:
        super().__init__(tmp, **keys)
        DeltaTable.create(self.root, schema=SCHEMA, configuration=dict(self.configuration))

    @property
    def root(self) -> Path:
        return self.tmp / "table"

    def settings(self) -> Settings:
        return Settings(name="t", folder=self.tmp / "state", layout="delta", path=self.root, **self.keys)

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        write_deltalake(self.root, arrow(rows), mode="append")

    def touch(self, name: str) -> None:
        DeltaTable(self.root).optimize.compact()

    def delete(self, name: str) -> None:
        DeltaTable(self.root).delete(f"conversation_id = '{name}'")


class IcebergWorld(LakeWorld):
    """An Iceberg table in a catalog of one SQLite file."""

    odd_ids = ("a/b", "%", "x'; --", "🦊", "a\nb")

    properties: Mapping[str, str] = {}

    def __init__(self, tmp: Path, **keys: Any) -> None:
        super().__init__(tmp, **keys)
        self.catalog_file = tmp / "catalog.toml"
        self.catalog_file.write_text(
            f'type = "sql"\nuri = "sqlite:///{tmp}/catalog.db"\nwarehouse = "file://{tmp}/warehouse"\n'
        )
        self.catalog().create_namespace("chats")
        self.catalog().create_table("chats.turns", schema=SCHEMA, properties=dict(self.properties))

    @property
    def root(self) -> Path:
        return self.tmp / "warehouse" / "chats" / "turns"

    def catalog(self) -> Catalog:
        where = {"uri": f"sqlite:///{self.tmp}/catalog.db", "warehouse": f"file://{self.tmp}/warehouse"}
        return load_catalog("default", type="sql", **where)

    def table(self) -> Table:
        return self.catalog().load_table("chats.turns")

    def settings(self) -> Settings:
        where = {"catalog_file": self.catalog_file, "table": "chats.turns"}
        return Settings(name="t", folder=self.tmp / "state", layout="iceberg", **where, **self.keys)

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        self.table().append(arrow(rows))

    def touch(self, name: str) -> None:
        table = self.table()
        table.overwrite(table.scan().to_arrow())

    def delete(self, name: str) -> None:
        self.table().delete(EqualTo("conversation_id", name))
