r"""Verify a receipt of a choice, offline. One file, made to be read in one sitting.

    assent-verify RECEIPT --key VKEY [--checkpoint FILE] [--log FOLDER]

It needs the standard library and `cryptography`, and shares no code with the program that makes
receipts; both follow spec/receipt.md. In order:

1. the file is JSON with every key once, and its `evidence` has five texts;
2. SHA-256("assent/leaf/v1\n" + salt + record) is the entry; the record names the terms by digest;
3. everything outside the evidence is exactly what record and terms make of it;
4. the proof leads from the entry to the root of a checkpoint, which the key signed (Ed25519);
5. a checkpoint from elsewhere says the same; a copy of the log continues it and holds the entry.

Exit status: 0 valid, 1 unreadable or wrong arguments, 2 invalid, 4 not everything could be checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DPV = "https://w3id.org/dpv"
PROFILE = DPV + "/schema/dpv-27560#"
LIMIT = 2_000_000  # bytes of a file
WIDTH = 256
RECORD = (
    "act at campaign client controller guardian id layout locale notice options policy prior purpose "
    "recorded_by scope snapshot subject surface target terms v"
)
TERMS = (
    "controllers data deletion jurisdictions language legal_basis policy_url processing purpose purpose_text "
    "recipients rights sensitive service storage_duration storage_locations v withdraw_at withdraw_how"
)
PARTY = "address contact email identifier name phone role url"


ROLES = {"controller": "DataController", "joint controller": "JointDataControllers", "processor": "DataProcessor"}
ROLES |= {"recipient": "Recipient", "third party": "ThirdParty", "authority": "Authority"}
PURPOSES = {"service": "ServiceProvision", "training": "ResearchAndDevelopment"}
PURPOSES |= {"safety": "EnforceSecurity", "feedback": "ServiceOptimisation"}
OPERATIONS = {"collection": "dpv:Collect", "storage": "dpv:Store", "use": "dpv:Use", "analysis": "dpv:Analyse"}
OPERATIONS |= {"screening": "dpv:Screen", "sharing": "dpv:Share", "pseudonymisation": "dpv:Pseudonymise"}
OPERATIONS |= {"erasure": "dpv:Erase", "data preparation": "ai:DataPreparation", "data labelling": "ai:DataLabelling"}
OPERATIONS |= {"model training": "ai:ModelTraining", "model fine-tuning": "ai:ModelFineTuning"}
CONSENT = {"consent": "dpv:ExpressedConsent", "explicit consent": "dpv:ExplicitlyExpressedConsent"}
ACTS = {"allow": "ConsentGiven", "decline": "ConsentRefused", "defer": "ConsentRequestDeferred"}
ACTS |= {"withdraw": "ConsentWithdrawn"}

Node = dict[str, Any]
Key = tuple[str, bytes, bytes]  # name, key id, Ed25519 key
State = tuple[str, int, bytes]  # origin, size, root


class NotValid(Exception):  # noqa: N818 - the name is the answer
    """The receipt does not hold; the text says why. `status` is the exit status."""

    def __init__(self, reason: str, status: int = 2) -> None:
        """Keep the exit status with the reason."""
        super().__init__(reason)
        self.status = status


UNFIT = (KeyError, TypeError, AttributeError, UnicodeEncodeError, RecursionError)
"""What `verify` raises where record or terms hold a value that their version does not have."""


def need(holds: object, reason: str, status: int = 2) -> None:
    """Go on only if something holds."""
    if not holds:
        raise NotValid(reason, status)


# 1. reading


def load(text: str, what: str, status: int = 2) -> Node:
    """Read a JSON object in which no key stands twice."""

    def once(pairs: list[tuple[str, Any]]) -> Node:
        need(len(dict(pairs)) == len(pairs), f"{what} has a key twice", status)
        return dict(pairs)

    try:
        value: Node = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise NotValid(f"{what} is not JSON", status) from None
    need(isinstance(value, dict), f"{what} is not a JSON object", status)
    return value


def canonical(value: object) -> str:
    """Write a value in one form: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def inner(text: str, what: str, fields: str) -> Node:
    """Read the record or the terms: exactly these fields, in the one canonical form."""
    value = load(text, what)
    need(sorted(value) == fields.split(), f"{what} has other fields than its version")
    need(canonical(value) == text, f"{what} is not in canonical form")
    return value


