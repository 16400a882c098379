"""Whoever carries a benchmark's words leaves the cut, under the benchmark's name."""

import json
import pickle
from pathlib import Path

import pyarrow as pa
import pytest

from assent.domain.errors import Invalid
from assent.pipeline.block import block_digest
from assent.pipeline.decontaminate import Decontaminate, DecontaminateTerms, build_index
from assent.pipeline.write import PARTS

TERMS = DecontaminateTerms()
QUESTION = "A farmer has seventeen sheep and all but nine of them run away, so how many sheep are left on the farm?"
SHORT = "What is the tallest mountain on planet Earth today?"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    sums, facts = tmp_path / "sums.jsonl", tmp_path / "facts.txt"
    sums.write_text(json.dumps({"question": QUESTION, "choices": ["nine", "eight"]}) + "\n\n", "utf-8")
    facts.write_text(f"{SHORT}\n\nHow are you?\n", "utf-8")
    return [sums, facts]


def rows(*parts: tuple[str, str]) -> pa.RecordBatch:
    listed = [{"part": f"{c}#{n}", "conversation": c, "text": t} for n, (c, t) in enumerate(parts)]
    return pa.RecordBatch.from_pylist(listed, pa.schema([PARTS.field(name) for name in listed[0]]))


def test_a_conversation_with_a_benchmarks_words_leaves_whole(files: list[Path]) -> None:
    block = Decontaminate(TERMS, build_index(files, TERMS))
    outcome = block.apply(
        rows(
            ("c1", "Solve it: " + QUESTION.upper().replace(",", " -") + " Thanks!"),
            ("c1", "Nine."),
            ("c2", "How are you? Nine sheep are left on the farm."),
            ("c3", SHORT),
        )
    )
    assert outcome.rows.column("conversation").to_pylist() == ["c2"]
    assert [tuple(one) for one in outcome.dropped] == [
        ("c1#0", "benchmark: sums"),
        ("c1#1", "benchmark: sums"),
        ("c3#3", "benchmark: facts"),
    ]
    assert outcome.counts == {"benchmark: sums": 1, "benchmark: facts": 1}


def test_thirteen_words_in_a_row_are_needed(files: list[Path]) -> None:
    block = Decontaminate(TERMS, build_index(files, TERMS))
    words = QUESTION.split()
    assert block.apply(rows(("c", " ".join(words[:12])))).rows.num_rows == 1
    assert block.apply(rows(("c", " ".join(words[:13])))).rows.num_rows == 0
    assert block.apply(rows(("c", " ".join(words[:7])), ("c", " ".join(words[7:13])))).rows.num_rows == 2


def test_more_matches_may_be_asked_for(files: list[Path]) -> None:
    terms = DecontaminateTerms(matches=3)
    block = Decontaminate(terms, build_index(files, terms))
    words = QUESTION.split()
    assert block.apply(rows(("c", " ".join(words[:14])))).rows.num_rows == 1
    assert block.apply(rows(("c", " ".join(words[:14])), ("c", " ".join(words[:14])))).rows.num_rows == 2
    assert block.apply(rows(("c", " ".join(words[:15])))).rows.num_rows == 0


def test_texts_too_short_to_tell_are_counted(files: list[Path]) -> None:
    index = build_index(files, TERMS)
    assert index.ignored == 3
    assert index.lengths == (9, 13)
    assert index.names == ("sums", "facts")


def test_the_block_travels_and_its_digest_knows_the_benchmarks(files: list[Path]) -> None:
    block = Decontaminate(TERMS, build_index(files, TERMS))
    copy = pickle.loads(pickle.dumps(block))
    assert block_digest(copy) == block_digest(block)
    assert copy.apply(rows(("c", SHORT))).rows.num_rows == 0
    assert block_digest(Decontaminate(TERMS, build_index(files[:1], TERMS))) != block_digest(block)


def test_no_benchmark_leaves_everything_out_of_nothing(files: list[Path]) -> None:
    empty = rows(("c", SHORT)).slice(0, 0)
    assert Decontaminate(TERMS, build_index(files, TERMS)).apply(empty).rows.num_rows == 0
    assert Decontaminate(TERMS, build_index([], TERMS)).apply(rows(("c", SHORT))).rows.num_rows == 1


def test_a_benchmark_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\nnot json\n', "utf-8")
    with pytest.raises(Invalid, match=r"line 2 of `bad\.jsonl` is not JSON"):
        build_index([tmp_path / "bad.jsonl"], TERMS)
    with pytest.raises(Invalid, match="same name"):
        build_index([tmp_path / "bad.jsonl", tmp_path / "x" / "bad.txt"], TERMS)
