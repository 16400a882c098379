"""What pages say, in every language: one TOML file a locale, looked up by `section.key`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

LOCALES: Final = ("ar", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "sv")
"""The languages of the pages; each file has the keys of `en`, and a test holds that."""

PLURALS: Final = ("zero", "one", "two", "few", "many", "other")
"""Forms that a number can ask for (Unicode CLDR); a text that has them is a table of them."""


class Words:
    """The texts of one locale, and how it writes dates and numbers."""

    def __init__(self, locale: str) -> None:
        """Read the texts of a locale of `LOCALES`."""
        self.locale = locale
        self._babel = Locale.parse(locale)
        self._texts = _texts(locale)

    @property
    def direction(self) -> str:
        """Say whether the language is written `ltr` or `rtl`."""
        return self._babel.text_direction

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def text(self, key: str, **values: Any) -> Markup:
        """Return a text with its placeholders filled in; `n` picks the plural form and is written as a number.

        Values are escaped unless they are markup. Raises `KeyError` for an unknown key: a page that lacks a text is
        a mistake.
        """
        found = self._texts[key]
        if isinstance(found, dict):
            form = self._babel.plural_form(values["n"])
            found = found.get(form) or found["other"]
        said = {name: self.number(value) if isinstance(value, int) else value for name, value in values.items()}
        # escaped before it is marked; `format` escapes every value that is not markup
        return Markup(escape(found)).format(**said)  # noqa: S704

    def day(self, instant: datetime) -> str:
        """Write the day of an instant (UTC) the way the locale does."""
        return format_date(instant.date(), "long", locale=self._babel)

    def instant(self, instant: datetime) -> str:
        """Write an instant to the minute, in UTC."""
        return f"{format_datetime(instant, 'd MMM y, HH:mm', locale=self._babel)} UTC"

    def number(self, value: float) -> str:
        """Write a number with the locale's separators."""
        return format_decimal(value, locale=self._babel)


@cache
def words(locale: str) -> Words:
    """Return the words of one of `LOCALES`."""
    return Words(locale)


def best_locale(wanted: Iterable[str]) -> str:
    """Pick the first of some languages that the pages have; English if they have none of them."""
    found = negotiate_locale([one.replace("-", "_") for one in wanted], LOCALES, sep="_")
    return found.split("_")[0] if found else "en"


def accepted(header: str) -> list[str]:
    """Read an `Accept-Language` header, the language wanted most first; what cannot be read is left out."""
    found: list[tuple[float, str]] = []
    for item in header.split(",")[:20]:
        language, _, rest = item.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            found.append((float(weight) if weight else 1.0, language))
        except ValueError:
            continue
    return [language for weight, language in sorted(found, key=lambda one: -one[0]) if weight > 0 and language]


@cache
def _texts(locale: str) -> dict[str, Any]:
    text = (files(__package__) / "words" / f"{locale}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: dict[str, Any], before: str) -> Iterable[tuple[str, Any]]:
    for name, value in table.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and not value.keys() <= set(PLURALS):
            yield from _flat(value, f"{key}.")
        else:
            yield key, value
