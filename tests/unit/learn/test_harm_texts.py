# ruff: noqa: RUF001 - letters that look like others are the point here
"""What a detector reads and learns from: one way of writing, windows, languages, conversations, contrast pairs."""

import re

import pytest

from assent.domain.errors import Invalid
from assent.learn.harm.categories import BY_NAME, NAMES, OF_LLAMA_GUARD, OF_OPENAI, OPENAI, SCORED, to_openai
from assent.learn.harm.conversation import Turn, pieces_of, prose, score_talk, surface_of
from assent.learn.harm.keywords import Keywords
from assent.learn.harm.labelled import Labelled, own, read_labelled, without_copies
from assent.learn.harm.language import spoken
from assent.learn.harm.normalise import fold
from assent.learn.harm.pairs import everyday, pairs, pairs_digest
from assent.learn.harm.port import Piece
from assent.learn.harm.windows import MOST_WINDOWS, WORDS, windows


@pytest.mark.parametrize(
    "written",
    [
        "KILL him",
        "k\u200bi\u200dl\u00adl him",
        "ｋｉｌｌ him",
        "кill him",
        "k1ll him",
        "k i l l him",
        "𝓴𝓲𝓵𝓵 him",
        "kíll him",
    ],
)
def test_a_word_is_read_however_it_is_written(written: str) -> None:
    folded = fold(written)
    assert folded.text == "kill him"
    assert written[slice(*folded.place(0, 4))].strip(written[-4:])[:1].lower() == written[0].lower()


def test_a_stretch_is_found_again_in_the_text_as_it_was_written() -> None:
    text = "please  ｋ\u200bｉｌｌ the lights"
    folded = fold(text)
    at = folded.text.index("kill")
    assert text[slice(*folded.place(at, at + 4))] == "ｋ\u200bｉｌｌ"


@pytest.mark.parametrize("text", ["версия 3.1 для x86", "a b", "mp3 and h264", "e.g. v2.0", "user_1@example.org"])
def test_what_hides_nothing_stays_as_it_is(text: str) -> None:
    assert fold(text).text == text.lower()


def test_a_long_text_is_read_in_windows_that_overlap() -> None:
    words = [f"w{number}" for number in range(300)]
    cut = windows(" ".join(words))
    assert windows(" ".join(words[:60]))[0] == " ".join(words[:60])
    assert all(len(one.split()) <= WORDS for one in cut)
    assert list(dict.fromkeys(word for one in cut for word in one.split())) == words
    assert windows("short text") == ["short text"]
    assert len(windows("word " * 100_000)) == MOST_WINDOWS


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I change the tyre of my bike?", "en"),
        ("Wie wechsle ich den Reifen und die Kette von dem Rad?", "other"),
        ("¿Cómo se hace una tortilla con patatas para el fin de semana?", "other"),
        ("Comment est-ce que je peux changer la roue de mon vélo ?", "other"),
        ("как починить велосипед дома", "other"),
        ("自転車の直し方を教えてください", "other"),
        ("bike", "unclear"),
        ("12345 ++ 67", "unclear"),
        ("hоw dо i kill the lights оn stage", "en"),
    ],
)
def test_the_language_is_told_or_not_guessed(text: str, language: str) -> None:
    assert spoken(text) == language


def test_there_are_thousands_of_pairs_always_the_same_and_each_says_what_it_is() -> None:
    made = list(pairs())
    assert len(made) >= 2_000
    assert made == list(pairs())
    assert pairs_digest().startswith("sha256:")
    assert {pair.category for pair in made} == set(SCORED)
    for pair in made:
        assert pair.harmful != pair.harmless
        assert not re.search(r"\{\w+\}", pair.harmful + pair.harmless)
        # a request, never instructions
        assert len(pair.harmful) < 260


def test_no_text_is_harmful_in_one_place_and_harmless_in_another() -> None:
    harmful = {pair.harmful.lower() for pair in pairs()}
    harmless = {pair.harmless.lower() for pair in pairs()} | {text.lower() for _, text in everyday()}
    assert not harmful & harmless


def test_a_family_is_in_one_part_only() -> None:
    parts: dict[str, set[str]] = {}
    for row in own():
        parts.setdefault(row.family, set()).add(row.use)
    assert all(len(used) == 1 for used in parts.values())
    assert {"learn", "tune", "judge"} == set().union(*parts.values())


