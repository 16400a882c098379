"""Check an archive of evidence offline: that no byte changed, who signed it, and that what it holds fits together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import permutations
from typing import TYPE_CHECKING, Any, BinaryIO

from assent.connectors.opendsr.checking import check_again
from assent.domain.digests import digest, digest_bytes
from assent.domain.errors import AssentError, Invalid, NotFound, Refused
from assent.domain.instants import parse_instant
from assent.ledger.erasure_proof import verify_erasure
from assent.ledger.keys import follow_keys, parse_key_change
from assent.ledger.note import open_note, split_note
from assent.policy.parse import parse_policy
from assent.services.campaign.amend import check_signature
from assent.services.cut_check.evidence import Evidence
from assent.services.evidence.archive import SIGNED, SUMS, Opened
from assent.services.evidence.export import FORMAT, text_to_sign
from assent.services.ledger.audit import audit_copy
from assent.services.notice.parse import parse_manifest
from assent.store.records import CampaignEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.ledger.note import Verifier

_NO_KEY = "who signed it (give a key of the ledger that you got elsewhere)"


@dataclass
class Checked:
    """What was found: `proven` and `missing` are sentences, `faults` what is wrong and where."""

    origin: str = ""
    at: str = ""
    proven: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: it holds; 2: something is wrong; 4: not everything could be checked."""
        return 2 if self.faults else 4 if self.missing else 0


def check_evidence(file: BinaryIO, keys: Sequence[Verifier]) -> Checked:
    """Check an archive. `keys` are public keys of the ledger from elsewhere; without one nobody vouches for it.

    Raises `Invalid` if it is no archive of evidence, `Refused` if a byte of it was changed.
    """
    archive = Opened(file)
    try:
        return _check(archive, keys)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # its digests fit, and it is not what we write: whoever made it counts them anew
        raise Refused("a member of the archive is not in the form of its kind", "ask for the archive again") from None
    finally:
        archive.close()


def _check(archive: Opened, keys: Sequence[Verifier]) -> Checked:
    if differences := archive.differences():
        more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
        raise Refused(differences[0] + more, "ask for the archive again")
    about = json.loads(archive.read("about.json"))
    if about["v"] != FORMAT:
        raise Invalid(f"the form of this archive is not `{FORMAT}`", "take the `assent` that it names in `about.json`")
    found = Checked(about["origin"], about["at"])
    found.proven.append(f"{len(archive.names):,} members are what their digests say, and nothing else is in it")
    ever = _keys_of_log(archive, keys, found)
    _signature(archive, ever if keys else [], found)
    _ledger(archive, next((key for key in keys if key in ever), None), found)
    for check in (_policies, _notices, _renderings, _amendments, _erasures, _vendors, _cuts):
        check(archive, ever, found)
    return found


def _keys_of_log(archive: Opened, keys: Sequence[Verifier], found: Checked) -> list[Verifier]:
    """Follow the changes of keys from one that is trusted, or from the log's own first one."""
    notes = [archive.read(name).decode() for name in archive.under("ledger/keys")]
    changes = [parse_key_change(split_note(note)[0]) for note in notes]
    ever = list(dict.fromkeys(verifier for change in changes for verifier in change.verifiers))
    if not changes:
        found.faults.append("the ledger names no keys")
        return []
    try:
        follow_keys(notes, changes[0].verifiers[0])
    except Invalid as problem:
        found.faults.append(f"the changes of keys: {problem.message}")
    if keys and not set(keys) & set(ever):
        found.faults.append("the ledger was signed by none of the keys that were given")
    return ever


