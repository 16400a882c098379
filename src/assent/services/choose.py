"""Record what a person chose. Acts are appended, never changed; silence is never recorded as an act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.digests import digest
from assent.domain.instants import format_instant
from assent.store.records import Choice

if TYPE_CHECKING:
    from datetime import datetime

    from assent.domain.facts import Act
    from assent.services.notice import Notice
    from assent.store.port import Choices


def record_choice(store: Choices, subject: str, act: Act, notice: Notice, *, surface: str, now: datetime) -> Choice:
    """Append one act of a person who was shown `notice` on `surface`."""
    choice = Choice(
        id=digest([subject, notice.purpose, act, format_instant(now), notice.digest]),
        subject=subject,
        purpose=notice.purpose,
        act=act,
        at=now,
        notice=notice.digest,
        surface=surface,
        recorded_by=surface,
        recorded_at=now,
    )
    store.add_choice(choice)
    return choice
