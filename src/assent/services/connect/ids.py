"""Ids: a conversation of a system is `<format>:<its id>` in a home, for every format that it holds copies of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.connectors.port import Product
    from assent.services.connect.files import Connector


def formats_of(connector: Connector, product: Product) -> tuple[str, ...]:
    """Return the formats whose conversations this system may hold copies of, its own first."""
    return (product.format, *(name for name in connector.shared.also if name != product.format))


def own_id(formats: Iterable[str], conversation: str) -> str | None:
    """Return the id that the system knows a conversation of the home by; None if it is of another format."""
    return next((conversation.removeprefix(f"{one}:") for one in formats if conversation.startswith(f"{one}:")), None)


def own_ids(formats: Iterable[str], lines: Iterable[str]) -> list[str]:
    """Read ids that a person gave, each once: the system's own, or those of the home. Blank lines say nothing."""
    known = tuple(formats)
    found = (line.rstrip("\r\n") for line in lines)
    return list(dict.fromkeys(own_id(known, line) or line for line in found if line.strip()))
