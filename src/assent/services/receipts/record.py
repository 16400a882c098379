"""Turn a stored choice into the record that the ledger commits to. The same choice always gives the same bytes."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.domain.digests import digest_bytes
from assent.ledger.record import ChoiceRecord

if TYPE_CHECKING:
    from assent.store.records import Choice

PSEUDONYM_BYTES: Final = 16
"""How much of the HMAC names a subject: 128 bits, so that two people never share a name by chance."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs for the choices: the controller's identifier, and the secret key (32 bytes) that makes pseudonyms.

    Whoever has the key can say which record belongs to a subject; without it a pseudonym says
    nothing. A lost or changed key makes receipts impossible to issue again.
    """

    controller: str
    key: bytes

    def pseudonym(self, subject: str) -> str:
        """Name a subject as records do: 32 hex digits, the same for all of the subject's records."""
        return hmac.digest(self.key, subject.encode(), "sha256")[:PSEUDONYM_BYTES].hex()


def record_of(choice: Choice, identity: Identity) -> ChoiceRecord:
    """Write down a choice without the subject's id, the guardian's id or the name of its target."""
    return ChoiceRecord(
        id=choice.id,
        subject=identity.pseudonym(choice.subject),
        purpose=choice.purpose,
        act=choice.act,
        at=choice.at,
        notice=choice.notice,
        surface=choice.surface,
        recorded_by=choice.recorded_by,
        controller=identity.controller,
        scope=choice.scope,
        target=None if choice.target is None else digest_bytes(choice.target.encode()),
        locale=choice.locale,
        layout=choice.layout,
        options=choice.options,
        policy=choice.policy,
        client=choice.client,
        prior=choice.prior,
        snapshot=choice.snapshot,
        campaign=choice.campaign,
        guardian=identity.pseudonym(choice.guardian) if choice.guardian else "",
        terms=choice.terms,
    )
