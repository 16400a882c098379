"""Does training help? What weights make of conversations of people who were held back, before and after.

The figures are loss in bits per byte of what the assistant said (the same for every tokenizer), perplexity a token,
how often the next token came first, and the questions of `skills`: each by skill, each with an interval over people
(docs/adr/0035-evaluation-and-memorisation.md).
"""

from __future__ import annotations

import hashlib
import heapq
import math
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from assent.domain.errors import Refused
from assent.learn.runs.resampling import Crowd, chance_of_difference
from assent.learn.runs.skills import CHANCE, KINDS, answered, questions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from assent.learn.runs.data import Talk
    from assent.learn.runs.ensemble import Ensemble
    from assent.learn.runs.skills import Question

SKILLS: Final = ("coding", "analysis", "reasoning", "other")
ALL: Final = "all"
_AT_ONCE: Final = 64
_FEW_PEOPLE: Final = 20
"""Fewer people than these, and an interval over them is narrower than it should be."""


class Held(NamedTuple):
    """A conversation that was held back, and the split it is in."""

    split: str
    talk: Talk


@dataclass(frozen=True, slots=True)
class Reading:
    """A row a conversation: loss, bytes and tokens of the assistant, first guesses; and answers."""

    nats: NDArray[np.float64]
    bytes: NDArray[np.float64]
    tokens: NDArray[np.float64]
    first: NDArray[np.float64]
    right: NDArray[np.float64]

    @property
    def bits(self) -> NDArray[np.float64]:
        """Loss in bits."""
        return self.nats / math.log(2)


def sampled(held: Iterable[Held], most: int, seed: int) -> list[Held]:
    """Take at most `most` conversations, those that a hash puts first; never more than these are in memory."""
    kept: list[tuple[int, str, Held]] = []
    for one in held:
        drawn = hashlib.sha256(f"{seed}\0{one.talk.id}".encode()).digest()
        entry = (-int.from_bytes(drawn), one.talk.id, one)
        if len(kept) < most:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)
    return [one for _, _, one in sorted(kept, key=lambda entry: entry[1])]


