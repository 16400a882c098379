"""A choice in words that other programs know: ISO/IEC TS 27560 through the W3C Data Privacy Vocabulary (DPV) 2.3.

`project` is a pure function of the record and its terms, so a verifier rebuilds the document from
the bytes that the ledger commits to and refuses one that says anything else. Which field of the
standard each property stands for, and with which cardinality, is in spec/receipt.md, section 4.
Every property holds a list: a repeated JSON key would silently lose a value.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from assent.domain.instants import format_instant
from assent.ledger.record import ChoiceRecord
from assent.ledger.terms import INDEFINITE, Party, Terms

PROFILE: Final = "https://w3id.org/dpv/schema/dpv-27560#"
CONTEXT: Final[dict[str, Any]] = {
    "ai": "https://w3id.org/dpv/ai#",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:conformsTo": {"@type": "@id"},
    "dct:created": {"@type": "xsd:dateTime"},
    "dct:date": {"@type": "xsd:dateTime"},
    "dpv:hasLegalBasis": {"@type": "@id"},
    "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
    "skos:broader": {"@type": "@id"},
    "evidence": None,
}
"""Written into every receipt: nobody has to fetch a context, and nobody can change its meaning by serving another."""

PURPOSES: Final = {
    "service": "dpv:ServiceProvision",
    "training": "dpv:ResearchAndDevelopment",
    "safety": "dpv:EnforceSecurity",
    "feedback": "dpv:ServiceOptimisation",
}
"""The DPV category of assent's purposes. Training a model is no purpose in DPV but a processing operation."""

PROCESSING: Final = {
    "collection": "dpv:Collect",
    "storage": "dpv:Store",
    "use": "dpv:Use",
    "analysis": "dpv:Analyse",
    "screening": "dpv:Screen",
    "sharing": "dpv:Share",
    "pseudonymisation": "dpv:Pseudonymise",
    "erasure": "dpv:Erase",
    "data preparation": "ai:DataPreparation",
    "data labelling": "ai:DataLabelling",
    "model training": "ai:ModelTraining",
    "model fine-tuning": "ai:ModelFineTuning",
}
"""The words for operations that have a DPV or AI-extension term; any other word is said without one."""

_ROLES: Final = {
    "controller": "dpv:DataController",
    "joint controller": "dpv:JointDataControllers",
    "processor": "dpv:DataProcessor",
    "recipient": "dpv:Recipient",
    "third party": "dpv:ThirdParty",
    "authority": "dpv:Authority",
}
_CONSENT: Final = {"consent": "dpv:ExpressedConsent", "explicit consent": "dpv:ExplicitlyExpressedConsent"}
_STATUS: Final = {
    "allow": "dpv:ConsentGiven",
    "decline": "dpv:ConsentRefused",
    "defer": "dpv:ConsentRequestDeferred",
    "withdraw": "dpv:ConsentWithdrawn",
}
_ONCE_GIVEN: Final = ("allowed", "withdrawn", "lapsed")
_UNTIL: Final = "the next choice of the data subject for this purpose"

_Node = dict[str, Any]


def project(record: ChoiceRecord, terms: Terms) -> _Node:
    """Say record and terms as a `dpv:ConsentReceipt` that holds one `dpv:ConsentRecord`."""
    at = format_instant(record.at)
    consent_record = {
        "@id": named_information(record.encode()),
        "@type": ["dpv:ConsentRecord"],
        "dct:conformsTo": [f"{PROFILE}record"],
        "dpv:hasIdentifier": [record.id],
        "dpv:hasDataSubject": [_named("dpv:DataSubject", record.subject)],
        "dpv:hasNotice": [
            {
                **_named("dpv:ConsentNotice", record.notice),
                "dct:language": [record.locale or terms.language],
                "dct:date": [at],
            }
        ],
        "dpv:hasProcess": [_process(record, terms)],
        "dpv:hasConsentStatus": [_event(record, terms)],
    }
    return {
        "@context": CONTEXT,
        "@type": ["dpv:ConsentReceipt"],
        "dct:conformsTo": [f"{PROFILE}receipt"],
        "dct:created": [at],
        "dct:publisher": [record.controller],
        "dpv:hasIdentifier": [record.digest],
        "dpv:hasRecordOfActivity": [consent_record],
    }


def status_of(record: ChoiceRecord) -> str:
    """Name the DPV consent status of the act. Consent is renewed only where it had been given before."""
    renewed = record.act == "allow" and record.prior in _ONCE_GIVEN
    return "dpv:RenewedConsentGiven" if renewed else _STATUS[record.act]


