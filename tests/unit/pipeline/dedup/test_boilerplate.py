"""Turns that many people share are known by how many conversations and people have them."""

import pyarrow as pa
import pytest

from assent.pipeline.dedup.boilerplate import BoilerplateTerms, boilerplate, turn_digests, without_boilerplate
from assent.pipeline.dedup.elect import elect
from assent.pipeline.dedup.semantic import semantic_report
from assent.pipeline.dedup.sketch import Sketches, sketch
from assent.pipeline.dedup.terms import DedupTerms
from assent.pipeline.write import PARTS

TERMS = BoilerplateTerms(conversations=3, people=2)
REFUSAL = "I am sorry, I cannot help with that."


def rows(*parts: tuple[str, str | None, str]) -> pa.RecordBatch:
    listed = [
        {"part": f"{c}#{n}", "conversation": c, "person": p, "text": t} for n, (c, p, t) in enumerate(parts)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(listed, pa.schema([PARTS.field(name) for name in listed[0]]))


@pytest.mark.parametrize(
    ("people", "known"),
    [
        (["p", "q", "p"], True),
        (["p", "p", "p"], False),
        (["p", "q"], False),
        ([None, None, None], True),
    ],
)
def test_a_turn_is_boilerplate_if_enough_conversations_of_enough_people_have_it(people: list, known: bool) -> None:
    batch = rows(*((f"c{n}", person, REFUSAL) for n, person in enumerate(people)), ("c9", "q", "something else"))
    assert len(boilerplate([turn_digests(batch)], TERMS)) == known


def test_the_same_turn_twice_in_a_conversation_counts_once() -> None:
    batch = rows(("c1", "p", REFUSAL), ("c1", "p", REFUSAL), ("c2", "q", REFUSAL))
    assert len(boilerplate([turn_digests(batch)], TERMS)) == 0


def test_boilerplate_leaves_and_the_rest_stays() -> None:
    batch = rows(("c1", "p", REFUSAL), ("c1", "p", "and now?"), ("c2", "q", REFUSAL), ("c3", "q", REFUSAL))
    found = boilerplate([turn_digests(batch.slice(0, 2)), turn_digests(batch.slice(2))], TERMS)
    outcome = without_boilerplate(batch, found)
    assert outcome.rows.column("text").to_pylist() == ["and now?"]
    assert [(one.part, one.reason) for one in outcome.dropped] == [
        ("c1#0", "boilerplate turn"),
        ("c2#2", "boilerplate turn"),
        ("c3#3", "boilerplate turn"),
    ]
    assert outcome.counts == {"boilerplate": 3}


def test_the_semantic_report_names_the_same_words_in_another_order_and_decides_nothing() -> None:
    story = "wizards quickly mix quartz jugs near old barns while foxes jump over sleeping dogs at night"
    texts = [
        story,
        " ".join(reversed(story.split())),
        "the tax office opens at nine on weekdays",
        "",
        "bake bread slowly",
    ]
    fives = Sketches.of([sketch(texts, DedupTerms())])
    words = Sketches.of([sketch(texts, DedupTerms(words=1))])
    election = elect(range(5), fives, DedupTerms())
    report = semantic_report("abcde", words, election=election)
    assert election.keep.all()
    assert (report.texts, report.alike) == (5, 2)
    assert report.to_record()["samples"] == [{"one": "a", "other": "b", "cosine": "1.000"}]