def _signature(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    note = archive.read(SIGNED).decode(errors="replace")
    text = text_to_sign(sha256(archive.read(SUMS)).hexdigest(), found.at)
    if split_note(note)[0] != text:
        found.faults.append("the signed digest is another one than that of `SHA256SUMS`")
    elif not ever:
        found.missing.append(_NO_KEY)
    else:
        try:
            names = open_note(note, list(ever)).verified
        except Invalid as problem:
            found.faults.append(f"the signature of the archive: {problem.message}")
        else:
            found.proven.append(f"`{names[0]}` signed the digests of all members")


class _Copy:
    """The log inside the archive, as `audit_copy` reads one."""

    def __init__(self, archive: Opened) -> None:
        self._archive = archive

    def get(self, path: str) -> bytes | None:
        return self._archive.read(f"ledger/{path}") if self.exists(path) else None

    def exists(self, path: str) -> bool:
        return f"ledger/{path}" in self._archive.names

    def put(self, path: str, data: bytes) -> None:
        del data
        raise Refused(f"`{path}` is evidence", "write elsewhere")

    def replace(self, path: str, before: bytes | None, after: bytes) -> bool:
        del before
        self.put(path, after)
        return False


def _ledger(archive: Opened, trusted: Verifier | None, found: Checked) -> None:
    audit = audit_copy(_Copy(archive), found.origin, trusted)
    found.faults += [f"ledger, {fault.place}: {fault.message}" for fault in audit.faults]
    if not audit.faults:
        found.proven.append(f"the ledger of {audit.size:,} leaves follows from its entries, up to the signed root")


def _policies(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    del ever
    known: dict[str, str] = {}
    for record in _records(archive, "policies/index.jsonl"):
        text = archive.read(f"policies/{_file(record['digest'])}.toml").decode()
        if " + " in record["name"]:
            pairs = permutations([one for name, one in known.items() if name in record["name"].split(" + ")], 2)
            if record["digest"] not in {digest(list(pair)) for pair in pairs}:
                found.missing.append(f"the combination of versions `{record['name']}`")
            continue
        known[record["name"]] = record["digest"]
        _same("policy", record["name"], parse_policy(text, record["name"]).digest, record["digest"], found)
    found.proven.append(f"{len(known):,} policy versions are what their digests name")


def _notices(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    del ever
    records = list(_records(archive, "notices/index.jsonl"))
    for record in records:
        text = archive.read(f"notices/{_file(record['digest'])}.toml").decode()
        _same("notice", record["name"], parse_manifest(text, record["name"]).digest, record["digest"], found)
    found.proven.append(f"{len(records):,} notices are what their digests name")


def _renderings(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    del ever
    records = list(_records(archive, "renderings/index.jsonl"))
    for record in records:
        body = archive.read(f"renderings/{_file(record['digest'])}.txt")
        _same("text shown", record["locale"], digest_bytes(body), record["digest"], found)
    found.proven.append(f"{len(records):,} texts are, byte for byte, those that choices quote")


def _amendments(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    signed = 0
    for name in archive.under("campaigns"):
        if not name.endswith("/steps.jsonl"):
            continue
        for record in _records(archive, name):
            event = CampaignEvent(**{**record, "at": parse_instant(record["at"])})
            if event.kind == "amended":
                try:
                    check_signature(event, ever)
                    signed += 1
                except Invalid as problem:
                    found.faults.append(problem.message)
    if signed:
        found.proven.append(f"{signed:,} amendments of campaigns are signed by a key of the ledger")


def _erasures(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    parts = proofs = 0
    for record in _records(archive, "erasures/index.jsonl"):
        if not record["proven"]:
            found.missing.append(f"erasure {record['id']}: it had no receipt yet")
            continue
        try:
            proven = verify_erasure(archive.read(f"erasures/{record['id']}.json"), list(ever))
        except AssentError as problem:
            found.faults.append(f"erasure {record['id']}: {problem.message}")
            continue
        parts, proofs = parts + proven.proof.record.link.parts, proofs + 1
    if proofs:
        found.proven.append(f"{proofs:,} erasures of {parts:,} parts are in the ledger, with their tombstones")


def _vendors(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    """Check what vendors signed, by the certificates and keys that are kept beside it."""
    del ever
    signed = 0
    for name in archive.under("vendors"):
        if not name.endswith(".json"):
            continue
        try:
            _, provable = check_again(archive.read(name))
        except AssentError as problem:
            found.faults.append(f"statement `{name}`: {problem.message}")
            continue
        if provable:
            signed += 1
        else:
            found.missing.append(f"who signed `{name}`: only who holds its shared secret can tell")
    if signed:
        found.proven.append(f"{signed:,} statements of vendors are signed as their certificates or keys say")


def _cuts(archive: Opened, ever: Sequence[Verifier], found: Checked) -> None:
    del ever
    proven = 0
    for record in _records(archive, "cuts/index.jsonl"):
        name = f"{record['name']}-{record['number']}"
        if not record["evidence"]:
            if record["retired_at"] is None:
                found.missing.append(f"the rows of cut `{name}`: its folder was not there")
            continue
        manifest = digest_bytes(archive.read(f"cuts/{name}.manifest.json"))
        header = Evidence(archive.lines(f"cuts/{name}.evidence"), name).header
        if not manifest == header.manifest == record["manifest"]:
            found.faults.append(f"cut `{name}`: its manifest is not the one that was recorded")
        elif header.entry is None:
            found.missing.append(f"what the ledger says of cut `{name}`")
        else:
            proven += 1
    if proven:
        found.proven.append(f"{proven:,} cuts have the manifest that was recorded (their rows: `assent cut verify`)")


def _same(kind: str, name: str, is_: str, should: str, found: Checked) -> None:
    if is_ != should:
        found.faults.append(f"{kind} `{name}` is not what its digest says")


def _records(archive: Opened, name: str) -> Iterator[dict[str, Any]]:
    try:
        yield from map(json.loads, archive.lines(name))
    except KeyError:
        raise NotFound(f"the archive has no `{name}`", "ask for it again") from None


def _file(name: str) -> str:
    return name.replace(":", "-")
