"""`assent verify`: check a receipt, the proof of an erasure or of a membership, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import AssentError, Invalid
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line

if TYPE_CHECKING:
    from assent.ledger.note import Verifier
    from assent.ledger.verify import Verified

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_NEVER_PROVEN = (
    "that the controller acts on the choice",
    "that the person chose nothing else later",
)
_ONE_HISTORY = "that everybody is shown the same log (compare with --checkpoint or --log from elsewhere)"


@click.group()
def command() -> None:
    """Check evidence without trusting whoever gave it.

    \b
    Examples:
      assent verify receipt my-receipt.json --key VKEY
      assent verify erasure erasure-12.json --key VKEY
      assent verify membership spring-1.membership.json --manifest manifest.json
      assent verify evidence evidence.zip --key VKEY
    """


@command.command()
@click.argument("file", type=_FILE)
@click.option("--key", "vkeys", multiple=True, help="The log's public key, obtained elsewhere. May be repeated.")
@click.option("--keys", "key_file", type=_FILE, help="A file of public keys, one a line.")
@click.option("--checkpoint", type=_FILE, help="A signed checkpoint obtained elsewhere: it must agree.")
@click.option("--log", "folder", type=_FOLDER, help="A folder with a copy of the log: it must go on from the receipt.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def receipt(
    file: Path,
    vkeys: tuple[str, ...],
    key_file: Path | None,
    checkpoint: Path | None,
    folder: Path | None,
    as_json: bool,
) -> int:
    """Check that FILE is a true receipt: nothing in it was changed, and the choice is in the signed log.

    Without a key everything is checked but the signature, which proves nothing to anybody: a
    receipt cannot bring the key that vouches for it. That ends with status 4.

    Exit status: 0 valid, 1 unreadable, 2 invalid, 4 not everything could be checked.

    \b
    Examples:
      assent verify receipt receipt.json --key log.example.com/choices+3d9f…+AQ…
      assent verify receipt receipt.json --keys log-keys.txt --log ~/copies/log
    """
    try:
        found = _verify(file, (*vkeys, *_lines(key_file)), checkpoint, folder)
    except AssentError as problem:
        if not as_json:
            raise
        valid = {"valid": None if problem.exit_code == 4 else False}
        echo_json(valid | {"reason": str(problem), "expected": problem.fix, "status": problem.exit_code})
        return problem.exit_code
    compared = checkpoint is not None or folder is not None
    unproven = (*_NEVER_PROVEN, *(() if compared else (_ONE_HISTORY,)))
    status = 4 if found.missing else 0
    if as_json:
        echo_json(_record(found, unproven) | {"valid": None if found.missing else True, "status": status})
    else:
        _say(found, unproven)
    return status


@command.command()
@click.argument("file", type=_FILE)
@click.option("--key", "vkeys", multiple=True, help="The log's public key, obtained elsewhere. May be repeated.")
@click.option("--keys", "key_file", type=_FILE, help="A file of public keys, one a line.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erasure(file: Path, vkeys: tuple[str, ...], key_file: Path | None, as_json: bool) -> int:
    """Check that FILE proves an erasure: its tombstones and its receipt belong together, and are in the signed log.

    Exit status: 0 it holds, 1 unreadable, 2 it does not hold, 4 not everything could be checked, or a copy was not
    removed when the receipt was written.

    \b
    Example:
      assent verify erasure erasure-12.json --key log.example.com/choices+3d9f…+AQ…
    """
    from assent.ledger.erasure_proof import MAX_BYTES, verify_erasure
    from assent.ledger.note import parse_verifier

    keys = [parse_verifier(vkey) for vkey in dict.fromkeys((*vkeys, *_lines(key_file)))]
    with file.open("rb") as stream:
        found = verify_erasure(stream.read(MAX_BYTES + 1), keys)
    record = found.proof.record
    unproven = ("that no copy was made which nobody registered", "that the operator's own disks are as it says")
    if as_json:
        said = {"erasure": record.link.id, "at": format_instant(record.link.at), "parts": record.link.parts}
        lists = {"proven": found.proven, "lingering": found.lingering, "missing": found.missing, "not_proven": unproven}
        echo_json(said | {"log": found.log, "leaf": found.leaf, "size": found.size} | lists)
    else:
        echo_line(f"erasure {record.link.id} of {record.link.parts:,} parts, {format_instant(record.link.at)}")
        echo_line(f"keys were gone by {format_instant(record.keys_destroyed_at)}")
        _say_lists(
            ("this proves:", found.proven),
            ("not removed then:", found.lingering),
            ("this could not be checked:", found.missing),
            ("this does not prove:", unproven),
        )
    return 4 if found.missing or found.lingering else 0


@command.command()
@click.argument("file", type=_FILE)
@click.option("--manifest", type=_FILE, help="The manifest of the cut, as it was published.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def membership(file: Path, manifest: Path | None, as_json: bool) -> int:
    """Check that FILE proves that a conversation or a person is in a cut, or is not.

    Without the manifest nothing says that the cut has this tree of members, and the status is 4.

    Exit status: 0 it holds, 1 unreadable, 2 it does not hold, 4 not everything could be checked.

    \b
    Example:
      assent verify membership spring-1.membership.json --manifest manifest.json
    """
    from assent.ledger.membership import MAX_BYTES, check_manifest, read_member, verify_proof

    with file.open("rb") as stream:
        proof = read_member(stream.read(MAX_BYTES + 1))
    verify_proof(proof)
    missing: tuple[str, ...] = ()
    if manifest is None:
        missing = ("whether the cut has this tree of members (give --manifest)",)
    else:
        check_manifest(proof, manifest.read_bytes())
    unproven = ("that the key in the file is the person's: ask whoever audits the cut, who has its key",)
    whose = "the person" if proof.conversation is None else f"conversation `{proof.conversation}`"
    if as_json:
        cut = {"cut": proof.cut, "number": proof.number, "manifest": proof.manifest}
        said = {"conversation": proof.conversation, "member": proof.member, "size": proof.size}
        echo_json(cut | said | {"missing": missing, "not_proven": unproven})
    else:
        echo_line(f"{whose} {'is' if proof.member else 'is not'} in cut {proof.cut} number {proof.number}")
        _say_lists(("this could not be checked:", missing), ("this does not prove:", unproven))
    return 4 if missing else 0


@command.command()
@click.argument("file", type=_FILE)
@click.option("--key", "vkeys", multiple=True, help="The log's public key, obtained elsewhere. May be repeated.")
@click.option("--keys", "key_file", type=_FILE, help="A file of public keys, one a line.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evidence(file: Path, vkeys: tuple[str, ...], key_file: Path | None, as_json: bool) -> int:
    """Check FILE, an archive of `assent evidence`: that no byte was changed, who signed it, and that it fits together.

    The whole ledger is recomputed, and every digest, amendment and erasure in the archive is checked.

    Exit status: 0 it holds, 1 unreadable, 2 something was changed or does not fit, 4 not everything could be checked.

    \b
    Example:
      assent verify evidence evidence.zip --key log.example.com/choices+3d9f…+AQ…
    """
    from assent.ledger.note import parse_verifier
    from assent.services.evidence.check import check_evidence

    keys = [parse_verifier(vkey) for vkey in dict.fromkeys((*vkeys, *_lines(key_file)))]
    with file.open("rb") as stream:
        found = check_evidence(stream, keys)
    if as_json:
        lists = {"proven": found.proven, "faults": found.faults, "missing": found.missing}
        echo_json({"origin": found.origin, "at": found.at, **lists, "status": found.exit_code})
    else:
        echo_line(f"evidence of {found.origin}, {found.at}")
        _say_lists(
            ("this is wrong:", tuple(found.faults)),
            ("this holds:", tuple(found.proven)),
            ("this could not be checked:", tuple(found.missing)),
        )
    return found.exit_code


def _say_lists(*lists: tuple[str, tuple[str, ...]]) -> None:
    for heading, sentences in lists:
        if sentences:
            click.echo(heading)
        for sentence in sentences:
            echo_line(f"  - {sentence}")


def _verify(file: Path, vkeys: tuple[str, ...], checkpoint: Path | None, folder: Path | None) -> Verified:
    from assent.ledger.note import parse_verifier
    from assent.ledger.receipt import MAX_RECEIPT_BYTES
    from assent.ledger.verify import verify_receipt
    from assent.services.receipts.copy import open_copy

    keys: list[Verifier] = [parse_verifier(vkey) for vkey in dict.fromkeys(vkeys)]
    with file.open("rb") as stream:
        data = stream.read(MAX_RECEIPT_BYTES + 1)
    return verify_receipt(
        data,
        keys,
        checkpoint=None if checkpoint is None else _text(checkpoint),
        log=None if folder is None else open_copy(folder),
    )


def _lines(file: Path | None) -> list[str]:
    lines = [] if file is None else [line.strip() for line in _text(file).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"`{file.name}` is not UTF-8 text", "give the file as it was published") from None


def _say(found: Verified, unproven: tuple[str, ...]) -> None:
    record = found.receipt.record
    click.echo("not fully checked" if found.missing else "valid")
    echo_line(f"{record.act} for {record.purpose} ({record.scope}), {format_instant(record.at)}, on {record.surface}")
    echo_line(f"choice {record.id} of {record.subject}, who was shown {record.notice}")
    _say_lists(
        ("this fits together:" if found.missing else "this proves:", found.proven),
        ("this could not be checked:", found.missing),
        ("this does not prove:", unproven),
    )


def _record(found: Verified, unproven: tuple[str, ...]) -> dict[str, Any]:
    record = found.receipt.record
    return {
        "choice": record.id,
        "record": record.digest,
        "subject": record.subject,
        "purpose": record.purpose,
        "act": record.act,
        "at": format_instant(record.at),
        "log": found.checkpoint.origin,
        "leaf": found.receipt.proof.index,
        "size": found.checkpoint.size,
        "proven": found.proven,
        "missing": found.missing,
        "not_proven": unproven,
    }
