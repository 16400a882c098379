"""An existing page as sentences with their places, and the quantities in them: lengths, ages, dates."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import lxml.etree

from assent.policy.lints.page import UNSEEN, visible
from assent.services.notice.lexicon import length_of, plain
from assent.services.notice.words import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.domain.durations import Duration

_UNSEEN: Final = f"{UNSEEN}|//processing-instruction()|//head"
_BLOCKS: Final = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body button caption dd details div dl dt fieldset figcaption footer form"
        " h1 h2 h3 h4 h5 h6 header label legend li main nav ol p pre section summary table tbody td tfoot th thead"
        " tr ul br hr",
    )
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"})
_SPLIT: Final = re.compile("(?<=[.!?])[\"'\u201d\u2019)\\]]*\\s+(?=[\"'\u201c\u2018(\\[]?[A-Z0-9])")
_MARKDOWN: Final = re.compile(r"^\s*(?:[-*+]\s+|\d+[.)]\s+|#{1,6}\s+|>\s?)")
_ESCAPED: Final = re.compile(r"\\([\\`*_\[\]<>#|])")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a page, the line of the source on which its block begins, and the heading it stands under."""

    text: str
    line: int
    heading: str = ""


def sentences_of(page: str) -> list[Sentence]:
    """Split a page, HTML or text, into the sentences that a reader sees."""
    blocks = _html_blocks(page) if re.search(r"<[a-zA-Z!/?]", page) else _text_blocks(page)
    found, heading = [], ""
    for text, line, heads in blocks:
        under = "" if heads else heading
        found += [Sentence(part.strip(), line, under) for part in _SPLIT.split(text) if part.strip()]
        heading = text if heads else heading
    return found


def language_of(page: str) -> str:
    """Return the language that an HTML page declares, empty if it declares none."""
    declared = re.search(r"<html\b[^>]*\blang\s*=\s*[\"']?([A-Za-z-]+)", page)
    return declared[1].casefold() if declared else ""


def _html_blocks(page: str) -> Iterator[tuple[str, int, bool]]:
    """Yield the text of each block, its line, and whether it is a heading."""
    tree = visible(page, _UNSEEN)
    if tree is None:
        return
    pieces: list[str] = []
    begun, heads = 1, False
    for event, node in lxml.etree.iterwalk(tree, events=("start", "end")):
        block = node.tag in _BLOCKS
        if block:
            if text := _joined(pieces):
                yield text, begun, heads
            pieces, begun = [], node.sourceline or begun
            heads = event == "start" and node.tag in _HEADINGS
        pieces.append((node.text if event == "start" else node.tail) or "")
    if text := _joined(pieces):
        yield text, begun, heads


def _text_blocks(page: str) -> Iterator[tuple[str, int, bool]]:
    """Take a text paragraph by paragraph; a list item or heading of Markdown is one of its own."""
    pieces: list[str] = []
    begun, heads = 1, False
    for number, line in enumerate(page.splitlines(), 1):
        if not line.strip() or _MARKDOWN.match(line):
            if text := _joined(pieces):
                yield text, begun, heads
            pieces, heads = [], line.lstrip().startswith("#")
        if line.strip():
            begun = begun if pieces else number
            pieces.append(_ESCAPED.sub(r"\1", _MARKDOWN.sub("", line)).replace("**", "").replace("`", ""))
            pieces.append(" ")
    if text := _joined(pieces):
        yield text, begun, heads


def _joined(pieces: list[str]) -> str:
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a sentence with its meaning: `kind` is `length`, `age` or `date`; `at` is where it stands."""

    kind: str
    value: Duration | int | str
    at: int


def _english() -> tuple[dict[str, int], dict[str, str]]:
    words = shipped("en")
    lexicon = words.lexicon if words else None
    numbers = {**(lexicon.numbers if lexicon else {}), "a": 1, "an": 1}
    units = {word: unit for unit, names in (lexicon.units if lexicon else {}).items() for word in names}
    return numbers, units


_NUMBERS, _UNITS = _english()
_LENGTH: Final = re.compile(
    rf"(?<![\w.,])(\d{{1,5}}|{'|'.join(_NUMBERS)})[ -](?:(?:calendar|full|whole) )?({'|'.join(_UNITS)})(?!\w)"
    rf"(?: (?:and )?(\d{{1,3}}) ({'|'.join(_UNITS)})(?!\w))?"
)
_AGE: Final = re.compile(
    r"(?:under|below|younger than|over|aged?|at least|minimum age of) (\d{1,3})"
    r"(?![\w-]| (?:day|week|month|year|hour)s?(?! old| of age))|(\d{1,3}) (?:or|and) (?:older|over)"
)
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:t[\d:.]+z)?")
_DAY_MONTH: Final = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({'|'.join(_MONTHS)}),? (\d{{4}})")
_MONTH_DAY: Final = re.compile(rf"({'|'.join(_MONTHS)}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})")


def quantities_in(text: str) -> list[Quantity]:
    """Find lengths, ages and dates of an English sentence. What a length covers is not read as an age."""
    said = plain(text)
    found = [
        *(Quantity("date", f"{m[1]}-{m[2]}-{m[3]}", m.start()) for m in _ISO.finditer(said)),
        *(Quantity("date", _date(m[3], m[2], m[1]), m.start()) for m in _DAY_MONTH.finditer(said)),
        *(Quantity("date", _date(m[3], m[1], m[2]), m.start()) for m in _MONTH_DAY.finditer(said)),
        *(Quantity("length", _length(m), m.start()) for m in _LENGTH.finditer(said) if m[1] != "0"),
        *(Quantity("age", int(m[1] or m[2]), m.start()) for m in _AGE.finditer(said)),
    ]
    return sorted(found, key=lambda quantity: quantity.at)


def _length(match: re.Match[str]) -> Duration:
    number = int(match[1]) if match[1].isdigit() else _NUMBERS[match[1]]
    length = length_of(number, _UNITS[match[2]])
    if match[3] is None or int(match[3]) == 0:
        return length
    more = length_of(int(match[3]), _UNITS[match[4]])
    return type(length)(length.months + more.months, length.days + more.days, length.seconds + more.seconds)


def _date(year: str, month: str, day: str) -> str:
    return f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}"


def counted(quantities: list[Quantity]) -> Counter[tuple[str, str]]:
    """Count quantities whatever their order."""
    return Counter((quantity.kind, str(quantity.value)) for quantity in quantities)


def words_without_quantities(text: str) -> frozenset[str]:
    """Return the words of a sentence apart from its numbers: two sentences that differ in numbers have the same."""
    said = plain(text)
    for pattern in (_ISO, _DAY_MONTH, _MONTH_DAY, _LENGTH):
        said = pattern.sub(" ", said)
    return frozenset(re.findall(r"[a-z][a-z'-]*", said))
