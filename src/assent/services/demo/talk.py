"""From drafts to talks: gives a draft a person, an app, ids, and times from June to November 2025."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from assent.services.demo import coding, everyday, sessions, thinking
from assent.services.demo.chance import Chance, instant_between, new_uuid, weighted
from assent.services.demo.people import App, Language, Person
from assent.services.demo.turns import Block, Draft, Exchange, Kind, Talk, Thumb, Turn, text

BEGIN: Final = datetime(2025, 6, 1, tzinfo=UTC)
END: Final = datetime(2025, 12, 1, tzinfo=UTC)
"""Everything that anybody says lies in [BEGIN, END)."""

ANNOUNCED: Final = datetime(2025, 8, 28, tzinfo=UTC)
DEADLINE: Final = datetime(2025, 10, 8, tzinfo=UTC)
"""The campaign: announced, and the last instant at which an answer was asked for."""

Sort = Literal["coding", "analysis", "reasoning", "everyday", "looked up", "attachment", "secret", "risky"]
_SORTS: Final[dict[Sort, int]] = {
    "coding": 27, "analysis": 17, "reasoning": 17, "everyday": 25, "looked up": 7, "attachment": 4,
    "secret": 2, "risky": 2,
}  # fmt: skip
_PLAIN: Final[dict[Sort, Callable[[Chance], Draft]]] = {
    "coding": coding.coding_help,
    "analysis": thinking.analysis,
    "reasoning": thinking.reasoning,
    "secret": everyday.with_secret,
    "risky": everyday.sounds_risky,
}
_IN_A_LANGUAGE: Final[dict[Sort, Callable[[Chance, Language], Draft]]] = {
    "everyday": everyday.everyday,
    "looked up": everyday.looked_up,
    "attachment": everyday.with_attachment,
}
_SESSIONS_SHARE: Final = 0.4
_RESUMED_SHARE: Final = 0.3
_EDITED_SHARE: Final = 0.06
_PRIVATE_SHARE: Final = 0.04
_THUMB_SHARE: Final = 0.04
_INSTRUCTIONS_SHARE: Final = 0.1
_INSTRUCTIONS: Final = (
    "Answer briefly and name the source of a rule.",
    "I read screen text aloud: no tables, please.",
    "Metric units. I work night shifts, so times are after midnight.",
    "Explain like a patient neighbour, no emoji.",
)
_COME_BACK: Final = (
    ("Back to this after a while. Does what you said still hold?", "It does. The main point was: "),
    ("I return to this one: can you sum up what we had in a sentence?", "In one sentence: "),
    ("One question that came up since then: what would you check first today?", "I would begin with this: "),
)


def draw_talk(chance: Chance, person: Person) -> Talk:
    """Draw one talk of a person, in one of the person's apps."""
    coder = "claude-code" in person.apps and chance.random() < _SESSIONS_SHARE
    if coder:
        return set_down(chance, person, sessions.coding_session(chance), "claude-code", _start(chance, END))
    return set_down(chance, person, _chat(chance, person), person.apps[0], _start(chance, END))


def _chat(chance: Chance, person: Person) -> Draft:
    language = person.language if chance.random() < 0.8 else "en"
    sort = weighted(chance, _SORTS)
    make = _PLAIN.get(sort)
    return make(chance) if make else _IN_A_LANGUAGE[sort](chance, language)


def _start(chance: Chance, before: datetime) -> datetime:
    """Draw when a talk begins: waking hours more often than nights."""
    start = instant_between(chance, BEGIN, before - timedelta(days=1))
    if start.hour < 6 and chance.random() < 0.8:
        start += timedelta(hours=9)
    return start + timedelta(milliseconds=chance.randrange(1, 1000))


