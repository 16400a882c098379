"""The questions that weights are asked, and the intervals over people: neither depends on a model."""

import numpy as np
import pytest

from assent.learn.runs.data import Talk
from assent.learn.runs.resampling import Crowd, chance_of_difference
from assent.learn.runs.skills import Question, questions

CODE = "Here:\n\n```python\ntotal = sum([1, 2, 3, 4])\n```\nDone."
SUM = "First 12 + 30 = 42, then we are done. And 2 + 2 = 5 is wrong."


def talk(number: int, answer: str, skill: str = "coding") -> Talk:
    said = [{"role": "user", "content": f"question {number}"}, {"role": "assistant", "content": answer}]
    return Talk(f"c{number}", f"p{number}", skill, said)


def of(kind: str, talks: list[Talk]) -> list[Question]:
    return [one for one in questions(talks, 0) if one.kind == kind]


def test_a_line_of_code_is_cut_where_it_does_not_parse_and_right_if_it_does_in_the_end() -> None:
    (asked,) = of("code line", [talk(1, CODE)])
    assert CODE.startswith(asked.begun)
    rest = CODE[len(asked.begun) :].partition("\n")[0]
    assert asked.right is not None
    assert asked.right(rest + "\nwhatever follows (")
    assert not asked.right("")
    assert not asked.right(")))")


def test_only_a_step_of_arithmetic_that_is_right_is_asked_for() -> None:
    (asked,) = of("sum", [talk(1, SUM)])
    assert asked.begun == "First 12 + 30 ="
    assert asked.right is not None
    assert asked.right(" 42, then")
    assert asked.right("42.0")
    assert not asked.right(" 420")
    assert not asked.right(" I think 42")
    assert not of("sum", [talk(1, "2 + 2 = 5 and 7 / 0 = 7")])


def test_wrong_answers_come_from_other_people_and_the_same_skill() -> None:
    talks = [talk(number, f"answer {number} in coding") for number in range(5)]
    others = [talk(10 + number, f"answer {number} in reason", "reasoning") for number in range(3)]
    asked = of("next turn", talks + others)
    assert len(asked) == 5, "three are too few to draw three wrong ones from"
    for one in asked:
        assert one.choices[0] == f"answer {one.person[1:]} in coding"
        assert len(set(one.choices)) == 4
        assert all("coding" in choice for choice in one.choices)


def test_everybody_is_asked_the_same_in_any_order() -> None:
    talks = [talk(number, f"{CODE} {number}") for number in range(6)]
    there, back = (
        {(one.kind, one.person, one.choices, one.begun) for one in questions(some, 3)} for some in (talks, talks[::-1])
    )
    assert there == back


def test_an_interval_is_over_people_and_one_person_has_none() -> None:
    loss, size = np.array([1.0] * 50 + [3.0] * 50), np.ones(100)
    two = Crowd(["ann"] * 50 + ["ben"] * 50, 0).ratio(loss, size)
    many = Crowd([f"{number}" for number in range(100)], 0).ratio(loss, size)
    assert two.value == many.value == 2.0
    assert (two.low, two.high) == (1.0, 3.0)
    assert many.low is not None
    assert many.low > 1.6
    assert Crowd(["ann"] * 100, 0).ratio(loss, size).low is None


def test_a_difference_that_everybody_has_is_no_chance_and_one_without_a_sign_is() -> None:
    assert chance_of_difference(np.ones(10), 0) == pytest.approx(2 / 2**10)
    assert chance_of_difference(np.ones(200), 0) == pytest.approx(1 / 10_001)
    assert chance_of_difference(np.array([1.0, -1.0] * 50), 0) == 1.0
