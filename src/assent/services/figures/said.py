"""What a check said, kept under its name with the instant of the check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from assent.domain.digests import canonical
from assent.store.records import Figure

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.port import Figures


class Said(NamedTuple):
    """What was said, and when it was true."""

    at: datetime
    what: dict[str, Any]


def keep_said(store: Figures, name: str, what: dict[str, Any], at: datetime) -> None:
    """Keep what a check said, in the place of what it said before."""
    store.keep_figure(Figure(name, at, canonical(what).decode()))


def kept_said(store: Figures, name: str) -> Said | None:
    """Read what a check said last; None if there was none."""
    figure = store.figure(name)
    return None if figure is None else Said(figure.at, json.loads(figure.document))