def set_down(chance: Chance, person: Person, draft: Draft, app: App, start: datetime) -> Talk:
    """Turn a draft into a talk of a person that begins at an instant."""
    kinds: set[Kind] = {*draft.kinds}
    exchanges = list(draft.exchanges)
    resumed = start < ANNOUNCED and chance.random() < _RESUMED_SHARE
    if resumed:
        kinds.add("resumed")
        asked, opening = chance.choice(_COME_BACK)
        exchanges.append(Exchange((text(asked),), (text(opening + _last_sentence(exchanges[-1].answered)),)))
    edited = chance.randrange(0, len(exchanges)) if chance.random() < _EDITED_SHARE else -1
    turns: list[Turn] = []
    at, parent = start, ""
    for number, exchange in enumerate(exchanges):
        if resumed and number == len(exchanges) - 1:
            at = max(at, instant_between(chance, DEADLINE + timedelta(days=1), END - timedelta(days=2)))
        if number == edited:
            kinds.add("abandoned edit")
            turns += _abandoned(chance, exchange, parent, at)
            at = turns[-1].at + timedelta(seconds=chance.randrange(15, 90))
        kinds |= exchange.kinds
        turns += _exchange(chance, exchange, parent, at, rates=app != "claude-code")
        parent, at = turns[-1].id, turns[-1].at + _pause(chance)
        if at >= END - timedelta(hours=2):
            break
    if any(turn.thumb for turn in turns):
        kinds.add("thumb")
    private = app != "claude-code" and not resumed and "flagged" not in kinds and chance.random() < _PRIVATE_SHARE
    talk = Talk(new_uuid(chance), app, person.id, draft.title, tuple(turns), frozenset(kinds), folder=draft.folder)
    if app == "chatgpt" and chance.random() < _INSTRUCTIONS_SHARE:
        talk = replace(talk, instructions=chance.choice(_INSTRUCTIONS))
    return as_private(talk) if private else talk


def as_private(talk: Talk) -> Talk:
    """Make a talk private, as its product marks it: Open WebUI does so in the id."""
    identity = f"local:{talk.id}" if talk.app == "open-webui" else talk.id
    return replace(talk, id=identity, private=True, kinds=talk.kinds | {"private"})


def _pause(chance: Chance) -> timedelta:
    seconds = chance.randrange(20, 700)
    return timedelta(seconds=seconds * (300 if chance.random() < 0.04 else 1))


def _last_sentence(blocks: tuple[Block, ...]) -> str:
    lines = [line for line in blocks[-1].text.splitlines() if line.strip() and not line.startswith("```")]
    return lines[-1].removeprefix("- ")


def _exchange(chance: Chance, exchange: Exchange, parent: str, at: datetime, *, rates: bool) -> list[Turn]:
    asked = Turn(new_uuid(chance), parent, at, "person", exchange.asked)
    turns = [asked]
    if exchange.aside:
        question, *done = exchange.aside
        sent = Turn(new_uuid(chance), "", at + timedelta(seconds=8), "person", (question,), aside=True)
        back = Turn(new_uuid(chance), sent.id, at + timedelta(seconds=14), "model", tuple(done), aside=True)
        turns += [sent, back]
    at += timedelta(seconds=chance.randrange(16, 60), milliseconds=chance.randrange(0, 900))
    thumb: Thumb = ""
    if rates and chance.random() < _THUMB_SHARE:
        thumb = "up" if chance.random() < 0.7 else "down"
    return [*turns, Turn(new_uuid(chance), asked.id, at, "model", exchange.answered, thumb)]


def _abandoned(chance: Chance, exchange: Exchange, parent: str, at: datetime) -> list[Turn]:
    """Write what was asked first and then edited away: half the question and a question back."""
    words = exchange.asked[0].text.split()
    asked = Turn(new_uuid(chance), parent, at, "person", (text(" ".join(words[: len(words) // 2 + 1])),))
    back = text("That seems to be cut off. What would you like to know?")
    return [asked, Turn(new_uuid(chance), asked.id, at + timedelta(seconds=9), "model", (back,))]
