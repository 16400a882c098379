"""Global Privacy Control (W3C Working Draft): the request header `Sec-GPC` and the file a site publishes about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

HEADER: Final = "sec-gpc"
WELL_KNOWN: Final = "/.well-known/gpc.json"


def read_header(values: Iterable[str]) -> bool:
    """Tell whether a request carries the signal. Only the value `1` does; of several header lines one is enough."""
    return any(value.strip(" \t") == "1" for value in values)


def support_resource(*, honoured: bool, since: date) -> dict[str, object]:
    """Build `/.well-known/gpc.json`: whether this site honours the signal, and since which day it says so."""
    return {"gpc": honoured, "lastUpdate": since.isoformat()}
