"""The end of a cut: its number, manifest and leaf, its place in the store's record, and then its name on the disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import pyarrow.compute as pc

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import AssentError, Refused
from assent.domain.instants import format_instant
from assent.ledger.leaf import commitment
from assent.ledger.membership import MemberTree, names_of
from assent.ledger.merkle import EMPTY_ROOT, leaf_hash, node_hash
from assent.pipeline.check import FORMAT
from assent.pipeline.outputs.card import card
from assent.pipeline.outputs.croissant import croissant
from assent.pipeline.outputs.layout import CARD, CROISSANT, LINEAGE
from assent.pipeline.outputs.lineage import lineage, run_id
from assent.pipeline.shards import SPLITS, added
from assent.pipeline.write import (
    EXCLUDED,
    EXCLUDED_FILE,
    MANIFEST_FILE,
    SETTINGS,
    file_record,
    put_bytes,
    schema_record,
)
from assent.services.cut.series import State
from assent.services.cut.writing import members
from assent.settings import MAX_PAGE_ROWS
from assent.store.port import Cuts, Erasures, Reclaiming
from assent.store.records import Cut, CutRow, Page, StagedReceipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from assent.pipeline.folder import Unfinished
    from assent.policy.model import Policy
    from assent.services.cut.electing import Elected
    from assent.services.cut.order import CutOrder
    from assent.services.cut.series import Series
    from assent.services.cut.writing import Written

LEAF: Final = "assent/cut/v1"
"""The value of `v` in what the ledger says of a cut (spec/manifest.md, the ledger)."""


class RecordStore(Cuts, Erasures, Reclaiming, Protocol):
    """What recording a cut asks of a store."""


class Considered(NamedTuple):
    """What the policy said: parts looked at, those eligible at the instant, and the others by reason."""

    parts: int
    eligible: int
    excluded: Counter[str]


@dataclass(frozen=True, slots=True)
class Made:
    """A cut that lies in an unfinished folder: everything its end needs to know."""

    series: Series
    elected: Elected
    written: Written
    considered: Considered
    governed: Mapping[str, Sequence[str]]
    listed: int | None
    """Rows of `excluded.parquet`; None where none was asked for."""
    erased_before: int
    """The newest erasure from before the first row was read."""
    schema: pa.Schema


def finish(
    order: CutOrder, store: RecordStore, policies: Sequence[Policy], made: Made, folder: Unfinished
) -> tuple[dict[str, Any], str]:
    """Give the cut its number, record it, and name its folder last; return manifest and digest.

    The record comes before the name: a folder of personal data that the store does not know
    of would escape erasure, a record without a folder harms nobody. Raises `Refused` if a part
    was erased meanwhile: its erasure could not know of this cut.
    """
    known = store.cuts_named(order.name)
    number = known[-1].number + 1 if known else 1
    manifest = _manifest(order, policies, made, folder.path, number)
    written = manifest["counts"]["written"]
    if manifest["counts"]["considered"] != written + sum(manifest["counts"]["excluded"].values()):
        raise AssentError("the counts of this cut do not add up, so nothing was written", "cut again, or report it")
    digest = _describe(manifest, made.schema, folder.path)
    directory = str(order.directory.absolute())
    cut = Cut(order.name, number, digest, order.now, directory, order.purpose, order.at)
    before = made.series.state
    joined, left = _changes(store, made, before if known and before.manifest == known[-1].manifest else None, known)
    store.record_cut(cut, joined, left, _leaf(order, manifest, digest))
    _require_all_here(store, cut, made.erased_before)
    folder.publish()
    _remember(made, number, digest)
    return manifest, digest


def _remember(made: Made, number: int, digest: str) -> None:
    """Keep in the series what the next number starts from. Without it, that one is compared with the whole record."""
    for bucket in made.written.new:
        made.series.keep_members(bucket, members(made.series, made.elected, bucket))
    made.series.keep_state(State(number, digest, made.written.buckets))


def newest_erasure(store: Erasures) -> int:
    """Return the number of the newest erasure, 0 before the first."""
    listing = store.erasures(Page(limit=1))
    return listing.items[0].id if listing.items else 0


def _require_all_here(store: RecordStore, cut: Cut, after: int) -> None:
    while erasures := store.chained(after, MAX_PAGE_ROWS):
        for erasure in erasures:
            if (cut.name, cut.number) in ((name, number) for name, number, _, _ in store.cuts_with_erased(erasure.id)):
                raise Refused("parts were erased while the cut was written, so it is not published", "cut again")
        after = erasures[-1].id


def _changes(
    store: RecordStore, made: Made, before: State | None, known: Sequence[Cut]
) -> tuple[Iterator[CutRow], Iterator[CutRow]]:
    """Say who joined and who left since the number before; everybody, where that is not known bucket by bucket."""
    series, elected = made.series, made.elected
    if before is None:
        left = store.members(known[-1].name, known[-1].number) if known else iter(())
        joined = (row for number in range(series.buckets) for row in _rows(members(series, elected, number)))
        return joined, left
    pairs = [(set(_rows(series.members_before(n))), set(_rows(members(series, elected, n)))) for n in made.written.new]
    return (
        (row for then, now in pairs for row in sorted(now - then, key=_place)),
        (row for then, now in pairs for row in sorted(then - now, key=_place)),
    )


def _rows(table: pa.Table) -> Iterator[CutRow]:
    columns = (table[name].to_pylist() for name in ("conversation", "part", "subject"))
    return (CutRow(whose, part[len(whose) + 1 :], subject) for whose, part, subject in zip(*columns, strict=True))


def _place(row: CutRow) -> tuple[str, str]:
    return row.conversation, row.part


def _leaf(order: CutOrder, manifest: Mapping[str, Any], digest: str) -> StagedReceipt:
    """Say in the ledger that this cut was made, and what its files were."""
    record = canonical(
        {
            "v": LEAF,
            "act": "made",
            "name": order.name,
            "number": manifest["number"],
            "manifest": digest,
            "merkle_root": manifest["merkle_root"],
            "at": manifest["at"],
        }
    )
    return StagedReceipt(record.decode(), order.salt, commitment(order.salt, record))


def _describe(manifest: dict[str, Any], schema: pa.Schema, folder: Path) -> str:
    """Write what tells people and programs what lies in the folder; the manifest last. Returns its digest."""
    put_bytes(folder / CARD, card(manifest).encode())
    put_bytes(folder / CROISSANT, canonical(croissant(manifest, schema)))
    events = lineage(manifest, run_id(manifest), schema=schema)
    put_bytes(folder / LINEAGE, b"".join(canonical(event) + b"\n" for event in events))
    described = [file_record(folder / name).to_record() for name in (CARD, CROISSANT, LINEAGE)]
    manifest["files"] = sorted([*manifest["files"], *described], key=lambda file: str(file["name"]))
    content = canonical(manifest)
    put_bytes(folder / MANIFEST_FILE, content)
    return digest_bytes(content)


def _manifest(order: CutOrder, policies: Sequence[Policy], made: Made, folder: Path, number: int) -> dict[str, Any]:
    buckets = [bucket for bucket in made.written.buckets.values() if bucket["counts"]]
    files = sorted((file for bucket in buckets for file in bucket["files"]), key=lambda file: str(file["name"]))
    counts = [bucket["counts"] for bucket in buckets]
    under = added(counts, "under")
    firsts = sorted(one["first"] for one in counts if one["first"])
    lasts = sorted(one["last"] for one in counts if one["last"])
    schemas = {"parts": schema_record(made.schema)}
    if made.listed is not None:
        files.append(file_record(folder / EXCLUDED_FILE, made.listed).to_record())
        schemas[EXCLUDED_FILE] = schema_record(EXCLUDED)
    return {
        "assent_cut": FORMAT,
        "assent": order.version,
        "name": order.name,
        "number": number,
        "purpose": order.purpose,
        "at": format_instant(order.at),
        "policies": [
            {"name": policy.name, "digest": policy.digest, "effective": format_instant(policy.effective)}
            for policy in policies
        ],
        "decided_under": [
            {"policy": digest, "versions": list(made.governed[digest]), "parts": under[digest]}
            for digest in sorted(under)
        ],
        "recipe": made.series.recipe.describe(),
        "choice": made.series.recipe.model_dump(exclude={"blocks"}, mode="json"),
        "counts": _counts(made, counts),
        "messages": {
            "conversations": sum(one["messages"] for one in counts),
            "left_out": added(counts, "left_out"),
            "silent_parts": added(counts, "silent"),
        },
        "splits": [split for split in SPLITS if any(split in one["by_split"] for one in counts)],
        "surfaces": sorted({surface for one in counts for surface in one["surfaces"]}),
        "modalities": sorted({kind for one in counts for kind in one["modalities"]}),
        "timeframe": {"first": firsts[0] if firsts else None, "last": lasts[-1] if lasts else None},
        "merkle_root": merkle_root(files),
        "membership": MemberTree(_names(made)).to_record(),
        "files": files,
        "schema": schemas,
        "settings": {**SETTINGS, "buckets": made.series.buckets},
    }


def _counts(made: Made, counts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    excluded = Counter(made.considered.excluded)
    for reasons in made.written.dropped.values():
        excluded.update(reasons)
    by_split: dict[str, dict[str, int]] = {}
    for one in counts:
        for split, sums in one["by_split"].items():
            total = by_split.setdefault(split, dict.fromkeys(sums, 0))
            for name, value in sums.items():
                total[name] += value
    whole = {
        name: sum(sums[name] for sums in by_split.values()) for name in ("rows", "conversations", "people", "bytes")
    }
    found = added(counts, "found")
    by_block = {
        block: {"dropped": dict(reasons), "counts": {}} for block, reasons in made.written.dropped.items() if block
    }
    if found:
        by_block.setdefault("redact", {"dropped": {}, "counts": {}})["counts"] = found
    if tokens := sum(one["tokens"] for one in counts):
        by_block.setdefault("tokens", {"dropped": {}, "counts": {}})["counts"] = {"tokens": tokens}
    return {
        "considered": made.considered.parts,
        "eligible": made.considered.eligible,
        "written": whole["rows"],
        "excluded": dict(sorted(excluded.items())),
        "people": whole["people"],
        "conversations": whole["conversations"],
        "bytes": whole["bytes"],
        "proofs": added(counts, "proofs"),
        "by_block": by_block,
        "by_split": {split: by_split[split] for split in SPLITS if split in by_split},
        "by_skill": added(counts, "by_skill"),
        "by_language": added(counts, "by_language"),
    }


def _names(made: Made) -> set[bytes]:
    """Name everybody and everything in the cut under its key (spec/membership.md)."""
    names: set[bytes] = set()
    for number in range(made.series.buckets):
        bucket = made.series.workings.bucket(number)
        if bucket is not None:
            kept = bucket.talks.filter(pc.is_null(made.elected.of(number)[0]))
            pairs = zip(kept["conversation"].to_pylist(), kept["subject"].to_pylist(), strict=True)
            names |= names_of(made.series.key, pairs)
    return names


def merkle_root(files: Iterable[Mapping[str, Any]]) -> str:
    """Return the root of the tree (RFC 6962) over the digests of files with rows, in the order of their names."""
    level = [
        leaf_hash(f"{file['name']} {file['sha256']}".encode())
        for file in sorted(files, key=lambda file: str(file["name"]))
        if str(file["name"]).startswith("data/")
    ]
    if not level:
        return EMPTY_ROOT.hex()
    while len(level) > 1:
        pairs = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(level) & ~1 :]
    return level[0].hex()
