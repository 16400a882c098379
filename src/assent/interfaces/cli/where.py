"""`assent where`: in which cuts a conversation or a person is, and which runs used them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Incomplete
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import NAME
from assent.interfaces.cli.private import write_for_owner
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from assent.ledger.membership import MemberProof
    from assent.services.member.where import Asked
    from assent.services.run.reach import Reached
    from assent.store.records import Cut
    from assent.wiring import Wiring


@click.command()
@click.argument("conversation", required=False)
@click.option("--subject", type=NAME, help="The person, by the id that the chat product knows.")
@click.option(
    "--proof",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a proof for every cut, of being in it or not, into DIR.",
)
@click.option("--cut", "named", metavar="NAME", help="Look at the cuts of this name, and runs on them, only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a cut or run.")
@click.pass_obj
def command(
    wiring: Wiring,
    *,
    conversation: str | None,
    subject: str | None,
    folder: Path | None,
    named: str | None,
    as_json: bool,
) -> int:
    """List the cuts that hold parts of a conversation, or of a person, and the training runs that used them.

    The store remembers both without any content. A run that had started is not undone by a withdrawal; the list says
    what has become of the model that it made, and which models went on from that one.

    With --proof, each cut of this home gets a file that the person can check alone (`assent verify membership`): that
    they are in it, or are not. It holds a key of theirs for that cut, so give it to them and to nobody else.

    Exit status: 0 in at least one cut, 2 in none, 4 a proof could not be made.

    \b
    Examples:
      assent where claude-ai:5f0c2b1e
      assent where --subject ann --json
      assent where claude-ai:5f0c2b1e --proof proofs --cut spring
    """
    from assent.services.member.where import Asked, cuts_of

    asked = Asked(conversation, subject)
    found = [cut for cut in cuts_of(wiring.store, asked) if named in (None, cut.name)]
    for cut in found:
        if as_json:
            echo_json(_record(cut))
        else:
            state = f"  retired {format_instant(cut.retired_at)}" if cut.retired_at else ""
            echo_line(f"{cut.name} {cut.number}  cut {format_instant(cut.created_at)}{state}  {cut.manifest}")
    if not found and not as_json:
        click.echo("in no cut")
    for one in _runs(wiring, asked):
        if named not in (None, one.run.cut):
            continue
        if as_json:
            echo_json(one.to_record())
        else:
            echo_line(f"run {one.run.id}  {_told(one)}")
    if folder is not None:
        _prove(wiring, asked, folder, named)
    return 0 if found else 2


def _record(cut: Cut) -> dict[str, object]:
    return {
        "name": cut.name,
        "number": cut.number,
        "manifest": cut.manifest,
        "purpose": cut.purpose,
        "created_at": format_instant(cut.created_at),
        "retired_at": cut.retired_at and format_instant(cut.retired_at),
    }


def _runs(wiring: Wiring, asked: Asked) -> list[Reached]:
    from assent.services.run.reach import reached

    if asked.conversation is not None:
        return reached(wiring.store, conversations=[asked.conversation])
    return reached(wiring.store, subjects=[asked.subject or ""])


def _told(one: Reached) -> str:
    models = {
        "none": "no model came of it",
        "stands": "its model stands",
        "replaced": f"its model is replaced by that of run {one.replaced_by}",
        "destroyed": "its model is destroyed",
    }
    went_on = f", on top of the model of run {one.after}" if one.after else ""
    return f"started {format_instant(one.started_at)}{went_on}, {one.run.state}; {models[one.model]}"


def _prove(wiring: Wiring, asked: Asked, folder: Path, named: str | None) -> None:
    """Write a proof for every cut whose key is here. Raises `Incomplete` naming the first without one."""
    from assent.services.member.where import every_cut, prove, whose

    subject = whose(wiring.store, asked)
    cuts = [cut for cut in every_cut(wiring.store) if named in (None, cut.name)]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lacking = []
    with progress("proving", len(cuts)) as advance:
        for cut in cuts:
            key = wiring.settings.home / "cuts" / cut.name / "key"
            proof = prove(wiring.store, cut, key.read_bytes(), subject, asked.conversation) if key.is_file() else None
            if proof is None or not _agrees(cut, proof):
                lacking.append(cut)
            else:
                with write_for_owner(folder / f"{cut.name}-{cut.number}.membership.json") as file:
                    file.write(proof.encode())
            advance(1)
    if lacking:
        first = f"`{lacking[0].name}` number `{lacking[0].number}`"
        raise Incomplete(
            f"nothing can be proven about {len(lacking):,} cuts, {first} among them: their key is not here any "
            "more, or their manifest names no members, or those of another key",
            "who was in a cut can be listed without its key, and not be proven",
        )


def _agrees(cut: Cut, proof: MemberProof) -> bool:
    """Tell whether the cut's manifest, where it still lies there, names the tree: its key may have been another."""
    from assent.domain.errors import Refused
    from assent.ledger.membership import check_manifest

    manifest = Path(cut.directory) / "manifest.json"
    if not manifest.is_file():
        return True
    try:
        check_manifest(proof, manifest.read_bytes())
    except Refused:
        return False
    return True
