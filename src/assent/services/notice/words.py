"""The words of the locales that assent ships: phrases for policy values, texts to start from, lists for the lint.

Numbers, dates and lists are written by Babel (CLDR). A locale that is not here can be used if
its manifest brings `phrases`; its word lists do not exist, so the lint says what it did not check.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal
from pydantic import BaseModel, ConfigDict, Field

from assent.domain.errors import Invalid
from assent.services.notice.document import Feedback, Headings, Labels, Phrases, Text, Words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.durations import Duration

SHIPPED: Final = ("en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "ar")
"""Locales with phrases, texts and word lists of their own. Arabic is written from right to left."""

_UNITS: Final = {"year": 365 * 86400, "month": 30 * 86400, "day": 86400, "hour": 3600, "minute": 60, "second": 1}
# Babel picks the unit by size: a threshold that nothing reaches makes it take the one that is asked for.
_NEVER_LARGER: Final = 1e9


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lexicon(_Part):
    """Word lists of one locale, in small letters; `*` in an entry stands for one word."""

    urgency: list[Words]
    emotive: list[Words]
    terms: list[Words]
    negations: list[Words]
    on: list[Words]
    off: list[Words]
    whole_chat: list[Words]
    may_train: list[Words]
    units: dict[str, list[Words]]
    numbers: dict[str, Annotated[int, Field(ge=1)]]


class Template(_Part):
    """Texts that a generated manifest begins with."""

    question: Words
    change: Words
    withdraw: Words
    text: Text
    headings: Headings
    labels: Labels
    feedback: Feedback


class LocaleWords(_Part):
    """Everything assent ships for one locale."""

    phrases: Phrases
    template: Template
    lexicon: Lexicon


def shipped(locale: str) -> LocaleWords | None:
    """Return the words for a locale or its language (`de` for `de-AT`); None if assent ships none."""
    language = locale.partition("-")[0]
    return _read(language) if language in SHIPPED else None


@cache
def _read(language: str) -> LocaleWords:
    text = (files("assent.services.notice") / "locales" / f"{language}.toml").read_text("utf-8")
    return LocaleWords.model_validate(tomllib.loads(text))


@cache
def cldr(locale: str) -> Locale:
    """Return Babel's data for a locale. Raises `Invalid` for one that CLDR does not have."""
    try:
        return Locale.parse(locale, sep="-")
    except (UnknownLocaleError, ValueError):
        raise Invalid(f"`{locale}` is not a locale", "write a BCP 47 tag such as `en`, `de` or `pt-BR`") from None


def direction(locale: str) -> str:
    """Say in which direction a locale is written: `ltr` or `rtl`."""
    return cldr(locale).text_direction


def say_length(length: Duration, locale: str) -> str:
    """Say a duration: `5 years`, `30 Tage`. Months that are no whole years stay months (`18 months`)."""
    years, months = divmod(length.months, 12)
    if months and years:
        years, months = 0, length.months
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    counts = {"year": years, "month": months, "day": length.days, "hour": hours, "minute": minutes, "second": seconds}
    said = [
        format_timedelta(
            timedelta(seconds=count * _UNITS[unit]),
            granularity=unit,  # type: ignore[arg-type]  # the keys of `counts` are Babel's units
            threshold=_NEVER_LARGER,
            locale=cldr(locale),
        )
        for unit, count in counts.items()
        if count
    ]
    return say_list(said, locale)


def say_date(instant: datetime, locale: str) -> str:
    """Say the day of an instant in UTC: `October 8, 2025`, `8. Oktober 2025`."""
    return format_date(instant.astimezone(UTC), "long", locale=cldr(locale))


def say_list(words: Sequence[str], locale: str) -> str:
    """Join words as the locale does: `a, b, and c`, `a, b und c`."""
    return format_list(list(words), locale=cldr(locale))


def say_number(number: int, locale: str) -> str:
    """Write a whole number."""
    return format_decimal(number, locale=cldr(locale))
