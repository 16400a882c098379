"""What an act does, in words and in numbers, as the API tells it."""

from __future__ import annotations

from assent.interfaces.api.resource import Instant, Output
from assent.services.choose.effects import Effects, in_words


class CutNotReached(Output):
    """A training set that already holds something of the person."""

    name: str
    number: int
    at: Instant


class RunNotReached(Output):
    """A training run that had something of the person to use, or that went on from the model of one (`after`).

    `model` is what has become of what it made: `none`, `stands`, `replaced` (by the run `replaced_by`) or `destroyed`.
    """

    run: str
    cut: str
    number: int
    started_at: Instant
    state: str
    model: str
    replaced_by: str | None
    after: str | None


class TakingBackOut(Output):
    """What the policy says of data, runs and models when a permission is taken back."""

    future_data: str
    stored_data: str
    started_runs: str
    finished_models: str


class EffectsOut(Output):
    """What an act does. `words` say it to a person; the numbers count conversations.

    Of `conversations` that it is about, `looked_at` were decided: in `stopped` a use ends, in `revived` one begins,
    and `moved` are erased at another time, between `earliest` and `latest`. `cuts_not_reached` stay as they are, and
    `runs_not_reached` had started before.
    """

    words: list[str]
    ends: list[str]
    begins: list[str]
    conversations: int
    looked_at: int
    stopped: int
    revived: int
    moved: int
    earliest: Instant | None
    latest: Instant | None
    cuts_not_reached: list[CutNotReached]
    runs_not_reached: list[RunNotReached]
    taking_back: TakingBackOut | None


def effects_out(effects: Effects) -> EffectsOut:
    """Tell effects."""
    back = effects.taking_back
    return EffectsOut(
        words=in_words(effects),
        ends=list(effects.ends),
        begins=list(effects.begins),
        conversations=effects.conversations,
        looked_at=effects.looked_at,
        stopped=effects.stopped,
        revived=effects.revived,
        moved=effects.moved,
        earliest=effects.earliest,
        latest=effects.latest,
        cuts_not_reached=[CutNotReached(name=one.name, number=one.number, at=one.created_at) for one in effects.cuts],
        runs_not_reached=[RunNotReached.model_validate(one.to_record()) for one in effects.runs],
        taking_back=None if back is None else TakingBackOut.model_validate(back._asdict()),
    )