def read(
    ensemble: Ensemble,
    talks: Sequence[Talk],
    asked: Sequence[Question] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Reading:
    """Let weights read conversations, and ask them the questions. `progress` is told of conversations read."""
    columns = np.zeros((4, len(talks)))
    silent = frozenset(ensemble.tokenizer.all_special_ids)
    for start in range(0, len(talks), _AT_ONCE):
        some = [ensemble.template.tokens(talk.messages) for talk in talks[start : start + _AT_ONCE]]
        for place, (text, found) in enumerate(zip(some, ensemble.scores([one.ids for one in some]), strict=True)):
            # marks between turns are no text: how a tokenizer writes them is no merit of the weights
            said = [on and one not in silent for one, on in zip(text.ids, text.learned, strict=True)][1:]
            spoken = _spoken(ensemble, text.ids[1:], said)
            columns[:, start + place] = found.nats[said].sum(), spoken, sum(said), found.first[said].sum()
        progress(len(some))
    nats, size, tokens, first = columns
    return Reading(nats, size, tokens, first, np.array(answered(ensemble, asked), float))


def compared(
    held: Sequence[Held], before: Reading, after: Reading, asked: Sequence[Question], seed: int
) -> dict[str, Any]:
    """Set two readings of the same conversations side by side: all, by skill, and by split."""
    people = [one.talk.whose for one in held]
    skills = np.array([one.talk.skill for one in held])
    splits = np.array([one.split for one in held])
    askers, asked_skills = [one.person for one in asked], np.array([one.skill for one in asked])
    kinds = np.array([one.kind for one in asked])

    def group(some: NDArray[np.bool_], their: NDArray[np.bool_]) -> dict[str, Any]:
        tasks = {}
        for kind in KINDS:
            places = np.flatnonzero(their & (kinds == kind)) if asked else np.zeros(0, int)
            if len(places):
                crowd = Crowd([askers[place] for place in places], seed)
                tasks[kind] = _task(crowd, before.right[places], after.right[places], kind)
        found = _losses([people[place] for place in np.flatnonzero(some)], _of(before, some), _of(after, some), seed)
        return found | {"questions": tasks}

    every, questions_ = np.ones(len(held), bool), np.ones(len(asked), bool)
    found = {ALL: group(every, questions_)}
    for skill in dict.fromkeys((*SKILLS, *sorted(set(skills.tolist())))):
        # a recipe that names no skills leaves them empty: then there is only `all`
        if skill and (skills == skill).any():
            found[skill] = group(skills == skill, asked_skills == skill if len(asked) else questions_)
    none = np.zeros(len(asked), bool)
    return {
        "skills": found,
        "splits": {name: group(splits == name, none) for name in dict.fromkeys(splits.tolist())},
    }


def evaluated(
    held: Sequence[Held],
    before: Ensemble,
    after: Ensemble,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Evaluate weights before and after on the same conversations and questions. Raises `Refused` with none of them."""
    if not held:
        fix = "cut with `[split]` in the recipe, and enough people for it to hold some back"
        raise Refused("there is no conversation of people who were held back", fix)
    talks = [one.talk for one in held]
    asked = questions(talks, seed)
    first, second = (read(model, talks, asked, progress) for model in (before, after))
    if not second.bytes.sum():
        raise Refused("nobody who was held back was ever answered", "hold back more people")
    people = len({talk.whose for talk in talks})
    return {
        "conversations": len(talks),
        "people": people,
        "few_people": people < _FEW_PEOPLE,
        "context": [before.context, after.context],
        "parameters": [before.parameters, after.parameters],
        **compared(held, first, second, asked, seed),
    }


def _spoken(ensemble: Ensemble, ids: Sequence[int], said: Sequence[bool]) -> int:
    """Count the bytes (UTF-8) of the tokens that count, in the runs in which they stand."""
    runs = groupby(zip(ids, said, strict=True), key=itemgetter(1))
    return sum(len(ensemble.written([one for one, _ in run]).encode()) for on, run in runs if on)


def _of(reading: Reading, some: NDArray[np.bool_]) -> Reading:
    return Reading(reading.nats[some], reading.bytes[some], reading.tokens[some], reading.first[some], reading.right)


def _losses(people: Sequence[str], before: Reading, after: Reading, seed: int) -> dict[str, Any]:
    crowd = Crowd(people, seed)
    found: dict[str, Any] = {"conversations": len(people), "people": crowd.people, "bytes": int(after.bytes.sum())}
    if not after.bytes.sum() or not before.bytes.sum():
        return found
    for name, one in (("before", before), ("after", after)):
        loss = crowd.ratio(one.nats, one.tokens)
        found[name] = {
            "bits_per_byte": crowd.ratio(one.bits, one.bytes).record(),
            "perplexity": loss.through(math.exp).record(),
            "next_token": crowd.ratio(one.first, one.tokens).record(),
            "tokens": int(one.tokens.sum()),
        }
    return found | {"change": _change(crowd, before, after, seed)}


def _change(crowd: Crowd, before: Reading, after: Reading, seed: int) -> dict[str, Any]:
    """Tell by how much bits per byte changed, and how likely chance alone does as much."""
    found = crowd.difference(after.bits, before.bits, after.bytes)
    chance = chance_of_difference(crowd.sums(after.bits - before.bits), seed)
    return {"bits_per_byte": found.record(), "p": round(chance, 5)}


def _task(crowd: Crowd, before: NDArray[np.float64], after: NDArray[np.float64], kind: str) -> dict[str, Any]:
    one = np.ones(len(before))
    return {
        "asked": len(before),
        "people": crowd.people,
        "chance": CHANCE[kind],
        "before": crowd.ratio(before, one).record(),
        "after": crowd.ratio(after, one).record(),
        "change": crowd.difference(after, before, one).record(),
    }
