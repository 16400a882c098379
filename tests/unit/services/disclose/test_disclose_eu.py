"""The summary for the Union: what cuts know is exact, and no statement beats them."""

from datetime import date
from typing import Any

import pytest
from tests.conformance.cut.written_cut import chats, manifest_of

from assent.domain.digests import digest
from assent.domain.errors import Invalid, Refused
from assent.services.disclose.document import Disclosure
from assent.services.disclose.eu import INTERACTIONS, OTHERS, disclose_eu
from assent.services.disclose.facts import EXAMPLE, DisclosureFacts, parse_facts

DAY = date(2026, 12, 1)
FRAME = {"first": "2025-10-01T00:00:00Z", "last": "2026-04-30T12:00:00Z"}


def cut(conversations: int = 2, **more: Any) -> dict[str, Any]:
    return manifest_of({"train": chats(conversations)}, [], **{"timeframe": FRAME, **more})


def facts(*lines: tuple[str, str]) -> DisclosureFacts:
    text = EXAMPLE
    for old, new in lines:
        assert old in text
        text = text.replace(old, new)
    return parse_facts(text, "facts.toml")


def answers(disclosure: Disclosure, number: str) -> dict[str, str]:
    (section,) = [section for section in disclosure.sections if section.number == number]
    return {item.question: item.answer for item in section.items}


INTERACTIONS_NO = ("# interactions = true ", "interactions = false ")
INTERACTIONS_YES = ("# interactions = true ", "interactions = true ")


def test_one_part_of_a_chat_makes_the_answer_yes() -> None:
    found = answers(disclose_eu([cut(1)], facts(), DAY), "2.4")
    assert (found[INTERACTIONS], found[OTHERS]) == ("Yes", "No")
    assert found["Type of modality covered"] == "Text"
    assert (
        "the chat product"
        in found["General description of the services or products that were used to collect the data"]
    )


@pytest.mark.parametrize("conversations", [1, 50])
def test_no_is_refused_where_the_lineage_holds_any_chat(conversations: int) -> None:
    with pytest.raises(Refused, match=f"{2 * conversations} parts of conversations"):
        disclose_eu([cut(conversations)], facts(INTERACTIONS_NO), DAY)


def test_no_stands_where_the_lineage_holds_none() -> None:
    said = facts(INTERACTIONS_NO, ("# latest = 2025-06-30", "latest = 2025-06-30"))
    found = answers(disclose_eu([], said, DAY), "2.4")
    assert found == {INTERACTIONS: "No", OTHERS: "No"}


def test_without_cuts_and_without_a_statement_there_is_no_answer() -> None:
    with pytest.raises(Invalid, match="whether user interactions were used"):
        disclose_eu([], facts(("# latest = 2025-06-30", "latest = 2025-06-30")), DAY)


def test_a_yes_of_the_provider_stands_without_cuts() -> None:
    said = facts(INTERACTIONS_YES, ("# latest = 2025-06-30", "latest = 2025-06-30"))
    assert answers(disclose_eu([], said, DAY), "2.4")[INTERACTIONS] == "Yes"


@pytest.mark.parametrize(
    ("tokens", "band"),
    [
        (999_999_999, "Less than 1 billion tokens"),
        (1_000_000_000, "1 billion to 10 trillion tokens"),
        (10_000_000_000_000, "1 billion to 10 trillion tokens"),
        (10_000_000_000_001, "More than 10 trillion tokens"),
    ],
)
def test_counted_tokens_give_the_band(tokens: int, band: str) -> None:
    counted = cut()
    counted["counts"]["by_block"]["tokenise"] = {"dropped": {}, "counts": {"tokens": tokens}}
    assert answers(disclose_eu([counted], facts(), DAY), "1.3")["Text: training data size"] == band


def test_uncounted_text_of_fewer_bytes_than_a_billion_is_below_a_billion_tokens() -> None:
    found = disclose_eu([cut()], facts(), DAY)
    assert answers(found, "1.3")["Text: training data size"] == "Less than 1 billion tokens"


