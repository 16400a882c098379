"""Conversations in other shapes that trainers read: ShareGPT, preference pairs, rated answers.

Each function takes a batch of PARTS of whole conversations and yields one JSON object a line,
without its line feed. They are made of the same messages as `pipeline.messages`, so what is
left out there is left out here.

What a cut knows of preferences is what people said: a rating (a part of the class `feedback`,
whose turn is the answer it rates). A pair needs one question with two answers of which the
person preferred one, so it is made where the same question was answered twice in a
conversation, once rated up and once rated down. Answers that were regenerated away never enter
a cut (mark `abandoned`, spec/manifest.md), and no source says why they were, so no pair is
guessed from them. Ratings without a partner are `ratings`: question, answer, good or not.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from assent.pipeline.messages import SILENT, MessageCounts, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_FROM: Final = {"user": "human", "system": "system", "tool": "observation"}
"""Names of speakers in ShareGPT; an answer is `gpt`, a call of a tool `function_call`."""

_UP: Final = frozenset({"upvote", "thumbs_up", "thumbsup", "up", "like", "liked", "positive", "good", "1"})
_DOWN: Final = frozenset({"downvote", "flag", "thumbs_down", "thumbsdown", "down", "dislike", "negative", "bad", "-1"})
"""How sources spell a rating: ChatGPT, claude.ai (which calls a bad one `flag`), Open WebUI, LibreChat."""

_RATING_KEYS: Final = ("rating", "type")


def sharegpt(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Write `{"id", "conversations": [{"from", "value"}, ...]}`, with decisions and receipts as in the messages.

    A call of a tool is a turn `function_call` whose value is the JSON of its name and arguments.
    What the model thought stands beside its answer as `reasoning`, so that a trainer can leave it out.
    """
    for line in lines(batch, MessageCounts()):
        said = orjson.loads(line)
        turns = [turn for message in said.pop("messages") for turn in _turns(message)]
        yield orjson.dumps({"id": said.pop("id"), "conversations": turns, **said})


def preferences(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Write `{"id", "prompt", "chosen", "rejected"}`, each a list of messages, for questions answered well and badly.

    The prompt is the way to the preferred answer. Of several answers rated up, and of several
    rated down, the first counts. `decisions` and `receipts` are those of every part used.
    """
    for conversation, rated in _rated(batch):
        by_question: dict[str, dict[bool, _Rated]] = {}
        for one in rated:
            by_question.setdefault(one.question, {}).setdefault(one.good, one)
        for pair in by_question.values():
            if len(pair) == 2:
                yield _pair(conversation, pair[True], pair[False])


def ratings(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Write `{"id", "prompt", "completion", "label"}` for every rated answer; `label` is true for a good one."""
    for conversation, rated in _rated(batch):
        for one in rated:
            prompt, completion = _messages(one)
            asked = {"id": conversation, "prompt": prompt, "completion": completion, "label": one.good}
            yield orjson.dumps({**asked, **_proofs([*one.way, *one.answer, one.rating])})


class _Rated(NamedTuple):
    """An answer somebody rated: the parts that led to it, its own, and the rating."""

    question: str
    way: list[dict[str, Any]]
    answer: list[dict[str, Any]]
    rating: dict[str, Any]
    good: bool


def _turns(message: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if message["role"] != "assistant":
        yield {"from": _FROM[message["role"]], "value": message["content"]}
        return
    calls = message.get("tool_calls", ())
    thought = {"reasoning": message["reasoning_content"]} if "reasoning_content" in message else {}
    if message["content"] or not calls:
        yield {"from": "gpt", "value": message["content"], **thought}
        thought = {}
    for call in calls:
        yield {"from": "function_call", "value": _call(call["function"]), **thought}
        thought = {}


def _call(function: Mapping[str, str]) -> str:
    """Write a call as one JSON object; its arguments as an object too, if they are one."""
    try:
        arguments = orjson.loads(function["arguments"])
    except orjson.JSONDecodeError:
        arguments = None
    inner = arguments if isinstance(arguments, dict) else function["arguments"]
    return orjson.dumps({"name": function["name"], "arguments": inner}).decode()


def _rated(batch: pa.RecordBatch) -> Iterator[tuple[str, list[_Rated]]]:
    """Find the rated answers of each conversation. An answer that was rated both ways is in neither."""
    # most conversations have no rating: only the others are looked at row by row
    names = batch["conversation"].filter(pc.equal(batch["data"], "feedback"))
    few = batch.filter(pc.is_in(batch["conversation"], value_set=names.unique()))
    for conversation, rows in groupby(few.to_pylist(), key=lambda row: row["conversation"]):
        parts = list(rows)
        said = [part for part in parts if part["data"] not in SILENT and part["text"]]
        found: dict[str, dict[str, Any]] = {}
        both = set()
        for part in parts:
            good = _opinion(part)
            if good is None:
                continue
            before = found.setdefault(part["turn"], part)
            if _opinion(before) is not good:
                both.add(part["turn"])
        rated = [one for turn, rating in found.items() if turn not in both and (one := _place(said, turn, rating))]
        if rated:
            yield conversation, rated


def _place(said: Sequence[dict[str, Any]], turn: str, rating: dict[str, Any]) -> _Rated | None:
    """Find what led to a rated answer; None where the rating is about no answer, or the answer about no question."""
    places = [at for at, part in enumerate(said) if part["turn"] == turn and part["speaker"] == "assistant"]
    good = _opinion(rating)
    if not places or good is None:
        return None
    way, answer = list(said[: places[0]]), list(said[places[0] : places[-1] + 1])
    asked = [part for part in way if part["speaker"] == "user"]
    if not asked:
        return None
    question = "\n\n".join(part["text"] for part in asked if part["turn"] == asked[-1]["turn"])
    return _Rated(question, way, answer, rating, good)


def _opinion(part: Mapping[str, Any]) -> bool | None:
    """Read a rating: True for a good one, None for what says neither."""
    if part["data"] != "feedback":
        return None
    try:
        said = json.loads(part["text"])
    except ValueError:
        return None
    for key in _RATING_KEYS:
        word = str(said.get(key, "")).lower() if isinstance(said, dict) else ""
        if word in _UP or word in _DOWN:
            return word in _UP
    return None


def _pair(conversation: str, good: _Rated, bad: _Rated) -> bytes:
    prompt, chosen = _messages(good)
    pair = {"id": conversation, "prompt": prompt, "chosen": chosen, "rejected": _messages(bad)[1]}
    return orjson.dumps({**pair, **_proofs([*good.way, *good.answer, *bad.answer, good.rating, bad.rating])})


def _messages(rated: _Rated) -> tuple[list[Any], list[Any]]:
    """Write the way to an answer, and the answer, as messages: those of the answer are the last."""
    whole = pa.RecordBatch.from_pylist([*rated.way, *rated.answer])
    messages = orjson.loads(next(lines(whole, MessageCounts())))["messages"]
    here = len(list(groupby(rated.answer, key=_message_of)))
    return messages[:-here], messages[-here:]


def _message_of(part: Mapping[str, Any]) -> tuple[str, str]:
    return part["speaker"], part["part"] if part["speaker"] == "tool" else ""


def _proofs(parts: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    once = {part["part"]: part for part in parts}.values()
    return {
        "decisions": [part["decision"] for part in once],
        "receipts": list(dict.fromkeys(part["receipt"] for part in once)),
    }