def bytes_of(text: str, what: str, length: int | None = None) -> bytes:
    """Read base64 in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    good = data and base64.b64encode(data).decode() == text and length in (None, len(data))
    need(good, f"{what} is not base64 of the right length")
    return data


def number_of(text: str, what: str) -> int:
    """Read a decimal number in its one spelling."""
    need(re.fullmatch("0|[1-9][0-9]{0,18}", text), f"{what} is not a plain number")
    return int(text)


def sha256(data: bytes) -> bytes:
    """Hash bytes."""
    return hashlib.sha256(data).digest()


# 2. and 3. what the receipt says


def named(kind: str, identifier: str) -> Node:
    """Make a node that has an identifier."""
    return {"@type": [kind], "dpv:hasIdentifier": [identifier]}


def titled(kind: str, title: str, broader: str | None = None) -> Node:
    """Make a node that has a title, and a category if there is one."""
    return {"@type": [kind], "dct:title": [title]} | ({"skos:broader": [broader]} if broader else {})


def party_node(party: Node) -> Node:
    """Say who a party is."""
    need(sorted(party) == PARTY.split(), "a party has other fields than its version")
    node = named("dpv:" + ROLES[party["role"]], party["identifier"])
    node |= {"dpv:hasName": [party["name"]], "dpv:hasContact": [party["contact"]], "dpv:hasAddress": [party["address"]]}
    optional = {"schema:email": party["email"], "schema:telephone": party["phone"], "schema:url": party["url"]}
    return node | {name: [value] for name, value in optional.items() if value}


def process_node(record: Node, terms: Node, consent: str) -> Node:
    """Say what may be done: purpose, data, storage, parties, rights."""
    purpose = record["purpose"]
    category = "dpv:" + PURPOSES[purpose] if purpose in PURPOSES else None
    kinds = ["ai:TrainingData"] if purpose == "training" else []
    kept: Node = {"@type": ["dpv:TemporalDuration"], "rdf:value": [terms["storage_duration"]]}
    if terms["storage_duration"] == "indefinite":
        kept = {"@type": ["dpv:EndlessDuration"]}
    policy: Node = {"@type": ["dpv:DataProcessingPolicy"]}
    if record["policy"]:
        policy["dpv:hasIdentifier"] = [record["policy"]]
    scope = titled("dpv:Scope", record["scope"])
    if record["target"] is not None:
        scope["dpv:hasIdentifier"] = [record["target"]]
    withdraw = {"@type": ["dpv:WithdrawConsent"], "dpv:isExercisedAt": [terms["withdraw_at"]]}
    return {
        "@type": ["dpv:Process"],
        "dpv:hasPurpose": [titled("dpv:Purpose", purpose, category) | {"dct:description": [terms["purpose_text"]]}],
        "dpv:hasProcessing": [titled("dpv:Processing", word, OPERATIONS.get(word)) for word in terms["processing"]],
        "dpv:hasPersonalData": [
            *({"@type": ["dpv:PersonalData", *kinds], "dct:title": [title]} for title in terms["data"]),
            *({"@type": ["dpv:SensitivePersonalData", *kinds], "dct:title": [title]} for title in terms["sensitive"]),
        ],
        "dpv:hasStorageCondition": [
            *(titled("dpv:StorageLocation", title) for title in terms["storage_locations"]),
            {"@type": ["dpv:StorageDuration"], "dpv:hasDuration": [kept]},
            {"@type": ["dpv:StorageDeletion"], "dct:description": [terms["deletion"]]},
        ],
        "dpv:hasDataController": [party_node(party) for party in terms["controllers"]],
        "dpv:hasRecipient": [party_node(party) for party in terms["recipients"] or terms["controllers"]],
        "dpv:hasJurisdiction": [titled("dpv:Jurisdiction", title) for title in terms["jurisdictions"]],
        "dpv:hasLegalBasis": [consent],
        "dpv:hasService": [titled("dpv:Service", terms["service"])],
        "dpv:hasConsentControl": [withdraw | {"dct:description": [terms["withdraw_how"]]}],
        "dpv:hasRight": [titled("dpv:DataSubjectRight", title) for title in terms["rights"]],
        "dpv:hasPolicy": [policy | {"schema:url": [terms["policy_url"]]}],
        "dpv:hasScope": [scope],
    }


def event_node(record: Node, consent: str) -> Node:
    """Say what was answered, when, by whom and how."""
    answer = ACTS[record["act"]]
    if record["act"] == "allow" and record["prior"] in ("allowed", "withdrawn", "lapsed"):
        answer = "RenewedConsentGiven"
    person = named("dpv:DataSubject", record["subject"])
    how = {"surface": record["surface"], "layout": record["layout"], "options": " / ".join(record["options"])}
    how |= {"client": record["client"], "recorded by": record["recorded_by"]}
    until = "the next choice of the data subject for this purpose"
    return {
        "@type": ["dpv:" + answer],
        "dpv:hasLegalBasis": [consent],
        "dpv:isIndicatedAtTime": [record["at"]],
        "dpv:hasDuration": [{"@type": ["dpv:UntilEventDuration"], "rdf:value": [until]}],
        "dpv:isIndicatedBy": [named("dpv:Representative", record["guardian"]) if record["guardian"] else person],
        "dpv:hasIndicationMethod": ["; ".join(f"{name}: {value}" for name, value in how.items() if value)],
    }


def document_of(record: Node, terms: Node, record_text: str) -> Node:
    """Write the DPV document that record and terms mean."""
    hashed = sha256(record_text.encode())
    basis = CONSENT[terms["legal_basis"]]
    time, link = {"@type": "xsd:dateTime"}, {"@type": "@id"}
    context: Node = {"ai": DPV + "/ai#", "dct": "http://purl.org/dc/terms/", "dpv": DPV + "#", "evidence": None}
    context |= {"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "schema": "https://schema.org/"}
    context |= {"skos": "http://www.w3.org/2004/02/skos/core#", "xsd": "http://www.w3.org/2001/XMLSchema#"}
    context |= {"dct:created": time, "dct:date": time, "dpv:isIndicatedAtTime": time}
    context |= {"dct:conformsTo": link, "dpv:hasLegalBasis": link, "skos:broader": link}
    notice = named("dpv:ConsentNotice", record["notice"])
    notice |= {"dct:language": [record["locale"] or terms["language"]], "dct:date": [record["at"]]}
    consent_record = {
        "@id": "ni:///sha-256;" + base64.urlsafe_b64encode(hashed).decode().rstrip("="),
        "@type": ["dpv:ConsentRecord"],
        "dct:conformsTo": [PROFILE + "record"],
        "dpv:hasIdentifier": [record["id"]],
        "dpv:hasDataSubject": [named("dpv:DataSubject", record["subject"])],
        "dpv:hasNotice": [notice],
        "dpv:hasProcess": [process_node(record, terms, basis)],
        "dpv:hasConsentStatus": [event_node(record, basis)],
    }
    return {
        "@context": context,
        "@type": ["dpv:ConsentReceipt"],
        "dct:conformsTo": [PROFILE + "receipt"],
        "dct:created": [record["at"]],
        "dct:publisher": [record["controller"]],
        "dpv:hasIdentifier": ["sha256:" + hashed.hex()],
        "dpv:hasRecordOfActivity": [consent_record],
    }


# 4. the ledger


def read_key(vkey: str) -> Key:
    """Read a public key: name, four bytes of key id, the Ed25519 key."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    typed = bytes_of(encoded, "the key", 33)
    need(typed[0] == 1, "the key is not an Ed25519 key")
    need(sha256(name.encode() + b"\n" + typed)[:4].hex() == key_id, "the key id does not belong to the key")
    return name, bytes.fromhex(key_id), typed[1:]


