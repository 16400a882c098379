"""What a change of the policies makes due: the difference between the versions of some days ago and those of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.errors import NotFound
from assent.policy.parse import parse_policy
from assent.services.plan import nominations
from assent.store.answers import answers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from assent.policy.model import Policy
    from assent.store.columns import Columns
    from assent.store.port import Store


@dataclass(frozen=True, slots=True)
class Changed:
    """Policies that were in force one cool-off ago and are others now: `before`, and `since` when at the earliest."""

    before: tuple[str, ...]
    since: datetime | None


def changed(store: Store, policies: Sequence[str], cool_off: timedelta, now: datetime) -> Changed | None:
    """Compare the policies with those of the rounds of one cool-off ago; None if they are the same.

    Without such a round everything is new. A change is as old as the newer of two: the last round that went by others,
    and the instant at which the store first saw the newest version; None where neither is known.
    """
    settled = store.settled_round(now - cool_off)
    before = settled.policies if settled is not None else ()
    if before == tuple(policies):
        return None
    other = store.last_round_under_others(policies)
    seen = [other.ended_at] if other is not None else []
    seen += [kept.added_at for digest in policies if digest not in before and (kept := store.policy(digest))]
    return Changed(before, max(seen, default=None))


def newly_due(
    store: Store, columns: Columns, settled: Sequence[str], versions: Sequence[Policy], at: datetime, lead: timedelta
) -> int:
    """Count what is ripe at `at` under `versions` and not under the `settled` ones; all of it if there were none."""
    before = [_policy(store, digest) for digest in settled]
    if not before:
        with answers(store, columns, versions, at, nominations(store, versions, at), lead=lead) as now:
            return now.delays(lead).ripe
    with answers(store, columns, before, at, nominations(store, before, at), lead=lead) as then:
        then.remember_ripe()
    with answers(store, columns, versions, at, nominations(store, versions, at), lead=lead) as now:
        return now.ripe_since()


def _policy(store: Store, digest: str) -> Policy:
    kept = store.policy(digest)
    if kept is None:
        raise NotFound(f"policy `{digest}` is not in the store", "a plan keeps every policy that it was made under")
    return parse_policy(kept.text, kept.name)
