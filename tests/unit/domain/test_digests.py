"""Digests name values: equal values alike on every machine, different values differently."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.digests import canonical, digest, digest_bytes

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_published_digests() -> None:
    """From FIPS 180-4's own examples, and of one small object, so that any implementation can compare."""
    assert digest_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_bytes(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert canonical({"b": [1, True, None], "a": "é\n"}) == b'{"a":"\xc3\xa9\\n","b":[1,true,null]}'
    assert digest({"b": [1, True, None], "a": "é\n"}) == digest_bytes(b'{"a":"\xc3\xa9\\n","b":[1,true,null]}')


@given(values)
def test_the_canonical_form_is_read_back(value: object) -> None:
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(), values, max_size=6))
def test_the_order_of_keys_does_not_count(value: dict[str, object]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@given(values, values)
def test_digests_are_equal_exactly_when_the_bytes_are(one: object, other: object) -> None:
    assert (digest(one) == digest(other)) is (canonical(one) == canonical(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), (1, True), (0, False), (None, "null"), ([], {}), ([1, 2], [2, 1]), ("", None), ("é", "e\u0301")],
)
def test_what_looks_alike_is_told_apart(one: object, other: object) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_has_no_one_form_has_no_digest(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest(number)
