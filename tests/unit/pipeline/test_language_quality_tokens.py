"""Language, quality and tokens of conversations: what is named, what is kept aside and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pipeline.rows_of_parts import batch, row

from assent.domain.errors import Invalid
from assent.pipeline.block import block_digest
from assent.pipeline.language import Language, LanguageTerms
from assent.pipeline.quality import Quality, QualityTerms, fault, squeezer
from assent.pipeline.tokens import count_tokens, describe_tokens, pack

SAID = {
    "de": "Kannst du mir bitte erklären, warum der Himmel am Abend so rot ist?",
    "en": "Could you please explain to me why the sky is so red in the evening?",
    "fr": "Peux-tu m'expliquer pourquoi le ciel est si rouge le soir, s'il te plaît ?",
    "es": "¿Me puedes explicar por qué el cielo está tan rojo por la tarde?",
    "it": "Mi puoi spiegare perché la sera il cielo è così rosso, per favore?",
    "ja": "夕方になると空がとても赤くなるのはなぜですか、教えてください。",
}


def talk(*pairs: tuple[str, str], conversation: str = "c") -> list[dict]:
    return [row(text, by=by, conversation=conversation) for by, text in pairs]


def test_the_language_is_that_of_the_person_and_stands_on_every_row() -> None:
    rows = [
        entry
        for code, text in SAID.items()
        for entry in talk(("user", text), ("assistant", "Sure, here is the explanation in English."), conversation=code)
    ]
    found = Language().apply(batch(*rows)).rows
    assert found.column("language").to_pylist() == [code for code in SAID for _ in range(2)]
    assert all(0.3 <= p <= 1 for p in found.column("language_p").to_pylist())


@pytest.mark.parametrize("text", ["ok", "12345 67890 !!!", "", "```\nfor i in range(10): print(i)\n```"])
def test_what_is_too_short_or_only_code_is_undetermined(text: str) -> None:
    assert Language().apply(batch(row(text))).rows.column("language").to_pylist() == ["und"]


def test_languages_that_nobody_asked_for_are_kept_aside_by_whole_conversations() -> None:
    rows = talk(("user", SAID["fr"]), ("assistant", "Oui."), conversation="a") + talk(
        ("user", SAID["en"]), conversation="b"
    )
    outcome = Language(LanguageTerms(only=("en",))).apply(batch(*rows))
    assert outcome.rows.column("conversation").to_pylist() == ["b"]
    assert [reason for _, reason in outcome.dropped] == ["language: fr"] * 2
    assert outcome.counts == {"fr": 1, "en": 1}


def test_digests_tell_terms_apart() -> None:
    assert block_digest(Language()) != block_digest(Language(LanguageTerms(only=("en",))))
    assert block_digest(Quality()) != block_digest(Quality(QualityTerms(long=700)))


def test_terms_that_cannot_be_are_refused() -> None:
    with pytest.raises(Invalid):
        LanguageTerms(least=1001)
    with pytest.raises(Invalid):
        QualityTerms(letters=-1)


PROSE = (
    "The sky looks red in the evening because the light of the sun takes a longer way through the air. "
    "On that way the blue part is scattered aside, and mostly the red part is left to reach us. "
    "Dust and small drops of water make the colours stronger, which is why no two evenings are alike. "
)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (PROSE * 2, None),
        ("42", None),
        ("Yes.", None),
        ("| a | b |\n|---|---|\n" + "\n".join(f"| {n} | {n * n} |" for n in range(60)), None),
        ("```\n" + "\n".join(f"x[{n}] = {{}} ;; // ({n * 7919 % 101})" for n in range(80)) + "\n```", None),
        ("well " * 400, "repetition"),
        (
            (PROSE[:97] + "\n") * 3 + "\n".join(PROSE[n : n + 40] for n in range(4)) + (PROSE[:97] + "\n") * 9,
            "repetition",
        ),
        ("Something went wrong. If this issue persists please contact us.", "failed"),
        ("Network error", "failed"),
        ("Error 503: the upstream is not available", "failed"),
        ("Network error means that a packet did not arrive.\n\n" + PROSE, None),
        ("".join(chr(33 + n * n * 7919 % 1009 % 15) for n in range(900)), "letters"),
        (" ".join(f"{PROSE} {n}" for n in range(12)) + " and then (", "truncated"),
        (" ".join(f"{PROSE} {n}" for n in range(12)) + ".", None),
    ],
)
def test_each_rule_finds_what_it_is_for_and_nothing_else(answer: str, found: str | None) -> None:
    terms = QualityTerms(squeezed=60) if found in (None, "truncated") else QualityTerms()
    assert fault(answer, terms, squeezer()) == found


def test_a_conversation_without_a_good_answer_is_kept_aside_with_the_reason() -> None:
    rows = (
        talk(("user", "why?"), ("assistant", "well " * 400), conversation="a")
        + talk(("user", "why?"), ("assistant", PROSE), ("assistant", "Network error"), conversation="b")
        + talk(("user", "hello?"), conversation="c")
        + talk(("assistant", PROSE), conversation="d")
    )
    outcome = Quality().apply(batch(*rows))
    assert set(outcome.rows.column("conversation").to_pylist()) == {"b"}
    assert 0.9 < outcome.rows.column("quality")[0].as_py() < 1
    assert [reason for _, reason in outcome.dropped] == ["quality: repetition"] * 2 + ["quality: empty"] * 2
    assert outcome.counts == {"repetition": 1, "empty": 2}


def test_what_the_person_typed_is_never_judged() -> None:
    rows = talk(("user", "aaaa " * 900), ("assistant", "That is a lot of the letter a."))
    assert Quality().apply(batch(*rows)).rows.num_rows == 2


def test_no_rows_are_no_trouble() -> None:
    assert Quality().apply(batch()).rows.column_names[-1] == "quality"
    assert Language().apply(batch()).rows.column_names[-2:] == ["language", "language_p"]


def test_tokens_are_those_of_the_public_vocabulary() -> None:
    assert count_tokens(["hello world", "", "日本語"]) == [2, 0, 2]
    assert describe_tokens()["vocabulary"] == "o200k_base"


@given(st.lists(st.integers(0, 120), max_size=80), st.integers(1, 100), st.integers(0, 2))
def test_packing_places_every_text_once_and_overfills_no_window(counts: list[int], window: int, between: int) -> None:
    packed = pack(counts, window, between)
    assert sorted(text for place in packed for text in place.texts) == list(range(len(counts)))
    for place in packed:
        assert place.tokens == sum(counts[text] for text in place.texts) + between * (len(place.texts) - 1)
        assert place.tokens <= window or len(place.texts) == 1


@given(st.lists(st.integers(1, 100), min_size=1, max_size=80))
def test_at_most_one_window_is_less_than_half_full(counts: list[int]) -> None:
    assert sum(place.tokens < 50 for place in pack(counts, 100, 0)) <= 1


def test_a_window_that_holds_nothing_is_refused() -> None:
    with pytest.raises(Invalid):
        pack([1], 0)
