"""What the tests of all importers share: the account of an import, and records that are wrong somewhere."""

import copy
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from assent.connectors.formats.port import Importer, Malformed, Skipped, Source
from assent.domain.conversation import Conversation, Part

DEEP = 100_000
# What a line of a JSONL file can suffer; each is one malformed record.
DAMAGED_LINES = [
    ("truncated", b'{"type":"user","message":{"role":"us'),
    ("not UTF-8", b'{"type":"\xff\xfe"}'),
    ("nested too deeply", b'{"type":' + b"[" * DEEP + b"]" * DEEP + b"}"),
    ("a huge number", b'{"type":1e999}'),
    ("no JSON at all", b"hello"),
    ("zero bytes", b"\0\0\0\0"),
    ("an array", b"[1]"),
    ("a number", b"42"),
    ("null", b"null"),
    ("a string", b'"massive error"'),
]

scalars = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.text(max_size=9)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@dataclass
class Account:
    """The three counts of an import, and what was found."""

    imported: int = 0
    skipped: int = 0
    malformed: int = 0
    conversations: list[Conversation] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, int | None, str]] = field(default_factory=list)
    size_bytes: int = 0
    side_copies: list[Path] = field(default_factory=list)

    @property
    def records(self) -> int:
        return self.imported + self.skipped + self.malformed

    @property
    def parts(self) -> list[Part]:
        return [part for conversation in self.conversations for part in conversation.parts]

    def part(self, text: str) -> Part:
        (found,) = [part for part in self.parts if part.text == text]
        return found


def account(importer: Importer, path: Path) -> Account:
    """Import PATH, hold every conversation to what all importers promise, and add up."""
    result = Account()

    def count(size: int) -> None:
        assert size >= 0
        result.size_bytes += size

    source = Source(path, count)
    for record in importer.read(source):
        if isinstance(record, Conversation):
            _hold_to_the_contract(importer, record)
            result.conversations.append(record)
            result.imported += record.records
            continue
        assert "/" not in (record.place.file)[:1]
        if isinstance(record, Skipped):
            result.skipped += record.records
            result.reasons[record.reason] += record.records
        else:
            assert isinstance(record, Malformed)
            result.malformed += record.records
            result.problems.append((record.place.file, record.place.line, record.problem))
    ids = [conversation.id for conversation in result.conversations]
    assert len(ids) == len(set(ids))
    result.side_copies = source.side_copies
    return result


def _hold_to_the_contract(importer: Importer, conversation: Conversation) -> None:
    assert conversation.id.startswith(f"{importer.name}:")
    assert conversation.source == importer.name
    assert conversation.parts
    assert conversation.records > 0
    ids = [part.id for part in conversation.parts]
    assert len(ids) == len(set(ids))
    for part in conversation.parts:
        assert part.text or part.data != "text" or "encrypted" in part.marks
        assert isinstance(part.text, str)
        part.text.encode("utf-8")


def lines(*records: object) -> bytes:
    """Write records as JSON lines; bytes stay as they are."""
    return b"".join(
        (record if isinstance(record, bytes) else json.dumps(record).encode()) + b"\n" for record in records
    )


@st.composite
def damaged(draw: st.DrawFn, records: list[dict[str, object]]) -> object:
    """Take a good record and put arbitrary JSON into one place of it, or in place of all of it."""
    record = copy.deepcopy(draw(st.sampled_from(records)))
    holder: object = record
    key: object = None
    while isinstance(holder, dict | list) and holder:
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            break
        holder = inner
    if key is None or draw(st.integers(0, 9)) == 0:
        return draw(anything)
    if isinstance(holder, dict) and draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(anything)
    return record
