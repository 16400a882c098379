"""The card says the manifest's own numbers in plain words."""

from typing import Any

import pytest
from tests.conformance.cut.written_cut import chats, manifest_of

from assent.pipeline.outputs.card import card
from assent.pipeline.outputs.huggingface import front_matter
from assent.pipeline.outputs.layout import forms, pattern, shard_name, shards


def _file(name: str, rows: int = 2) -> dict[str, Any]:
    return {"name": name, "sha256": "0" * 64, "bytes": 10, "rows": rows}


@pytest.fixture
def manifest() -> dict[str, Any]:
    names = [shard_name(form, split, 0) for form in ("parts", "messages") for split in ("test", "train")]
    return manifest_of({"train": chats(2), "test": chats(1, name="b")}, [*map(_file, names), _file("excluded.parquet")])


def test_it_says_how_much_of_whom_for_what_and_when(manifest: dict[str, Any]) -> None:
    text = " ".join(card(manifest).split())
    assert "3 conversations of 3 people (6 parts, 54 bytes of text), for the purpose `training`" in text
    assert "as things stood at 2026-05-01T00:00:00Z under example." in text


def test_it_says_what_each_block_did_and_left_out(manifest: dict[str, Any]) -> None:
    found = "2. redact: personal data and secrets that were found were replaced by made-up ones of the same kind"
    assert f"{found}; 2 parts left out; found: email 7." in card(manifest)


def test_a_block_it_does_not_know_is_shown_by_name(manifest: dict[str, Any]) -> None:
    manifest["recipe"] = [{"block": "polish", "digest": "sha256:x"}]
    assert "1. polish: see the recipe in the manifest." in card(manifest)


def test_what_chose_after_the_blocks_is_said_too(manifest: dict[str, Any]) -> None:
    manifest["counts"]["by_block"]["dedup"] = {"dropped": {"near copy": 3}, "counts": {}}
    assert "4. dedup: of the same or nearly the same conversations one was kept; 3 parts left out." in card(manifest)


def test_without_blocks_it_does_not_claim_that_anything_was_done(manifest: dict[str, Any]) -> None:
    manifest |= {"recipe": [], "choice": {}}
    assert "the text is as people and models wrote it" in card(manifest)


def test_reasons_stand_largest_first(manifest: dict[str, Any]) -> None:
    assert "| unanswered | 4 |\n| hold | 1 |" in card(manifest)


def test_the_list_of_what_was_left_out_is_named_only_where_there_is_one(manifest: dict[str, Any]) -> None:
    assert "`excluded.parquet`" in card(manifest)
    manifest["files"] = manifest["files"][:-1]
    assert "`excluded.parquet`" not in card(manifest)


def test_the_head_names_lines_by_split_and_parts_not_at_all(manifest: dict[str, Any]) -> None:
    head = front_matter(manifest)
    assert "  - split: train\n    path: data/messages-train-*.jsonl\n  - split: test\n" in head
    assert "parts" not in head


@pytest.mark.parametrize(
    ("conversations", "word"), [(3, "n<1K"), (1_000, "1K<n<10K"), (999_999, "100K<n<1M"), (2_000_000_000, "n>1B")]
)
def test_the_size_is_said_in_the_hub_s_words(manifest: dict[str, Any], conversations: int, word: str) -> None:
    manifest["counts"]["conversations"] = conversations
    assert f"size_categories:\n- {word}\n" in front_matter(manifest)


def test_shards_come_in_the_order_of_form_split_and_number() -> None:
    names = [shard_name("messages", "test", 0), shard_name("parts", "train", 0)]
    names += [shard_name("messages", "train", number) for number in (100_000, 2, 10)]
    found = shards({"files": [*map(_file, names)], "splits": ["train", "test"]})
    assert [shard.name.removeprefix("data/").partition(".")[0] for shard in found] == [
        "messages-train-00002",
        "messages-train-00010",
        "messages-train-100000",
        "messages-test-00000",
        "parts-train-00000",
    ]


def test_what_only_looks_like_a_shard_is_none() -> None:
    names = ["README.md", "data/messages-train-1.jsonl", "data/parts-train-00000.jsonl", "data/other-train-00000.jsonl"]
    assert forms({"files": [*map(_file, names)], "splits": ["train"]}) == {}


def test_a_split_that_is_not_listed_comes_last() -> None:
    names = [shard_name("parts", "other", 0), shard_name("parts", "train", 0)]
    found = shards({"files": [*map(_file, names)], "splits": ["train"]})
    assert [shard.split for shard in found] == ["train", "other"]


def test_a_pattern_meets_the_names_of_its_shards() -> None:
    assert pattern("parts", "train").replace("*", "00007") == shard_name("parts", "train", 7)
