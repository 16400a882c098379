"""The plans that policies name: under any other one, nothing is decided."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from assent.policy.model import Policy

_LIKE_A_PLAN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}")


def plans_of(policies: Iterable[Policy]) -> frozenset[str]:
    """Name every plan that one of the policies names."""
    return frozenset(plan for policy in policies for plan in policy.plans)


def unknown_plan(plan: str, known: Collection[str]) -> str:
    """Say that no policy names a plan; no letters if one does, or if they name none at all.

    What does not look like a plan is not repeated: it may be content.
    """
    if plan in known or not known:
        return ""
    return "no policy here names " + (f"the plan `{plan}`" if _LIKE_A_PLAN.fullmatch(plan) else "this plan")


def check_plan(plan: str, policies: Iterable[Policy]) -> None:
    """Raise `Refused` for a plan that none of the policies names."""
    known = plans_of(policies)
    if message := unknown_plan(plan, known):
        raise Refused(message, f"use one of {', '.join(sorted(known))}")
