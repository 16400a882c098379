"""Facts from records: every key, what it refuses, and that the refusal names the key and what is allowed."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from tests.laws.strategies import Scene, any_scene

from assent.domain.facts import (
    AGE_WORDS,
    ChoiceAct,
    Facts,
    FactsProblem,
    HoldSpan,
    choice_order,
    facts_from_record,
    facts_to_record,
)

DAY, NEXT = datetime(2025, 10, 8, tzinfo=UTC), datetime(2025, 10, 9, tzinfo=UTC)
TEXT_KEYS = ("part", "subject", "conversation", "plan", "region", "role")
WORD_KEYS = {
    "surface": "chat, coding, browser, voice, api",
    "mode": "normal, private",
    "data": "text, voice, image, file, score, feedback",
    "origin": "person, model, tool, connector, file",
}
INSTANT_KEYS = tuple(field.name for field in fields(Facts) if field.name.endswith("_at"))


def problem_of(record: dict[str, Any]) -> FactsProblem:
    with pytest.raises(FactsProblem) as problem:
        facts_from_record({"part": "p", **record})
    assert problem.value.fix, "a refusal says what to do next"
    return problem.value


WRONG: list[tuple[str, Any, str]] = [
    *((key, value, "give a string") for key in TEXT_KEYS for value in (7, True, "", "  ", ["x"], {})),
    *((key, value, words) for key, words in WORD_KEYS.items() for value in (7, True, "other", "", ["x"], {}, words)),
    *(("age", value, "0 to 150") for value in ("30", "old", -1, 151, 30.0, True, [30], {})),
    *(("signed_in", value, "true or false") for value in ("true", 0, 1, "", [], {})),
    *((key, value, "ISO 8601") for key in INSTANT_KEYS for value in (1759881600, True, "soon", "", [], {})),
    *((key, "2025-10-08T00:00:00", "offset") for key in INSTANT_KEYS),
    *((key, "1760-01-01T00:00:00Z", "unit") for key in INSTANT_KEYS),
    *(("user_duration", value, "indefinite") for value in (30, "30 days", "P0D", "", "ever", True, [], {})),
    *(("choices", value, "act, at, purpose") for value in ({}, "allow", 7, ["allow"], [None], True)),
    *(("holds", value, "from, released_at") for value in ({}, "held", 7, ["held"], [None], True)),
]


@pytest.mark.parametrize(("key", "value", "allowed"), WRONG, ids=lambda value: repr(value)[:24])
def test_a_wrong_value_names_the_key_and_what_is_allowed(key: str, value: Any, allowed: str) -> None:
    problem = problem_of({key: value})
    assert problem.key == key
    assert f"key `{key}`" in problem.message
    assert allowed in problem.fix


def act(**changed: Any) -> dict[str, Any]:
    return {"purpose": "training", "act": "allow", "at": "2025-10-08T00:00:00Z", **changed}


WRONG_INSIDE: list[tuple[str, list[dict[str, Any]], str]] = [
    ("choices.at", [{"purpose": "training", "act": "allow"}], "ISO 8601"),
    ("choices.at", [act(), act(at=5)], "ISO 8601"),
    ("choices.at", [act(at="2025-10-08")], "offset"),
    ("choices.act", [act(act="agree")], "allow, decline, defer, withdraw"),
    ("choices.act", [{"purpose": "training", "at": "2025-10-08T00:00:00Z"}], "allow, decline, defer, withdraw"),
    ("choices.purpose", [act(purpose="")], "give a string"),
    ("choices.purpose", [act(purpose=None)], "give a string"),
    ("choices.by", [act(by="admin")], "act, at, purpose"),
    ("holds.from", [{"released_at": "2025-10-08T00:00:00Z"}], "ISO 8601"),
    ("holds.from", [{"from": "2025"}], "ISO 8601"),
    ("holds.released_at", [{"from": "2025-10-08T00:00:00Z", "released_at": True}], "ISO 8601"),
    ("holds.released_at", [{"from": "2025-10-08T00:00:00Z", "released_at": "2025-10-07T00:00:00Z"}], "released after"),
    ("holds.until", [{"from": "2025-10-08T00:00:00Z", "until": None}], "from, released_at"),
]


@pytest.mark.parametrize(("key", "items", "allowed"), WRONG_INSIDE)
def test_a_wrong_value_in_a_list_names_the_inner_key(key: str, items: list[dict[str, Any]], allowed: str) -> None:
    problem = problem_of({key.split(".", maxsplit=1)[0]: items})
    assert problem.key == key
    assert allowed in problem.fix


def test_unknown_keys_and_a_missing_part_are_refused() -> None:
    assert problem_of({"delete_at": "2025-10-08T00:00:00Z"}).key == "delete_at"
    assert "deleted_at" in problem_of({"delete_at": None}).fix
    for record in ({}, {"part": None}, {"plan": "pro"}):
        with pytest.raises(FactsProblem) as problem:
            facts_from_record(record)
        assert problem.value.key == "part"


@pytest.mark.parametrize("key", [*TEXT_KEYS[1:], *WORD_KEYS, *INSTANT_KEYS, "age", "signed_in", "user_duration"])
def test_null_is_unknown(key: str) -> None:
    assert facts_from_record({"part": "p", key: None}) == Facts("p")


SECRET = "My neighbour told me in confidence that she is ill, and I should not repeat it."


@pytest.mark.parametrize("key", [*WORD_KEYS, *INSTANT_KEYS, "age", "signed_in", "user_duration", "choices", "holds"])
def test_a_refusal_never_repeats_what_may_be_content(key: str) -> None:
    problem = problem_of({key: SECRET})
    assert "neighbour" not in problem.message + problem.fix


def test_a_short_word_is_repeated_so_that_the_mistake_is_seen() -> None:
    assert "`incognito`" in problem_of({"mode": "incognito"}).message
    assert "`2025-10-08`" in problem_of({"created_at": "2025-10-08"}).message
    assert "`P0D`" in problem_of({"user_duration": "P0D"}).message


@pytest.mark.parametrize(("word", "age"), AGE_WORDS.items())
def test_age_bands_stand_for_an_age_inside_them(word: str, age: int) -> None:
    assert facts_from_record({"part": "p", "age": word}).age == age
    assert {"child": range(13), "teen": range(13, 18), "minor": range(18), "adult": range(18, 151)}[word].count(age)


def test_one_form_for_what_can_be_written_in_several() -> None:
    facts = facts_from_record(
        {"part": "p", "region": "de", "user_duration": "P12M", "created_at": "2025-10-08T02:00:00+02:00", "age": 0}
    )
    assert (facts.region, facts.user_duration, facts.created_at, facts.age) == ("DE", "P1Y", DAY, 0)
    assert facts_from_record({"part": "p", "user_duration": "indefinite"}).user_duration == "indefinite"


def test_acts_are_ordered_by_time_and_the_refusing_one_comes_last() -> None:
    facts = facts_from_record(
        {
            "part": "p",
            "choices": [
                act(act="withdraw"),
                act(at="2025-10-09T00:00:00Z"),
                act(),
                act(act="decline"),
                act(act="defer"),
            ],
        }
    )
    assert [(c.act, c.at) for c in facts.choices[-1:]] == [("allow", NEXT)]
    assert {c.act for c in facts.choices[:2]} == {"allow", "defer"}
    assert {c.act for c in facts.choices[2:4]} == {"withdraw", "decline"}
    assert list(facts.choices) == sorted(facts.choices, key=choice_order)


def test_holds_are_ordered_and_may_end_where_they_began() -> None:
    spans = [{"from": "2025-10-09T00:00:00Z"}, {"from": "2025-10-08T00:00:00Z", "released_at": "2025-10-08T00:00:00Z"}]
    assert facts_from_record({"part": "p", "holds": spans}).holds == (HoldSpan(DAY, DAY), HoldSpan(NEXT))


@given(any_scene)
def test_facts_are_read_back_from_their_record(scene: Scene) -> None:
    facts = replace(scene.facts, holds=tuple(sorted(scene.facts.holds, key=lambda hold: hold.start)))
    record = facts_to_record(facts)
    assert facts_from_record(json.loads(json.dumps(record))) == facts
    assert None not in record.values()


def test_a_record_leaves_out_what_is_unknown() -> None:
    assert facts_to_record(Facts("p")) == {"part": "p"}
    facts = Facts("p", age=0, signed_in=False, choices=(ChoiceAct("training", "defer", DAY),), holds=(HoldSpan(DAY),))
    assert facts_to_record(facts) == {
        "part": "p",
        "age": 0,
        "signed_in": False,
        "choices": [{"purpose": "training", "act": "defer", "at": "2025-10-08T00:00:00Z"}],
        "holds": [{"from": "2025-10-08T00:00:00Z", "released_at": None}],
    }
