"""What people are asked for at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assent.policy.model import Policy


def purposes_asked(policies: Iterable[Policy]) -> list[str]:
    """List the purposes that some grant of these policies needs a choice for."""
    return sorted({choice.purpose for policy in policies for grant in policy.grants for choice in grant.choices})
