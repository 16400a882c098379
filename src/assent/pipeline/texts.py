"""Lines of JSON that each hold a text or a talk: redact, score, skill and dedup read them alike."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Id = int | str

_FIX: Final = 'write {"id": "1", "text": "..."} on one line'
_ID_FIX: Final = "give each text an id of its own, as text or as a whole number"

T = TypeVar("T")


def text_of(record: dict[str, Any]) -> str:
    """Take the text of a line. Raises `Invalid`."""
    if "text" not in record:
        raise Invalid("`text` is missing", _FIX)
    text = record["text"]
    if not isinstance(text, str):
        raise Invalid("`text` is not text", 'write "" for a text that is empty')
    return text


def rows(
    lines: Iterable[bytes], take: Callable[[dict[str, Any]], T], bad: Callable[[Invalid], None]
) -> Iterator[tuple[int, Id, T]]:
    """Read lines of `{"id": ..., ...}`, in order: number, id, and what was taken. A bad line is told to `bad`.

    What a line holds beside its id is what `take` takes; it raises `Invalid`. A byte order mark before the first line
    and lines of nothing but spaces are passed over. An id is exactly the one that was written.
    """
    for number, line in enumerate(lines, 1):
        content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not content.strip():
            continue
        try:
            record = _record(content)
            row = number, _id(record, content), take(record)
        except Invalid as problem:
            bad(Invalid(f"line {number}: {problem.message}", problem.fix))
            continue
        yield row


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _cause(line) from None
    if not isinstance(record, dict):
        raise Invalid("the line is not a JSON object", _FIX)
    return record


def _id(record: dict[str, Any], line: bytes) -> Id:
    if "id" not in record:
        raise Invalid("`id` is missing", _ID_FIX)
    one = record["id"]
    if isinstance(one, float):
        # orjson rounds whole numbers beyond 64 bits
        one = _slowly(line)["id"]
    if isinstance(one, bool) or not isinstance(one, int | str):
        raise Invalid("`id` is neither text nor a whole number", _ID_FIX)
    return one


def _cause(line: bytes) -> Invalid:
    """Say why orjson does not read a line: what it raises names no cause that we could rely on."""
    try:
        json.dumps(_slowly(line), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return Invalid("a text holds half a character (a lone surrogate)", "write both halves, or leave it out")
    except Invalid as problem:
        return problem
    return _too_deep()


def _slowly(line: bytes) -> Any:
    """Read a line with the library that keeps every whole number and says what is wrong. Raises `Invalid`."""
    try:
        return json.loads(line.decode(), parse_float=_finite, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Invalid("the line is not UTF-8 text", "save the file as UTF-8") from None
    except json.JSONDecodeError:
        raise Invalid("the line is not JSON", _FIX) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        # whole numbers of more digits than the interpreter turns into a number
        raise _too_large() from None


def _finite(number: str) -> float:
    found = float(number)
    if found in (float("inf"), float("-inf")):
        raise _too_large()
    return found


def _no_constant(_name: str) -> float:
    raise Invalid("the line is not JSON", "write no NaN and no Infinity, which JSON does not know")


def _too_large() -> Invalid:
    return Invalid("a number is too large", 'write it as text, between " and "')


def _too_deep() -> Invalid:
    return Invalid("the line is nested too deeply", _FIX)
