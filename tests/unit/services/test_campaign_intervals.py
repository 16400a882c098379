"""The arithmetic of the alarm, against published worked examples."""

from fractions import Fraction
from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.services.campaign.intervals import difference, share

# R. G. Newcombe, Statistics in Medicine 17 (1998): pp. 857-872, table I, method 3, and pp. 873-890, table II, method 10
SHARES = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
DIFFERENCES = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]


@pytest.mark.parametrize(("part", "whole", "low", "high"), SHARES)
def test_a_share_has_the_published_interval(part: int, whole: int, low: float, high: float) -> None:
    found = share(part, whole)
    assert found.value == part / whole
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(("one", "other", "low", "high"), DIFFERENCES)
def test_a_difference_has_the_published_interval(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = difference(one, other)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


counts = st.integers(1, 400).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@given(counts, counts, st.integers(1, 50))
def test_a_difference_is_the_same_from_both_sides_and_wider_with_every_comparison(
    one: tuple[int, int], other: tuple[int, int], comparisons: int
) -> None:
    found, back = difference(one, other, comparisons), difference(other, one, comparisons)
    assert (found.low, found.high) == pytest.approx((-back.high, -back.low))
    assert -1 <= found.low <= found.value <= found.high <= 1
    wider = difference(one, other, comparisons + 1)
    assert wider.low <= found.low + 1e-12
    assert found.high <= wider.high + 1e-12


def test_zero_is_left_out_in_error_no_more_often_than_the_level_allows() -> None:
    # every pair of outcomes of two arms of 60 that allow alike, with its exact probability
    size = 60
    for allow in (Fraction(1, 2), Fraction(1, 5)):
        chance = [comb(size, k) * allow**k * (1 - allow) ** (size - k) for k in range(size + 1)]
        wrong = Fraction(0)
        for one, other in product(range(size + 1), repeat=2):
            found = difference((one, size), (other, size))
            if not found.low <= 0 <= found.high:
                wrong += chance[one] * chance[other]
        assert Fraction(3, 100) < wrong < Fraction(56, 1000), float(wrong)