def named_information(data: bytes) -> str:
    """Name bytes by an `ni:` URI (RFC 6920), which needs no registry and no server."""
    return "ni:///sha-256;" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _process(record: ChoiceRecord, terms: Terms) -> _Node:
    kinds = ["ai:TrainingData"] if record.purpose == "training" else []
    target = {"dpv:hasIdentifier": [record.target]} if record.target is not None else {}
    policy = {
        "@type": ["dpv:DataProcessingPolicy"],
        **({"dpv:hasIdentifier": [record.policy]} if record.policy else {}),
    }
    return {
        "@type": ["dpv:Process"],
        "dpv:hasPurpose": [
            {
                **_titled("dpv:Purpose", record.purpose, PURPOSES.get(record.purpose)),
                "dct:description": [terms.purpose_text],
            }
        ],
        "dpv:hasProcessing": [_titled("dpv:Processing", word, PROCESSING.get(word)) for word in terms.processing],
        "dpv:hasPersonalData": [
            {"@type": [kind, *kinds], "dct:title": [title]}
            for kind, titles in (("dpv:PersonalData", terms.data), ("dpv:SensitivePersonalData", terms.sensitive))
            for title in titles
        ],
        "dpv:hasStorageCondition": _storage(terms),
        "dpv:hasDataController": [_party(party) for party in terms.controllers],
        "dpv:hasRecipient": [_party(party) for party in terms.recipients or terms.controllers],
        "dpv:hasJurisdiction": [_titled("dpv:Jurisdiction", title) for title in terms.jurisdictions],
        "dpv:hasLegalBasis": [_CONSENT[terms.legal_basis]],
        "dpv:hasService": [_titled("dpv:Service", terms.service)],
        "dpv:hasConsentControl": [
            {
                "@type": ["dpv:WithdrawConsent"],
                "dpv:isExercisedAt": [terms.withdraw_at],
                "dct:description": [terms.withdraw_how],
            }
        ],
        "dpv:hasRight": [_titled("dpv:DataSubjectRight", title) for title in terms.rights],
        "dpv:hasPolicy": [{**policy, "schema:url": [terms.policy_url]}],
        "dpv:hasScope": [{**_titled("dpv:Scope", record.scope), **target}],
    }


def _event(record: ChoiceRecord, terms: Terms) -> _Node:
    by = ("dpv:Representative", record.guardian) if record.guardian else ("dpv:DataSubject", record.subject)
    said = (
        ("surface", record.surface),
        ("layout", record.layout),
        ("options", " / ".join(record.options)),
        ("client", record.client),
        ("recorded by", record.recorded_by),
    )
    return {
        "@type": [status_of(record)],
        "dpv:hasLegalBasis": [_CONSENT[terms.legal_basis]],
        "dpv:isIndicatedAtTime": [format_instant(record.at)],
        "dpv:hasDuration": [{"@type": ["dpv:UntilEventDuration"], "rdf:value": [_UNTIL]}],
        "dpv:isIndicatedBy": [_named(*by)],
        "dpv:hasIndicationMethod": ["; ".join(f"{name}: {value}" for name, value in said if value)],
    }


def _storage(terms: Terms) -> list[_Node]:
    duration: _Node = {"@type": ["dpv:TemporalDuration"], "rdf:value": [terms.storage_duration]}
    if terms.storage_duration == INDEFINITE:
        duration = {"@type": ["dpv:EndlessDuration"]}
    return [
        *({"@type": ["dpv:StorageLocation"], "dct:title": [title]} for title in terms.storage_locations),
        {"@type": ["dpv:StorageDuration"], "dpv:hasDuration": [duration]},
        {"@type": ["dpv:StorageDeletion"], "dct:description": [terms.deletion]},
    ]


def _party(party: Party) -> _Node:
    known = (("schema:email", party.email), ("schema:telephone", party.phone), ("schema:url", party.url))
    return {
        **_named(_ROLES[party.role], party.identifier),
        "dpv:hasName": [party.name],
        "dpv:hasContact": [party.contact],
        "dpv:hasAddress": [party.address],
        **{name: [value] for name, value in known if value},
    }


def _named(kind: str, identifier: str) -> _Node:
    return {"@type": [kind], "dpv:hasIdentifier": [identifier]}


def _titled(kind: str, title: str, broader: str | None = None) -> _Node:
    return {"@type": [kind], "dct:title": [title], **({"skos:broader": [broader]} if broader else {})}
