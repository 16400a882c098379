"""Write the archive of evidence: what is signed, what was decided, who agreed, and what is left of what was erased.

It names nobody: people stand under the pseudonyms of their receipts, and content is not in it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

from assent.domain.digests import canonical
from assent.domain.errors import AssentError, Incomplete, Refused
from assent.domain.instants import format_instant
from assent.ledger.note import sign_note
from assent.services.cut_check.export import export_evidence
from assent.services.erase.prove import erasure_proof
from assent.services.evidence.archive import SIGNED, SUMS, Archive
from assent.services.evidence.readme import README
from assent.services.ledger.publish import publish
from assent.services.ledger.seal import keys_ever, newest_keys, signing
from assent.services.run.reach import every_run
from assent.settings import MAX_PAGE_ROWS
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from assent.services.ledger.log import Log
    from assent.store.port import Store
    from assent.store.records import Cut, Hold, Listing, Look

T = TypeVar("T")

FORMAT: Final = "assent/evidence/v1"
"""The first line of what the ledger's key signs, and the form of the archive."""

_ABOUT_PEOPLE: Final = frozenset({"person", "conversation"})


@dataclass(frozen=True)
class EvidenceWorld:
    """What evidence is taken from. `verifier` is the text of `assent_verify.py`, `version` that of the program.

    `vendors` are the folders in which lies what vendors signed.
    """

    store: Store
    log: Log
    version: str
    verifier: bytes
    vendors: tuple[Path, ...] = ()


def write_evidence(
    world: EvidenceWorld, out: BinaryIO, *, now: datetime, done: Callable[[str], None] = lambda _what: None
) -> dict[str, int]:
    """Write the archive into `out`, and return how many there are of each kind; `done` hears of every kind begun.

    Raises `NotFound` before the ledger has its first checkpoint.
    """
    archive, counts = Archive(out), Counter[str]()
    for name, part in _PARTS.items():
        done(name)
        counts[name] = part(world, archive)
    archive.write("counts.json", canonical(_plain(asdict(world.store.counts()))))
    about = {"v": FORMAT, "assent": world.version, "origin": world.log.origin, "at": format_instant(now)}
    archive.write("about.json", canonical({**about, "members": dict(counts)}))
    archive.write("README.txt", README.format(origin=world.log.origin, at=format_instant(now)).encode())
    archive.write("assent_verify.py", world.verifier)
    sums = archive.sums()
    archive.write(SUMS, sums)
    archive.write(SIGNED, _signed(world, sums, now).encode())
    archive.close()
    return dict(counts)


def text_to_sign(sums: str, at: str) -> str:
    """Return the lines that the ledger's key signs: the form, the instant, and the digest of all digests."""
    return f"{FORMAT}\n{at}\n{sums}\n"


def _signed(world: EvidenceWorld, sums: bytes, now: datetime) -> str:
    text = text_to_sign(sha256(sums).hexdigest(), format_instant(now))
    signers = signing(world.log, newest_keys(world.store))
    return sign_note(text, [signer for signer in signers if not signer.verifier.timestamped])


# -- what is in it ------------------------------------------------------------------------------------


class _Target:
    """Takes a published log into the archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def put(self, path: str, data: bytes) -> None:
        self._archive.write(f"ledger/{path}", data)

    def get(self, path: str) -> bytes | None:
        """Find nothing: it is always written whole."""
        del path
        return None

    def exists(self, path: str) -> bool:
        del path
        return False

    def replace(self, path: str, before: bytes | None, after: bytes) -> bool:
        del before
        self.put(path, after)
        return True


def _ledger(world: EvidenceWorld, archive: Archive) -> int:
    published = publish(world.store, world.log, _Target(archive))
    keys = "".join(f"{key.vkey}\n" for key in keys_ever(world.store))
    archive.write("ledger-keys.txt", keys.encode())
    return published.size


def _policies(world: EvidenceWorld, archive: Archive) -> int:
    found = list(world.store.policies())
    for one in found:
        archive.write(f"policies/{_file(one.digest)}.toml", one.text.encode())
    return _index(archive, "policies", ({"digest": p.digest, "name": p.name, "added_at": p.added_at} for p in found))


def _notices(world: EvidenceWorld, archive: Archive) -> int:
    found = world.store.notices()
    for one in found:
        archive.write(f"notices/{_file(one.digest)}.toml", one.document.encode())
    wanted = ("digest", "name", "version", "policy", "added_at")
    return _index(archive, "notices", ({name: getattr(one, name) for name in wanted} for one in found))


def _renderings(world: EvidenceWorld, archive: Archive) -> int:
    told: list[dict[str, Any]] = []
    for notice in world.store.notices():
        for one in _every(lambda page, named=notice.digest: world.store.renderings(named, page)):  # type: ignore[misc]
            archive.write(f"renderings/{_file(one.digest)}.txt", one.body.encode())
            told.append({name: value for name, value in asdict(one).items() if name != "body"})
    return _index(archive, "renderings", told)


def _campaigns(world: EvidenceWorld, archive: Archive) -> int:
    found = list(_every(world.store.campaigns))
    for one in found:
        archive.write(f"campaigns/{one.id}/draft.toml", one.document.encode())
        steps = (asdict(event) for event in world.store.campaign_events(one.id))
        archive.stream(f"campaigns/{one.id}/steps.jsonl", _lines(steps))
    told = ({name: value for name, value in asdict(one).items() if name != "document"} for one in found)
    return _index(archive, "campaigns", told)


def _cuts(world: EvidenceWorld, archive: Archive) -> int:
    found = list(_every(world.store.cuts))
    told = []
    for cut in found:
        held = _cut_evidence(world, archive, cut)
        leaves = [{"leaf": one.leaf, "record": one.record} for one in world.store.cut_leaves(cut.name, cut.number)]
        record = {name: value for name, value in asdict(cut).items() if name != "directory"}
        told.append({**record, "leaves": leaves, "evidence": held})
    return _index(archive, "cuts", told)


def _cut_evidence(world: EvidenceWorld, archive: Archive, cut: Cut) -> bool:
    """Add what is known of a cut's rows; False where its folder is gone or cannot be read."""
    folder, name = Path(cut.directory), f"cuts/{cut.name}-{cut.number}"
    if cut.retired_at is not None or not (folder / "manifest.json").is_file():
        return False
    lines = BytesIO()
    try:
        for _ in export_evidence(folder, lines, world.store, world.log, now=cut.created_at):
            pass
    except AssentError:
        return False
    archive.write(f"{name}.evidence", lines.getvalue())
    archive.write(f"{name}.manifest.json", (folder / "manifest.json").read_bytes())
    return True