def open_checkpoint(note: str, key: Key | None) -> State:
    """Check the signature of a checkpoint and give origin, size and root."""
    text, blank, lines = note.rpartition("\n\n")
    need(blank and lines.endswith("\n"), "the checkpoint has no signature lines")
    signed = False
    for line in lines[:-1].split("\n"):
        dash, name, encoded = [*line.split(" "), "", ""][:3]
        named = name and "+" not in name and not re.search(r"[\s\x00-\x1f]", name)
        need(dash == "—" and line.count(" ") == 2 and named, "a signature line of the checkpoint is malformed")
        blob = bytes_of(encoded, "a signature")
        need(len(blob) > 4, "a signature of the checkpoint is too short")
        if key and name == key[0] and blob[:4] == key[1]:
            try:
                Ed25519PublicKey.from_public_bytes(key[2]).verify(blob[4:], (text + "\n").encode())
            except InvalidSignature:
                raise NotValid(f"the signature of `{name}` does not hold") from None
            signed = True
    need(signed or not key, "the key did not sign this checkpoint")
    fields = text.split("\n")
    need(len(fields) >= 3 and all(fields), "the checkpoint has fewer than three lines")
    need(not key or fields[0] == key[0], "this is the checkpoint of another log than the key's")
    return fields[0], number_of(fields[1], "the tree size"), bytes_of(fields[2], "the root", 32)


