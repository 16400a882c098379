"""The regions that people may be in: a code that no rule compares would count as outside every region."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid
from assent.policy.build import REGIONS
from assent.policy.model import Membership

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from assent.policy.model import Policy

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_PART: Final = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_OTHERWISE: Final = {"UK": "GB", "EL": "GR"}
"""What the institutions of the EU write, and the code that policies compare."""


def regions_of(policies: Iterable[Policy]) -> frozenset[str]:
    """Name every region and group that a rule of one of the policies compares, in capitals."""
    return frozenset(
        str(value)
        for policy in policies
        for when in (*(grant.when for grant in policy.grants), *(veto.when for veto in policy.vetoes))
        for test in when.tests
        if isinstance(test, Membership) and test.key == "region"
        for value in test.values
    )


def wrong_region(region: str, named: Collection[str]) -> tuple[str, str] | None:
    """Say what is wrong with the name of a region, and what to write; None if nothing is.

    A group or a part of a country is a region where one of the policies names it (`named`): rules compare the whole
    name, so of a part that no rule names a rule about its country would say no. What was said is not repeated.
    """
    said = region.upper()
    if said in named or said in REGIONS:
        return None
    if said in _OTHERWISE:
        return "is no ISO 3166-1 code", f"write `{_OTHERWISE[said]}`"
    # of a letter such as `ß` capitals are two
    if _COUNTRY.fullmatch(said) and region.isascii():
        return None
    if _PART.fullmatch(said):
        return "is a part of a country that no policy here names", f"write the country, `{said[:2]}`"
    return "is not a region", "write the ISO 3166-1 code of the country, as `DE`, or a group that a policy here names"


def check_region(region: str, named: Collection[str]) -> str:
    """Return a region in capitals, as rules compare it. Raises `Invalid` for one that is none."""
    if wrong := wrong_region(region, named):
        message, fix = wrong
        raise Invalid(f"what `region` says {message}", fix)
    return region.upper()


def members_of(region: str) -> frozenset[str]:
    """Name a region and, of a group that is always known, its countries."""
    return frozenset({region, *REGIONS.get(region, ())})
