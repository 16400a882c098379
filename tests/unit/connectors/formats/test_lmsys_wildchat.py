import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from accounting import DAMAGED_LINES, Account, account, anything, damaged, lines
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from assent.connectors.formats.lmsys_wildchat import IMPORTER

LABEL = {"categories": {"hate": False, "violence": True}, "category_scores": {"hate": 0.1}, "flagged": True}
LMSYS = {
    "conversation_id": "c1",
    "model": "vicuna-13b",
    "conversation": [{"content": "hi", "role": "user"}, {"content": "ho", "role": "assistant"}],
    "turn": 1,
    "language": "English",
    "openai_moderation": [LABEL, {**LABEL, "flagged": False, "categories": {}}],
    "redacted": False,
}
PERSONAL = {
    "hashed_ip": "SECRET-HASH",
    "country": "SECRET-LAND",
    "state": "SECRET-STATE",
    "header": {"accept-language": "SECRET-TONGUE", "user-agent": "SECRET-AGENT"},
}
WILDCHAT = {
    "conversation_hash": "h1",
    "model": "gpt-4",
    "timestamp": "2023-04-09T00:05:00",
    "conversation": [
        {"content": "one", "role": "user", "timestamp": None, "toxic": False, **PERSONAL},
        {"content": "two", "role": "assistant", "timestamp": "2023-04-09T00:02:53", "toxic": True, **PERSONAL},
        {"content": "three", "role": "user", "timestamp": None, "toxic": False, **PERSONAL},
        {"content": "four", "role": "assistant", "timestamp": None, "toxic": False, **PERSONAL},
    ],
    "turn": 2,
    "openai_moderation": [LABEL] * 4,
    "detoxify_moderation": [{"toxicity": 0.9}] * 4,
    **PERSONAL,
}


def _import(tmp_path: Path, *records: object) -> Account:
    (tmp_path / "set.jsonl").write_bytes(lines(*records))
    return account(IMPORTER, tmp_path / "set.jsonl")


def _table(tmp_path: Path, *records: dict[str, object]) -> Account:
    parquet.write_table(pa.Table.from_pylist(list(records)), tmp_path / "set.parquet")
    return account(IMPORTER, tmp_path / "set.parquet")


@pytest.mark.parametrize("write", [_import, _table])
def test_lmsys(tmp_path: Path, write: object) -> None:
    found = write(tmp_path, LMSYS)
    (conversation,) = found.conversations
    assert (conversation.id, conversation.last_turn_at) == ("lmsys-wildchat:c1", None)
    spoken = [(part.text, part.speaker, part.origin) for part in found.parts if part.data == "text"]
    assert spoken == [("hi", "user", "person"), ("ho", "assistant", "model")]
    scores = [part for part in found.parts if part.data == "score"]
    assert [part.turn for part in scores] == ["0", "1"]
    flags = [json.loads(part.text)["openai_moderation"]["flagged"] for part in scores]
    assert flags == [True, False]
    assert all(part.marks == {"hidden"} for part in scores)


def test_scores_hold_flags_and_no_probabilities(tmp_path: Path) -> None:
    score = next(part for part in _import(tmp_path, LMSYS).parts if part.data == "score")
    assert score.text == '{"openai_moderation":{"categories":{"hate":false,"violence":true},"flagged":true}}'


@pytest.mark.parametrize("write", [_import, _table])
def test_wildchat_drops_what_identifies_a_person(tmp_path: Path, write: object) -> None:
    found = write(tmp_path, WILDCHAT)
    assert [part.text for part in found.parts if part.data == "text"] == ["one", "two", "three", "four"]
    assert "SECRET" not in repr(found.conversations)
    toxic = [json.loads(part.text)["toxic"] for part in found.parts if part.data == "score"]
    assert toxic == [False, True, False, False]


def test_wildchat_times_a_prompt_by_its_answer(tmp_path: Path) -> None:
    (conversation,) = _import(tmp_path, WILDCHAT).conversations
    times = {part.text: part.created_at for part in conversation.parts}
    first, last = datetime(2023, 4, 9, 0, 2, 53, tzinfo=UTC), datetime(2023, 4, 9, 0, 5, tzinfo=UTC)
    assert [times[key] for key in ("one", "two", "three", "four")] == [first, first, last, last]
    assert (conversation.created_at, conversation.last_turn_at) == (first, last)


def test_times_of_a_table_are_utc(tmp_path: Path) -> None:
    rows = [{**WILDCHAT, "timestamp": datetime(2023, 4, 9, 0, 5), "conversation": WILDCHAT["conversation"][:1]}]  # noqa: DTZ001 - as tables hold it
    (conversation,) = _table(tmp_path, *rows).conversations
    assert conversation.last_turn_at == datetime(2023, 4, 9, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("labels", [None, 1, [], [1], [None, None], [{"categories": 1}], {"flagged": True}], ids=str)
def test_odd_labels_never_lose_the_conversation(tmp_path: Path, labels: object) -> None:
    found = _import(tmp_path, {**LMSYS, "openai_moderation": labels})
    assert [part.text for part in found.parts] == ["hi", "ho"]


def test_twins_are_imported_once(tmp_path: Path) -> None:
    other = {**LMSYS, "conversation": LMSYS["conversation"][:1]}
    found = _import(tmp_path, LMSYS, {**LMSYS, "conversation_id": "c2"}, other)
    assert found.reasons == {"duplicate of an earlier record": 1}
    assert len(found.conversations) == 2


BAD = [
    {},
    {**LMSYS, "conversation": None},
    {**LMSYS, "conversation": []},
    {**LMSYS, "conversation": [1]},
    {**LMSYS, "conversation": [{"role": "user"}]},
    {**LMSYS, "conversation": [{"role": None, "content": "a"}]},
    *[raw for _, raw in DAMAGED_LINES],
]


@pytest.mark.parametrize("row", BAD, ids=lambda row: str(row)[-50:])
def test_a_malformed_row_never_loses_its_neighbours(tmp_path: Path, row: object) -> None:
    found = _import(tmp_path, LMSYS, row, WILDCHAT)
    assert [number for _, number, _ in found.problems] == [2]
    assert (found.imported, found.skipped) == (2, 0)


def test_sniffing(tmp_path: Path) -> None:
    _import(tmp_path, LMSYS)
    assert IMPORTER.sniff(tmp_path / "set.jsonl")
    _table(tmp_path, WILDCHAT)
    assert IMPORTER.sniff(tmp_path / "set.parquet")
    (tmp_path / "other.jsonl").write_bytes(lines({"conversation": [], "id": 1}))
    assert not IMPORTER.sniff(tmp_path / "other.jsonl")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 broken")
    assert not IMPORTER.sniff(tmp_path / "broken.parquet")


@given(st.lists(damaged([LMSYS, WILDCHAT]) | anything, max_size=5))
def test_arbitrary_json_never_raises_and_the_account_adds_up(
    tmp_path_factory: pytest.TempPathFactory, records: list[object]
) -> None:
    assert _import(tmp_path_factory.mktemp("any"), LMSYS, *records).records == len(records) + 1