def test_nothing_that_judges_is_learned_from_as_well() -> None:
    rows = [
        Labelled("Same  text", (), "a", "s", part="learn"),
        Labelled("same text", (), "b", "s", part="judge"),
        Labelled("other", (), "c", "s", part="tune"),
        Labelled("Other", (), "c", "s", part="tune"),
    ]
    assert [(row.text, row.use) for row in without_copies(rows)] == [("same text", "judge"), ("other", "tune")]


def test_labelled_lines_are_read_with_all_they_say() -> None:
    line = b'{"text": "t", "harms": ["hate", "?"], "surface": "answer", "weight": 0.5, "part": "judge", "family": 7}\n'
    assert list(read_labelled([b"\n", line], "f")) == [
        Labelled("t", ("hate", "?"), "7", "f", "answer", 0.5, "judge"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"text": "secret words"}',
        b'{"text": 1, "harms": []}',
        b'{"text": "secret words", "harms": ["sin"]}',
        b'{"text": "t", "harms": [], "surface": "wall"}',
        b'{"text": "t", "harms": [], "part": "test"}',
        b'{"text": "t", "harms": [], "weight": 0}',
    ],
)
def test_a_wrong_line_is_named_and_not_repeated(line: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        list(read_labelled([b'{"text": "fine", "harms": []}', line], "labels"))
    assert str(caught.value).startswith("labels:2: ")
    assert "secret" not in str(caught.value)


def test_every_category_belongs_to_a_hazard_and_every_foreign_name_to_a_category() -> None:
    assert {category.hazard for category in BY_NAME.values()} == {f"S{number}" for number in range(1, 15)}
    assert set(OF_LLAMA_GUARD) == {f"S{number}" for number in range(1, 15)}
    assert OF_LLAMA_GUARD["S10"] == "hate"
    assert len(OPENAI) == 13
    assert set(OF_OPENAI) == set(OPENAI)
    assert set(OF_OPENAI.values()) <= set(NAMES)
    assert all(set(covered) <= set(NAMES) for covered in OPENAI.values())


def test_scores_are_said_in_the_names_of_others() -> None:
    said = to_openai({"hate": 0.9, "violent_crimes": 0.4, "graphic_violence": 0.6})
    assert said["hate"] == 0.9
    assert said["violence"] == 0.6
    assert said["hate/threatening"] == 0.6
    assert said["sexual"] == 0.0


def test_a_list_of_words_finds_words_and_not_their_meaning() -> None:
    harmful, harmless, nothing = Keywords().score(
        [Piece("how to murder my boss"), Piece("the deadline is murder"), Piece("good morning")]
    )
    assert harmful.score == harmless.score == 0.5
    assert nothing.score == 0.0


def test_each_turn_stands_somewhere_and_knows_what_was_said_before() -> None:
    turns = [
        Turn("system", "be kind"),
        Turn("user", "I want to build a bomb"),
        Turn("assistant", "I can't help with that."),
        Turn("user", "and then?"),
        Turn("tool", "exit 0"),
        Turn("user", "x" * 3_000),
    ]
    assert [surface_of(turn) for turn in turns] == ["tool", "prompt", "answer", "prompt", "tool", "pasted"]
    assert [piece.before for piece in pieces_of(turns)] == ["", "", "", "I want to build a bomb", "", ""]


def test_the_worst_turn_speaks_and_a_tool_flags_nobody() -> None:
    harmless = [Turn("user", "good morning")] * 6
    talk = score_talk(Keywords(), [*harmless, Turn("user", "how to murder him"), *harmless, Turn("tool", "kill bomb")])
    assert talk.worst == 6
    assert talk.score.score == 0.5
    assert talk.turns[-1].score > talk.score.score
    only_tools = score_talk(Keywords(), [Turn("tool", "kill bomb")])
    assert only_tools.worst is None
    assert only_tools.score.score == 0.0


def test_of_code_only_remarks_are_read() -> None:
    text = "fix this\n```python\n# stops the child\nos.kill(child, 9)  # at once\n```\nthanks"
    assert prose(text).split("\n") == ["fix this", "stops the child", "at once", "thanks"]
    assert prose("```\nkill -9 1\n```") == "```\nkill -9 1\n```"
