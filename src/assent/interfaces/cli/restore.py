"""`assent restore`: bring a home back from a backup."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import FOLDER

if TYPE_CHECKING:
    from assent.services.backup.restore import Restored
    from assent.store.port import TileStore
    from assent.wiring import Wiring

_UNKNOWN = "; {:,} of them were published after the backup, and nobody knows the choices they stand for"
_DOUBTED = (
    "{:,} permissions ended as of the backup, for any of them may have been withdrawn since: ask these people again"
)
_NOT_LOOKED = "no published ledger was looked at: nobody can say how many choices were made since and are lost"


@click.command()
@click.argument("folder", type=FOLDER)
@click.argument("home", type=click.Path(path_type=Path, file_okay=False))
@click.option("--keys", "keys_folder", required=True, type=FOLDER, help="Folder of the backup's keys.")
@click.option("--journal", type=FOLDER, help="Folder `journal` of the home that was lost.")
@click.option("--backup", "named", default="", help="Name of the backup, or how it begins. Default: the newest.")
@click.option("--database", metavar="PATH|URL", help="Another database than the lost home's, of either kind.")
@click.option(
    "--ledger", metavar="PLACE", help="Where the ledger is published, if not where its settings say; or `none`."
)
@click.option("--journal-lost", is_flag=True, help="Go on without the journal; needs --by and --reason.")
@click.option("--by", help="Who answers for going on without the journal.")
@click.option("--reason", help="Why there is no journal.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    wiring: Wiring,
    *,
    folder: Path,
    home: Path,
    keys_folder: Path,
    journal: Path | None,
    named: str,
    database: str | None,
    ledger: str | None,
    journal_lost: bool,
    by: str | None,
    reason: str | None,
    as_json: bool,
) -> int:
    """Make HOME from the backup in FOLDER, and do again what was erased and held since it was taken.

    Rows and segments come first, then the journal is replayed, and the keys come last: what was
    erased after the backup never opens again. Until then HOME refuses to write. Stopping is safe:
    run the same command again. The ledger goes on where it was published; where choices were
    published that the backup does not have, every permission ends until its person chooses again.

    Exit status: 0 done, 2 refused, 3 no such backup, 4 the journal is missing and HOME stays closed.

    \b
    Examples:
      assent restore /backups/assent new-home --keys /keys/assent --journal old-home/journal
      assent restore /backups/assent new-home --keys /keys/assent --journal old-home/journal \\
          --database postgresql://assent@db.example/assent
      assent restore /backups/assent new-home --keys /keys/assent \\
          --journal-lost --by "head of operations" --reason "the disk burned with the house"
    """
    from assent.services.backup.home import begin, end
    from assent.services.backup.opened import open_backup
    from assent.services.backup.restore import Lost, restore

    if journal_lost and (journal or not (by and reason)):
        raise click.UsageError("--journal-lost needs --by and --reason, and no --journal")
    opened = open_backup(folder.absolute(), keys_folder.absolute(), named, now=wiring.now())
    begin(opened, home.absolute(), database=database)
    there = wiring.at_home(home.absolute())
    there.create_store()
    try:
        done = restore(
            opened,
            there.restore_target,
            journal=journal.absolute() if journal else None,
            lost=Lost(by or "", reason or "") if journal_lost else None,
            ledger=_published(there, ledger),
            now=wiring.now(),
            on_step=lambda step: click.echo(f"restoring {step}", err=True),
        )
    finally:
        there.store.close()
    end(home.absolute())
    if as_json:
        echo_json({**asdict(done), "taken_at": format_instant(done.taken_at)})
    else:
        _show(done, home)
    return 0


def _published(there: Wiring, named: str | None) -> TileStore | None:
    if named == "none" or not (named or there.settings.ledger_target):
        return None
    return there.tile_store(named or "")


def _show(done: Restored, home: Path) -> None:
    click.echo(f"{home} is back as of {format_instant(done.taken_at)}: {done.rows:,} rows, {done.segments:,} segments")
    click.echo(
        f"from the journal: {done.erasures:,} erasures ({done.parts:,} parts erased anew), {done.holds:,} acts on holds"
    )
    click.echo(f"{done.keys:,} keys are back, {done.left:,} were left out; epoch {done.epoch} is in force")
    click.echo(f"the ledger has {done.leaves:,} leaves" + (_UNKNOWN.format(done.unknown) if done.unknown else ""))
    if done.unknown:
        click.echo(_DOUBTED.format(done.doubted))
    elif done.unknown is None:
        click.echo(_NOT_LOOKED)
    click.echo(f"next: cd {home} && assent sweep --daemon, and assent reconcile")