def node(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right)


def split(size: int) -> int:
    """Give the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def row_root(hashes: bytes) -> bytes:
    """Hash a row of 1, 2, 4, ... 256 hashes into one."""
    half = len(hashes) // 2
    return hashes if len(hashes) == 32 else node(row_root(hashes[:half]), row_root(hashes[half:]))


def root_from(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """Climb from a leaf to the root of `size` leaves; the path has the leaf's sibling first (section 2.1.1)."""
    if size == 1:
        need(not path, "the proof is too long")
        return leaf
    need(path, "the proof is too short")
    left = split(size)
    if index < left:
        return node(root_from(index, left, leaf, path[:-1]), path[-1])
    return node(path[-1], root_from(index - left, size - left, leaf, path[:-1]))


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    """Read a tlog-proof: index, hashes, checkpoint."""
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    need(blank and lines[0] == "c2sp.org/tlog-proof@v1", "the proof is not a tlog-proof of version 1")
    need(len(lines) > 1 and lines[1].startswith("index "), "the proof names no index, or carries extra data")
    index = number_of(lines[1].removeprefix("index "), "the index")
    return index, [bytes_of(line, "a hash of the proof", 32) for line in lines[2:]], checkpoint


# 5. a copy of the log


class Log:
    """A folder with the tiles of a log of `size` leaves (C2SP tlog-tiles)."""

    def __init__(self, folder: Path, size: int) -> None:
        """Remember where the tiles are, and those that were read."""
        self.folder, self.size = folder, size
        self.tiles: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, number: int) -> bytes:
        """Read a tile of 256 hashes, or the last, narrower one. A full tile must hash to what the level above says."""
        if (level, number) not in self.tiles:
            digits = f"{number:03}"
            digits = digits.zfill(-(-len(digits) // 3) * 3)
            groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
            full = self.folder / f"tile/{level}" / "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
            width = min(WIDTH, (self.size >> 8 * level) - number * WIDTH)
            narrow = full.with_name(f"{full.name}.p") / str(width)
            path = narrow if width < WIDTH and narrow.is_file() else full
            need(path.is_file(), f"the log's copy lacks tile {level}/{number}", 4)
            data = path.read_bytes()[: 32 * width]
            need(len(data) == 32 * width, "a tile of the log's copy is too short")
            if width == WIDTH:
                above, place = self.tile(level + 1, number // WIDTH), 32 * (number % WIDTH)
                need(above[place : place + 32] == row_root(data), "two tiles of the log's copy contradict each other")
            self.tiles[level, number] = data
        return self.tiles[level, number]

    def root(self, start: int, size: int) -> bytes:
        """Hash `size` leaves from `start` into the root of their tree."""
        if size & (size - 1):
            left = split(size)
            return node(self.root(start, left), self.root(start + left, size - left))
        level, height = divmod(size.bit_length() - 1, 8)
        number, place = divmod(start >> 8 * level, WIDTH)
        return row_root(self.tile(level, number)[32 * place : 32 * (place + (1 << height))])


def check_log(folder: Path, key: Key | None, known: list[State], index: int, leaf: bytes) -> int:
    """Check that the copy continues every known state and holds the entry. Gives the copy's size."""
    origin, size, root = open_checkpoint(read_text(folder / "checkpoint"), key)
    log = Log(folder, size)
    for known_origin, known_size, known_root in known:
        need(known_origin == origin, "this is a copy of another log")
        need(known_size <= size, f"the log's copy has {size} leaves, but {known_size} were signed before")
        need(log.root(0, known_size) == known_root, "the log's copy does not continue the signed state: two histories")
    need(log.root(0, size) == root, "the tiles of the log's copy do not have the root that was signed")
    need(log.root(index, 1) == leaf, f"the log's copy holds another entry as leaf {index}")
    return size


# all of it


def read_text(path: Path) -> str:
    """Read a file of text, of two million bytes at most."""
    try:
        data = path.read_bytes()
        need(len(data) <= LIMIT, f"{path.name} is too long", 1)
        return data.decode()
    except (OSError, UnicodeDecodeError):
        raise NotValid(f"{path.name} cannot be read as text", 1) from None


def verify(text: str, key: str | None, checkpoint: str | None = None, log: Path | None = None) -> list[str]:
    """Verify a receipt and give what it proves, one sentence each. Raises `NotValid` with the first reason."""
    document = load(text, "the receipt", 1)
    evidence = document.pop("evidence", None)
    need(isinstance(evidence, dict) and evidence.get("v") == "assent/receipt/v1", "this is no receipt", 1)
    need(sorted(evidence) == ["proof", "record", "salt", "terms", "v"], "the evidence has other fields", 1)
    need(all(isinstance(value, str) for value in evidence.values()), "the evidence is not text", 1)
    record = inner(evidence["record"], "the record", RECORD)
    terms = inner(evidence["terms"], "the terms", TERMS)
    need(
        record["v"] == "assent/choice/v1" and terms["v"] == "assent/terms/v1", "record or terms are of another version"
    )
    need(
        record["terms"] == "sha256:" + sha256(evidence["terms"].encode()).hex(), "the terms are not those of the choice"
    )
    need(record["purpose"] == terms["purpose"], "the terms are for another purpose")
    meant = document_of(record, terms, evidence["record"])
    wrong = [name for name in sorted(meant | document) if canonical(meant.get(name)) != canonical(document.get(name))]
    need(not wrong and meant.keys() == document.keys(), f"the document says something else than the record: {wrong}")

    salt = bytes_of(evidence["salt"], "the salt", 32)
    leaf = sha256(b"\x00" + sha256(b"assent/leaf/v1\n" + salt + evidence["record"].encode()))
    index, path, note = read_proof(evidence["proof"])
    public = read_key(key) if key else None
    origin, size, root = own = open_checkpoint(note, public)
    need(index < size, "the proof names a leaf beyond the end of the log")
    need(root_from(index, size, leaf, path) == root, f"leaf {index} of the log is not this choice")
    proven = [f"record `{meant['dpv:hasIdentifier'][0]}` is leaf {index} of the log `{origin}` at size {size}"]
    proven += ["the key signed that state"] if key else []
    known = [own]
    if checkpoint is not None:
        other = open_checkpoint(checkpoint, public)
        known.append(other)
        need(other[0] == origin, "this is the checkpoint of another log")
        if log is None:
            need(other[1] == size, f"checkpoints of {size} and {other[1]} leaves cannot be compared without --log", 4)
            need(other[2] == root, f"there are two signed states of {size} leaves: the log shows two histories")
    if log is not None:
        copied = check_log(log, public, known, index, leaf)
        proven.append(f"the log's copy of {copied} leaves continues that state and holds the choice")
    return proven


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, verify, and say what holds."""
    told = str(__doc__).splitlines()
    parser = argparse.ArgumentParser("assent-verify", description=told[0], epilog=told[-1])
    parser.add_argument("receipt", type=Path)
    parser.add_argument("--key", help="the log's public key, obtained elsewhere than from who gave the receipt")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint obtained elsewhere")
    parser.add_argument("--log", type=Path, help="a folder with a copy of the log")
    try:
        given = parser.parse_args(arguments)
    except SystemExit as ended:
        return 1 if ended.code else 0  # argparse says 2, which is an invalid receipt
    try:
        note = read_text(given.checkpoint) if given.checkpoint else None
        proven = verify(read_text(given.receipt), given.key, note, given.log)
    except NotValid as problem:
        words = {1: "unreadable", 2: "invalid", 4: "incomplete"}
        print(f"{words[problem.status]}: {problem}", file=sys.stderr)
        return problem.status
    except UNFIT:
        print("invalid: record or terms hold a value that their version does not have", file=sys.stderr)
        return 2
    print("\n".join(proven))
    if not given.key:
        print("incomplete: no key was given, so whether the log's operator signed this is unknown", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
