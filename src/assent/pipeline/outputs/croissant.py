"""The description of a cut for programs: Croissant 1.1 with the vocabulary for responsible AI (RAI 1.0).

Every file under `data/` is named with its SHA-256. Rows of a split are read from its one shard,
whose digest a reader then checks, or from all shards by their pattern. Which conditions bind
the rows is said as an ODRL offer: the vocabulary of data use conditions (DUO) has no word for
the training of models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from assent.pipeline.outputs.huggingface import COLUMNS
from assent.pipeline.outputs.layout import Shard, forms, pattern, shards

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MLCOMMONS: Final = "http://mlcommons.org/croissant"
_MIME: Final = {"jsonl": "application/jsonlines", "parquet": "application/x-parquet"}

_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": f"{_MLCOMMONS}/",
    "rai": f"{_MLCOMMONS}/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of Croissant 1.1 as its specification gives it (appendix 1), with `odrl`, `prov` and `rai`."""

_TYPES: Final = {
    "string": "sc:Text",
    "bool": "sc:Boolean",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "float": "cr:Float32",
    "double": "cr:Float64",
    "timestamp": "sc:DateTime",
}
"""Types of columns by the names Arrow gives them; any other is read as text."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who answers for a cut, and where it is described. Croissant demands all three; a cut lies in a folder."""

    name: str = "the controller of the policies named here"
    url: str = ""
    licence: str = "not for publication: use for the stated purpose only, by those the policies name"


def croissant(manifest: Mapping[str, Any], schema: pa.Schema, publisher: Publisher | None = None) -> dict[str, Any]:
    """Describe a cut. `schema` are the columns of its Parquet shards; the instant of publication is the cut's own."""
    by = publisher or Publisher()
    name = f"{manifest['name']}-{manifest['number']}"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [f"{_MLCOMMONS}/1.1", f"{_MLCOMMONS}/RAI/1.0"],
        "name": name,
        "version": f"{manifest['number']}.0.0",
        "description": _description(manifest),
        "url": by.url or f"urn:assent:cut:{name}",
        "citeAs": f"assent cut {name}, {manifest['merkle_root']}",
        "creator": {"@type": "sc:Organization", "name": by.name},
        "license": by.licence,
        "datePublished": manifest["at"],
        "inLanguage": sorted(set(manifest["counts"]["by_language"]) - {"", "und"}),
        "keywords": ["conversations", manifest["purpose"], "consent"],
        "usageInfo": _offer(manifest),
        "prov:wasDerivedFrom": [{"@id": f"urn:assent:policy:{policy['digest']}"} for policy in manifest["policies"]],
        "prov:wasGeneratedBy": [_activity(step) for step in manifest["recipe"]],
        **_responsible(manifest),
        "distribution": [*map(_file, shards(manifest)), *_file_sets(manifest)],
        "recordSet": [_splits(manifest), *_record_sets(manifest, schema)],
    }


