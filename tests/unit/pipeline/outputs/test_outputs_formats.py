"""Conversations as ShareGPT turns, preference pairs and rated answers."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.cut.written_cut import batch, chats, rated, said

from assent.pipeline.messages import MessageCounts, lines
from assent.pipeline.outputs.formats import preferences, ratings, sharegpt

Rows = list[dict[str, Any]]


def made(write: Callable[[pa.RecordBatch], Iterator[bytes]], *rows: dict[str, Any]) -> Rows:
    return [orjson.loads(line) for line in write(batch(rows))]


def asked_twice(first: str, second: str, again: str = "Why is the sky blue?") -> Rows:
    """One question, answered as turn `a` and as turn `b`, each rated as given."""
    return [
        said("Why is the sky blue?"),
        said("It is painted.", by="assistant", turn="a"),
        said(again),
        said("Air scatters blue light most.", by="assistant", turn="b"),
        rated("a", first),
        rated("b", second),
    ]


def test_sharegpt_names_the_speakers_its_own_way() -> None:
    (line,) = made(sharegpt, said("Be kind.", by="system"), said("Hello"), said("Hi", by="assistant"))
    assert [turn["from"] for turn in line["conversations"]] == ["system", "human", "gpt"]


def test_sharegpt_keeps_thoughts_beside_the_answer_and_not_in_it() -> None:
    thought = said("Be brief.", by="assistant", turn="t", marks=["reasoning"])
    (line,) = made(sharegpt, said("Hello"), thought, said("Hi", by="assistant", turn="t"))
    assert line["conversations"][1] == {"from": "gpt", "value": "Hi", "reasoning": "Be brief."}


@pytest.mark.parametrize(
    ("arguments", "written"),
    [('{"q":"sea"}', {"q": "sea"}), ("ls -l", "ls -l"), ("[1]", "[1]"), ("{broken", "{broken")],
)
def test_sharegpt_writes_a_call_as_one_json_object(arguments: str, written: object) -> None:
    call = said(arguments, by="assistant", marks=["tool-payload"], tool="web")
    (line,) = made(sharegpt, said("Look"), call)
    assert line["conversations"][1]["from"] == "function_call"
    assert orjson.loads(line["conversations"][1]["value"]) == {"name": "web", "arguments": written}


def test_sharegpt_leaves_out_what_the_messages_leave_out() -> None:
    assert made(sharegpt, said("Hello?", conversation="test:silent"), *chats(1))[0]["id"] == "test:chat-000"


def test_an_answer_rated_up_and_one_rated_down_to_the_same_question_are_a_pair() -> None:
    (pair,) = made(preferences, *asked_twice("thumbs_down", "thumbs_up"))
    assert pair["chosen"] == [{"role": "assistant", "content": "Air scatters blue light most."}]
    assert pair["rejected"] == [{"role": "assistant", "content": "It is painted."}]
    assert pair["prompt"][-1] == {"role": "user", "content": "Why is the sky blue?"}


def test_a_pair_names_the_decision_of_every_part_in_it_once() -> None:
    rows = asked_twice("thumbs_down", "thumbs_up")
    (pair,) = made(preferences, *rows)
    assert sorted(pair["decisions"]) == sorted(row["decision"] for row in rows)


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        ("thumbs_up", "thumbs_up", "Why is the sky blue?"),
        ("thumbs_down", "thumbs_up", "And at night?"),
        ("thumbs_down", "unsure", "Why is the sky blue?"),
    ],
)
def test_nothing_else_is_a_pair(first: str, second: str, again: str) -> None:
    assert made(preferences, *asked_twice(first, second, again)) == []


def test_two_conversations_never_make_a_pair() -> None:
    rows = asked_twice("thumbs_down", "thumbs_up")
    for row in rows[:2] + rows[4:5]:
        row["conversation"] = "test:0"
    assert made(preferences, *sorted(rows, key=lambda row: row["conversation"])) == []


@pytest.mark.parametrize(
    ("word", "good"),
    [("thumbs_up", True), ("upvote", True), ("thumbsDown", False), ("flag", False), ("1", True), ("-1", False)],
)
def test_every_source_s_word_for_a_rating_is_read(word: str, good: bool) -> None:
    (line,) = made(ratings, said("Hello"), said("Hi", by="assistant", turn="a"), rated("a", word))
    assert (line["label"], line["completion"]) == (good, [{"role": "assistant", "content": "Hi"}])


def test_an_answer_with_calls_of_tools_is_rated_as_a_whole() -> None:
    payload = {"marks": ["tool-payload"], "tool": "web", "turn": "a"}
    rows = [said("{}", by="assistant", **payload), said("sunny", by="tool", **payload)]
    answer = said("Sunny.", by="assistant", turn="a")
    (line,) = made(ratings, said("Weather?"), *rows, answer, rated("a", "thumbs_up"))
    assert [message["role"] for message in line["prompt"]] == ["user"]
    assert [message["role"] for message in line["completion"]] == ["assistant", "tool", "assistant"]


@pytest.mark.parametrize(
    "rows",
    [
        [said("Hello"), said("Hi", by="assistant", turn="a"), rated("a", "thumbs_up"), rated("a", "thumbs_down")],
        [said("Hello"), said("Hi", by="assistant", turn="a"), rated("elsewhere", "thumbs_up")],
        [said("Hi", by="assistant", turn="a"), rated("a", "thumbs_up")],
        [said("Hello"), said("Hi", by="assistant", turn="a"), said("{", data="feedback", turn="a")],
        [said("Hello"), said("Hi", by="assistant", turn="a"), said("[]", data="feedback", turn="a")],
    ],
    ids=["rated both ways", "about no answer", "about no question", "not JSON", "no object"],
)
def test_what_says_no_preference_is_no_rating(rows: Rows) -> None:
    assert made(ratings, *rows) == []


@st.composite
def conversations(draw: st.DrawFn) -> Rows:
    """Two conversations of any parts a cut can hold, in the order of their ids."""
    rows = []
    for name in ("test:a", "test:b"):
        for _ in range(draw(st.integers(0, 7))):
            by = draw(st.sampled_from(["user", "assistant", "assistant", "tool", "system"]))
            turn = draw(st.sampled_from(["1", "2", "3"]))
            marks = draw(st.sampled_from([[], [], ["reasoning"], ["tool-payload"]]))
            rating = draw(st.sampled_from([None, None, "thumbs_up", "thumbs_down", "?"]))
            text = draw(st.sampled_from(["", "Why?", "{}", "Because."]))
            rows.append(said(text, by=by, turn=turn, marks=marks, conversation=name))
            if rating is not None:
                rows.append(rated(turn, rating, conversation=name))
    return rows


@given(conversations())
def test_every_form_says_only_what_its_own_conversation_says(rows: Rows) -> None:
    of = {row["decision"]: row["conversation"] for row in rows}
    plain = [line["id"] for line in made(lambda some: lines(some, MessageCounts()), *rows)]
    assert [line["id"] for line in made(sharegpt, *rows)] == plain
    for write in (sharegpt, preferences, ratings):
        for line in made(write, *rows):
            assert {of[decision] for decision in line["decisions"]} == {line["id"]}
            assert len(set(line["decisions"])) == len(line["decisions"])


@given(conversations())
def test_what_is_preferred_ends_with_an_answer_to_a_question(rows: Rows) -> None:
    found = [(line["prompt"], line["completion"]) for line in made(ratings, *rows)]
    found += [(line["prompt"], line[side]) for line in made(preferences, *rows) for side in ("chosen", "rejected")]
    for prompt, answer in found:
        assert "user" in {message["role"] for message in prompt}
        assert answer[0]["role"] == answer[-1]["role"] == "assistant"
