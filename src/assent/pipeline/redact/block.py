"""The block that redacts: findings replaced by surrogates, the same value by the same one all over a conversation."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import pyarrow as pa

from assent.pipeline.block import Dropped, Outcome
from assent.pipeline.redact.find import candidates
from assent.pipeline.redact.finding import Apart, Finding, RedactTerms
from assent.pipeline.redact.reserved import is_surrogate
from assent.pipeline.redact.surrogate import Surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROUNDS: Final = 6
"""How often a text is looked at again until nothing is found; one that does not settle is left out."""
UNCERTAIN: Final = "redaction: uncertain"
FINDINGS: Final = pa.field(
    "findings", pa.list_(pa.struct([("type", pa.string()), ("start", pa.int32()), ("end", pa.int32())]))
)
"""The column that redaction adds: what was replaced, in offsets of the new text, without what it was."""
_VERSION: Final = 2
_BOUNDED: Final = frozenset({"name", "address", "username", "path_user"})
"""Types whose values are words: elsewhere they count only where they stand alone."""


class Redacted(NamedTuple):
    """A conversation after redaction: its texts, the findings in each (offsets of the new text), what was in doubt."""

    texts: list[str]
    findings: list[list[Finding]]
    uncertain: bool


def everywhere(
    texts: Sequence[str], terms: RedactTerms, seen: dict[str, list[Finding]] | None = None
) -> tuple[list[list[Finding]], int]:
    """Find in each text of a conversation, and again wherever a value found in one stands in another; count doubts.

    `seen` keeps the candidates of texts for a later call with the same terms.
    """
    known = {} if seen is None else seen
    for text in texts:
        if text not in known:
            known[text] = candidates(text, terms)
    found = [known[text] for text in texts]
    doubts = sum(one.score < terms.sure for each in found for one in each)
    sure = [[one for one in each if one.score >= terms.sure] for each in found]
    forms = sorted(
        {
            (form, one.type)
            for text, each in zip(texts, sure, strict=True)
            for one in each
            for form in _forms(one.type, text[one.start : one.end])
        },
        key=lambda form: (-len(form[0]), form),
    )
    if not forms:
        return sure, doubts
    return [_with_copies(text, each, forms) for text, each in zip(texts, sure, strict=True)], doubts


def _forms(kind: str, value: str) -> Iterable[str]:
    """Return the ways a value may be written again: as it is, escaped for JSON, encoded for an address."""
    try:
        plain = json.loads(f'"{value}"') if "\\" in value else value
    except ValueError:
        plain = value
    forms = {value, plain, json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]}
    encoded = plain.encode("utf-8", "replace")
    forms |= {quote(encoded, safe=""), quote(encoded), quote(encoded, safe="").replace("%20", "+")}
    if kind == "name" and " " in plain:
        forms |= {part for part in re.findall(r"[^\W\d_][\w'’-]{2,}", plain) if part[0].isupper()}
    return [one for one in forms if len(one) > 1 and not is_surrogate(kind, one)]


def _with_copies(text: str, found: list[Finding], forms: list[tuple[str, str]]) -> list[Finding]:
    taken = Apart(found)
    for form, kind in forms:
        at = text.find(form)
        while at >= 0:
            end = at + len(form)
            if not taken.overlaps(at, end) and _alone(text, at, end, kind):
                taken.add(Finding(kind, at, end))
            at = text.find(form, at + 1)
    return taken.findings


def _alone(text: str, start: int, end: int, kind: str) -> bool:
    if kind not in _BOUNDED and end - start >= 6:
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    escaped = start > 1 and text[start - 2] == "\\" and before in {"n", "r", "t"}
    return not (before.isalnum() and not escaped and text[start].isalnum()) and not (
        after.isalnum() and text[end - 1].isalnum()
    )


def _replaced(text: str, found: list[Finding], surrogates: Surrogates) -> tuple[str, list[Finding]]:
    pieces: list[str] = []
    moved: list[Finding] = []
    at = length = 0
    for one in found:
        new = surrogates.instead_of(one.type, text[one.start : one.end])
        length += one.start - at
        pieces += (text[at : one.start], new)
        moved.append(Finding(one.type, length, length + len(new), one.score))
        length += len(new)
        at = one.end
    return "".join([*pieces, text[at:]]), moved


def redact(texts: Sequence[str], key: bytes, whose: str, terms: RedactTerms) -> Redacted:
    """Replace the findings of one conversation by surrogates, until nothing is found any more."""
    seen: dict[str, list[Finding]] = {}
    found, doubts = everywhere(texts, terms, seen)
    count = sum(len(each) for each in found)
    uncertain = doubts > terms.most_unsure and doubts > count
    if not count:
        return Redacted(list(texts), found, uncertain)
    surrogates = Surrogates(key, whose)
    now = list(texts)
    marks: list[list[Finding]] = [[] for _ in texts]
    for _ in range(ROUNDS):
        made = [_replaced(text, each, surrogates) for text, each in zip(now, found, strict=True)]
        marks = [_moved(old, each, new[1]) for old, each, new in zip(marks, found, made, strict=True)]
        now = [text for text, _ in made]
        found, _ = everywhere(now, terms, seen)
        if not any(found):
            return Redacted(now, marks, uncertain)
    return Redacted(now, marks, uncertain=True)


def _moved(old: list[Finding], found: list[Finding], new: list[Finding]) -> list[Finding]:
    """Carry earlier findings over to the text of this round; one that was replaced again counts once."""
    kept = []
    for one in old:
        if any(other.start < one.end and one.start < other.end for other in found):
            continue
        shift = sum(
            (after.end - after.start) - (other.end - other.start)
            for other, after in zip(found, new, strict=True)
            if other.end <= one.start
        )
        kept.append(one._replace(start=one.start + shift, end=one.end + shift))
    return sorted([*kept, *new], key=lambda one: one.start)


def mask(text: str, findings: Iterable[Finding | dict[str, Any]]) -> str:
    """Replace findings by a constant for their type: texts that differ only in surrogates become equal."""
    pieces: list[str] = []
    at = 0
    for one in findings:
        kind, start, end = (one["type"], one["start"], one["end"]) if isinstance(one, dict) else one[:3]
        pieces += (text[at:start], f"<{kind}>")
        at = end
    return "".join([*pieces, text[at:]])


@cache
def _models() -> dict[str, str]:
    folder = files("assent.pipeline.redact")
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in ("names.txt.gz", "tagger.bin")}


class Redact:
    """Pseudonymises the texts of whole conversations; surrogates are stable for a person within the key of a cut."""

    name = "redact"

    def __init__(self, key: bytes, terms: RedactTerms | None = None) -> None:
        """Redact under a cut's key. Destroying the key is what unlinks surrogates from values."""
        self._key = key
        self._terms = terms or RedactTerms()

    def describe(self) -> dict[str, Any]:
        """Return version, terms and the digests of list and tagger."""
        terms = self._terms
        return {
            "version": _VERSION,
            "types": sorted(terms.types),
            "sure": terms.sure,
            "unsure": terms.unsure,
            "most_unsure": terms.most_unsure,
            "rounds": ROUNDS,
            "models": _models(),
        }

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Redact a batch; adds the column `findings`, leaves out conversations that are too uncertain."""
        names, people = rows.column("conversation").to_pylist(), rows.column("person").to_pylist()
        texts, parts = rows.column("text").to_pylist(), rows.column("part").to_pylist()
        dropped: list[Dropped] = []
        counts: Counter[str] = Counter()
        keep: list[bool] = []
        findings: list[list[dict[str, Any]]] = []
        start = 0
        for end in range(1, len(names) + 1):
            if end < len(names) and names[end] == names[start]:
                continue
            done = redact(texts[start:end], self._key, people[start] or names[start], self._terms)
            texts[start:end] = done.texts
            keep += [not done.uncertain] * (end - start)
            findings += [
                [{"type": one.type, "start": one.start, "end": one.end} for one in each] for each in done.findings
            ]
            if done.uncertain:
                dropped += [Dropped(part, UNCERTAIN) for part in parts[start:end]]
            else:
                counts.update(one.type for each in done.findings for one in each)
            start = end
        place = rows.schema.get_field_index("text")
        made = rows.set_column(place, rows.schema.field("text"), pa.array(texts, pa.string()))
        made = made.append_column(FINDINGS, pa.array(findings, FINDINGS.type))
        return Outcome(made.filter(pa.array(keep)) if dropped else made, tuple(dropped), dict(counts))
