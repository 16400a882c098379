"""The way to MongoDB: one client, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ConfigurationError, PyMongoError

from assent.domain.errors import AssentError, Invalid

Document: TypeAlias = Mapping[str, Any]
Base: TypeAlias = "Database[dict[str, Any]]"

TOGETHER: Final = 500
"""Ids that one query names: far below the 48,000 of 36 letters that fit into a message of MongoDB."""


def client_of(address: str, timeout_s: float) -> MongoClient[dict[str, Any]]:
    """Return a client; nothing is asked yet. Raises `Invalid` for an address that is none."""
    limit = int(timeout_s * 1000)
    try:
        return MongoClient(
            address,
            tz_aware=True,
            connect=False,
            serverSelectionTimeoutMS=limit,
            connectTimeoutMS=limit,
            appname="assent",
        )
    except (ConfigurationError, PyMongoError, ValueError):
        fix = "write it as mongodb://host:27017 in the file, with name and password"
        raise Invalid("the address of MongoDB cannot be read", fix) from None


@contextmanager
def reached() -> Iterator[None]:
    """Turn an error of the driver into one of ours, without what the server quotes."""
    try:
        yield
    except PyMongoError as problem:
        kind = type(problem).__name__
        raise AssentError(f"MongoDB does not answer: {kind}", "see that it runs, and its address and rights") from None


def counted(base: Base, collection: str, field: str, values: Iterable[str]) -> dict[str, int]:
    """Count the documents of each value of a field, those that have any."""
    found: dict[str, int] = {}
    for some in batches(values):
        stages: list[dict[str, Any]] = [
            {"$match": {field: {"$in": some}}},
            {"$group": {"_id": f"${field}", "count": {"$sum": 1}}},
        ]
        found.update({one["_id"]: one["count"] for one in base[collection].aggregate(stages)})
    return found


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """Cut ids into as many as one query names."""
    known = list(dict.fromkeys(values))
    for start in range(0, len(known), TOGETHER):
        yield known[start : start + TOGETHER]
