"""What `assent connector` prints: plans of copies, what a look found, and what files of projects had changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assent.domain.errors import Incomplete, Refused
from assent.interfaces.cli.app import echo_json, echo_line

if TYPE_CHECKING:
    from assent.connectors.port import Copy
    from assent.services.connect.erase import Outcome
    from assent.services.connect.narrow import Narrowed


def narrowed(asked: Narrowed) -> dict[str, int]:
    """Write as JSON what the files of projects had changed."""
    return {"projects_declined": asked.declined, "deleted_as_projects_ask": asked.deleted}


def tell_narrowed(asked: Narrowed) -> None:
    """Print what the files of projects had changed, and which cannot be read."""
    if asked.declined:
        echo_line(f"training declined for {asked.declined:,} projects whose own file denies it")
    if asked.deleted:
        echo_line(f"{asked.deleted:,} conversations count as deleted: the file of their project keeps them no longer")
    for problem in asked.problems:
        echo_line(f"  {problem}", err=True)


def tell_plan(
    ids: Sequence[str], found: Mapping[str, Sequence[Copy]], held: Mapping[str, str], *, as_json: bool, beside: bool
) -> None:
    """Print what erasing would reach; `beside` the answer, on standard error."""
    kinds = Counter(copy.kind for one in ids for copy in found.get(one, ()))
    nowhere = sum(not found.get(one) for one in ids)
    if as_json:
        echo_json({"conversations": len(ids), "copies": dict(sorted(kinds.items())), "nowhere": nowhere,
                   "held": dict(held)})  # fmt: skip
        return
    # beside the answer, so that what is piped on is the answer alone
    echo_line(f"{len(ids):,} conversations, of which {nowhere:,} are nowhere and {len(held):,} must stay", err=beside)
    for kind, count in sorted(kinds.items()):
        echo_line(f"  {kind:<24} {count:>8,}", err=beside)
    for one, why in held.items():
        echo_line(f"  {one}: {why}", err=beside)


def tell_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print what became of one conversation."""
    tell(outcome.id, outcome.state, outcome.copies, note=outcome.note, as_json=as_json)


def tell(name: str, state: str, copies: Sequence[Copy], *, as_json: bool, note: str = "") -> None:
    """Print the copies of one conversation, those that are alike together."""
    if as_json:
        listed = [{"kind": one.kind, "place": one.place, "state": one.state, "note": one.note} for one in copies]
        echo_json({"id": name, "state": state, "copies": listed, "note": note})
        return
    echo_line(f"{name}: {state}{f': {note}' if note else ''}")
    for (kind, place, there, said), count in Counter((c.kind, c.place, c.state, c.note) for c in copies).items():
        times = f" ({count:,})" if count > 1 else ""
        echo_line(f"  {kind}, {place}{times}: {there}{f'; {said}' if said and there != 'removed' else ''}")


def sum_up(name: str, outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print the sum, and raise what the exit status says. Both can be true: what is held is said first."""
    states = Counter(one.state for one in outcomes)
    if not as_json:
        echo_line(", ".join(f"{count:,} {state}" for state, count in states.most_common()) or "nothing was asked for")
    left = len(outcomes) - states["removed"] - states["held"]
    if states["held"]:
        held = [one.id for one in outcomes if one.state == "held"]
        more = f" and {len(held) - 5:,} more" if len(held) > 5 else ""
        raise Refused(f"held: {', '.join(f'`{one}`' for one in held[:5])}{more}", "see `assent hold list`")
    if left:
        fix = f"`assent connector erase {name} --maintenance` when it is stopped, or the same again when it answers"
        raise Incomplete(f"of {left:,} conversations something is left in `{name}`", fix)
