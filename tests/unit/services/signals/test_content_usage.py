"""`Content-Usage` as the AIPREF drafts have it: unknown is a state, and one `n` is enough."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.services.signals.content_usage import (
    CATEGORIES,
    combine,
    emit,
    of_standing,
    parse,
    parse_robots,
    robots_preferences,
)

ROBOTS = """\
User-Agent: *
Allow: /
Disallow: /never/
Content-Usage: / train-ai=n
Content-Usage: /ai-ok/ train-ai=y   # said aloud

User-Agent: ExampleBot
User-Agent: OtherBot
Allow: /
 content-usage :\t/\ttrain-ai=y
"""


@pytest.mark.parametrize(
    ("header", "train", "search"),
    [
        ("train-ai=n", "n", "unknown"),
        ("train-ai=y, search=n", "y", "n"),
        ("train-ai=n;reason=art, x=1", "n", "unknown"),
        ('train-ai="n"', "unknown", "unknown"),
        ("train-ai=?0", "unknown", "unknown"),
        ("train-ai", "unknown", "unknown"),
        ("train-ai=N", "unknown", "unknown"),
        ('train-ai=n, train-ai="y"', "unknown", "unknown"),
        ("train-ai=y, train-ai=n", "n", "unknown"),
        ("train-ai=(n)", "unknown", "unknown"),
        ("train-ai=n,,", "unknown", "unknown"),
        ("", "unknown", "unknown"),
        ("tráin-ai=n", "unknown", "unknown"),
    ],
)
def test_a_header_is_read_as_the_drafts_have_it(header: str, train: str, search: str) -> None:
    assert parse(header) == {"train-ai": train, "search": search}


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(header: str) -> None:
    assert set(parse(header)) == set(CATEGORIES)


def test_what_is_written_is_read_back() -> None:
    for train, search in product(("y", "n", "unknown"), repeat=2):
        said = {"train-ai": train, "search": search}
        assert parse(emit(said)) == said


def test_one_refusal_among_many_statements_refuses() -> None:
    yes, no, silent = parse("train-ai=y"), parse("train-ai=n"), parse("")
    assert combine([yes, silent, no])["train-ai"] == "n"
    assert combine([silent, yes])["train-ai"] == "y"
    assert combine([silent])["train-ai"] == "unknown"
    assert combine([])["train-ai"] == "unknown"


@pytest.mark.parametrize("standing", ["unasked", "asked", "deferred", "declined", "withdrawn", "lapsed", "blocked"])
def test_a_shared_conversation_may_be_trained_on_only_if_its_owner_allowed_it(standing: str) -> None:
    assert emit(of_standing(standing)) == "train-ai=n"
    assert emit(of_standing("allowed")) == "train-ai=y"


@pytest.mark.parametrize(
    ("agent", "url", "train"),
    [
        ("SomeBot", "https://example.org/test", "n"),
        ("SomeBot", "https://example.org/ai-ok/test?x=1", "y"),
        ("SomeBot", "https://example.org/%61i-ok/test", "y"),
        ("examplebot", "https://example.org/test", "y"),
        ("OtherBot", "https://example.org", "y"),
    ],
)
def test_of_the_rules_in_robots_txt_the_longest_path_counts(agent: str, url: str, train: str) -> None:
    assert robots_preferences(parse_robots(ROBOTS, agent), url)["train-ai"] == train


def test_rules_with_one_path_are_joined_and_those_without_a_path_pass_over() -> None:
    rules = parse_robots(
        "user-agent: *\ncontent-usage: /a train-ai=y\ncontent-usage: /a train-ai=n\ncontent-usage: x=n"
    )
    assert [rule.path for rule in rules] == ["/a", "/a"]
    assert robots_preferences(rules, "http://h/a/b")["train-ai"] == "n"
    assert robots_preferences(rules, "http://h/b")["train-ai"] == "unknown"


def test_a_star_is_any_text_and_a_dollar_the_end() -> None:
    rules = parse_robots("User-agent: *\nContent-Usage: /*.html$ train-ai=n\n")
    assert robots_preferences(rules, "http://h/x/y.html")["train-ai"] == "n"
    assert robots_preferences(rules, "http://h/x/y.html.txt")["train-ai"] == "unknown"
    assert parse_robots("no colon here\n: \n\ncontent-usage: / train-ai=n") == []
