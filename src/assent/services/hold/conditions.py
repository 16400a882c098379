"""The conditions of a hold as people give them: one that matches nothing by mistake would hold nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assent.domain.errors import Invalid
from assent.policy.regions import check_region, members_of, regions_of
from assent.store.records import HoldQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assent.policy.model import Policy


def query_of(said: Mapping[str, Any], policies: Iterable[Policy]) -> HoldQuery:
    """Make the query of a hold. `EU` and `EEA` stand for their countries and for themselves.

    Raises `Invalid` for what is no region, and for a stretch of time that ends before it begins.
    """
    named = regions_of(policies)
    regions = {one for region in said.get("region", ()) for one in members_of(check_region(region, named))}
    for clock in ("created", "last_turn"):
        first, behind = said.get(f"{clock}_from"), said.get(f"{clock}_to")
        if first is not None and behind is not None and first >= behind:
            message = f"`{clock}_to` does not lie behind `{clock}_from`, so nothing would be held"
            raise Invalid(message, "correct one of them")
    return HoldQuery(**{**said, "region": tuple(sorted(regions))})
