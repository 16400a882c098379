"""OpenLineage 2-0-2 events of a cut, as plain objects: when it began, what it read, what it wrote.

The cut is the run, its name the job, the store the input, the folder the output. Event times are
the cut's own instant, so that the same cut gives the same bytes. What OpenLineage has no words
for (digests of policies and blocks, counts by reason) is the facet `assent_cut`
(spec/lineage.schema.json). No event names a person, a path or a text.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, Literal

from assent.domain.digests import canonical
from assent.pipeline.outputs.layout import shards

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

NAMESPACE: Final = "assent"
"""Where jobs and datasets of assent are named, if nobody gives another word."""

_SPEC: Final = "https://openlineage.io/spec"
_RUN_EVENT: Final = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS: Final = {
    "documentation": "1-1-0/DocumentationJobFacet.json#/$defs/DocumentationJobFacet",
    "jobType": "2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
    "schema": "1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "subset": "1-0-0/BaseSubsetDatasetFacet.json#/$defs/InputSubsetInputDatasetFacet",
    "dataQualityAssertions": "1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet",
    "dataQualityMetrics": "1-0-1/DataQualityMetricsDatasetFacet.json#/$defs/DataQualityMetricsDatasetFacet",
    "lifecycleStateChange": "1-0-1/LifecycleStateChangeDatasetFacet.json#/$defs/LifecycleStateChangeDatasetFacet",
}
"""The facets used, by the key OpenLineage gives them: version and place of each one's schema."""

_OWN_FACET: Final = "urn:assent:lineage:1:cut"
_OWN: Final = uuid.UUID("6f2a3f0e-5d0c-5b52-9d5b-6d1b1a0f8c11")
"""Space of the names below (RFC 9562, version 5): a number of our own, never changed."""

Change = Literal["OVERWRITE", "TRUNCATE", "DROP"]
"""What became of a cut later: rows of it were erased or it was refreshed, emptied, retired."""


def run_id(manifest: Mapping[str, Any]) -> str:
    """Name the run by what was cut: the same rows of the same cut have the same id on every machine."""
    known = {key: manifest[key] for key in ("name", "number", "at", "merkle_root")}
    return str(uuid.uuid5(_OWN, canonical(known).decode()))


def lineage(
    manifest: Mapping[str, Any], run: str, schema: pa.Schema | None = None, *, namespace: str = NAMESPACE
) -> list[dict[str, Any]]:
    """Write the two events of a finished cut, START and COMPLETE. `schema` are the columns of its parts."""
    start = _event("START", manifest["at"], manifest, run, namespace)
    complete = _event("COMPLETE", manifest["at"], manifest, run, namespace)
    return [
        {**start, "inputs": [_input(manifest, namespace)], "outputs": []},
        {
            **complete,
            "inputs": [_input(manifest, namespace)],
            "outputs": [_output(manifest, namespace, schema)],
        },
    ]


def changed(
    manifest: Mapping[str, Any], run: str, change: Change, at: str, *, namespace: str = NAMESPACE
) -> dict[str, Any]:
    """Write the event of what became of a cut at an instant (ISO 8601): the same run, type OTHER."""
    facet = _facet("lifecycleStateChange", manifest, lifecycleStateChange=change)
    output = {"namespace": namespace, "name": _name(manifest), "facets": {"lifecycleStateChange": facet}}
    return {**_event("OTHER", at, manifest, run, namespace), "inputs": [], "outputs": [output]}


def _event(kind: str, at: str, manifest: Mapping[str, Any], run: str, namespace: str) -> dict[str, Any]:
    documentation = _facet(
        "documentation",
        manifest,
        description=f"Parts that may be used for {manifest['purpose']}, each with its decision and proof.",
    )
    job_type = _facet("jobType", manifest, processingType="BATCH", integration="ASSENT", jobType="CUT")
    return {
        "eventType": kind,
        "eventTime": at,
        "producer": _producer(manifest),
        "schemaURL": _RUN_EVENT,
        "run": {"runId": run, "facets": {"assent_cut": _own(manifest)}},
        "job": {
            "namespace": namespace,
            "name": f"cut.{manifest['name']}",
            "facets": {"documentation": documentation, "jobType": job_type},
        },
    }


def _input(manifest: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """Say what was read: the store, and of it what was eligible for the purpose at the instant of the cut."""
    condition = {
        "type": "binary",
        "operator": "AND",
        "left": _compare(f"eligible.{manifest['purpose']}", "EQUAL", "true"),
        "right": _compare("decided_at", "EQUAL", manifest["at"]),
    }
    return {
        "namespace": namespace,
        "name": "store.parts",
        "facets": {},
        "inputFacets": {
            "subset": _facet("subset", manifest, inputCondition=condition),
            "dataQualityAssertions": _facet("dataQualityAssertions", manifest, assertions=_assertions(manifest)),
        },
    }


def _assertions(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say what holds for every row that was written: a cut in which one of these fails is not written."""
    checks = [
        ("decided twice with the same answer", "decision"),
        ("an act of the person, a flag or feedback stands behind the row", "receipt"),
    ]
    blocks = [(f"passed the block {step['block']} {step['digest']}", "text") for step in manifest["recipe"]]
    return [{"assertion": what, "success": True, "column": column} for what, column in (*checks, *blocks)]


def _output(manifest: Mapping[str, Any], namespace: str, schema: pa.Schema | None) -> dict[str, Any]:
    pieces, counts = shards(manifest), manifest["counts"]
    size = sum(piece.bytes for piece in pieces)
    facets = {
        "version": _facet("version", manifest, datasetVersion=str(manifest["number"])),
        "dataQualityMetrics": _facet(
            "dataQualityMetrics",
            manifest,
            rowCount=counts["written"],
            bytes=size,
            fileCount=len(pieces),
            columnMetrics={
                "conversation": {"distinctCount": counts["conversations"]},
                "person": {"distinctCount": counts["people"]},
            },
        ),
    }
    if schema is not None:
        fields = [{"name": field.name, "type": str(field.type)} for field in schema]
        facets["schema"] = _facet("schema", manifest, fields=fields)
    statistics = _facet("outputStatistics", manifest, rowCount=counts["written"], size=size, fileCount=len(pieces))
    return {
        "namespace": namespace,
        "name": _name(manifest),
        "facets": facets,
        "outputFacets": {"outputStatistics": statistics},
    }


def _own(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "_producer": _producer(manifest),
        "_schemaURL": _OWN_FACET,
        "number": manifest["number"],
        "purpose": manifest["purpose"],
        "policies": [policy["digest"] for policy in manifest["policies"]],
        "recipe": [{"block": step["block"], "digest": step["digest"]} for step in manifest["recipe"]],
        "merkleRoot": manifest["merkle_root"],
        "considered": manifest["counts"]["considered"],
        "written": manifest["counts"]["written"],
        "excluded": dict(manifest["counts"]["excluded"]),
    }


def _compare(field: str, comparison: str, value: str) -> dict[str, Any]:
    left, right = {"type": "field", "field": field}, {"type": "literal", "value": value}
    return {"type": "compare", "left": left, "right": right, "comparison": comparison}


def _facet(key: str, manifest: Mapping[str, Any], **said: Any) -> dict[str, Any]:
    return {"_producer": _producer(manifest), "_schemaURL": f"{_SPEC}/facets/{_FACETS[key]}", **said}


def _producer(manifest: Mapping[str, Any]) -> str:
    return f"urn:assent:{manifest['assent']}"


def _name(manifest: Mapping[str, Any]) -> str:
    return f"cut.{manifest['name']}.{manifest['number']}"