def _description(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    return (
        f"{counts['conversations']} conversations of {counts['people']} people with an AI system, cut for the purpose "
        f"{manifest['purpose']} as things stood at {manifest['at']}. Each part carries the id of the decision that "
        "let it in and of the proof behind it."
    )


def _offer(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "odrl:Offer",
        "odrl:permission": {
            "odrl:action": {"@id": "odrl:use"},
            "odrl:constraint": {
                "odrl:leftOperand": {"@id": "odrl:purpose"},
                "odrl:operator": {"@id": "odrl:eq"},
                "odrl:rightOperand": manifest["purpose"],
            },
        },
        "odrl:prohibition": {"odrl:action": {"@id": "odrl:distribute"}},
    }


def _activity(step: Mapping[str, Any]) -> dict[str, Any]:
    return {"@type": "prov:Activity", "@id": f"urn:assent:block:{step['digest']}", "name": step["block"]}


def _responsible(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Say the RAI terms, by the names that the RAI vocabulary's own file gives them."""
    first, last = manifest["timeframe"]["first"], manifest["timeframe"]["last"]
    redacted = any(step["block"] == "redact" for step in manifest["recipe"])
    text = "was searched for personal data and secrets, and what was found was replaced" if redacted else "is unchanged"
    return {
        "rai:dataCollection": "Conversations that people had with an AI system and allowed to be used.",
        "rai:dataCollectionType": ["User-generated content data"],
        **({"rai:dataCollectionTimeframe": [first, last]} if first and last else {}),
        "rai:dataPreprocessingProtocol": [f"{step['block']} {step['digest']}" for step in manifest["recipe"]],
        "rai:dataUseCases": [manifest["purpose"]],
        "rai:personalSensitiveInformation": [
            f"Text that people wrote; it {text}. People are named by keyed pseudonyms, which is not anonymity."
        ],
        "rai:dataLimitations": [
            "It holds only what people agreed to, so it is no sample of all conversations.",
            "It shows one instant; what people withdraw afterwards leaves the next cut.",
        ],
        "rai:dataReleaseMaintenancePlan": "A stale cut is refreshed or retired; runs on a stale cut are refused.",
    }


def _file(shard: Shard) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.name,
        "name": shard.name,
        "contentUrl": shard.name,
        "contentSize": f"{shard.bytes} B",
        "encodingFormat": _MIME[shard.name.rpartition(".")[2]],
        "sha256": shard.sha256,
    }


def _file_sets(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for form, splits in forms(manifest).items():
        for split, pieces in splits.items():
            if len(pieces) > 1:
                yield {
                    "@type": "cr:FileSet",
                    "@id": f"{form}-{split}-files",
                    "name": f"{form}-{split}-files",
                    "includes": pattern(form, split),
                    "encodingFormat": _MIME[pieces[0].name.rpartition(".")[2]],
                }


def _splits(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "Nobody is in two of them.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [{"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{"splits/name": split} for split in manifest["splits"]],
    }


def _record_sets(manifest: Mapping[str, Any], schema: pa.Schema) -> Iterator[dict[str, Any]]:
    columns = {**COLUMNS, "parts": {field.name: _spelled(field.type) for field in schema}}
    for form, splits in forms(manifest).items():
        for split, pieces in splits.items():
            name = f"{form}-{split}"
            yield {
                "@type": "cr:RecordSet",
                "@id": name,
                "name": name,
                "description": f"The {split} split as {form}.",
                "field": [
                    _field(name, column, kind, source=_source(name, pieces)) for column, kind in columns[form].items()
                ],
            }


def _source(name: str, pieces: Sequence[Shard]) -> dict[str, Any]:
    if len(pieces) == 1:
        return {"fileObject": {"@id": pieces[0].name}}
    return {"fileSet": {"@id": f"{name}-files"}}


def _field(parent: str, name: str, kind: Any, *, source: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a column; what stands inside an object is cut out of it by path.

    Lists of objects inside objects (the calls of tools in a message) have no form that readers
    of Croissant know: they are in the files only.
    """
    known = {"@type": "cr:Field", "@id": f"{parent}/{name}", "name": name}
    several = isinstance(kind, list)
    inner = kind[0] if isinstance(kind, list) else kind
    repeated = {"repeated": True} if several else {}
    from_column = {**source, "extract": {"column": name}}
    if not isinstance(inner, dict):
        return {**known, "dataType": _TYPES.get(inner, "sc:Text"), **repeated, "source": from_column}
    return {
        **known,
        **repeated,
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{parent}/{name}/{key}",
                "name": key,
                "dataType": _TYPES.get(value, "sc:Text"),
                "source": {**from_column, "transform": {"jsonPath": key}},
            }
            for key, value in inner.items()
            if isinstance(value, str)
        ],
    }


def _spelled(kind: pa.DataType) -> Any:
    """Spell an Arrow type the way `COLUMNS` does."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_spelled(kind.value_type)]
    if pa.types.is_struct(kind):
        return {field.name: _spelled(field.type) for field in kind}
    return "timestamp" if pa.types.is_timestamp(kind) else str(kind)
