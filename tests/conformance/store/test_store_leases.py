"""Leases: one at a time, and whoever lost one is refused whatever its clock says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assent.store.port import Store
from assent.store.port.leases import LeaseLost

T0 = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_one_holds_it_until_it_runs_out(store: Store) -> None:
    first = store.take_lease("sweep", "a", T0, T0 + 2 * MINUTE)
    assert first is not None
    assert store.take_lease("sweep", "b", T0 + MINUTE, T0 + 3 * MINUTE) is None
    assert store.take_lease("other", "b", T0 + MINUTE, T0 + 3 * MINUTE) is not None
    second = store.take_lease("sweep", "b", T0 + 2 * MINUTE, T0 + 4 * MINUTE)
    assert second is not None
    assert second.fence > first.fence


def test_a_lease_that_was_given_back_is_free_at_once(store: Store) -> None:
    first = store.take_lease("sweep", "a", T0, T0 + MINUTE)
    store.give_lease_back(first)
    second = store.take_lease("sweep", "b", T0, T0 + MINUTE)
    assert second.fence == first.fence + 1
    store.give_lease_back(first)  # of no effect: it is somebody else's by now
    assert store.take_lease("sweep", "c", T0, T0 + MINUTE) is None


def test_renewing_keeps_it_and_only_for_whoever_has_it(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()
    first = one.take_lease("sweep", "a", T0, T0 + MINUTE)
    longer = one.renew_lease(first, T0 + 5 * MINUTE)
    assert longer == replace(first, until=T0 + 5 * MINUTE)
    assert other.take_lease("sweep", "b", T0 + 2 * MINUTE, T0 + 9 * MINUTE) is None
    late = one.renew_lease(longer, T0 + 6 * MINUTE)  # nobody took it meanwhile, however late it is
    assert other.take_lease("sweep", "b", T0 + 7 * MINUTE, T0 + 9 * MINUTE) is not None
    with pytest.raises(LeaseLost, match="the lease `sweep` is lost"):
        one.renew_lease(late, T0 + 99 * MINUTE)


def test_whoever_starts_again_under_its_old_name_fences_its_former_self_out(store: Store) -> None:
    before = store.take_lease("sweep", "a", T0, T0 + MINUTE)
    after = store.take_lease("sweep", "a", T0, T0 + MINUTE)
    assert after.fence == before.fence + 1
    with pytest.raises(LeaseLost):
        store.renew_lease(before, T0 + MINUTE)
