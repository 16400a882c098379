"""Every page of the console."""

from __future__ import annotations

from typing import Final

from assent.interfaces.web.console import (
    approvals,
    campaigns,
    connectors,
    cuts,
    erasing,
    evidence,
    flags,
    holds,
    home,
    ledger,
    people,
    plans,
    policy,
    requests,
    runs,
    team,
)

ALL: Final = (
    home.pages,
    campaigns.pages,
    policy.pages,
    plans.pages,
    approvals.pages,
    erasing.pages,
    connectors.pages,
    holds.pages,
    requests.pages,
    people.pages,
    flags.pages,
    cuts.pages,
    runs.pages,
    ledger.pages,
    team.pages,
    evidence.pages,
)
"""The pages in the order in which addresses are looked up."""
