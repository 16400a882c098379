"""Acts of many people at once: one reading of the store and one append to the ledger serve them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from assent.domain.errors import AssentError, Refused
from assent.services.choose.choose import Outcome, begin, finish, written_first
from assent.store.records import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.choose.choose import Answer, Begun, ChooseStore
    from assent.services.choose.desk import Desk
    from assent.services.choose.snapshot import Quoted
    from assent.services.ledger.append import Appended

EnterAll = Callable[[Sequence[Choice]], "list[Appended]"]
"""Appends choices to the ledger, all of them or none."""


class Asked(NamedTuple):
    """An act that somebody asks to be taken, with what it quotes (`quote`), and when they asked."""

    answer: Answer
    quoted: Quoted
    at: datetime


def choose_several(
    store: ChooseStore, desk: Desk, asked: Sequence[Asked], *, enter: EnterAll, policies: Sequence[Policy]
) -> list[Outcome | Exception]:
    """Take acts as `choose` does; each gets what became of it, or what speaks against it alone, in order.

    Of several acts of one person each waits for the one before it. Raises what appending
    raised where that may be due to any of them: call again with fewer.
    """
    found: dict[int, Outcome | Exception] = {}
    rest = dict(enumerate(asked))
    while rest:
        first = {one.answer.subject: number for number, one in reversed(rest.items())}
        turn = {number: rest.pop(number) for number in sorted(first.values())}
        found |= _at_once(store, desk, turn, enter=enter, policies=policies)
    return [found[number] for number in range(len(asked))]


def _at_once(
    store: ChooseStore, desk: Desk, asked: Mapping[int, Asked], *, enter: EnterAll, policies: Sequence[Policy]
) -> dict[int, Outcome | Exception]:
    """Take one act each of several people, by their number."""
    known = store.known_of_several([one.answer.subject for one in asked.values()])
    begun: dict[int, Begun] = {}
    found: dict[int, Outcome | Exception] = {}
    for number, (answer, quoted, at) in asked.items():
        try:
            begun[number] = begin(store, desk, answer, (quoted, known[answer.subject]), policies=policies, now=at)
        except AssentError as problem:
            found[number] = problem
    for (number, one), appended in zip(begun.items(), _enter(store, list(begun.values()), enter), strict=True):
        try:
            found[number] = finish(store, one, appended, policies=policies, now=asked[number].at)
        except AssentError as problem:
            found[number] = problem
    return found


def _enter(store: ChooseStore, begun: Sequence[Begun], enter: EnterAll) -> list[Appended]:
    try:
        return enter([one.choice for one in begun])
    except Refused as problem:
        if len(begun) != 1:
            raise
        return enter([written_first(store, begun[0], problem)])
