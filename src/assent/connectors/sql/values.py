"""Values of columns: as words, which is how ids leave a database here, and as the database binds them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from sqlalchemy import types

from assent.connectors.formats.fields import instant
from assent.connectors.sql.mapping import Units
from assent.domain.instants import EPOCH

_PER_SECOND: Final = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_INTEGERS: Final = range(-(2**63), 2**64)


def spoken(value: object) -> str:
    """Write a key as words; two keys of a column that differ have different ones."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, date) else str(value)


def meant(kind: types.TypeEngine[Any], words: str, dialect: str) -> list[Any]:
    """Return what a column of this type may hold that is written so; nothing if no value of it is.

    Only the one way that `spoken` writes a value is taken for it, so that `007` never reaches 7.
    """
    try:
        words.encode()
    except UnicodeEncodeError:
        return []
    if dialect == "sqlite":  # columns hold what they are given: the comparison as text decides (`database.exactly`)
        return _sqlite(kind, words)
    if isinstance(kind, (types.String, types.Enum, types.JSON)):
        return [] if "\0" in words and dialect == "postgresql" else [words]
    try:
        value = _typed(kind, words)
    except (ValueError, InvalidOperation):
        return []
    return [value] if spoken(value) == words else []


def is_text(kind: types.TypeEngine[Any]) -> bool:
    """Tell whether a column of this type can hold any text."""
    return isinstance(kind, types.String) and not isinstance(kind, types.Enum)


def _typed(kind: types.TypeEngine[Any], words: str) -> Any:
    if isinstance(kind, types.Integer):
        number = int(words)
        if number not in _INTEGERS:
            raise ValueError
        return number
    if isinstance(kind, types.Numeric):
        return Decimal(words)
    if isinstance(kind, types.Uuid):
        return UUID(words)
    if isinstance(kind, types.LargeBinary):
        return bytes.fromhex(words)
    if isinstance(kind, types.DateTime):
        return datetime.fromisoformat(words)
    return words


def _sqlite(kind: types.TypeEngine[Any], words: str) -> list[Any]:
    found: list[Any] = [words]
    if isinstance(kind, (types.LargeBinary, types.NullType)):
        with suppress(ValueError):
            found += [raw for raw in [bytes.fromhex(words)] if raw.hex() == words]
    if not isinstance(kind, types.String):
        with suppress(ValueError):
            found += [number for number in [int(words)] if str(number) == words and -(2**63) <= number < 2**63]
    return found


def moment(value: object, units: Units) -> datetime | None:
    """Read a time: of the database's own type, as text, or a number in these units; None if it is no time."""
    if isinstance(value, str) and _numeric(value):
        value = Decimal(value)
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and units != "auto":
        try:
            return instant(EPOCH + timedelta(microseconds=round(value * 10**6 / _PER_SECOND[units])))
        except OverflowError:
            return None
    if isinstance(value, str):
        try:
            return instant(datetime.fromisoformat(value))
        except ValueError:
            return instant(value)
    return instant(value)


def _numeric(words: str) -> bool:
    return words.removeprefix("-").replace(".", "", 1).isdecimal()


def said(values: Iterable[object]) -> tuple[str, ...] | None:
    """Write the values of a key; None if one of them is missing, as such a key leads nowhere."""
    found = tuple(values)
    return None if any(value is None for value in found) else tuple(map(spoken, found))
