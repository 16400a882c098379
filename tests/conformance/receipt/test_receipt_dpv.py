"""The receipt in other people's words: rdflib reads it, DPV 2.3 defines every term, two SHACL engines judge it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrudof
import pytest
from pyshacl import validate
from rdflib import DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from tests.receipt_samples import CONTROLLER, RECORD, TERMS, Log, document

from assent.ledger.dpv import CONTEXT, PROCESSING, PURPOSES, named_information, project
from assent.ledger.receipt import write_receipt
from assent.ledger.terms import LEGAL_BASES, ROLES, Terms

# rdflib 7.6 reads JSON-LD, and pyshacl merges graphs, through parts that rdflib itself has deprecated
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:.*deprecated:DeprecationWarning:{module}") for module in ("rdflib", "pyshacl")
]

HERE = Path(__file__).parent
DPV = Namespace("https://w3id.org/dpv#")
SHAPES = HERE / "shapes.ttl"


def defined_terms() -> set[str]:
    lines = (HERE / "dpv-terms.txt").read_text("utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def read(receipt: dict[str, Any]) -> Graph:
    """As a stranger would: no file, no network, the context that the receipt brings."""
    return Graph().parse(data=json.dumps(receipt), format="json-ld")


def used_terms(graph: Graph) -> set[str]:
    found = {str(node) for triple in graph for node in triple if isinstance(node, URIRef)}
    spelled = {"https://w3id.org/dpv#": "dpv:", "https://w3id.org/dpv/ai#": "ai:"}
    return {
        prefix + iri.removeprefix(base) for base, prefix in spelled.items() for iri in found if iri.startswith(base)
    }


def every_variety() -> list[dict[str, Any]]:
    """One receipt for each word that the projection knows how to say."""
    parties = tuple(replace(CONTROLLER, role=role) for role in ROLES)
    wide = replace(TERMS, processing=tuple(PROCESSING), recipients=parties, sensitive=("health",))
    receipts = [document(number) for number in range(9)]
    for purpose in (*PURPOSES, "a purpose of the provider's own"):
        for basis in LEGAL_BASES:
            terms = replace(wide, purpose=purpose, legal_basis=basis, storage_duration="indefinite")
            record = replace(RECORD, purpose=purpose, terms=terms.digest, scope="project", target="sha256:" + "4" * 64)
            receipts.append(project(replace(record, guardian="f" * 32), terms))
    return receipts


def test_rdflib_reads_every_fact_of_a_receipt() -> None:
    graph = read(document())
    assert len(graph) > 40
    record = graph.value(predicate=RDF.type, object=DPV.ConsentRecord)
    assert record == URIRef(named_information(RECORD.encode()))
    event = graph.value(record, DPV.hasConsentStatus)
    assert graph.value(event, RDF.type) == DPV.ConsentGiven
    assert graph.value(event, DPV.isIndicatedAtTime) == Literal(RECORD.at)
    process = graph.value(record, DPV.hasProcess)
    assert len(list(graph.objects(process, DPV.hasPersonalData))) == len(TERMS.data)
    assert len(list(graph.objects(process, DPV.hasProcessing))) == len(TERMS.processing)
    assert {str(t) for t in graph.objects(None, DCTERMS.conformsTo)} == {
        "https://w3id.org/dpv/schema/dpv-27560#receipt",
        "https://w3id.org/dpv/schema/dpv-27560#record",
    }


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("hasPurpose", "Purpose"),
        ("hasProcessing", "Processing"),
        ("hasPersonalData", "PersonalData"),
        ("hasDataController", "DataController"),
        ("hasJurisdiction", "Jurisdiction"),
        ("hasService", "Service"),
        ("hasConsentControl", "WithdrawConsent"),
        ("hasRight", "DataSubjectRight"),
        ("hasPolicy", "DataProcessingPolicy"),
        ("hasScope", "Scope"),
    ],
)
def test_a_part_of_a_receipt_is_what_dpv_calls_it(part: str, kind: str) -> None:
    graph = read(document())
    parts = list(graph.objects(None, DPV[part]))
    assert parts
    assert all((node, RDF.type, DPV[kind]) in graph for node in parts)


def test_a_choice_about_one_project_names_it() -> None:
    project_id = "sha256:" + "4" * 64
    graph = read(project(replace(RECORD, scope="project", target=project_id), TERMS))
    scope = graph.value(predicate=RDF.type, object=DPV.Scope)
    assert graph.value(scope, DPV.hasIdentifier) == Literal(project_id)
    everything = read(document())
    assert everything.value(everything.value(predicate=RDF.type, object=DPV.Scope), DPV.hasIdentifier) is None


def test_nothing_is_lost_between_json_and_rdf() -> None:
    """Each text of the document is a node of the graph: no key is dropped for want of a meaning."""
    receipt = {key: value for key, value in document().items() if key not in ("@context", "evidence")}
    texts = set(re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(receipt, ensure_ascii=False)))
    nodes = {str(node) for triple in read(document()) for node in triple}
    short = {prefix + ":": base for prefix, base in CONTEXT.items() if isinstance(base, str)}

    def said(text: str) -> bool:
        return any(
            {text, text.replace(prefix, base, 1), text.replace("Z", "+00:00")} & nodes for prefix, base in short.items()
        )

    assert [text for text in sorted(texts) if not text.startswith("@") and not said(text)] == []


def test_the_evidence_is_no_part_of_the_statement() -> None:
    whole = document()
    bare = {key: value for key, value in whole.items() if key != "evidence"}
    assert isomorphic(read(whole), read(bare))


def test_every_term_that_a_receipt_can_use_is_defined_in_dpv_2_3() -> None:
    used = set().union(*(used_terms(read(receipt)) for receipt in every_variety()))
    assert used - defined_terms() == set()
    assert {*PURPOSES.values(), *PROCESSING.values()} <= used
    assert len(used) > 70


@pytest.mark.parametrize("trap", ["hasDataStorageCondition", "isImplementedBy", "Analytics", "hasProcessingAutomation"])
def test_a_term_that_only_examples_use_would_be_noticed(trap: str) -> None:
    receipt = document()
    receipt["dpv:hasRecordOfActivity"][0][f"dpv:{trap}"] = ["x"]
    assert used_terms(read(receipt)) - defined_terms() == {f"dpv:{trap}"}


def conforms_to_pyshacl(graph: Graph) -> bool:
    conforms, _, _ = validate(graph, shacl_graph=str(SHAPES), shacl_graph_format="turtle", advanced=False)
    return bool(conforms)


def conforms_to_rudof(graph: Graph) -> bool:
    engine = pyrudof.Rudof(pyrudof.RudofConfig())
    engine.read_data(graph.serialize(format="nt"), pyrudof.RDFFormat.NTriples)
    engine.read_shacl(SHAPES.read_text("utf-8"), pyrudof.ShaclFormat.Turtle)
    return bool(engine.validate_shacl().conforms)


ENGINES = [conforms_to_pyshacl, conforms_to_rudof]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", range(5))
def test_receipts_hold_all_that_27560_makes_mandatory(engine: Callable[[Graph], bool], number: int) -> None:
    assert engine(read(document(number)))


@pytest.mark.parametrize("engine", ENGINES)
def test_so_do_the_widest_and_the_narrowest_terms(engine: Callable[[Graph], bool]) -> None:
    assert engine(read(every_variety()[-1]))
    narrow: Terms = replace(TERMS, recipients=(), processing=("use",), data=("conversations",), rights=("access",))
    receipt = Log().receipt(5, replace(RECORD, terms=narrow.digest), narrow)
    assert engine(read(write_receipt(receipt)))


def _record(receipt: dict[str, Any]) -> dict[str, Any]:
    return receipt["dpv:hasRecordOfActivity"][0]


def _process(receipt: dict[str, Any]) -> dict[str, Any]:
    return _record(receipt)["dpv:hasProcess"][0]


def _event(receipt: dict[str, Any]) -> dict[str, Any]:
    return _record(receipt)["dpv:hasConsentStatus"][0]


def _lacking(part: Callable[[dict[str, Any]], dict[str, Any]], key: str) -> Callable[[dict[str, Any]], object]:
    return lambda receipt: part(receipt).pop(key)


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    **{
        f"receipt without {key}": _lacking(lambda receipt: receipt, key)
        for key in (
            "dct:conformsTo",
            "dpv:hasIdentifier",
            "dct:created",
            "dpv:hasRecordOfActivity",
        )
    },
    **{
        f"record without {key}": _lacking(_record, key)
        for key in (
            "dct:conformsTo",
            "dpv:hasIdentifier",
            "dpv:hasDataSubject",
            "dpv:hasNotice",
            "dpv:hasProcess",
            "dpv:hasConsentStatus",
        )
    },
    **{
        f"process without {key}": _lacking(_process, key)
        for key in (
            "dpv:hasPurpose",
            "dpv:hasPersonalData",
            "dpv:hasStorageCondition",
            "dpv:hasRecipient",
            "dpv:hasDataController",
            "dpv:hasJurisdiction",
            "dpv:hasConsentControl",
            "dpv:hasRight",
        )
    },
    **{
        f"event without {key}": _lacking(_event, key)
        for key in (
            "dpv:hasLegalBasis",
            "dpv:isIndicatedAtTime",
            "dpv:hasDuration",
            "dpv:isIndicatedBy",
        )
    },
    **{
        f"party without {key}": _lacking(lambda receipt: _process(receipt)["dpv:hasDataController"][0], key)
        for key in (
            "@type",
            "dpv:hasIdentifier",
            "dpv:hasName",
            "dpv:hasContact",
            "dpv:hasAddress",
        )
    },
    "notice without language": _lacking(lambda receipt: _record(receipt)["dpv:hasNotice"][0], "dct:language"),
    "withdrawal without an address": _lacking(lambda r: _process(r)["dpv:hasConsentControl"][0], "dpv:isExercisedAt"),
    "no end of storage": lambda receipt: _process(receipt)["dpv:hasStorageCondition"].pop(),
    "two data subjects": lambda receipt: _record(receipt)["dpv:hasDataSubject"].append(
        {"@type": ["dpv:DataSubject"], "dpv:hasIdentifier": ["another"]}
    ),
    "an unknown status": lambda receipt: _event(receipt).update({"@type": ["dpv:ConsentTerminated"]}),
    "time as plain text": lambda receipt: receipt["@context"].pop("dpv:isIndicatedAtTime"),
    "a legal basis that is no consent": lambda receipt: _event(receipt).update({"dpv:hasLegalBasis": ["dpv:Contract"]}),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_both_engines_reject_a_receipt_that_lacks_something(broken: str) -> None:
    receipt = copy.deepcopy(document())
    BROKEN[broken](receipt)
    assert [engine(read(receipt)) for engine in ENGINES] == [False, False]
