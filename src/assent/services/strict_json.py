"""Reading JSON from strangers: I-JSON (RFC 7493), shallow, and nothing that two readers could read differently."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final

from assent.domain.errors import Invalid

MAX_DEPTH: Final = 32
"""How deep objects and lists may lie in each other; no resource of the API needs more than six."""

MAX_INTEGER: Final = 2**53 - 1
"""What every reader holds exactly (RFC 7493 section 2.2)."""

_MAX_DIGITS: Final = 16


def read_json(body: bytes, *, foreign: bool = False) -> Any:
    """Read one JSON value. Raises `Invalid` saying what is wrong, and never quotes what was sent.

    `foreign`: there is JSON of others in it, which is kept as it stands or not looked at. Whole numbers there may be
    greater than what every reader holds exactly.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8", "send UTF-8 without a byte order mark") from None
    try:
        value = (_FOREIGN if foreign else _DECODER).decode(text)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno} column {problem.colno}"
        raise Invalid(f"the body is not JSON at {place}", "send one JSON value and nothing behind it") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH or b"\\u" in body:
        _look_inside(value)
    return value


def _look_inside(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        texts = [item for item in level if isinstance(item, str)]
        inner = [piece for item in level if isinstance(item, list) for piece in item]
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
                texts += item
        if any("\0" in text or not _is_unicode(text) for text in texts):
            raise Invalid("a text holds NUL or half a surrogate pair", "send text that is Unicode, without NUL")
        if not inner:
            return
        level = inner
    raise _too_deep()


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _too_deep() -> Invalid:
    return Invalid(f"the body is nested deeper than {MAX_DEPTH} levels", "send what the description asks for")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("an object names one member twice", "name each member once")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS + 1 or abs(int(digits)) > MAX_INTEGER:
        raise Invalid("a number is greater than 2^53 - 1", "send smaller numbers, or text")
    return int(digits)


def _great_integer(digits: str) -> int:
    _finite(digits)  # at most 309 digits, too: to read a million of them takes long
    return int(digits)


def _finite(digits: str) -> float:
    found = float(digits)
    if not isfinite(found):
        raise Invalid("a number is too great to be held", "send smaller numbers, or text")
    return found


def _real(digits: str) -> float:
    found = _finite(digits)
    # to JSON Schema, which describes the API, 2.0 is a whole number
    return int(found) if found.is_integer() and abs(found) <= MAX_INTEGER else found


def _constant(name: str) -> float:
    raise Invalid(f"`{name}` is not JSON", "send a finite number or null")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
_FOREIGN: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_great_integer, parse_float=_real, parse_constant=_constant
)
