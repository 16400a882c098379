"""Contracts of choices: the acts, who may act for whom, and what was said by contract or signal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Protocol

from assent.store.records import Choice, Contract, DeviceLink, Guardian, Known, Listing, Page, Signal


class Choices(Protocol):
    """The acts of subjects: append-only, refused by the database itself if anything tries to change one."""

    def add_choice(self, choice: Choice) -> None:
        """Append an act without a leaf in the ledger; `services.ledger` is the way in for what people choose.

        The same choice again does nothing; another one under its id raises `Refused`.
        """
        ...

    def choice(self, choice: str) -> Choice | None: ...

    def known_choices(self, ids: Collection[str]) -> set[str]:
        """Tell which of these ids are taken. The caller bounds the batch."""
        ...

    def choices(self, subject: str) -> Iterator[Choice]:
        """Read a subject's acts by time, of two at one instant the refusing one last."""
        ...

    def newest_choices(self, subject: str, page: Page) -> Listing[Choice]:
        """List a subject's own acts, newest first."""
        ...

    def known_of(self, subject: str) -> Known:
        """Read at one instant what taking an act of a person needs to know of them."""
        ...

    def known_of_several(self, subjects: Collection[str]) -> dict[str, Known]:
        """Read the same of several people at one instant. The caller bounds the batch."""
        ...

    def choices_for_several(self, conversations: Collection[str]) -> dict[str, list[Choice]]:
        """Read what `choices_for` reads, for several conversations at one instant; the unknown are left out."""
        ...

    def choices_for(self, conversation_id: str) -> list[Choice]:
        """Read the acts that count for the parts of a conversation, in order: scopes and links applied.

        They are the choices of its facts. Empty for a conversation that is not kept or is nobody's.
        """
        ...


class Acting(Protocol):
    """Whose device it was, and who may act for a child."""

    def link_device(self, link: DeviceLink) -> None:
        """Record whose device it is. The first link stays; `Refused` if it names another subject.

        Raises `Refused` too for a device that has devices of its own, and for an account that is a device itself.
        """
        ...

    def device_link(self, device: str) -> DeviceLink | None: ...

    def devices_of(self, subject: str) -> list[DeviceLink]:
        """Read the devices linked to an account, in the order in which they were linked."""
        ...

    def add_guardian(self, guardian: Guardian) -> None:
        """Record that somebody may act for a child; of two records of the same pair the later one counts."""
        ...

    def end_guardian(self, subject: str, guardian: str, at: datetime) -> None:
        """Record that somebody may no longer act for a child; the first end counts. Raises `NotFound`."""
        ...

    def guardians_of(self, subject: str) -> list[Guardian]:
        """Read who may, and who once could, act for a child, in the order of verification."""
        ...


class Contracts(Protocol):
    """What organisations granted for their own data. Nothing here is read when a person's data is decided."""

    def add_contract(self, contract: Contract) -> None:
        """Keep a contract. The same one again does nothing; another meaning under its id raises `Refused`."""
        ...

    def end_contract(self, contract: str, at: datetime) -> None:
        """Record when a contract ends; the earliest end counts. Raises `NotFound`, `Invalid` before its start."""
        ...

    def contracts(self, page: Page, organisation: str | None = None) -> Listing[Contract]:
        """List contracts, the latest start first."""
        ...


class Signals(Protocol):
    """What people's software said, and what came of it."""

    def add_signal(self, signal: Signal) -> None:
        """Keep a signal; the same one at the same instant again does nothing."""
        ...

    def signals(self, subject: str, page: Page) -> Listing[Signal]:
        """List the signals of a subject, newest first."""
        ...
