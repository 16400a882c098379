"""Which plans are named by the policies here, and what is said of one that is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from assent.domain.errors import Refused
from assent.policy.parse import parse_policy
from assent.policy.plans import check_plan, plans_of, unknown_plan

SMALL = parse_policy((Path(__file__).parent / "small.toml").read_text("utf-8"), "small.toml")
OTHER = replace(SMALL, plans=frozenset({"team", "pro"}))


def test_every_plan_that_one_of_the_policies_names_is_known() -> None:
    assert plans_of([]) == frozenset()
    assert plans_of([SMALL]) == {"free", "pro"}
    assert plans_of([SMALL, OTHER]) == {"free", "pro", "team"}


@pytest.mark.parametrize(
    ("plan", "known", "said"),
    [
        ("pro", ["free", "pro"], ""),
        ("max", [], ""),
        ("max", ["free", "pro"], "no policy here names the plan `max`"),
        ("Pro_2.0+x-y", ["free"], "no policy here names the plan `Pro_2.0+x-y`"),
        ("x" * 40, ["free"], f"no policy here names the plan `{'x' * 40}`"),
        ("x" * 41, ["free"], "no policy here names this plan"),
        ("", ["free"], "no policy here names this plan"),
        ("-pro", ["free"], "no policy here names this plan"),
        ("ann@example.com", ["free"], "no policy here names this plan"),
        ("the pro plan", ["free"], "no policy here names this plan"),
    ],
)
def test_what_does_not_look_like_a_plan_is_not_repeated(plan: str, known: list[str], said: str) -> None:
    assert unknown_plan(plan, known) == said


def test_a_plan_that_nobody_names_is_refused_with_those_that_are() -> None:
    check_plan("team", [SMALL, OTHER])
    check_plan("team", [])
    with pytest.raises(Refused, match="no policy here names the plan `max`") as refused:
        check_plan("max", [SMALL, OTHER])
    assert refused.value.fix == "use one of free, pro, team"
