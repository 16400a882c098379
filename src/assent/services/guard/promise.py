"""Whether the settings can keep what the policies promise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.policy.model import Policy
    from assent.settings import Settings

DELETED: Final = "deleted_at"
"""The event whose promise everything must fit into: that the person deleted it."""


def lead_of(settings: Settings) -> timedelta:
    """Return how long before `erase_by` a part is ripe: a sweep may lag, backups of keys live on, and some slack."""
    return timedelta(days=settings.sweep_lag_days + settings.key_backup_days + settings.slack_days)


def check_settings(settings: Settings, policies: Sequence[Policy]) -> timedelta:
    """Return the lead. Raises `Refused` if quarantine and lead do not fit into what a policy promises on deletion."""
    lead = lead_of(settings)
    needed = timedelta(days=settings.quarantine_days) + lead
    for policy in policies:
        for rule, promised in _promises(policy):
            if needed > promised:
                message = (
                    f"policy `{policy.name}` promises by `{rule}` that deleted content is gone within "
                    f"{promised.days} days, and the settings need {needed.days}"
                )
                fix = (
                    "lower `quarantine_days`, `sweep_lag_days`, `key_backup_days` or `slack_days`: "
                    "together they must fit"
                )
                raise Refused(message, fix)
    return lead


def _promises(policy: Policy) -> list[tuple[str, timedelta]]:
    """List the caps by which deleting ends a part, each with its shortest time."""
    found = []
    for cap in policy.caps:
        if cap.key == DELETED and not cap.keeps:
            lengths = [length.shortest() for length in (cap.use_after, cap.erase_after) if length is not None]
            found.append((cap.id, sum(lengths, timedelta())))
    return found
