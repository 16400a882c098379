"""`assent connector`: look at connected systems, erase in them, bring in, watch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.connectors.port import state_of
from assent.domain.errors import AssentError, Incomplete, Refused
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.connector_views import narrowed, sum_up, tell, tell_narrowed, tell_outcome, tell_plan
from assent.interfaces.cli.options import INSTANT, LENGTH
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.connectors.port import Product
    from assent.services.connect.erase import Held
    from assent.services.connect.files import Connector
    from assent.wiring import Wiring

_IDS = click.option(
    "--ids",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with one id a line, the system's own or that of this home; `-` reads standard input.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
_OWED = 1_000
"""Erasures that are listed."""


@click.group()
def command() -> None:
    """Look at connected systems, erase in them, bring conversations in, and watch what happens there.

    An answer of a system proves nothing: what counts is what a later look at its data finds, for every copy.

    \b
    Examples:
      assent connector list
      assent connector erase laptop --ids due.txt --dry-run
      assent connector import laptop
    """


@command.command("list")
@_JSON
@click.pass_obj
def list_(wiring: Wiring, as_json: bool) -> int:
    """List what is connected, and for how many erasures it has not removed its copies yet.

    Exit status: 0.

    \b
    Example:
      assent connector list --json
    """
    owed = wiring.store.open_obligations()
    for name in wiring.connectors.names():
        left = owed.get(name, 0)
        try:
            kind, problem = wiring.connectors.read(name).shared.kind, ""
        except AssentError as broken:
            kind, problem = "", str(broken)
        if as_json:
            echo_json({"name": name, "kind": kind or None, "not_removed": left, "problem": problem or None})
        else:
            echo_line(f"{name:<20} {kind or problem:<16} {left:>6,} not removed")
    return 0


@command.command()
@click.argument("name")
@_JSON
@click.pass_obj
def show(wiring: Wiring, name: str, as_json: bool) -> int:
    """Say how NAME is connected, what it reaches, and what it owes.

    Exit status: 0, 1 its file is broken, 3 no such connector.

    \b
    Example:
      assent connector show laptop
    """
    connector = wiring.connectors.read(name)
    product = wiring.connectors.connect(connector)
    left = wiring.store.open_obligations().get(name, 0)
    record = {**connector.to_record(), "format": product.format, "reach": product.reach, "not_removed": left}
    if as_json:
        echo_json(record)
        return 0
    keys = record.pop("settings")
    for key, value in {**record, **{key: value for key, value in keys.items() if key not in record}}.items():
        if value not in ((), [], {}, ""):
            echo_line(f"{key}: {_said(value)}")
    return 0


@command.command()
@click.argument("name")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_JSON
@click.pass_obj
def copies(wiring: Wiring, name: str, ids: tuple[str, ...], as_json: bool) -> int:
    """Find every copy of conversations in NAME; changes nothing.

    Exit status: 0, 1 the system does not answer, 3 no such connector.

    \b
    Example:
      assent connector copies laptop 0a1b2c3d
    """
    product, wanted = _asked(wiring, name, ids)
    found = product.copies(wanted)
    for one in wanted:
        tell(one, state_of(found.get(one, ())) if found.get(one) else "nowhere", found.get(one, ()), as_json=as_json)
    return 0


@command.command()
@click.argument("name")
@_IDS
@click.option("--maintenance", is_flag=True, help="Also what needs the system stopped; without --ids all that is owed.")
@click.option("--dry-run", is_flag=True, help="Only show which copies there are, or what is owed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@click.pass_obj
def erase(
    wiring: Wiring, /, *, name: str, file: Path | None, maintenance: bool, dry_run: bool, yes: bool, as_json: bool
) -> int:
    """Erase conversations in NAME, every copy of each, look again, and say what is left.

    What is gone already is skipped, so that the same can be run again after it was stopped. What a hold covers at that
    moment is refused by its id, and the rest goes on. With --maintenance and without --ids the system is asked again
    for everything that earlier sweeps could not finish there. Conversations that this home keeps stay in it.

    Exit status: 0 every copy was seen to be gone, 2 nobody agreed, a conversation is held, or the system still runs;
    3 no such connector; 4 something is pending maintenance, not reachable or still there.

    \b
    Examples:
      assent connector erase laptop --ids due.txt --dry-run
      assent connector erase laptop --ids due.txt --yes --json
      assent connector erase laptop --maintenance
    """
    from assent.services.connect.erase import erase as erased

    if file is None:
        if not maintenance:
            raise click.UsageError("say --ids FILE, or --maintenance for what earlier sweeps left open")
        return (_tell_owed if dry_run else _settle)(wiring, name, as_json=as_json)
    product, ids = _asked(wiring, name, _lines(file))
    if dry_run or not yes:
        found = product.copies(ids)
        held = _held(wiring, name)(ids)
        tell_plan(ids, found, held, as_json=as_json and dry_run, beside=not dry_run)
        if dry_run:
            return 0
        if not (wiring.interactive() and click.confirm(f"erase {len(ids) - len(held):,} conversations in {name}?")):
            raise Refused(f"nobody agreed to erase in `{name}`", "answer yes, or say --yes")
    with progress(f"erasing in {name}", len(ids)) as advance:
        outcomes = []
        for one in erased(product, ids, _held(wiring, name), maintenance=maintenance, on_ids=advance):
            outcomes.append(one)
            tell_outcome(one, as_json=as_json)
    sum_up(name, outcomes, as_json=as_json)
    return 0


@command.command()
@click.argument("name")
@_IDS
@_JSON
@click.pass_obj
def verify(wiring: Wiring, name: str, file: Path | None, as_json: bool) -> int:
    """Look in NAME for what is left of conversations; changes nothing.

    Exit status: 0 nothing is left, 3 no such connector, 4 something is left or cannot be reached.

    \b
    Example:
      assent connector verify laptop --ids due.txt
    """
    from assent.services.connect.erase import look

    if file is None:
        raise click.UsageError("say --ids FILE")
    product, ids = _asked(wiring, name, _lines(file))
    outcomes = list(look(product, ids))
    for one in outcomes:
        tell_outcome(one, as_json=as_json)
    sum_up(name, outcomes, as_json=as_json)
    return 0


@command.command("import")
@click.argument("name")
@click.option("--since", type=INSTANT, help="Only what has a turn at or after this instant.")
@_JSON
@click.pass_obj
def import_(wiring: Wiring, name: str, since: datetime | None, as_json: bool) -> int:
    """Bring the conversations of NAME in. What is there already is left as it is; what was erased stays erased.

    Plans are those of the table `plans` in the connector file; a plan that is not in it stays unknown.

    Exit status: 0 all read, 1 the system does not answer, 3 no such connector, 4 some entries could not be read.

    \b
    Example:
      assent connector import laptop --since 2026-11-01T00:00:00Z
    """
    from assent.services.connect.narrow import narrow
    from assent.services.connect.take_in import take_in

    connector = wiring.connectors.read(name)
    product = wiring.connectors.connect(connector)
    with progress(f"reading {name}", 0) as advance:
        summary = take_in(
            product, connector.shared.plans, wiring.store,
            now=wiring.now(), batch=wiring.settings.import_batch, since=since, on_read=advance,
        )  # fmt: skip
    asked = narrow(product, _owner(connector), wiring.store, wiring.log, now=wiring.now())
    if as_json:
        names = ("imported", "skipped", "malformed", "parts")
        record = {key: getattr(summary, key) for key in names} | {"conversations": dict(summary.conversations)}
        problems = [problem for _, problem, _ in summary.problems()] + asked.problems
        echo_json({"name": name, **record, **narrowed(asked), "problems": problems})
    else:
        found = ", ".join(f"{count:,} {status}" for status, count in summary.conversations.most_common()) or "none"
        echo_line(f"conversations: {found}; {summary.parts:,} parts added")
        for place, problem, _ in summary.problems()[:20]:
            echo_line(f"  {place}: {problem}", err=True)
        tell_narrowed(asked)
    return 4 if summary.malformed or asked.problems else 0


@command.command()
@click.argument("name")
@click.option("--every", type=LENGTH, help="Look again and again, this long apart, until it is stopped.")
@_JSON
@click.pass_obj
def watch(wiring: Wiring, name: str, every: timedelta | None, as_json: bool) -> int:
    """Take what happened in NAME since the last time: new turns come in, what was deleted there counts as deleted.

    So does what the file of its project (`.assent.toml`) keeps for some days only, when they are over.

    Exit status: 0, 1 the system does not answer, 3 no such connector, 4 some conversations or files could not be read.

    \b
    Examples:
      assent connector watch laptop
      assent connector watch laptop --every PT1M
    """
    from assent.services.connect.narrow import narrow
    from assent.services.connect.watch import watch as look

    connectors = wiring.connectors
    connector = connectors.read(name)
    while True:
        product = connectors.connect(connector)  # anew, which reads the files of projects again
        cursor = connectors.cursor(name)
        found = look(product, wiring.store, cursor, lambda one: connectors.keep_cursor(name, one), now=wiring.now())
        asked = narrow(product, _owner(connector), wiring.store, wiring.log, now=wiring.now())
        if as_json:
            echo_json({"changes": found.changes, "conversations": dict(found.conversations), "deleted": found.deleted,
                       "deleted_and_not_kept_here": found.unknown, "malformed": found.malformed,
                       **narrowed(asked), "problems": asked.problems})  # fmt: skip
        else:
            taken = ", ".join(f"{count:,} {status}" for status, count in found.conversations.most_common()) or "none"
            echo_line(f"{found.changes:,} changes; conversations: {taken}; {found.deleted:,} deleted by their people")
            tell_narrowed(asked)
        if every is None:
            return 4 if found.malformed or asked.problems else 0
        wiring.wait(every)


@command.command()
@click.argument("name")
@click.pass_obj
def remove(wiring: Wiring, name: str) -> int:
    """Disconnect NAME: its file goes, and no erasure asks it any more. Nothing in the system itself changes.

    What it owes stays owed, and is answered with `assent derived ack` from then on.

    Exit status: 0 disconnected, 3 no such connector.

    \b
    Example:
      assent connector remove laptop
    """
    from assent.services.erase.registry import retire

    owed = wiring.store.open_obligations().get(name, 0)
    wiring.connectors.remove(name)
    retire(wiring.store, name, now=wiring.now())
    echo_line(f"{name} is not asked from now on")
    if owed:
        echo_line(f"{owed:,} erasures have not been finished there: `assent derived ack ERASURE --store {name}`")
    return 0


# -- asking and telling -----------------------------------------------------------------


def _said(value: object) -> str:
    """Write a key's value on a line; tables are long, and stand in the connector file."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return f"{len(value)} entries, see its file" if isinstance(value, (list, dict)) else str(value)


