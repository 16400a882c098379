"""A region that no rule compares would count as outside every region: what a person says must be one."""

from pathlib import Path

import pytest

from assent.policy.parse import parse_policy
from assent.policy.regions import regions_of, wrong_region

POLICIES = Path(__file__).parents[3] / "policies"


@pytest.mark.parametrize("said", ["DE", "de", "EU", "eea", "GB", "US-CA"])
def test_what_rules_can_compare_is_a_region(said: str) -> None:
    assert wrong_region(said, {"US-CA"}) is None


@pytest.mark.parametrize(
    "said", ["", " ", "D", "DEU", "Germany", "germany!!", "UK", "el", "DE-BE", "US-CALI", "\u00df", "\ufb01"]
)
def test_what_no_rule_compares_is_none_and_is_not_repeated(said: str) -> None:
    message, fix = wrong_region(said, ())
    assert fix
    assert said not in message.split() or not said.strip()


@pytest.mark.parametrize("file", sorted(POLICIES.glob("*/*.toml")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_region_that_the_rules_of_a_policy_compare_is_named(file: Path) -> None:
    said = file.read_text("utf-8")
    named = regions_of([parse_policy(said, file.name)])
    assert ("region = [" in said or "region = {" in said) == bool(named)
    assert all(wrong_region(region, named) is None for region in named)
