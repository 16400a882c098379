"""Broken policy files: message, line, column and remedy, exactly, for every class of error."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Place
from assent.policy.build import RuleProblem
from assent.policy.lint import lint
from assent.policy.parse import Places, PolicyProblems, parse_document, parse_policy, read_shape

HERE = Path(__file__).parent
SMALL = (HERE / "small.toml").read_text("utf-8")
ROWS = tomllib.loads((HERE / "broken.toml").read_text("utf-8"))["row"]


def problems_of(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(PolicyProblems) as caught:
        parse_policy(text, "small.toml")
    return [
        (str(problem.place).removeprefix("small.toml:"), problem.message, problem.fix)
        for problem in caught.value.problems
    ]


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['by'].strip()[:40]}" for n, row in enumerate(ROWS)])
def test_a_broken_file_is_explained(row: dict) -> None:
    assert row["replace"] in SMALL
    found = problems_of(SMALL.replace(row["replace"], row["by"], 1))
    assert found == [(want["at"], want["is"], want["do"]) for want in row["problems"]]


def test_the_table_has_every_class_of_error() -> None:
    said = " ".join(want["is"] for row in ROWS for want in row["problems"])
    classes = [
        "not TOML", "missing", "not known here", "is zero", "is not a duration", "longer than 200 years", "has no zone",
        "not an instant", "not true or false", "not text", "not a whole number", "not a day", "not a list",
        "not a table", "not a short name", "too short", "is empty", "too small", "not allowed", "is taken",
        "not a plan", "not a purpose", "not a source", "not a copy", "not a cap or veto", "not a parameter",
        "has no basis", "reserved word", "not a lint", "L1:", "L2:", "L4:", "L5:", "L6:", "L8:", "L12:",
    ]  # fmt: skip
    assert [name for name in classes if name not in said] == []
    assert len(ROWS) >= 30


def test_the_small_file_is_a_policy() -> None:
    policy = parse_policy(SMALL, "small.toml")
    assert policy.name == "acme/2"
    assert [grant.id for grant in policy.grants] == ["base", "training", "thumbs"]
    assert policy.taking_back == ("not used", "not used", "continue", "unchanged")
    assert policy.business_plans == frozenset()
    assert ([veto.id for veto in policy.vetoes], [cap.id for cap in policy.caps]) == (["minor"], ["deleted"])


def test_a_region_is_meant_however_it_is_spelled() -> None:
    """Facts name regions in capitals."""
    text = SMALL.replace("age = { below = 18 }", 'region = ["ch", "eea", "Home"]').replace(
        "[plans]", '[regions]\nhome = ["us"]\n\n[plans]'
    )
    [test] = parse_policy(text, "small.toml").vetoes[0].when.tests
    assert test.values >= {"CH", "US", "DE", "NO"}


def test_the_plans_of_the_group_business_are_known_as_such() -> None:
    policy = parse_policy(SMALL.replace("[plans]", '[plans]\nbusiness = ["team", "enterprise"]'), "small.toml")
    assert policy.business_plans == {"team", "enterprise"}
    assert policy.plans == {"free", "pro", "team", "enterprise"}


def test_all_problems_are_told_at_once_in_file_order() -> None:
    text = SMALL.replace('use_for = "P5Y"', 'use_for = "P0Y"').replace('status = "in force"', 'status = "now"')
    text = text.replace("cut = false", 'cut = "no"')
    assert [place for place, _, _ in problems_of(text)] == ["9:1", "55:58", "81:1"]


def test_the_first_problem_is_the_message_and_the_others_are_counted() -> None:
    with pytest.raises(PolicyProblems) as caught:
        parse_policy(SMALL.replace("P30D", "P0D"), "small.toml")
    first = "small.toml:23:1: `retention_on_withdrawal`: `P0D` is zero (and 2 more)"
    assert str(caught.value) == first


@pytest.mark.parametrize(("broken", "counted"), [(1, ""), (2, " (and 1 more)")])
def test_a_message_counts_the_other_problems_and_no_others(broken: int, counted: str) -> None:
    text = SMALL.replace("cut = true", "cut = 1", broken)
    with pytest.raises(PolicyProblems) as caught:
        parse_policy(text, "small.toml")
    assert len(caught.value.problems) == broken
    assert caught.value.message == f"`cut` is not true or false{counted}"


def test_a_fault_in_a_table_under_a_rule_is_found_there() -> None:
    """`[veto.when]` belongs to the newest `[[veto]]` before it."""
    far = '[[veto]]\nid = "far"\nsays = "Far chats never train"\nsource = "none"\nclass = "mode"\n'
    far += 'removes = ["training"]\n'
    text = SMALL.replace("[withdrawal]", far + '[veto.when]\nmode = "loud"\n\n[withdrawal]')
    line = text.splitlines().index('mode = "loud"') + 1
    assert [place for place, _, _ in problems_of(text)] == [f"{line}:1"]


def test_a_faulty_rule_of_content_still_has_a_shape() -> None:
    text = SMALL.replace('bound = "up to"', "", 1)
    document, places = read_shape(text, "small.toml")
    assert document.grant[0].bound is None
    assert places.of(("grant", 0)) == Place("small.toml", 62, 3)
    with pytest.raises(PolicyProblems, match="L2"):
        parse_document(text, "small.toml")


def test_a_place_that_is_not_in_the_file_is_its_nearest_parent() -> None:
    places = Places(SMALL, "small.toml")
    assert places.of(("grant", 1, "when", "data", "not", 0)) == Place("small.toml", 79, 47)
    assert places.of(("grant", 1, "owner")) == Place("small.toml", 73, 3)
    assert places.of(("grant", 99)) == Place("small.toml", 62, 3)
    assert places.of(("nowhere",)) == Place("small.toml", 1, 1)


def test_a_problem_learns_its_place() -> None:
    problem = Places(SMALL, "small.toml").at(RuleProblem(("veto", 0, "when"), "is odd", "even it out"))
    assert str(problem) == "small.toml:113:1: is odd"


def test_columns_count_characters_not_bytes() -> None:
    text = SMALL.replace('"terms page, section 4"', '"página 4"').replace("below = 18", '"é" = 1, below = 18')
    assert [place for place, _, _ in problems_of(text)] == ["113:18"]
    assert Places(text, "small.toml").of(("veto", 0, "when", "age", "below")).column == 27


def test_a_file_nested_too_deeply_is_refused_in_words() -> None:
    [(place, message, _)] = problems_of("x = " + "[" * 100_000)
    assert place == "1"
    assert message == "this is not a policy file: it is nested too deeply"


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "grant = 3\n", "[[policy]]\n"])
def test_a_file_that_is_hardly_there_is_explained(text: str) -> None:
    found = problems_of(text)
    assert found
    assert all(fix for _, _, fix in found)


LINES = SMALL.splitlines()
VALUES = ['"P0D"', "[]", "{}", "true", "1", "-1", "1.5", '"x"', '["x"]', '{ not = ["x"] }', "2026-01-01", "[[1]]",
          "nan", '"indefinite"', '"keep"', "[{}]", "{ a = { b = 1 } }", '""', None]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(VALUES)), min_size=1, max_size=3))
def test_whatever_stands_in_a_file_it_is_a_policy_or_explained(damage: list[tuple[int, str | None]]) -> None:
    """Whatever value or missing line: findings or problems, each with a remedy, and nothing else."""
    lines: list[str | None] = list(LINES)
    for number, value in damage:
        key = LINES[number].partition("=")[0]
        lines[number] = f"{key}= {value}" if value is not None and "=" in LINES[number] else None
    text = "\n".join(line for line in lines if line is not None)
    try:
        told = lint(text, "small.toml")
    except PolicyProblems as broken:
        told = broken.problems
    assert all(one.fix and one.place for one in told)
