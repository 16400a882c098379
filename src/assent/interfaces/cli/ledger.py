"""`assent ledger`: the log in which every choice can be proven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import NotFound
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from assent.ledger.note import Verifier
    from assent.services.ledger.audit import Audit
    from assent.wiring import Wiring

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_AT_ONCE = 5_000


@click.group()
def command() -> None:
    """Prove, publish and check what people chose.

    Every choice is a leaf of an append-only log (C2SP tlog-tiles) under a checkpoint that this home signs.

    \b
    Examples:
      assent ledger status
      assent ledger prove CHOICE_ID --out my.tlog-proof
      assent ledger publish public/ledger
      assent ledger verify --log public/ledger
    """


@command.command()
@AS_JSON
@click.pass_obj
def init(wiring: Wiring, as_json: bool) -> int:
    """Make the keys and begin the ledger of a home that has none; bring in the choices it recorded before.

    What is there already stays. New homes have a ledger from the start.

    \b
    Example:
      assent ledger init
    """
    from assent.services.ledger.append import append

    wiring.create_ledger()
    store, log = wiring.store, wiring.log
    added = 0
    while older := store.unlogged(_AT_ONCE):
        append(store, log, older, now=wiring.now())
        added += len(older)
    if as_json:
        echo_json({"origin": log.origin, "key": log.signers[-1].verifier.vkey, "added": added})
        return 0
    click.echo(f"the ledger {log.origin} has its keys in keys/: keep a copy of that folder in a safe place")
    click.echo(f"choices brought in: {added:,}")
    return 0


@command.command()
@AS_JSON
@click.pass_obj
def status(wiring: Wiring, as_json: bool) -> int:
    """Say how long the log is, when it was signed last, and who cosigned it.

    \b
    Example:
      assent ledger status --json
    """
    from assent.services.ledger.seal import checkpoint_in

    store = wiring.store
    head = store.head()
    staged = store.staged()
    size = 0 if head is None else head.size
    record = {
        "origin": wiring.settings.origin,
        "size": size,
        "waiting": staged - size,
        "root": None if head is None else checkpoint_in(head).root.hex(),
        "signed_at": None if head is None else format_instant(head.signed_at),
        "witnesses": [cosignature.witness.partition("+")[0] for cosignature in store.cosignatures(size)],
        "cosigned_size": store.cosigned(0),
    }
    if as_json:
        echo_json(record)
        return 0
    for name, value in record.items():
        shown = ", ".join(value) if isinstance(value, list) else f"{value:,}" if isinstance(value, int) else value
        click.echo(f"{name.replace('_', ' '):14} {shown if shown not in (None, '') else 'none'}")
    return 0


@command.command()
@click.argument("folder", required=False)
@click.option("--whole", is_flag=True, help="Look at every file, and write again what is missing.")
@AS_JSON
@click.pass_obj
def publish(wiring: Wiring, folder: str | None, whole: bool, as_json: bool) -> int:
    """Bring the published log up to date: a FOLDER for any web server, or an address such as s3://bucket/ledger.

    Without FOLDER it goes where `ledger_target` in the settings file says. Publishing may be
    interrupted and done again; it never puts a shorter or another log over what is published.

    Exit status: 0 published, 2 refused because another or a longer log is there.

    \b
    Examples:
      assent ledger publish public/ledger
      assent ledger publish s3://our-bucket/ledger
    """
    from assent.services.ledger.publish import publish as publish_log
    from assent.services.ledger.seal import seal

    store, log = wiring.store, wiring.log
    target = wiring.tile_store(folder or "")
    sealed = seal(store, log, now=wiring.now())
    with progress("publishing leaves", sealed.size) as done:
        made = publish_log(store, log, target, whole=whole, others=wiring.note_no_choices, done=done)
    if as_json:
        echo_json({"from": made.old_size, "size": made.size, "tiles": made.tiles, "bundles": made.bundles})
    else:
        click.echo(f"published {made.size:,} leaves, {made.size - made.old_size:,} of them new")
        click.echo(f"whoever wants to check it needs this key: {log.signers[-1].verifier.vkey}")
    return 0


@command.command()
@click.option("--log", "where", help="Check a published log, in a folder or at an address, instead of this home's.")
@click.option("--key", "vkey", help="With --log: the public key you trust. Default: this home's first.")
@AS_JSON
@click.pass_obj
def verify(wiring: Wiring, where: str | None, vkey: str | None, as_json: bool) -> int:
    """Recompute the whole log from its leaves, and say what is wrong and where.

    Of this home's log every record is made again from its choice and held against its leaf;
    every tile, the root and the signatures follow.

    Exit status: 0 whole, 2 something is wrong, 3 no such folder.

    \b
    Examples:
      assent ledger verify
      assent ledger verify --log public/ledger --key 'example.com/ledger+b5f7cb34+Ab...'
    """
    from assent.ledger.note import parse_verifier
    from assent.services.ledger.audit import audit_copy, audit_store

    if where is None:
        with progress("leaves", wiring.store.staged()) as done:
            audit = audit_store(wiring.store, wiring.log, done)
    else:
        if "://" not in where and not Path(where).is_dir():
            raise NotFound(f"there is no folder `{where}`", "give the folder that holds the published log")
        trusted = parse_verifier(vkey) if vkey else _first_key(wiring)
        with progress("leaves", 1) as done:
            audit = audit_copy(wiring.tile_store(where), trusted.name, trusted, done)
    _show_audit(audit, as_json=as_json)
    return 2 if audit.faults else 0


def _first_key(wiring: Wiring) -> Verifier:
    from assent.services.ledger.seal import keys_ever

    return keys_ever(wiring.store)[0]


def _show_audit(audit: Audit, *, as_json: bool) -> None:
    if as_json:
        faults = [{"place": fault.place, "fault": fault.message} for fault in audit.faults]
        echo_json({"size": audit.size, "waiting": audit.waiting, "erased": audit.erased, "faults": faults})
        return
    for fault in audit.faults:
        click.echo(f"{fault.place}: {fault.message}")
    if not audit.faults:
        click.echo(f"whole: {audit.size:,} leaves, each where it was signed")


@command.command()
@click.option("--retire", is_flag=True, help="End the older keys: from now on the newest alone signs. Destroys them.")
@AS_JSON
@click.pass_obj
def rotate(wiring: Wiring, retire: bool, as_json: bool) -> int:
    """Make a new signing key that signs beside the old one; later, with --retire, end the old one.

    Restart what serves this home after either step. Each step is a signed note, published as
    keys/NNN, so that whoever trusts the old key can follow to the new one.

    \b
    Examples:
      assent ledger rotate
      assent ledger rotate --retire
    """
    from assent.ledger.note import parse_signer
    from assent.services.ledger import rotate as rotating

    store, log, now = wiring.store, wiring.log, wiring.now()
    if retire:
        change = rotating.retire(store, log, now=now)
        wiring.keys.keep_newest()
    else:
        if wiring.keys.coming() is None:
            wiring.keys.prepare(wiring.new_signer().encode())
        change = rotating.rotate(store, log, parse_signer(wiring.keys.coming() or ""), now=now)
        wiring.keys.take()
    keys = [verifier.vkey for verifier in change.verifiers]
    if as_json:
        echo_json({"size": change.size, "keys": keys})
        return 0
    click.echo(f"from {change.size:,} leaves on the ledger is signed by:")
    for vkey in keys:
        click.echo(f"  {vkey}")
    if not retire:
        click.echo("next: publish, restart what serves this home, and later `assent ledger rotate --retire`")
    return 0


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--size", type=int, help="The size that lines without a checkpoint are for. Default: the newest.")
@click.option("--request", "old", type=int, metavar="OLD", help="Print what to send a witness that signed OLD last.")
@AS_JSON
@click.pass_obj
def cosign(wiring: Wiring, file: Path | None, size: int | None, old: int | None, as_json: bool) -> int:
    """Take in what witnesses signed: FILE holds a cosigned checkpoint or signature lines.

    The witnesses' public keys stand under `witnesses` in the settings file.

    \b
    Examples:
      assent ledger cosign --request 0 > request     for a witness that has not seen this log
      assent ledger cosign answer
    """
    from assent.services.ledger.witness import cosign as take_in
    from assent.services.ledger.witness import request_of

    if old is not None:
        click.echo(request_of(wiring.store, old), nl=False)
        return 0
    if file is None:
        raise click.UsageError("name the FILE of a witness's answer, or make a request with --request")
    text = file.read_bytes().decode(errors="replace")
    taken = take_in(wiring.store, wiring.log, text, now=wiring.now(), size=size)
    for cosignature in taken:
        name = cosignature.witness.partition("+")[0]
        record = {"witness": name, "size": cosignature.size}
        echo_json(record) if as_json else click.echo(f"{name} signed the log of {cosignature.size:,} leaves")
    return 0


@command.command()
@AS_JSON
@click.pass_obj
def key(wiring: Wiring, as_json: bool) -> int:
    """Print the public keys that sign this ledger now: what others need to check it.

    \b
    Example:
      assent ledger key
    """
    from assent.services.ledger.seal import newest_keys

    keys = newest_keys(wiring.store)
    if as_json:
        echo_json({"origin": keys.origin, "from_size": keys.size, "keys": [key.vkey for key in keys.verifiers]})
        return 0
    for verifier in keys.verifiers:
        click.echo(verifier.vkey)
    return 0


@command.command()
@click.argument("choice_id")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the proof into this file.")
@AS_JSON
@click.pass_obj
def prove(wiring: Wiring, choice_id: str, out: Path | None, as_json: bool) -> int:
    """Print the C2SP tlog-proof of one choice; with --json also its record and salt, which the proof is about.

    Exit status: 0 here it is, 2 its salt was erased, 3 no such choice, 4 it waits for its checkpoint.

    \b
    Examples:
      assent ledger prove 4be0643f1d98573b97caca98a65347dd --out my.tlog-proof
    """
    from assent.services.ledger.prove import prove as prove_choice

    found = prove_choice(wiring.store, wiring.log, choice_id)
    if out is not None:
        out.write_text(found.proof, encoding="utf-8")
    if as_json:
        record = {"choice": found.choice.id, "number": found.number, "record": found.record.decode()}
        echo_json({**record, "salt": found.salt.hex(), "proof": found.proof})
    elif out is None:
        click.echo(found.proof, nl=False)
    else:
        click.echo(f"leaf {found.number} is proven in {out}")
    return 0
