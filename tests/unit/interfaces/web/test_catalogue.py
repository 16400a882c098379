"""The words of the pages: the same keys and placeholders in every language, every plural form that it needs."""

import re
from datetime import UTC, datetime

import pytest
from babel import Locale
from markupsafe import Markup

from assent.interfaces.web.catalogue import LOCALES, accepted, best_locale, words

ENGLISH = words("en")
OTHERS = [locale for locale in LOCALES if locale != "en"]


def forms(text: object) -> list[str]:
    return list(text.values()) if isinstance(text, dict) else [str(text)]


def placeholders(text: object) -> set[str]:
    return {name for form in forms(text) for name in re.findall(r"\{(\w+)\}", form)}


@pytest.mark.parametrize("locale", OTHERS)
def test_every_language_says_the_same_things(locale: str) -> None:
    assert set(words(locale)._texts) == set(ENGLISH._texts)
    for key, text in ENGLISH._texts.items():
        # a form for exactly one may leave the number out
        assert placeholders(words(locale)._texts[key]) == placeholders(text), key


@pytest.mark.parametrize("locale", LOCALES)
def test_every_plural_has_the_forms_of_its_language(locale: str) -> None:
    # `many` of the Romance languages is for millions, which are written as numbers here
    rare = {"many"} if locale in ("es", "fr", "it", "pt") else set()
    needed = set(Locale.parse(locale).plural_form.tags) | {"other"}
    for key, text in words(locale)._texts.items():
        if isinstance(text, dict):
            assert set(text) >= needed - rare, key


def test_no_text_holds_markup() -> None:
    for locale in LOCALES:
        for key, text in words(locale)._texts.items():
            assert not any(re.search(r"<\w|&\w+;", form) for form in forms(text)), (locale, key)


def test_values_are_escaped_and_numbers_written_as_the_language_does(monkeypatch: pytest.MonkeyPatch) -> None:
    german = words("de")
    monkeypatch.setitem(german._texts, "t.x", "{title}: {n}")
    monkeypatch.setitem(german._texts, "t.y", {"one": "ein Chat", "other": "{n} Chats"})
    assert german.text("t.x", title="<b>", n=12345) == "&lt;b&gt;: 12.345"
    assert german.text("t.x", title=Markup("<b>"), n=1) == "<b>: 1"
    assert [german.text("t.y", n=n) for n in (0, 1, 2)] == ["0 Chats", "ein Chat", "2 Chats"]
    with pytest.raises(KeyError):
        german.text("t.none")


def test_dates_are_those_of_the_language() -> None:
    at = datetime(2025, 11, 30, 12, 5, tzinfo=UTC)
    assert words("de").day(at) == "30. November 2025"
    assert words("en").instant(at) == "30 Nov 2025, 12:05 UTC"
    assert words("ar").direction == "rtl"


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr;q=0.5,sv", "sv"),
        ("xx,ar-EG", "ar"),
        ("xx", "en"),
        ("", "en"),
        (";;;q=x", "en"),
    ],
)
def test_the_language_is_the_first_wanted_that_there_is(header: str, locale: str) -> None:
    assert best_locale(accepted(header)) == locale
