"""What a project wants less of becomes a refusal of the person whose sessions it holds; never a grant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from assent.connectors.port import Narrowing, Unlisted
from assent.domain.choices import REFUSALS, project_target
from assent.domain.instants import format_instant
from assent.services.intake import import_choices

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.port import Product
    from assent.services.intake import ChoiceStore
    from assent.services.ledger.log import Log

PURPOSE: Final = "training"
SURFACE: Final = "project file"


def narrow(
    product: Product, owner: str | None, store: ChoiceStore, log: Log, *, now: datetime
) -> tuple[int, list[str]]:
    """Record a refusal for each project that denies training and has none that holds; return how many, and problems.

    A project that says nothing, or says it no longer, changes nothing: only the person can permit again.
    """
    if owner is None or not isinstance(product, Narrowing):
        return 0, []
    newest = {choice.target: choice.act for choice in store.choices(owner) if choice.purpose == PURPOSE}
    problems, lines = [], []
    for scope in product.scopes():
        if isinstance(scope, Unlisted):
            problems.append(f"{scope.place}: {scope.problem}")
        elif scope.training == "deny" and newest.get(project_target(scope.project)) not in REFUSALS:
            said = {"subject": owner, "purpose": PURPOSE, "act": "decline", "at": format_instant(now)}
            lines.append(json.dumps({**said, "surface": SURFACE, "project": scope.project}).encode())
    return import_choices(lines, store, log, now=now).taken, problems
