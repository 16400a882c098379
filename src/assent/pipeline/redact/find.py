"""Find personal data and secrets in a text: one pass says which rules to look with, then those look exactly."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from assent.pipeline.extra import needing
from assent.pipeline.redact import contact, handles, identity, phones, places, said_names, secrets, streets
from assent.pipeline.redact.finding import Apart, Finding, RedactTerms
from assent.pipeline.redact.names import find_names
from assent.pipeline.redact.reserved import is_surrogate
from assent.pipeline.redact.rule import span
from assent.pipeline.redact.tables import born_in_columns
from assent.pipeline.redact.view import View, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.pipeline.redact.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    *contact.RULES,
    *phones.RULES,
    *identity.RULES,
    *secrets.RULES,
    *places.RULES,
    *handles.RULES,
    *streets.RULES,
    *said_names.RULES,
)
_ORDER: Final = (
    "secret",
    "iban",
    "mail",
    "repository",
    "path_user",
    "card",
    "national_id",
    "date_of_birth",
    "mac",
    "ip",
    "phone",
    "address",
    "username",
    "name",
)
"""Where two findings overlap the surer one stays; then the type that comes first here, then the longer one."""
_RANK: Final = {name: place for place, name in enumerate(_ORDER)}
_LOCAL: Final = threading.local()
_INSIDE: Final = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 that go on with a sign instead of beginning one."""


def _database() -> Any:
    """Compile the triggers once for each thread: a database has room to scan for one scan at a time."""
    if not hasattr(_LOCAL, "database"):
        with needing("redaction"):
            import hyperscan  # noqa: PLC0415 - an extra
        flat = [(trigger, place) for place, rule in enumerate(RULES) for trigger in rule.triggers]
        flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_MULTILINE
        database = hyperscan.Database()
        database.compile(
            expressions=[trigger.encode() for trigger, _ in flat],
            ids=[place for _, place in flat],
            flags=[flags] * len(flat),
        )
        _LOCAL.database = database
    return _LOCAL.database


def _fired(text: str) -> dict[int, list[int]]:
    """Return the places (code points) where the triggers of each rule ended, in order."""
    fired: dict[int, list[int]] = {}
    raw = text.encode("utf-8", "surrogatepass")

    def note(place: int, _start: int, end: int, _flags: int, _given: object) -> None:
        fired.setdefault(place, []).append(end)

    _database().scan(raw, match_event_handler=note)
    if fired and len(raw) != len(text):
        ends = sorted({end for each in fired.values() for end in each})
        at = length = 0
        seen = {}
        for end in ends:
            # a trigger of bytes may end inside a sign: its other bytes count with the next one
            length += len(raw[at:end].translate(None, _INSIDE))
            at = end
            seen[end] = length
        fired = {place: [seen[end] for end in each] for place, each in fired.items()}
    return fired


def _windows(ends: list[int], length: int, rule: Rule) -> Iterator[tuple[int, int]]:
    """Join the surroundings of triggers: a pattern looks no further than it needs to."""
    if rule is secrets.PRIVATE_KEY:
        yield 0, length
        return
    begin, end = -1, -1
    for at in ends:
        left, right = max(0, at - rule.before), min(length, at + rule.after)
        if left > end:
            if end >= 0:
                yield begin, end
            begin = left
        end = max(end, right)
    yield begin, end


def _looked(text: str, terms: RedactTerms) -> Iterator[Finding]:
    for place, ends in sorted(_fired(text).items()):
        rule = RULES[place]
        if rule.type not in terms.types:
            continue
        for left, right in _windows(sorted(ends), len(text), rule):
            for match in rule.pattern.finditer(text, left, right):
                score = rule.judge(match)
                if score >= terms.unsure:
                    start, end = span(match)
                    yield _trimmed(rule, text, start, end, score)


def _trimmed(rule: Rule, text: str, start: int, end: int, score: int) -> Finding:
    """Leave out what a pattern took too much: the letters after an IBAN, the full stop of a sentence."""
    if rule is contact.IBAN:
        cut = contact.iban_end(contact.IBAN.pattern.match(text, start))  # type: ignore[arg-type]
        return Finding(rule.type, start, cut or end, score)
    loose = (
        ".,;: " if rule.type in {"address", "phone", "repository", "path_user", "name"} or rule is secrets.SAID else " "
    )
    if rule is secrets.SAID or rule.type == "phone":
        loose += "/-" if rule.type == "phone" else ")"
    while end > start and text[end - 1] in loose and not (rule.type == "address" and text[end - 4 : end] == "str."):
        end -= 1
    if rule.type == "phone" and text[start:end].count("(") < text[start:end].count(")"):
        end = start + text[start:end].rindex(")")
    if rule.type == "phone" and text[start] == "(" and text.find(")", start) == end - 1:
        start, end = start + 1, end - 1
    return Finding(rule.type, start, end, score)


def _apart(findings: list[Finding]) -> list[Finding]:
    """Let no two findings overlap; the one that loses keeps nothing."""
    taken = Apart()
    for one in sorted(findings, key=lambda one: (-(one.score >= 50), _RANK[one.type], one.start - one.end, one.start)):
        taken.add(one)
    return taken.findings


def candidates(text: str, terms: RedactTerms) -> list[Finding]:
    """Find everything from `terms.unsure` on, apart from one another, in order."""
    view = view_of(text)
    found = [one for one in _looked(text, terms) if view is None or one.type == "path_user" or not _escaped(text, one)]
    if view is not None:
        found += [view.back(one) for one in _looked(view.text, terms)]
    shown = view or View(text, (0,), (0,))
    if "date_of_birth" in terms.types:
        found += [shown.back(one) for one in born_in_columns(shown.text)]
    if "name" in terms.types:
        found += [shown.back(one) for one in find_names(shown.text, terms.unsure)]
    return [
        one for one in _apart(found) if one.end > one.start and not is_surrogate(one.type, text[one.start : one.end])
    ]


def find(text: str, terms: RedactTerms | None = None) -> list[Finding]:
    """Find personal data and secrets, in order; offsets are code points of `text`.

    What already is one of our surrogates is no finding.
    """
    asked = terms or RedactTerms()
    return [one for one in candidates(text, asked) if one.score >= asked.sure]


def _escaped(text: str, one: Finding) -> bool:
    """Tell whether a finding of the stored text has an escape in it, or begins inside one: the view says it better."""
    return "\\" in text[max(0, one.start - 1) : one.end]
