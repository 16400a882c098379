"""`assent backup`: copies of a home, and the end of their keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Incomplete
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import FOLDER

if TYPE_CHECKING:
    from datetime import datetime

    from assent.services.backup.prune import Shelf
    from assent.wiring import Wiring


class _Backup(click.Group):
    """A group whose first word may be the folder itself."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["take", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Backup)
def command() -> None:
    """Copy this home, so that it can come back; the copies of its keys end after `key_backup_days`.

    `assent backup DIR --keys DIR2` is short for `assent backup take`.

    \b
    Examples:
      assent backup /backups/assent --keys /keys/assent
      assent backup list
      assent backup prune
      assent backup check /backups/assent --keys /keys/assent
    """


@command.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--keys", "keys_folder", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder for the keys, on another disk or machine: without it nobody opens the backup.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def take(wiring: Wiring, folder: Path, keys_folder: Path, as_json: bool) -> int:
    """Copy database, segments, settings and journal into FOLDER, and what opens them into the folder of the keys.

    Everything in FOLDER is sealed. Segments that are there from an earlier backup are not copied
    again. Others may use the home meanwhile.

    \b
    Example:
      assent backup take /backups/assent --keys /keys/assent
    """
    from assent.services.backup.prune import horizon, look, prune
    from assent.services.backup.take import take_backup

    now = wiring.now()
    home = wiring.backup_home
    prune(home.store, home.journal, now=now, key_backup=home.key_backup)
    taken = take_backup(
        home,
        folder.absolute(),
        keys_folder.absolute(),
        name=f"{now:%Y%m%dT%H%M%SZ}-{wiring.new_id()[:6]}",
        new_key=wiring.new_key,
        now=now,
        on_step=lambda step: click.echo(f"copying {step}", err=True),
    )
    made = taken.backup
    reaches = horizon(look(wiring.store, now=now), now=now)
    if as_json:
        echo_json({**_record(made.id, made.taken_at, made.keys_expire_at), "rows": taken.rows,
                   "segments": taken.segments, "copied": taken.copied, "keys": made.slots,
                   "gone_from_backups": format_instant(reaches)})  # fmt: skip
        return 0
    click.echo(f"backup {made.id}: {taken.rows:,} rows, {taken.segments:,} segments ({taken.copied:,} of them new)")
    click.echo(f"its {made.slots:,} keys end {format_instant(made.keys_expire_at)}: run `assent backup prune` daily")
    return 0


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(wiring: Wiring, as_json: bool) -> int:
    """Look into the folders of every backup, and compute when what is erased today is gone from all of them.

    Exit status: 0 all end on time, 4 keys are there past their end, or their folder cannot be reached.

    \b
    Examples:
      assent backup list
      assent backup list --json
    """
    from assent.services.backup.prune import horizon, look

    now = wiring.now()
    shelves = look(wiring.store, now=now)
    live = [shelf for shelf in shelves if shelf.reaches]
    reaches = horizon(shelves, now=now)
    if as_json:
        echo_json({
            "backups": [{**_record(one.backup.id, one.backup.taken_at, one.backup.keys_expire_at), "state": one.state}
                        for one in shelves],
            "oldest": live[0].backup.id if live else None,
            "gone_from_backups": format_instant(reaches),
        })  # fmt: skip
    else:
        for one in shelves:
            ends = format_instant(one.backup.keys_expire_at)
            click.echo(f"{one.backup.id}  keys {one.state:13} end {ends}")
        if live:
            oldest = live[0].backup
            click.echo(
                f"the oldest backup of keys is of {format_instant(oldest.taken_at)} and ends"
                f" {format_instant(oldest.keys_expire_at)}"
            )
            click.echo(f"a key that is destroyed now is gone from every backup by {format_instant(reaches)}")
        else:
            click.echo("no backup holds keys")
    _require_ended(shelves)
    return 0


def _require_ended(shelves: list[Shelf]) -> None:
    late = [one.backup.id for one in shelves if one.state == "expired"]
    far = [one.backup.id for one in shelves if one.state == "not reachable"]
    if late:
        fix = "run `assent backup prune`, and run it daily"
        raise Incomplete(f"{len(late)} backups of keys are there past their end, as `{late[0]}`", fix)
    if far:
        fix = "mount it and run `assent backup prune`: until then nobody can say that these keys are gone"
        raise Incomplete(f"the folder of {len(far)} backups of keys is not reachable, as of `{far[0]}`", fix)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def prune(wiring: Wiring, as_json: bool) -> int:
    """Destroy the backups of keys whose time is over, and remove what only they opened. To be run daily.

    Exit status: 0 done, 4 the folder of a backup cannot be reached.

    \b
    Example:
      assent backup prune
    """
    from assent.services.backup.prune import look
    from assent.services.backup.prune import prune as prune_backups

    now = wiring.now()
    home = wiring.backup_home
    pruned = prune_backups(home.store, home.journal, now=now, key_backup=home.key_backup)
    if as_json:
        echo_json({"destroyed": list(pruned.keys), "segments": pruned.segments})
    else:
        click.echo(f"{len(pruned.keys)} backups of keys destroyed, {pruned.segments:,} segments removed with them")
    _require_ended([one for one in look(wiring.store, now=now) if one.state != "there"])
    return 0


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--keys", "keys_folder", required=True, type=FOLDER, help="Folder of its keys.")
@click.option("--backup", "named", default="", help="Name of the backup, or how it begins. Default: the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def check(wiring: Wiring, folder: Path, keys_folder: Path, named: str, as_json: bool) -> int:
    """Read a backup as a restore would, to its last byte, and write nothing.

    Exit status: 0 it can be restored, 2 it is damaged or expired, 3 there is none.

    \b
    Example:
      assent backup check /backups/assent --keys /keys/assent
    """
    from assent.services.backup.opened import check as check_all
    from assent.services.backup.opened import open_backup

    opened = open_backup(folder.absolute(), keys_folder.absolute(), named, now=wiring.now())
    rows = check_all(opened)
    found = opened.manifest
    if as_json:
        echo_json({**_record(found.id, found.taken_at, opened.keys.expires_at), "rows": rows,
                   "segments": len(found.segments), "keys": opened.keys.slots.rows})  # fmt: skip
    else:
        click.echo(f"backup {found.id} is whole: {rows:,} rows, {len(found.segments):,} segments")
    return 0


def _record(name: str, taken_at: datetime, ends: datetime) -> dict[str, object]:
    return {"backup": name, "taken_at": format_instant(taken_at), "keys_end": format_instant(ends)}