def test_uncounted_text_that_may_be_in_two_bands_is_refused() -> None:
    large = cut()
    large["counts"]["bytes"] = 1_000_000_000
    with pytest.raises(Refused, match="no single band"):
        disclose_eu([large], facts(), DAY)


def test_tokens_from_elsewhere_count_with_them() -> None:
    said = facts(("text_tokens = 0", "text_tokens = 20_000_000_000_000"))
    assert answers(disclose_eu([cut()], said, DAY), "1.3")["Text: training data size"] == "More than 10 trillion tokens"


def test_cuts_may_share_rows_so_several_are_a_range() -> None:
    found = disclose_eu([cut(2), cut(3, number=4)], facts(), DAY)
    assert "between 3 and 5 conversations of between 3 and 5 people" in answers(found, "1.3")["Text: types of content"]


@pytest.mark.parametrize(("elsewhere", "month"), [("2025-06-30", "04/2026"), ("2026-07-01", "07/2026")])
def test_the_latest_month_is_that_of_cuts_and_elsewhere_together(elsewhere: str, month: str) -> None:
    said = facts(("# latest = 2025-06-30", f"latest = {elsewhere}"))
    found = answers(disclose_eu([cut()], said, DAY), "1.3")
    answer = found["Latest date of data acquisition/collection for model training"]
    assert answer == f"{month}. The model is not continuously trained on new data after this date."


def test_if_nobody_knows_how_new_the_data_is_nothing_is_claimed() -> None:
    with pytest.raises(Invalid, match="how new"):
        disclose_eu([cut(timeframe={"first": None, "last": None})], facts(), DAY)


def test_languages_are_said_as_shares() -> None:
    mixed = cut()
    mixed["counts"]["by_language"] = {"en": 3, "de": 1}
    found = answers(disclose_eu([mixed], facts(), DAY), "1.3")
    said = found["Description of the linguistic characteristics of the overall training data"]
    assert said == "of the conversations en 75.0%, de 25.0%"


def test_every_section_of_the_template_is_there_and_what_cuts_do_not_know_is_open() -> None:
    found = disclose_eu([cut()], facts(), DAY)
    assert [section.number for section in found.sections] == [
        "1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3.1", "3.2", "3.3",
    ]  # fmt: skip
    assert {section.number for section in found.sections if section.items} == {"1.1", "1.2", "1.3", "2.4"}


def test_the_provider_fills_in_what_is_open() -> None:
    said = facts(("# [sections] ", "[sections] "), ('# "2.1" = "..."', '"2.1" = "None were used."'))
    found = disclose_eu([cut()], said, DAY)
    assert list(answers(found, "2.1").values()) == ["None were used."]


def test_reservations_that_were_honoured_are_said() -> None:
    honoured = cut(recipe=[{"block": "reservations", "digest": "sha256:1"}])
    assert "TDM reservation" in str(answers(disclose_eu([honoured], facts(), DAY), "3.1"))


def test_each_answer_names_who_gives_it_and_the_cuts_are_named_by_digest() -> None:
    manifest = cut()
    record = disclose_eu([manifest], facts(), DAY).to_record()
    assert record["cuts"] == [{"name": "spring", "number": 3, "manifest": digest(manifest)}]
    by_section = {section["number"]: section["items"] for section in record["sections"]}
    assert {item["basis"] for item in by_section["1.1"]} == {"provider"}
    assert by_section["2.4"][0]["basis"] == "lineage"


def test_speech_is_said_to_be_transcripts() -> None:
    found = answers(disclose_eu([cut(modalities=["text", "voice"])], facts(), DAY), "2.4")
    assert found["Type of modality covered"] == "Text"
    assert "the transcript was used" in found["Additional comments"]


def test_redaction_is_said_only_if_it_was_done() -> None:
    done = str(answers(disclose_eu([cut()], facts(), DAY), "2.4"))
    assert "(7 findings) were replaced" in done
    plain = cut(recipe=[])
    assert "replaced" not in str(answers(disclose_eu([plain], facts(), DAY), "2.4"))
