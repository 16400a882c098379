"""`mlcroissant` finds nothing to complain about in the description of a cut, and reads its rows by it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import mlcroissant
import pytest
from mlcroissant._src.core.issues import GenerationError  # the library exports it nowhere else
from tests.conformance.cut.written_cut import chats, said, write_cut

# Of mlcroissant's own calls to rdflib and pandas.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("croissant") / "cut"
    train = [
        *chats(3),
        said("Where is it?", conversation="test:tools", created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        said("{}", by="assistant", conversation="test:tools", turn="t", marks=["tool-payload"], tool="web"),
        said("there", by="tool", conversation="test:tools", turn="t", marks=["tool-payload"], tool="web"),
        said("There.", by="assistant", conversation="test:tools", turn="t"),
    ]
    train[0]["findings"] = [{"type": "name", "start": 0, "end": 3}, {"type": "mail", "start": 5, "end": 9}]
    write_cut(folder, {"train": train, "test": chats(2, name="other")}, per_shard=2)
    return folder


def test_it_validates_as_croissant_1_1_without_a_warning(cut: Path) -> None:
    dataset = mlcroissant.Dataset(str(cut / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert (set(issues.errors), set(issues.warnings)) == (set(), set())
    assert dataset.metadata.ctx.conforms_to.value.endswith("croissant/1.1")
    assert dataset.metadata.personal_sensitive_information
    assert dataset.metadata.data_use_cases == ["training"]


@pytest.mark.parametrize(
    ("rows", "number"),
    [("parts-train", 10), ("parts-test", 4), ("messages-train", 4), ("messages-test", 2), ("sharegpt-train", 4)],
)
def test_every_row_is_read_from_one_shard_or_many(cut: Path, rows: str, number: int) -> None:
    assert len(list(mlcroissant.Dataset(str(cut / "croissant.json")).records(rows))) == number


def test_a_row_comes_back_as_it_was_written(cut: Path) -> None:
    row = next(iter(mlcroissant.Dataset(str(cut / "croissant.json")).records("parts-train")))
    assert row["parts-train/text"] == b"question 0"
    assert row["parts-train/skill_p"] == pytest.approx(0.5)
    findings = row["parts-train/findings"]
    assert [found["parts-train/findings/type"] for found in findings] == [b"name", b"mail"]
    assert [found["parts-train/findings/end"] for found in findings] == [3, 9]


def test_the_splits_are_a_record_set_of_their_own(cut: Path) -> None:
    described = json.loads((cut / "croissant.json").read_bytes())
    assert described["recordSet"][0]["dataType"] == "cr:Split"
    assert described["recordSet"][0]["data"] == [{"splits/name": "train"}, {"splits/name": "test"}]


def test_every_shard_is_named_with_its_digest(cut: Path) -> None:
    described = json.loads((cut / "croissant.json").read_bytes())
    named = {file["contentUrl"] for file in described["distribution"] if "sha256" in file}
    assert named == {path.relative_to(cut).as_posix() for path in (cut / "data").iterdir()}


def test_a_cut_without_blocks_and_times_validates_too(tmp_path: Path) -> None:
    write_cut(tmp_path / "cut", {"train": chats(1)}, plain=True)
    dataset = mlcroissant.Dataset(str(tmp_path / "cut/croissant.json"))
    assert (set(dataset.metadata.ctx.issues.errors), set(dataset.metadata.ctx.issues.warnings)) == (set(), set())
    assert len(list(dataset.records("parts-train"))) == 2


def test_one_byte_more_in_a_shard_is_refused(tmp_path: Path) -> None:
    write_cut(tmp_path / "cut", {"train": chats(1)})
    with (tmp_path / "cut/data/messages-train-00000.jsonl").open("ab") as file:
        file.write(b"\n")
    with pytest.raises(GenerationError, match="Download"):
        list(mlcroissant.Dataset(str(tmp_path / "cut/croissant.json")).records("messages-train"))
