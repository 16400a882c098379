import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from accounting import DAMAGED_LINES, Account, account, anything, damaged, lines
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from assent.connectors.formats.hf_messages import IMPORTER
from assent.connectors.formats.port import Source

CHAT = {
    "id": "q1",
    "created": 1711397284.5,
    "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}],
}
PAIR = {
    "chosen": "\n\nHuman: one\n\nAssistant: two\n\nHuman: three\n\nAssistant: good",
    "rejected": "\n\nHuman: one\n\nAssistant: two\n\nHuman: three\n\nAssistant: bad",
}


def _import(tmp_path: Path, *records: object) -> Account:
    (tmp_path / "set.jsonl").write_bytes(lines(*records))
    return account(IMPORTER, tmp_path / "set.jsonl")


def _said(found: Account) -> list[tuple[str, str, list[str]]]:
    return [(part.text, part.speaker, sorted(part.marks)) for part in found.parts]


GOOD_AND_BAD = [("q", "user", []), ("good", "assistant", []), ("bad", "assistant", ["abandoned"])]
GOOD = {"role": "assistant", "content": "good"}
BAD = {"role": "assistant", "content": "bad"}
ASKED = {"role": "user", "content": "q"}
# what, row, what is said
SHAPES = [
    ("messages", CHAT, [("hi", "user", []), ("ho", "assistant", [])]),
    ("conversation", {"conversation": [ASKED]}, [("q", "user", [])]),
    ("ShareGPT", {"conversations": [{"from": "human", "value": "q"}]}, [("q", "user", [])]),
    (
        "a pair of texts",
        PAIR,
        [
            ("one", "user", []),
            ("two", "assistant", []),
            ("three", "user", []),
            ("good", "assistant", []),
            ("bad", "assistant", ["abandoned"]),
        ],
    ),
    ("a pair of lists", {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}, GOOD_AND_BAD),
    ("a prompt and a pair of texts", {"prompt": "q", "chosen": "good", "rejected": "bad"}, GOOD_AND_BAD),
    (
        "a prompt repeated in a pair of lists",
        {"prompt": [ASKED], "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        GOOD_AND_BAD,
    ),
    ("a prompt and a pair of answers", {"prompt": "q", "chosen": [GOOD], "rejected": [BAD]}, GOOD_AND_BAD),
    ("a pair without a difference", {"chosen": [ASKED, GOOD], "rejected": [ASKED, GOOD]}, GOOD_AND_BAD[:2]),
    ("prompt and completion", {"prompt": "q", "completion": "good"}, GOOD_AND_BAD[:2]),
    (
        "Alpaca",
        {"instruction": "add", "input": "1 2", "output": "3"},
        [("add\n\n1 2", "user", []), ("3", "assistant", [])],
    ),
]


@pytest.mark.parametrize(("row", "expected"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_a_row_is_a_conversation(tmp_path: Path, row: object, expected: list[object]) -> None:
    found = _import(tmp_path, row)
    assert _said(found) == expected
    assert (found.imported, found.skipped, found.malformed) == (1, 0, 0)
    assert IMPORTER.sniff(tmp_path / "set.jsonl")


def test_a_dialogue_that_parts_early_keeps_both_ends(tmp_path: Path) -> None:
    pair = {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: x\n\nAssistant: y\n\nHuman: z"}
    assert _said(_import(tmp_path, pair)) == [
        ("a", "user", []),
        ("b", "assistant", []),
        ("x", "user", ["abandoned"]),
        ("y", "assistant", ["abandoned"]),
        ("z", "user", ["abandoned"]),
    ]


def test_a_rows_time_stands_for_its_messages(tmp_path: Path) -> None:
    (conversation,) = _import(tmp_path, CHAT).conversations
    assert conversation.id == "hf-messages:q1"
    assert conversation.created_at == conversation.last_turn_at
    assert conversation.created_at == datetime(2024, 3, 25, 20, 8, 4, 500_000, tzinfo=UTC)
    timed = {**CHAT, "messages": [{**CHAT["messages"][0], "timestamp": "2024-03-26T00:00:00Z"}]}
    (conversation,) = _import(tmp_path, timed).conversations
    assert conversation.last_turn_at == datetime(2024, 3, 26, tzinfo=UTC)


def test_twins_are_imported_once_and_shared_ids_stay_apart(tmp_path: Path) -> None:
    second = {**CHAT, "messages": [*CHAT["messages"], ASKED]}
    found = _import(tmp_path, CHAT, {**CHAT, "cluster": "x"}, second, {"messages": [ASKED]}, {"messages": [ASKED]})
    assert found.reasons == {"duplicate of an earlier record": 2}
    first, other, third = (item.id.removeprefix("hf-messages:") for item in found.conversations)
    assert (first, other[:3], len(third)) == ("q1", "q1~", 32)


def _table(path: Path, rows: list[dict[str, object]], **options: object) -> Path:
    parquet.write_table(pa.Table.from_pylist(rows), path, **options)
    return path


def test_a_table_says_the_same_as_lines(tmp_path: Path) -> None:
    rows = [{**CHAT, "id": f"q{number}", "n": number} for number in range(1000)]
    expected = _import(tmp_path, *rows)
    path = _table(tmp_path / "set.parquet", rows, row_group_size=300)
    found = account(IMPORTER, path)
    assert found.reasons == expected.reasons == {"duplicate of an earlier record": 999}
    rows = [{**row, "messages": [{"role": "user", "content": row["id"]}]} for row in rows]
    found = account(IMPORTER, _table(path, rows, row_group_size=300))
    assert found.conversations == _import(tmp_path, *rows).conversations
    assert len(found.conversations) == 1000
    assert found.size_bytes == path.stat().st_size
    assert IMPORTER.sniff(path)
    told: list[int] = []
    list(IMPORTER.read(Source(path, told.append)))
    assert max(told) < found.size_bytes / 2


def test_a_damaged_table_is_counted(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": f"{number} " * 50}]} for number in range(2000)]
    path = _table(tmp_path / "set.parquet", rows, row_group_size=500, compression="gzip")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = b"\xff" * 400
    path.write_bytes(content)
    found = account(IMPORTER, path)
    assert found.records == 2000
    assert found.imported >= 500
    assert found.malformed >= 1
    path.write_bytes(content[:200])
    found = account(IMPORTER, path)
    assert [problem for _, _, problem in found.problems] == ["the file is not a readable parquet file"]
    assert found.size_bytes == 200


def test_odd_values_of_a_table_cost_their_row_only(tmp_path: Path) -> None:
    said = [[{"role": "user", "content": f"{number}"}] for number in range(3)]
    columns = {
        "messages": pa.array(said),
        "created": pa.array([1_711_397_284_000_000_001] * 3, pa.timestamp("ns")),
        "other": pa.array([0, 2**40, 0], pa.timestamp("s")),
    }
    parquet.write_table(pa.table(columns), tmp_path / "set.parquet", coerce_timestamps=None)
    found = account(IMPORTER, tmp_path / "set.parquet")
    assert [part.text for part in found.parts] == ["0", "2"]
    assert [(number, problem) for _, number, problem in found.problems] == [(2, "a value is not readable")]
    assert found.conversations[0].created_at == datetime(2024, 3, 25, 20, 8, 4, tzinfo=UTC)


def test_a_json_file_may_hold_lines_an_array_or_one_object(tmp_path: Path) -> None:
    for content in (
        json.dumps(CHAT),
        json.dumps(CHAT, indent=2),
        json.dumps([CHAT], indent=2),
        f"\n{json.dumps(CHAT)}\n",
    ):
        (tmp_path / "set.json").write_text(content)
        found = account(IMPORTER, tmp_path / "set.json")
        assert (found.imported, found.records) == (1, 1)
        assert IMPORTER.sniff(tmp_path / "set.json")


def test_a_first_row_longer_than_what_is_looked_at_is_recognised(tmp_path: Path) -> None:
    found = _import(tmp_path, {"messages": [{"role": "user", "content": "x" * 1_000_000}]})
    assert found.imported == 1
    assert IMPORTER.sniff(tmp_path / "set.jsonl")


def test_a_folder_of_shards_is_one_set(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    _table(tmp_path / "data" / "a.parquet", [{"messages": [ASKED]}])
    (tmp_path / "data" / "b.jsonl.gz").write_bytes(gzip.compress(lines({"messages": [GOOD]}, {"messages": [ASKED]})))
    (tmp_path / "data" / "c.json").write_text(json.dumps([CHAT, 1]))
    (tmp_path / "README.md").write_text("about")
    found = account(IMPORTER, tmp_path)
    assert (found.imported, found.skipped, found.malformed) == (3, 1, 1)
    assert [(file, number) for file, number, _ in found.problems] == [("data/c.json", 2)]


BAD_ROWS = [
    {},
    {"messages": None},
    {"messages": {}},
    {"messages": "text"},
    {"messages": [None]},
    {"messages": [{"role": "user"}]},
    {"chosen": 1, "rejected": "a"},
    {"chosen": [1], "rejected": [2]},
    {"prompt": "q"},
    {"prompt": 1, "completion": "a"},
    *[raw for _, raw in DAMAGED_LINES],
]


@pytest.mark.parametrize("row", BAD_ROWS, ids=lambda row: str(row)[:50])
def test_a_malformed_row_never_loses_its_neighbours(tmp_path: Path, row: object) -> None:
    found = _import(tmp_path, CHAT, row, PAIR)
    assert [number for _, number, _ in found.problems] == [2]
    assert (found.imported, found.skipped) == (2, 0)


@given(st.lists(damaged([row for _, row, _ in SHAPES]) | anything, max_size=5))
def test_arbitrary_json_never_raises_and_the_account_adds_up(
    tmp_path_factory: pytest.TempPathFactory, records: list[object]
) -> None:
    assert _import(tmp_path_factory.mktemp("any"), CHAT, *records).records == len(records) + 1


@pytest.mark.data
def test_the_public_sets_import_completely(shared_data: Path) -> None:
    folder = shared_data / "conversations"
    arena = account(IMPORTER, folder / "arena-hard" / "conversations.jsonl")
    assert (arena.imported, arena.skipped, arena.malformed) == (514, 0, 0)
    assert all(item.last_turn_at for item in arena.conversations)
    pairs = account(IMPORTER, folder / "hh-rlhf-harmless" / "test.jsonl.gz")
    assert (pairs.imported, pairs.skipped, pairs.malformed) == (2312, 0, 0)
    assert all(any("abandoned" in part.marks for part in item.parts) for item in pairs.conversations)
    assert all(item.parts[0].speaker == "user" for item in pairs.conversations)
    for path in (folder / "arena-hard" / "conversations.jsonl", folder / "hh-rlhf-harmless" / "test.jsonl.gz"):
        assert IMPORTER.sniff(path)
