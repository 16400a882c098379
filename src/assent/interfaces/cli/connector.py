"""`assent connector`: look at connected systems, erase in them, bring in, watch."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.connectors.port import Copy, state_of
from assent.domain.errors import AssentError, Incomplete, Refused
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import INSTANT, LENGTH
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.connectors.port import Product
    from assent.services.connect.erase import Held, Outcome
    from assent.wiring import Wiring

_IDS = click.option(
    "--ids",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with one id a line, the system's own or that of this home; `-` reads standard input.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


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
            click.echo(f"{name:<20} {kind or problem:<16} {left:>6,} not removed")
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
    for key, value in {**record, **record.pop("settings")}.items():
        if value not in ((), [], {}):
            click.echo(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
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
        _tell(one, state_of(found.get(one, ())) if found.get(one) else "nowhere", found.get(one, ()), as_json=as_json)
    return 0


@command.command()
@click.argument("name")
@_IDS
@click.option("--maintenance", is_flag=True, help="Also what needs the system stopped; without --ids all that is owed.")
@click.option("--dry-run", is_flag=True, help="Only show which copies there are.")
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
        return _settle(wiring, name, as_json=as_json)
    product, ids = _asked(wiring, name, _lines(file))
    if dry_run or not yes:
        found = product.copies(ids)
        held = _held(wiring, name)(ids)
        _plan(ids, found, held, as_json=as_json and dry_run, beside=not dry_run)
        if dry_run:
            return 0
        if not (wiring.interactive() and click.confirm(f"erase {len(ids) - len(held):,} conversations in {name}?")):
            raise Refused(f"nobody agreed to erase in `{name}`", "answer yes, or say --yes")
    with progress(f"erasing in {name}", len(ids)) as advance:
        outcomes = []
        for one in erased(product, ids, _held(wiring, name), maintenance=maintenance, on_ids=advance):
            outcomes.append(one)
            _tell_outcome(one, as_json=as_json)
    _sum_up(name, outcomes, as_json=as_json)
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
        _tell_outcome(one, as_json=as_json)
    _sum_up(name, outcomes, as_json=as_json)
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
    declined, unread = narrow(
        product, getattr(connector.settings, "owner", None), wiring.store, wiring.log, now=wiring.now()
    )
    if as_json:
        names = ("imported", "skipped", "malformed", "parts")
        record = {key: getattr(summary, key) for key in names} | {"conversations": dict(summary.conversations)}
        problems = [problem for _, problem, _ in summary.problems()] + unread
        echo_json({"name": name, **record, "projects_declined": declined, "problems": problems})
    else:
        found = ", ".join(f"{count:,} {status}" for status, count in summary.conversations.most_common()) or "none"
        click.echo(f"conversations: {found}; {summary.parts:,} parts added")
        for place, problem, _ in summary.problems()[:20]:
            click.echo(f"  {place}: {problem}", err=True)
        if declined:
            click.echo(f"training declined for {declined:,} projects whose own file denies it")
        for problem in unread:
            click.echo(f"  {problem}", err=True)
    return 4 if summary.malformed or unread else 0


@command.command()
@click.argument("name")
@click.option("--every", type=LENGTH, help="Look again and again, this long apart, until it is stopped.")
@_JSON
@click.pass_obj
def watch(wiring: Wiring, name: str, every: timedelta | None, as_json: bool) -> int:
    """Take what happened in NAME since the last time: new turns come in, what was deleted there counts as deleted.

    Exit status: 0, 1 the system does not answer, 3 no such connector, 4 some conversations could not be read.

    \b
    Examples:
      assent connector watch laptop
      assent connector watch laptop --every PT1M
    """
    from assent.services.connect.watch import watch as look

    product, connectors = wiring.connectors.open(name), wiring.connectors
    while True:
        cursor = connectors.cursor(name)
        found = look(product, wiring.store, cursor, lambda one: connectors.keep_cursor(name, one), now=wiring.now())
        if as_json:
            echo_json({"changes": found.changes, "conversations": dict(found.conversations), "deleted": found.deleted,
                       "deleted_and_not_kept_here": found.unknown, "malformed": found.malformed})  # fmt: skip
        else:
            taken = ", ".join(f"{count:,} {status}" for status, count in found.conversations.most_common()) or "none"
            click.echo(f"{found.changes:,} changes; conversations: {taken}; {found.deleted:,} deleted by their people")
        if every is None:
            return 4 if found.malformed else 0
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
    click.echo(f"{name} is not asked from now on")
    if owed:
        click.echo(f"{owed:,} erasures have not been finished there: `assent derived ack ERASURE --store {name}`")
    return 0


# -- asking and telling -----------------------------------------------------------------


def _asked(wiring: Wiring, name: str, lines: Sequence[str]) -> tuple[Product, list[str]]:
    from assent.services.connect.ids import formats_of, own_ids

    connector = wiring.connectors.read(name)
    product = wiring.connectors.connect(connector)
    return product, own_ids(formats_of(connector, product), lines)


def _lines(file: Path) -> list[str]:
    if str(file) == "-":
        return sys.stdin.read().splitlines()
    return file.read_text("utf-8").splitlines()


def _held(wiring: Wiring, name: str) -> Held:
    """Look holds up by the ids that conversations of this system have in the home."""
    from assent.services.connect.held import held
    from assent.services.connect.ids import formats_of

    connector = wiring.connectors.read(name)
    formats = formats_of(connector, wiring.connectors.connect(connector))

    def now(ids: Sequence[str]) -> Mapping[str, str]:
        named = {f"{one}:{own}": own for own in ids for one in formats}
        if len(formats) > 1:  # one that the home knows under any of its names is known
            known = wiring.store.facts_of_several(list(named))
            found = {named[name] for name in known}
            named = {name: own for name, own in named.items() if name in known or own not in found}
        refused = held(wiring.store, dict.fromkeys(named), now=wiring.now())
        return {named[name]: why for name, why in refused.items()}

    return now


def _plan(
    ids: Sequence[str], found: Mapping[str, Sequence[Copy]], held: Mapping[str, str], *, as_json: bool, beside: bool
) -> None:
    kinds = Counter(copy.kind for one in ids for copy in found.get(one, ()))
    nowhere = sum(not found.get(one) for one in ids)
    if as_json:
        echo_json({"conversations": len(ids), "copies": dict(sorted(kinds.items())), "nowhere": nowhere,
                   "held": dict(held)})  # fmt: skip
        return
    # beside the answer, so that what is piped on is the answer alone
    click.echo(f"{len(ids):,} conversations, of which {nowhere:,} are nowhere and {len(held):,} must stay", err=beside)
    for kind, count in sorted(kinds.items()):
        click.echo(f"  {kind:<24} {count:>8,}", err=beside)
    for one, why in held.items():
        click.echo(f"  {one}: {why}", err=beside)


def _tell_outcome(outcome: Outcome, *, as_json: bool) -> None:
    _tell(outcome.id, outcome.state, outcome.copies, note=outcome.note, as_json=as_json)


def _tell(name: str, state: str, copies: Sequence[Copy], *, as_json: bool, note: str = "") -> None:
    if as_json:
        listed = [{"kind": one.kind, "place": one.place, "state": one.state, "note": one.note} for one in copies]
        echo_json({"id": name, "state": state, "copies": listed, "note": note})
        return
    click.echo(f"{name}: {state}{f': {note}' if note else ''}")
    for (kind, place, there, said), count in Counter((c.kind, c.place, c.state, c.note) for c in copies).items():
        times = f" ({count:,})" if count > 1 else ""
        click.echo(f"  {kind}, {place}{times}: {there}{f'; {said}' if said and there != 'removed' else ''}")


def _sum_up(name: str, outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print the sum, and raise what the exit status says. Both can be true: what is held is said first."""
    states = Counter(one.state for one in outcomes)
    if not as_json:
        click.echo(", ".join(f"{count:,} {state}" for state, count in states.most_common()) or "nothing was asked for")
    left = len(outcomes) - states["removed"] - states["held"]
    if states["held"]:
        held = [one.id for one in outcomes if one.state == "held"]
        more = f" and {len(held) - 5:,} more" if len(held) > 5 else ""
        raise Refused(f"held: {', '.join(f'`{one}`' for one in held[:5])}{more}", "see `assent hold list`")
    if left:
        fix = f"`assent connector erase {name} --maintenance` when it is stopped, or the same again when it answers"
        raise Incomplete(f"of {left:,} conversations something is left in `{name}`", fix)


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
        click.echo(f"erasures: {told or 'nothing is owed'}")
    if states.keys() - {"removed"}:
        raise Incomplete(
            f"something is left in `{name}`", "`assent derived list`, and the proof of each erasure, say what"
        )
    return 0
