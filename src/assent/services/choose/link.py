"""A device that turned out to be somebody's: what was refused on it goes along, what was allowed on it does not.

An `allow` covers what was in sight where it was given. On a device without an account that
was the device's own conversations, so it says nothing about the account's; the person is
asked. A refusal is worth as much wherever it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.domain.choices import REFUSALS, act_order
from assent.domain.digests import digest
from assent.domain.errors import Refused
from assent.services.choose.standing import DEVICE_LINK, StandingStore
from assent.services.ledger.append import append
from assent.store.port import Ledger
from assent.store.records import Choice, DeviceLink

if TYPE_CHECKING:
    from datetime import datetime

    from assent.services.ledger.append import Appended
    from assent.services.ledger.log import Log


class LinkStore(StandingStore, Ledger, Protocol):
    """What linking asks of a store."""


def link_device(store: LinkStore, log: Log, device: str, subject: str, *, now: datetime) -> list[Appended]:
    """Link a device to an account, and carry its refusals to where the account has not decided.

    Returns the carried choices. The refusals come first and the link last, so what is lost
    when the machine stops in between is never a refusal; the same call again goes on. Raises
    `Refused` if the device is linked to another account, or one of the two cannot be linked.
    """
    known = store.device_link(device)
    if known is not None and known.subject != subject:
        raise Refused("the device is linked to another account", "a device has one; nothing was changed")
    if device == subject or store.device_link(subject) is not None or store.devices_of(device):
        fix = "link each device to the account of the person, and no account to another"
        raise Refused("one of the two is a device of somebody, or an account with devices", fix)
    carried = append(store, log, _carried(store, device, subject, now), now=now)
    store.link_device(DeviceLink(device, subject, now))
    return carried


def _carried(store: LinkStore, device: str, subject: str, now: datetime) -> list[Choice]:
    """Turn the device's refusals in force into declines of the account. A lock stays where its conversation is."""
    decided = {(act.purpose, act.scope, act.target) for act in store.choices(subject) if act.act != "defer"}
    newest = {
        (act.purpose, act.scope, act.target): act
        for act in sorted(store.choices(device), key=act_order)
        if act.act != "defer" and act.scope != "conversation"
    }
    return [
        Choice(
            id=digest([DEVICE_LINK, device, subject, act.id]),
            subject=subject,
            purpose=act.purpose,
            act="decline",
            at=now,
            notice=act.notice,
            surface=act.surface,
            recorded_by=DEVICE_LINK,
            recorded_at=now,
            scope=act.scope,
            target=act.target,
            prior="unasked",
        )
        for about, act in newest.items()
        if act.act in REFUSALS and about not in decided
    ]
