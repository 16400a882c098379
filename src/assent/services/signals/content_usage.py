"""AI preferences (IETF AIPREF drafts vocab-06 and attach-05): the header `Content-Usage` and its rule in robots.txt.

Both drafts are work in progress. What is used of them: the categories `train-ai` and
`search`, each `y` or `n`, as a structured field dictionary (RFC 9651). A key or value that
is not known says nothing; it is never an error. Where several statements meet, one `n` is
enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from http_sfv.dictionary import Dictionary
from http_sfv.item import Item
from http_sfv.types import Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEADER: Final = "content-usage"
CATEGORIES: Final = ("train-ai", "search")

Preference = Literal["y", "n", "unknown"]
Preferences = dict[str, Preference]

MAX_ROBOTS: Final = 500 * 1024
"""Bytes of a robots.txt that are read; RFC 9309, 2.5 asks for at least 500 KiB."""


def parse(header: str) -> Preferences:
    """Read one `Content-Usage` value. What cannot be read is `unknown` in every category."""
    found: Preferences = dict.fromkeys(CATEGORIES, "unknown")
    fields = Dictionary()
    try:
        fields.parse(header.encode("ascii"))
    except (ValueError, UnicodeEncodeError):
        return found
    for name in CATEGORIES:
        value = getattr(fields.get(name), "value", None)
        if isinstance(value, Token) and str(value) in ("y", "n"):
            found[name] = "y" if str(value) == "y" else "n"
    return found


def emit(preferences: Mapping[str, Preference]) -> str:
    """Write a `Content-Usage` value; categories that are unknown are left out, and "" says nothing at all."""
    fields = Dictionary()
    for name in CATEGORIES:
        if (value := preferences.get(name, "unknown")) != "unknown":
            fields[name] = Item(Token(value))
    return str(fields) if fields else ""


def combine(statements: Iterable[Mapping[str, Preference]]) -> Preferences:
    """Join what several places say about one content: a single `n` refuses, else a `y` allows, else it is unknown."""
    collected = list(statements)
    found: Preferences = {}
    for name in CATEGORIES:
        said = {statement.get(name, "unknown") for statement in collected}
        found[name] = "n" if "n" in said else "y" if "y" in said else "unknown"
    return found


def of_standing(standing: str) -> Preferences:
    """Say on a shared conversation what its owner chose: training only where it is allowed, search is left unsaid."""
    return {"train-ai": "y" if standing == "allowed" else "n", "search": "unknown"}


class Rule(NamedTuple):
    """One `Content-Usage` line of a robots.txt: for which paths, and what it says."""

    path: str
    preferences: Preferences


def parse_robots(text: str, agent: str = "*") -> list[Rule]:
    """Read the rules that a robots.txt has for one crawler (product token), in order.

    The groups that name the crawler count, else those for `*` (RFC 9309, 2.2.1). Lines that
    are not understood are passed over, as that standard asks.
    """
    groups: dict[str, list[Rule]] = {}
    named: list[str] = []
    open_for_names = True
    for raw in text[:MAX_ROBOTS].splitlines():
        name, colon, value = raw.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "user-agent":
            named = [*named, value.lower()] if open_for_names else [value.lower()]
            open_for_names = True
            groups.setdefault(value.lower(), [])
        elif name in ("allow", "disallow", HEADER):
            open_for_names = False
            if name == HEADER:
                for one in named:
                    groups[one] += _rules(value)
    return groups.get(agent.lower(), groups.get("*", []))


def robots_preferences(rules: Iterable[Rule], url: str) -> Preferences:
    """Return what the rules say about an address: of those whose path matches, the longest ones count, joined."""
    parts = urlsplit(url)
    address = _normal(parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    matching = [rule for rule in rules if _pattern(rule.path).match(address)]
    longest = max((len(rule.path) for rule in matching), default=0)
    return combine(rule.preferences for rule in matching if len(rule.path) == longest)


def _rules(value: str) -> list[Rule]:
    path, _, usage = value.replace("\t", " ").partition(" ")
    return [Rule(_normal(path), parse(usage.strip()))] if path.startswith("/") else []


def _normal(path: str) -> str:
    """Write percent-encoding in one way, so that a rule and an address compare byte by byte."""
    return quote(unquote(path), safe="/?&=;:@$!*'(),+~-._")


def _pattern(path: str) -> re.Pattern[str]:
    """Read a rule's path as RFC 9309, 2.2.3 does: `*` is any text, a `$` at the end is the end of the address."""
    body, end = (path[:-1], r"\Z") if path.endswith("$") else (path, "")
    return re.compile(".*".join(re.escape(piece) for piece in body.split("*")) + end)