def _runs(world: EvidenceWorld, archive: Archive) -> int:
    """Tell of every training run what it started on and what came of it, with what the ledger says; where, not."""
    told = []
    for run in every_run(world.store):
        made = world.store.weights_of(run.id)
        weights = made and {name: value for name, value in asdict(made).items() if name not in {"run", "directory"}}
        leaves = [{"leaf": one.leaf, "record": one.record} for one in world.store.run_leaves(run.id)]
        left_out = sum(1 for _ in world.store.left_out(run.id))
        told.append({**asdict(run), "left_out": left_out, "weights": weights, "leaves": leaves})
    return _index(archive, "runs", told)


def _erasures(world: EvidenceWorld, archive: Archive) -> int:
    told, after = [], 0
    while found := world.store.chained(after, MAX_PAGE_ROWS):
        for one in found:
            said = {"id": one.id, "kind": one.kind, "at": one.at, "parts": one.parts, "finished_at": one.finished_at}
            try:
                archive.write(f"erasures/{one.id}.json", erasure_proof(world.store, world.log, one).encode())
                told.append({**said, "proven": True})
            except (Incomplete, Refused):
                told.append({**said, "proven": False})
        after = found[-1].id
    return _index(archive, "erasures", told)


def _vendors(world: EvidenceWorld, archive: Archive) -> int:
    """Add what vendors signed about erasures, and the lists that receipts of erasures name by their digests."""
    count = 0
    for folder in world.vendors:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".json", ".sha256") and path.is_file():
                archive.write(f"vendors/{path.relative_to(folder).as_posix()}", path.read_bytes())
                count += path.suffix == ".json"
    return count


def _approvals(world: EvidenceWorld, archive: Archive) -> int:
    return _listed(archive, "approvals", map(asdict, _every(world.store.approvals)))


def _holds(world: EvidenceWorld, archive: Archive) -> int:
    archive.stream("matters.jsonl", _lines(map(asdict, world.store.matters())))
    return _listed(archive, "holds", (_hold(world, one) for one in world.store.holds()))


def _hold(world: EvidenceWorld, hold: Hold) -> dict[str, Any]:
    """Write a hold down without naming whom it is about."""
    covered = world.store.coverage(hold.id)
    record = asdict(hold)
    if hold.scope == "person" and hold.target is not None:
        record["target"] = world.log.identity.pseudonym(hold.target)
    return {**record, "conversations": covered.conversations, "people": covered.people}


def _sweeps(world: EvidenceWorld, archive: Archive) -> int:
    archive.stream("plans.jsonl", _lines(map(asdict, _every(world.store.plans))))
    archive.stream("rounds.jsonl", _lines(map(asdict, _every(world.store.rounds))))
    return _listed(archive, "sweeps", map(asdict, _every(world.store.sweeps)))


def _looks(world: EvidenceWorld, archive: Archive) -> int:
    return _listed(archive, "looks", (_look(world, one) for one in _every(world.store.looks)))


def _look(world: EvidenceWorld, look: Look) -> dict[str, Any]:
    return {**asdict(look), "about": world.log.identity.pseudonym(look.about)}


_PARTS: Final[dict[str, Callable[[EvidenceWorld, Archive], int]]] = {
    "ledger": _ledger,
    "policies": _policies,
    "notices": _notices,
    "renderings": _renderings,
    "campaigns": _campaigns,
    "cuts": _cuts,
    "runs": _runs,
    "erasures": _erasures,
    "vendors": _vendors,
    "approvals": _approvals,
    "holds": _holds,
    "sweeps": _sweeps,
    "looks": _looks,
}


def _every(read: Callable[[Page], Listing[T]]) -> Iterator[T]:
    page: Page | None = Page(MAX_PAGE_ROWS)
    while page is not None:
        listing = read(page)
        yield from listing.items
        page = Page(MAX_PAGE_ROWS, listing.after) if listing.after else None


def _index(archive: Archive, folder: str, records: Iterable[dict[str, Any]]) -> int:
    return _listed(archive, f"{folder}/index", records)


def _listed(archive: Archive, name: str, records: Iterable[dict[str, Any]]) -> int:
    count = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count
        for record in records:
            count += 1
            yield record

    archive.stream(f"{name}.jsonl", _lines(counted()))
    return count


def _lines(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    return (canonical(_plain(record)) + b"\n" for record in records)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return format_instant(value)
    if isinstance(value, float):
        return json.dumps(value)
    return value


def _file(digest: str) -> str:
    return digest.replace(":", "-")
