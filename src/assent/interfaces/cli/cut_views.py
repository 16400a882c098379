"""`assent cut show|diff|retire`: how things stand with cuts, what two numbers differ in, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line

if TYPE_CHECKING:
    from assent.services.cut.freshness import Freshness
    from assent.store.records import Cut
    from assent.wiring import Wiring

SHOWN = 20


@click.command()
@click.argument("name", required=False)
@click.argument("number", required=False, type=int)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(wiring: Wiring, /, *, name: str | None, number: int | None, as_json: bool) -> int:
    """List cuts, or say of one whether everything in it may still be used, decided anew at this instant.

    Without NUMBER it is the newest. A withdrawal, a hold, a flag or a new policy counts from the
    moment at which it is acknowledged.

    Exit status: 0 listed, or every row may be used; 2 some may not, or it is retired; 3 no such cut.

    \b
    Examples:
      assent cut show
      assent cut show spring
      assent cut show spring 1 --json
    """
    if name is None:
        return _list(wiring, as_json=as_json)
    from assent.policy.versions import by_date
    from assent.services.cut.differing import find_cut
    from assent.services.cut.freshness import freshness

    cut = find_cut(wiring.store, name, number)
    if cut.retired_at is not None:
        if as_json:
            echo_json(_record(cut))
        else:
            echo_line(f"cut {cut.name} number {cut.number} was retired at {format_instant(cut.retired_at)}")
        return 2
    found = freshness(wiring.store, wiring.columns, by_date(wiring.policies), cut, wiring.now())
    if as_json:
        echo_json({**_record(cut), **_freshness(found)})
    else:
        _say(cut, found)
    return 0 if found.fresh else 2


@click.command()
@click.argument("name")
@click.argument("one", type=int)
@click.argument("other", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def diff(wiring: Wiring, /, *, name: str, one: int, other: int, as_json: bool) -> int:
    """Say who joined and who left between two numbers of a cut.

    Exit status: 0 the same parts; 2 they differ; 3 no such cut.

    \b
    Examples:
      assent cut diff spring 1 2
      assent cut diff spring 1 2 --json
    """
    from assent.services.cut.differing import compare

    found = compare(wiring.store, name, one, other)
    counts = {"joined": found.joined, "left": found.left, "same": found.same}
    if as_json:
        echo_json({**counts, "conversations": {side: sorted(names) for side, names in found.conversations.items()}})
    else:
        echo_line(f"from {name} {one} to {name} {other}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
        for side, names in found.conversations.items():
            for conversation in sorted(names)[:SHOWN]:
                echo_line(f"  {side}: {conversation}")
            if len(names) > SHOWN:
                echo_line(f"  {side}: and {len(names) - SHOWN:,} more, see --json")
    return 2 if found.joined or found.left else 0


@click.command()
@click.argument("name")
@click.argument("number", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def retire(wiring: Wiring, /, *, name: str, number: int, yes: bool, as_json: bool) -> int:
    """Take the files of a cut away, and say so in the ledger. Who was in it stays known.

    With the last cut of a name its key and workings go too, so that nobody can tell any more whose
    a pseudonym was. Copies made elsewhere, and runs that have read it, are not reached.

    Exit status: 0 retired; 2 nobody agreed; 3 no such cut; 1 broken.

    \b
    Examples:
      assent cut retire spring 1
      assent cut retire spring 1 --yes --json
    """
    from assent.services.cut.differing import find_cut
    from assent.services.cut.retire import retire as end
    from assent.services.ledger.seal import seal

    cut = find_cut(wiring.store, name, number)
    if not yes and not (wiring.interactive() and click.confirm(f"remove {cut.directory} and everything in it?")):
        raise Refused(f"nobody agreed to remove cut `{name}` number `{number}`", "answer yes, or say --yes")
    now = wiring.now()
    done = end(wiring.store, cut, wiring.settings.home / "cuts", salt=wiring.new_key(), now=now)
    seal(wiring.store, wiring.log, now=now)
    (*_, leaf) = wiring.store.cut_leaves(name, number)
    if as_json:
        echo_json({"files": done.files, "key_destroyed": done.key_destroyed, "leaf": leaf.leaf, "record": leaf.record})
    else:
        echo_line(f"cut {name} number {number}: {done.files:,} files removed")
        if done.key_destroyed:
            click.echo("the key of its pseudonyms is destroyed")
        echo_line(f"leaf {leaf.leaf} of the ledger says so")
    return 0


def _list(wiring: Wiring, *, as_json: bool) -> int:
    from assent.settings import MAX_PAGE_ROWS
    from assent.store.records import Page

    cuts: list[Cut] = []
    page: Page | None = Page(limit=MAX_PAGE_ROWS)
    while page is not None:
        listing = wiring.store.cuts(page)
        cuts += listing.items
        page = Page(limit=MAX_PAGE_ROWS, after=listing.after) if listing.after else None
    if as_json:
        echo_json({"cuts": [_record(cut) for cut in cuts]})
        return 0
    for cut in cuts:
        state = "retired" if cut.retired_at is not None else cut.directory
        at = format_instant(cut.decided_at) if cut.decided_at else ""
        echo_line(f"{cut.name:20} {cut.number:>4}  {cut.purpose or '':10} {at:22} {state}")
    if not cuts:
        click.echo("no cut was taken yet: assent cut create NAME --purpose PURPOSE --out DIR")
    return 0


def _say(cut: Cut, found: Freshness) -> None:
    at = format_instant(cut.decided_at) if cut.decided_at else "an unknown instant"
    echo_line(f"cut {cut.name} number {cut.number} for {cut.purpose}, as things stood at {at}")
    echo_line(f"  rows:              {found.rows:>10,}")
    if found.erased:
        echo_line(f"  erased since:      {found.erased:>10,}  they left its files")
    for reason, rows in found.stale.items():
        echo_line(f"  may not be used:   {rows:>10,}  {reason}")
    if found.fresh:
        click.echo("every row that is left may be used")
    else:
        echo_line(f"stale: refresh it before a run starts (assent cut refresh {cut.name} --out DIR)")
    echo_line(f"manifest: {cut.manifest}")


def _record(cut: Cut) -> dict[str, Any]:
    return {
        "name": cut.name,
        "number": cut.number,
        "purpose": cut.purpose,
        "at": None if cut.decided_at is None else format_instant(cut.decided_at),
        "created_at": format_instant(cut.created_at),
        "directory": cut.directory,
        "manifest": cut.manifest,
        "retired_at": None if cut.retired_at is None else format_instant(cut.retired_at),
    }


def _freshness(found: Freshness) -> dict[str, Any]:
    return {
        "checked_at": format_instant(found.at),
        "rows": found.rows,
        "erased": found.erased,
        "stale": dict(found.stale),
        "fresh": found.fresh,
    }