def _asked(wiring: Wiring, name: str, lines: Sequence[str]) -> tuple[Product, list[str]]:
    from assent.services.connect.ids import formats_of, own_ids

    connector = wiring.connectors.read(name)
    product = wiring.connectors.connect(connector)
    return product, own_ids(formats_of(connector, product), lines)


def _lines(file: Path) -> list[str]:
    if str(file) == "-":
        return sys.stdin.read().splitlines()
    return file.read_text("utf-8").splitlines()


def _owner(connector: Connector) -> str | None:
    """Return the person whose system it is, where its file names one."""
    return getattr(connector.settings, "owner", None)


def _held(wiring: Wiring, name: str) -> Held:
    """Look holds up by the ids that conversations of this system have in the home."""
    from assent.services.connect.held import held_by_own_ids
    from assent.services.connect.ids import formats_of

    connector = wiring.connectors.read(name)
    formats = formats_of(connector, wiring.connectors.connect(connector))
    return held_by_own_ids(wiring.store, formats, wiring.now)


def _tell_owed(wiring: Wiring, name: str, *, as_json: bool) -> int:
    """Say what a system has not removed yet; it is not asked."""
    from assent.services.connect.standing import owed

    wiring.connectors.read(name)
    found = owed(wiring.store, name, _OWED, now=wiring.now())
    for one in found:
        if as_json:
            echo_json({"erasure": one.erasure, "state": one.state, "note": one.note})
        else:
            echo_line(f"erasure {one.erasure}: {one.state}{f'; {one.note}' if one.note else ''}")
    if not as_json:
        echo_line(f"{len(found):,}{' or more' if len(found) == _OWED else ''} erasures are not finished there")
    return 0


def _settle(wiring: Wiring, name: str, *, as_json: bool) -> int:
    from assent.services.erase.derived.connector import Connected, settle_owed

    wiring.connectors.read(name)
    connected = Connected(name, wiring.store, wiring.connectors.openers()[name])
    with progress(f"erasing in {name}", 0) as advance:
        states = settle_owed(wiring.store, connected, now=wiring.now(), maintenance=True, on_ids=advance)
    if as_json:
        echo_json({"name": name, "erasures": dict(states)})
    else:
        told = ", ".join(f"{count:,} {state}" for state, count in states.most_common())
        echo_line(f"erasures: {told or 'nothing is owed'}")
    if states.keys() - {"removed"}:
        raise Incomplete(
            f"something is left in `{name}`", "`assent derived list`, and the proof of each erasure, say what"
        )
    return 0
