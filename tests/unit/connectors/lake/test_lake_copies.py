"""What stays under a table when its rows are gone for readers, and what lets it go."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet
from tests.conformance.connectors.lake_worlds import DeltaWorld, IcebergWorld, LakeWorld

from assent.connectors.lake.product import Lake, Settings, connect
from assent.connectors.port import Copy, Unlisted, state_of
from assent.domain.errors import AssentError, Invalid, NotFound

WORLDS = [DeltaWorld, IcebergWorld]


@pytest.fixture(params=WORLDS, ids=["delta", "iceberg"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> LakeWorld:
    made: LakeWorld = request.param(tmp_path)
    return made


def left(world: LakeWorld, marker: str) -> set[str]:
    """The folders under a table in which a marker stands."""
    return {Path(place).parts[0] for place, count in world.bytes_left([marker]).items() if count}


def kinds(copies: object) -> dict[str, str]:
    assert isinstance(copies, list | tuple)
    return {copy.kind: copy.state for copy in copies if isinstance(copy, Copy)}


# -- the negative control: what the products' own deletion leaves ----------------------------------------


def test_deleting_rows_leaves_old_files_change_data_and_bounds_in_the_log(tmp_path: Path) -> None:
    world = DeltaWorld(tmp_path)
    one, _other = world.seed(2)
    world.delete(one.id)
    assert not DeltaTable(world.root).to_pyarrow_dataset().count_rows(pa.compute.field("conversation_id") == one.id)
    places = {place.split("/")[0] for place, count in world.bytes_left([one.marker]).items() if count}
    assert {"_delta_log", "_change_data"} < places
    assert any(place.startswith("part-") for place in places)
    expected = dict.fromkeys(("older data file", "change data", "statistics"), "pending maintenance")
    assert kinds(world.product().copies([one.id])[one.id]) == expected


def test_deleting_rows_leaves_old_files_and_bounds_in_manifests(tmp_path: Path) -> None:
    world = IcebergWorld(tmp_path)
    one, _other = world.seed(2)
    world.delete(one.id)
    assert left(world, one.marker) == {"data", "metadata"}
    assert kinds(world.product().copies([one.id])[one.id])["older data file"] == "pending maintenance"


# -- pending, and from when ----------------------------------------------------------------------------


def test_without_the_setting_maintenance_removes_nothing_before_its_time_and_says_when(tmp_path: Path) -> None:
    for number, make in enumerate(WORLDS):
        (tmp_path / str(number)).mkdir()
        world = make(tmp_path / str(number), vacuum_now=False)
        one, _other = world.seed(2)
        answer = world.product().erase([one.id], maintenance=True)[one.id]
        assert state_of(answer) == "pending maintenance"
        pending = [copy for copy in answer if copy.state == "pending maintenance"]
        assert {"older data file", "statistics"} <= {copy.kind for copy in pending}
        assert all("from 20" in copy.note or "no snapshot knows" in copy.note for copy in pending)
        assert all("vacuum_now" in copy.note for copy in pending)
        assert left(world, one.marker)


def test_what_is_older_than_the_retention_of_a_table_goes_without_maintenance(tmp_path: Path) -> None:
    world = DeltaWorld(tmp_path, vacuum_now=False)
    one, other = world.seed(2)
    DeltaTable(world.root).alter.set_table_properties(
        {"delta.deletedFileRetentionDuration": "interval 0 hours", "delta.logRetentionDuration": "interval 0 hours"}
    )
    world.product().erase([one.id])
    for file in world.root.rglob("*"):  # the log's files are dated by the disk
        os.utime(file, (0, 0))
    answer = world.product().erase([one.id])[one.id]
    assert set(kinds(answer).values()) == {"removed"}
    assert not left(world, one.marker)
    assert left(world, other.marker)


def test_snapshots_past_their_age_expire_without_maintenance(tmp_path: Path) -> None:
    world = IcebergWorld(tmp_path, vacuum_now=False)
    one, other = world.seed(2)
    with world.table().transaction() as change:
        change.set_properties({"history.expire.max-snapshot-age-ms": "0"})
    answer = world.product().erase([one.id])[one.id]
    if state_of(answer) != "removed":  # the newest one was made in this millisecond
        answer = world.product().erase([one.id])[one.id]
    assert set(kinds(answer).values()) == {"removed"}
    assert not left(world, one.marker)
    assert left(world, other.marker)


def test_what_a_branch_or_a_tag_keeps_is_pending_until_it_is_dropped(tmp_path: Path) -> None:
    world = IcebergWorld(tmp_path)
    one, other = world.seed(2)
    kept = world.table().current_snapshot()
    assert kept is not None
    world.seed(1)
    world.table().manage_snapshots().create_tag(kept.snapshot_id, "audit").commit()
    for kind in ("tag", "branch"):
        answer = world.product().erase([one.id], maintenance=True)[one.id]
        pending = [copy for copy in answer if copy.state == "pending maintenance"]
        assert pending
        assert all(f"the {kind} `audit` keeps it until it is dropped" in copy.note for copy in pending)
        assert world.table().scan(snapshot_id=kept.snapshot_id).to_arrow().num_rows == 4  # it still can be read
        if kind == "tag":
            world.table().manage_snapshots().remove_tag("audit").create_branch(kept.snapshot_id, "audit").commit()
    world.table().manage_snapshots().remove_branch("audit").commit()
    assert state_of(world.product().erase([one.id], maintenance=True)[one.id]) == "removed"
    assert not left(world, one.marker)
    assert left(world, other.marker)


# -- what is kept ----------------------------------------------------------------------------------------


def test_kept_rows_and_the_table_itself_stay_as_they_are(world: LakeWorld) -> None:
    seeded = world.seed(6)
    rows = _rows(world)
    gone = seeded[2].id
    world.product().erase([gone], maintenance=True)
    assert _rows(world) == [row for row in rows if row["conversation_id"] != gone]
    world.seed(1)  # and it can be written to as before
    assert len(_rows(world)) == len(rows)


def _rows(world: LakeWorld) -> list[dict[str, Any]]:
    table = DeltaTable(world.root).to_pyarrow_table() if isinstance(world, DeltaWorld) else None
    if table is None:
        assert isinstance(world, IcebergWorld)
        table = world.table().scan().to_arrow()
    rows: list[dict[str, Any]] = table.to_pylist()
    return sorted(rows, key=lambda row: (row["created_at"], row["role"]))


def test_nobody_is_asked_to_commit_where_nothing_is(world: LakeWorld) -> None:
    world.seed(2)
    before = world.product()._table().changed
    assert state_of(world.product().erase(["nowhere", ""], maintenance=True)["nowhere"]) == "removed"
    assert world.product()._table().changed == before


def test_an_erasure_that_stops_after_the_commit_is_finished_by_the_next(world: LakeWorld) -> None:
    one, other = world.seed(2)
    product = world.product()
    real = product._table
    opened = []

    def stopping() -> Any:
        opened.append(real())
        if len(opened) == 2:  # the one that would let go of old files
            raise KeyboardInterrupt
        return opened[-1]

    product._table = stopping  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        product.erase([one.id], maintenance=True)
    assert state_of(world.product().verify([one.id])[one.id]) == "pending maintenance"
    assert state_of(world.product().erase([one.id], maintenance=True)[one.id]) == "removed"
    assert not left(world, one.marker)
    assert left(world, other.marker)


# -- files that no version knows, and what cannot be read ----------------------------------------------------


def test_a_file_that_no_version_knows_is_found_and_goes(world: LakeWorld) -> None:
    one, other = world.seed(2)
    source = next(file for file in sorted(world.root.rglob("*.parquet")) if "_delta_log" not in file.parts)
    (world.root / "stray").mkdir()
    (world.root / "stray" / "part-of-a-failed-write.parquet").write_bytes(source.read_bytes())
    assert "orphan data file" in kinds(world.product().copies([one.id])[one.id])
    answer = world.product().erase([one.id])[one.id]
    assert kinds(answer)["orphan data file"] == "pending maintenance"  # a commit of it may still be coming
    assert state_of(world.product().erase([one.id], maintenance=True)[one.id]) == "removed"
    assert not left(world, one.marker)
    assert left(world, other.marker)


@pytest.mark.parametrize("content", [b"PAR1 and no more", b""])
def test_a_damaged_data_file_is_never_taken_for_an_empty_one(world: LakeWorld, content: bytes) -> None:
    one, _other = world.seed(2)
    (world.root / "data").mkdir(exist_ok=True)
    (world.root / "data" / "broken.parquet").write_bytes(content)
    answer = world.product().erase([one.id], maintenance=True)[one.id]
    assert [(copy.place, copy.state) for copy in answer if copy.kind == "file"] == [
        ("data/broken.parquet", "not reachable")
    ]
    assert (world.root / "data" / "broken.parquet").read_bytes() == content


def test_a_link_to_a_data_file_is_not_taken_for_looked_at(world: LakeWorld, tmp_path: Path) -> None:
    one, _other = world.seed(2)
    outside = tmp_path / "outside.parquet"
    parquet.write_table(pa.table({"conversation_id": [one.id]}), outside)
    (world.root / "linked.parquet").symlink_to(outside)
    before = outside.read_bytes()
    assert state_of(world.product().erase([one.id], maintenance=True)[one.id]) == "not reachable"
    assert outside.read_bytes() == before


def test_ids_in_the_path_of_a_partition_are_found(tmp_path: Path) -> None:
    root = tmp_path / "table"
    rows = pa.table({"conversation_id": ["a/b =c", "other"], "content": ["quagga", "zebra"]})
    write_deltalake(root, rows, partition_by=["conversation_id"])
    product = _delta(tmp_path)
    assert kinds(product.copies(["a/b =c"])["a/b =c"]) == {"data file": "present", "statistics": "present"}
    assert state_of(product.erase(["a/b =c"], maintenance=True)["a/b =c"]) == "removed"
    assert DeltaTable(root).to_pyarrow_table()["content"].to_pylist() == ["zebra"]
    assert not [file for file in root.rglob("*") if file.is_file() and b"quagga" in file.read_bytes()]


def test_ids_that_are_numbers_are_numbers(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "table", pa.table({"conversation_id": [7, 70], "content": ["a", "b"]}))
    product = _delta(tmp_path)
    answers = product.erase(["7", "07", "7 OR 1=1", "99999999999999999999999"], maintenance=True)
    assert {name: state_of(copies) for name, copies in answers.items() if copies} == {"7": "removed"}
    assert DeltaTable(tmp_path / "table").to_pyarrow_table()["conversation_id"].to_pylist() == [70]


def test_rows_that_a_deletion_vector_hides_are_pending_and_not_gone(tmp_path: Path) -> None:
    root = tmp_path / "table"
    write_deltalake(root, pa.table({"conversation_id": ["hers", "his"], "content": ["quagga", "zebra"]}))
    _hide_first_row(root)
    product = _delta(tmp_path)
    assert [one.id for one in product.list() if not isinstance(one, Unlisted)] == ["his"]
    (copy,) = [one for one in product.copies(["hers"])["hers"] if one.kind == "data file"]
    assert (copy.state, "hidden from readers" in copy.note) == ("pending maintenance", True)
    assert state_of(product.erase(["hers"])["hers"]) != "removed"


def _hide_first_row(root: Path) -> None:
    """Commit an inline deletion vector for row 0, as the protocol writes one (a bitmap of row numbers in Z85)."""
    log = root / "_delta_log"
    lines = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
    add = next(line["add"] for line in lines if "add" in line)
    vector = {"storageType": "i", "pathOrInlineDv": ROW_0, "sizeInBytes": 34, "cardinality": 1}
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    commit = [
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
        {"remove": {"path": add["path"], "deletionTimestamp": 1, "dataChange": True, "size": add["size"]}},
        {
            "add": {
                **add,
                "deletionVector": vector,
                "stats": json.dumps({**json.loads(add["stats"]), "tightBounds": False}),
            }
        },
    ]
    (log / f"{1:020}.json").write_text("".join(json.dumps(line) + "\n" for line in commit))


def _z85(content: bytes) -> str:
    letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    words = [int.from_bytes(content[start : start + 4]) for start in range(0, len(content), 4)]
    return "".join(letters[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


_BITMAP = b"".join(number.to_bytes(size, "little") for number, size in [(1681511377, 4), (1, 8), (0, 4)]) + b"".join(
    number.to_bytes(size, "little") for number, size in [(12346, 4), (1, 4), (0, 2), (0, 2), (16, 4), (0, 2)]
)
ROW_0 = _z85(_BITMAP + bytes(-len(_BITMAP) % 4))


# -- settings --------------------------------------------------------------------------------------------


def _delta(tmp_path: Path, **keys: Any) -> Lake:
    keys = {"rows": "turn", "vacuum_now": True, "layout": "delta", "path": tmp_path / "table", **keys}
    return connect(Settings(name="t", folder=tmp_path / "state", **keys), str)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="`path` is missing"):
        _delta(tmp_path, path=None)
    with pytest.raises(Invalid, match="`catalog_file` or `table`"):
        _delta(tmp_path, layout="iceberg")
    with pytest.raises(NotFound, match="no table"):
        list(_delta(tmp_path).list())
    (tmp_path / "table").mkdir()
    with pytest.raises(NotFound, match="no Delta table"):
        list(_delta(tmp_path).list())


def test_a_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    world = DeltaWorld(tmp_path, id="nothing")
    with pytest.raises(Invalid, match="no column `nothing`"):
        list(world.product().list())
    (tmp_path / "other").mkdir()
    other = IcebergWorld(tmp_path / "other", id="nothing")
    with pytest.raises(Invalid, match="no column `nothing`"):
        list(other.product().list())


def test_a_catalog_that_is_away_is_said(tmp_path: Path) -> None:
    world = IcebergWorld(tmp_path)
    world.seed(1)
    world.catalog_file.write_text('type = "sql"\nuri = "sqlite:////nowhere/at/all.db"\nwarehouse = "file:///nowhere"\n')
    with pytest.raises(AssentError, match="catalog cannot be asked"):
        list(world.product().list())
    world.catalog_file.write_text("not = toml = at all")
    with pytest.raises(Invalid, match="not TOML"):
        world.product()


def test_a_table_that_permits_no_deletion_says_so(tmp_path: Path) -> None:
    rows = pa.table({"conversation_id": ["hers"], "content": ["a"]})
    write_deltalake(tmp_path / "table", rows, configuration={"delta.appendOnly": "true"})
    with pytest.raises(AssentError, match="permits no deletion"):
        _delta(tmp_path).erase(["hers"])
    assert kinds(_delta(tmp_path).verify(["hers"])["hers"])["data file"] == "present"


def test_bounds_of_the_ids_column_alone_are_no_copy(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "table", pa.table({"conversation_id": ["hers", "his"], "n": [1, 2]}))
    assert kinds(_delta(tmp_path).copies(["hers"])["hers"]) == {"data file": "present"}


def test_the_log_is_cut_before_a_checkpoint_and_never_with_a_hole(tmp_path: Path) -> None:
    world = DeltaWorld(tmp_path)
    seeded = world.seed(2)
    later = world.seed(3)
    world.product().erase([later[0].id], maintenance=True)
    table = DeltaTable(world.root)
    numbers = sorted(int(file.name[:20]) for file in (world.root / "_delta_log").glob("*.json"))
    assert numbers == list(range(numbers[0], table.version() + 1))
    assert len(table.to_pyarrow_table()) == 2 * (len(seeded) + len(later) - 1)
