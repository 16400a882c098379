"""Agreement is Cohen's kappa as scikit-learn reckons it; rates come from the random sample, with their interval."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from assent.services.flag.agreement import agreement, kappa, rates, share
from assent.store.records import Review

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DECISIONS = st.sampled_from(["uphold", "reverse"])


def said(name: str, by: int, decision: str, **more: object) -> Review:
    return Review(name, f"r{by}", T0 + timedelta(hours=by), decision, "read", **more)


def test_kappa_of_a_table_that_is_reckoned_by_hand() -> None:
    # 35 of 50 agreed: seen 0.7; the first upholds half, the second three in five: chance 0.3 and 0.2 make 0.5
    pairs = [("uphold", "uphold")] * 20 + [("uphold", "reverse")] * 5 + [("reverse", "uphold")] * 10
    pairs += [("reverse", "reverse")] * 15
    assert kappa(pairs) == pytest.approx((0.7 - 0.5) / (1 - 0.5))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(DECISIONS, DECISIONS), min_size=2, max_size=40).filter(
        lambda p: len({d for t in p for d in t}) > 1
    )
)
def test_kappa_is_what_scikit_learn_says(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    assert kappa(pairs) == pytest.approx(cohen_kappa_score(first, second))


def test_only_what_two_people_reviewed_counts_and_a_third_breaks_no_figure() -> None:
    reviews = [
        said("a", 1, "uphold", category="hate"),
        said("a", 2, "reverse", category="hate"),
        said("a", 3, "reverse", category="hate"),
        said("b", 1, "reverse", category="hate"),
        said("b", 2, "reverse", category="hate"),
        said("c", 1, "uphold", category="hate"),
        said("d", 1, "uphold", category="fraud"),
        said("d", 2, "uphold", category="fraud"),
        said("d", 9, "reverse", category="fraud", stage="appeal"),
    ]
    found = agreement(reviews)
    assert (found.pairs, found.agreed) == (3, 2)
    assert found.kappa == pytest.approx(cohen_kappa_score(["u", "r", "u"], ["r", "r", "u"]))
    assert found.by_category == {"fraud": (1, None), "hate": (2, pytest.approx(0.0))}
    assert agreement([]).kappa is None


def test_rates_come_from_the_drawn_ones_alone() -> None:
    reviews = [
        said("a", 1, "uphold", drawn=True, band="flag"),
        said("b", 1, "uphold", drawn=True, band="clear"),
        said("c", 1, "reverse", drawn=True, band="clear"),
        said("d", 1, "reverse", band="flag"),
        said("d", 2, "uphold", band="flag", stage="appeal"),
        said("e", 1, "uphold", band="uncertain"),
    ]
    found = rates(reviews)
    assert (found.harmful_drawn.count, found.harmful_drawn.of) == (2, 3)
    assert (found.found_of_harmful_drawn.count, found.found_of_harmful_drawn.of) == (1, 2)
    assert (found.overturned.count, found.overturned.of) == (1, 2)
    assert (found.overturned_on_appeal.count, found.overturned_on_appeal.of) == (0, 1)


def test_the_interval_of_a_share_is_wilsons() -> None:
    found = share(1, 10)
    # Wilson (1927) for 1 of 10 at 95 %: 0.0179 to 0.4042
    assert (found.low, found.high) == (pytest.approx(0.0179, abs=1e-4), pytest.approx(0.4042, abs=1e-4))
    assert share(0, 0).share is None
