"""The twelve items of California, and what they may not say against the cuts."""

from datetime import date
from typing import Any

import pytest
from tests.conformance.cut.written_cut import chats, manifest_of

from assent.domain.errors import Invalid, Refused
from assent.services.disclose.california import disclose_california
from assent.services.disclose.facts import EXAMPLE, DisclosureFacts, parse_facts

DAY = date(2026, 12, 1)


def cut(**more: Any) -> dict[str, Any]:
    frame = {"first": "2025-10-01T00:00:00Z", "last": "2026-04-30T12:00:00Z"}
    return manifest_of({"train": chats(2)}, [], **{"timeframe": frame, **more})


def facts(old: str = "", new: str = "") -> DisclosureFacts:
    assert old in EXAMPLE
    return parse_facts(EXAMPLE.replace(old, new), "facts.toml")


@pytest.fixture
def answers() -> list[str]:
    return [section.items[0].answer for section in disclose_california([cut()], facts(), DAY).sections]


def test_there_are_twelve_items_in_the_order_of_the_law() -> None:
    found = disclose_california([cut()], facts(), DAY)
    assert [section.number for section in found.sections] == [str(number) for number in range(1, 13)]
    assert all(section.items for section in found.sections)


def test_what_cuts_count_is_their_own_number(answers: list[str]) -> None:
    assert answers[2] == "2 conversations, in 4 parts, of 2 people."
    assert "other 100.0%" in answers[3]
    assert answers[9] == "2025-10-01 to 2026-04-30. Collection goes on."


def test_every_step_is_named_with_its_purpose_and_what_it_left_out(answers: list[str]) -> None:
    assert "redact (to replace personal data and secrets by made-up values)" in answers[8]
    assert "dedup (to keep one of several nearly equal conversations)" in answers[8]
    assert answers[8].endswith("2 parts were left out by these steps.")


def test_a_step_is_named_once_though_the_counts_name_it_too(answers: list[str]) -> None:
    assert answers[8].count("redact (") == 1


def test_without_any_step_nothing_was_cleaned() -> None:
    plain = cut(recipe=[], choice={})
    assert disclose_california([plain], facts(), DAY).sections[8].items[0].answer == "No."


def test_no_personal_information_is_refused_where_people_wrote() -> None:
    with pytest.raises(Refused, match="what 2 people wrote"):
        disclose_california([cut()], facts("personal_information = true", "personal_information = false"), DAY)


def test_all_public_domain_is_refused_where_people_wrote() -> None:
    with pytest.raises(Refused, match="4 parts"):
        disclose_california([cut()], facts("public_domain = false", "public_domain = true"), DAY)


def test_both_may_be_said_of_a_model_without_cuts() -> None:
    said = facts("personal_information = true", "personal_information = false")
    assert disclose_california([], said, DAY).sections[6].items[0].answer == "No"


def test_without_its_facts_it_is_not_written() -> None:
    text = EXAMPLE[: EXAMPLE.index("[california]")]
    with pytest.raises(Invalid, match="`california` is missing"):
        disclose_california([cut()], parse_facts(text, "facts.toml"), DAY)


def test_a_manifest_without_its_counts_is_said_to_lack_them() -> None:
    broken = cut()
    del broken["counts"]["people"]
    with pytest.raises(Invalid, match="people"):
        disclose_california([broken], facts(), DAY)
