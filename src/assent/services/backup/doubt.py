"""Doubt: choices made after the backup are lost, and any of them may have been anybody's refusal.

The published log shows how many there are, and not whose. So whatever may rest on a choice ends, in the ledger
and in everybody's sight, at the instant of the backup: nothing of it is trained on or kept longer because of it.
Whoever chooses again, or whose later records are brought in, is decided by those.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from assent.domain.choices import REFUSALS
from assent.domain.digests import digest
from assent.domain.errors import Refused
from assent.ledger.leaf import SALT_BYTES, commitment
from assent.services.choose.standing import RESTORE, standing_before
from assent.services.notice import purposes_asked
from assent.services.receipts.record import record_of
from assent.store.records import Choice, Staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.policy.model import Policy
    from assent.services.ledger.log import Log
    from assent.store.port import Store
    from assent.store.records import Known

_AT_ONCE: Final = 1_000


class Backed(NamedTuple):
    """The backup that was restored, by name, and when it was taken."""

    backup: str
    taken_at: datetime


def unknown_leaves(store: Store, since: int) -> set[int]:
    """Return the numbers of leaves from `since` on of which only the commitment is known here."""
    found: set[int] = set()
    first = since
    while leaves := store.leaves(first, _AT_ONCE):
        found.update(leaf.number for choice, leaf in leaves if choice is None and leaf.erasure is None)
        first = leaves[-1][1].number + 1
    return found


def doubt(store: Store, log: Log | None, policies: Sequence[Policy], since: Backed, *, now: datetime) -> int:
    """End every permission that may have been refused since the backup; returns how many. Again does nothing more.

    Raises `Refused` without the keys of the ledger.
    """
    if log is None:
        fix = "restore the keys of the ledger, or `--ledger none` to see what is there on a machine for rehearsals"
        raise Refused("choices are unknown here, and without the ledger's keys nothing can be entered for them", fix)
    asked = purposes_asked(policies)
    by_default = {rule.purpose for one in policies for grant in one.grants for rule in grant.choices if rule.by_default}
    ended, people = 0, [""]
    while people := store.people(people[-1], _AT_ONCE):
        known = store.known_of_several(people)
        acts = [act for one in known.values() for act in _acts(one, asked, by_default, since, now)]
        records = [record_of(act, log.identity).encode() for act in acts]
        salts = log.new_salts(len(acts))
        drawn = [salts[n * SALT_BYTES : (n + 1) * SALT_BYTES] for n in range(len(acts))]
        store.replay_choices(
            [
                Staged(act, salt, commitment(salt, record))
                for act, salt, record in zip(acts, drawn, records, strict=True)
            ]
        )
        ended += len(acts)
    return ended


def _acts(known: Known, asked: Sequence[str], by_default: set[str], since: Backed, now: datetime) -> Iterator[Choice]:
    """Refuse for a person, at the instant of the backup or of their last act, what they may have refused since."""
    for purpose in asked:
        said = [act for act in known.acts if act.purpose == purpose and act.act != "defer"]
        refused = said and said[-1].act in REFUSALS and said[-1].scope == "everything"
        if refused or not (said or purpose in by_default):
            continue
        allowed = any(act.act == "allow" for act in said)
        yield Choice(
            id=digest([RESTORE, since.backup, known.subject, purpose]),
            subject=known.subject,
            purpose=purpose,
            act="withdraw" if allowed else "decline",
            at=max([since.taken_at, *(act.at for act in said)]),
            notice="",
            surface=RESTORE,
            recorded_by=f"{RESTORE} {since.backup}",
            recorded_at=now,
            prior=standing_before(said, purpose),
        )
