"""The Kantara Consent Receipt 1.1 form of a choice: an older, smaller form that other tools still read.

It is written from the same bytes as the receipt and carries no proof (spec/receipt.md, section 8).
"""

from __future__ import annotations

from typing import Any, Final

from assent.domain.errors import Refused
from assent.domain.instants import to_micros
from assent.ledger.record import ChoiceRecord
from assent.ledger.terms import Party, Terms

VERSION: Final = "KI-CR-v1.1.0"


def kantara(record: ChoiceRecord, terms: Terms) -> dict[str, Any]:
    """Write a given consent as a Kantara 1.1 receipt.

    Raises `Refused` for any other act: this form can only say that consent was given, so a
    declined choice written in it would read as an allowed one.
    """
    if record.act != "allow":
        raise Refused(f"a Kantara receipt cannot say `{record.act}`", "use the JSON-LD receipt, which can")
    third_parties = [party.name for party in terms.recipients]
    purpose = {
        "purpose": terms.purpose_text,
        "purposeCategory": [record.purpose],
        "consentType": "EXPLICIT",
        "piiCategory": [*terms.data, *terms.sensitive],
        "primaryPurpose": record.purpose == "service",
        "termination": f"{terms.storage_duration}; {terms.deletion}; withdraw at {terms.withdraw_at}",
        "thirdPartyDisclosure": bool(third_parties),
        **({"thirdPartyName": ", ".join(third_parties)} if third_parties else {}),
    }
    return {
        "version": VERSION,
        "jurisdiction": ", ".join(terms.jurisdictions),
        # whole seconds since 1970 as an integer: the schema refuses text
        "consentTimestamp": to_micros(record.at) // 1_000_000,
        "collectionMethod": record.surface,
        "consentReceiptID": record.id,
        "language": terms.language,
        "piiPrincipalId": record.subject,
        "piiControllers": [_controller(party) for party in terms.controllers],
        "policyUrl": terms.policy_url,
        "services": [{"service": terms.service, "purposes": [purpose]}],
        "sensitive": bool(terms.sensitive),
        "spiCat": list(terms.sensitive),
    }


def _controller(party: Party) -> dict[str, Any]:
    return {
        "piiController": party.name,
        "onBehalf": party.role == "processor",
        "contact": party.contact,
        "address": {"streetAddress": party.address},
        "email": party.email,
        "phone": party.phone,
        **({"piiControllerUrl": party.url} if party.url else {}),
    }
