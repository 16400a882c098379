"""What a receipt says about the asking, made from a notice and its policy (`ledger/terms.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.ledger.terms import INDEFINITE, Terms
from assent.ledger.terms import Party as ReceiptParty
from assent.services.notice.wording import facts_for, fill, phrases_of, values_of

if TYPE_CHECKING:
    from assent.policy.document import Document
    from assent.services.notice.document import Party
    from assent.services.notice.parse import Manifest

_TRAINS: Final = ("collection", "storage", "data preparation", "model training")
_USES: Final = ("collection", "storage", "use")


def terms_of(manifest: Manifest, policy: Document, purpose: str, locale: str) -> Terms:
    """Say who asked for what, in the words and with the values of the notice that was shown.

    The same notice, policy, purpose and locale always give the same terms, so their digest can
    be quoted by every record. Raises `Invalid` for a purpose or locale the notice does not have.
    """
    facts = facts_for(manifest, policy, purpose)
    wording, phrases, header = manifest.wording(locale), phrases_of(manifest, locale), manifest.header
    values = values_of(manifest, facts, locale)
    deletion = " ".join(
        fill(text, values)
        for text in (wording.text.retention_allowed, wording.text.retention_declined, wording.text.deletion)
        if text
    )
    return Terms(
        controllers=(_party(manifest.document.controller, "controller"),),
        service=header.service,
        purpose=purpose,
        purpose_text=wording.uses[purpose],
        processing=_TRAINS if facts.trains else _USES,
        data=tuple(phrases.data[kind] for kind in facts.data_kinds),
        storage_locations=tuple(header.storage_locations),
        storage_duration=INDEFINITE if facts.allowed.length is None else str(facts.allowed.length),
        deletion=deletion,
        jurisdictions=tuple(header.jurisdictions),
        withdraw_at=manifest.document.withdraw.address,
        withdraw_how=wording.withdraw,
        rights=tuple(header.rights),
        policy_url=header.policy_url,
        language=locale,
        recipients=tuple(_party(party, party.role) for party in manifest.document.recipients),
    )


def _party(party: Party, role: str) -> ReceiptParty:
    return ReceiptParty(
        name=party.name,
        identifier=party.identifier,
        role=role,
        contact=party.contact,
        address=party.address,
        url=party.url,
        email=party.email,
    )
