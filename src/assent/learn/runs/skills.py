"""Small questions with one right answer, made from conversations that were held back.

Three kinds, small enough for a small model on a CPU, each with a share that is reached without knowing anything:

- `next turn`: which of four answers belongs to this conversation; the others come from other people's conversations of
  the same skill, of about the same length. That answer counts which the conversation makes most likelier than it is
  without it, a byte. By chance one in four.
- `code line`: finish a line of somebody's code so that the block parses up to there (Python by its own parser, TOML by
  the standard library's). Cut where it does not parse, so nothing written means wrong.
- `sum`: write the number behind `=` in a step of arithmetic that is right. By chance next to none.

Which turn, line and step is asked is settled by a hash, so that all weights are asked the same.
"""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from assent.learn.runs.data import Talk
    from assent.learn.runs.ensemble import Ensemble

Kind = Literal["next turn", "code line", "sum"]
KINDS: Final[tuple[Kind, ...]] = ("next turn", "code line", "sum")
CHANCE: Final = {"next turn": 0.25, "code line": 0.0, "sum": 0.0}
"""The share of right answers of somebody who knows nothing."""
CHOICES: Final = 4

_ANSWER_CHARS: Final = 400
"""So much of an answer is compared: enough to tell what it is about."""
_MOST: Final = 400
"""Questions of one kind that are asked at most."""
_NEAREST: Final = 12
"""Answers nearest in length among which the wrong ones are drawn."""
_LINE_TOKENS: Final = 48
_SUM_TOKENS: Final = 12
_SHORTEST_LINE: Final = 8
_BLOCK: Final = re.compile(r"^```(python|py|toml)[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NUMBER: Final = r"-?\d{1,9}(?:\.\d{1,4})?"
_STEP: Final = re.compile(rf"(?<![\d.+*/×÷-])({_NUMBER}) ?([-+*/×÷]) ?({_NUMBER}) ?= ?({_NUMBER})(?![\d.]*\d)")
_SAID: Final = re.compile(rf"\s*({_NUMBER})")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: whose conversation it is from, what stands before the answer, and what is right.

    `choices` of a next turn, the right one first; otherwise `begun`, what the assistant had written so far, and
    `right` tells of what is written next whether it is.
    """

    kind: Kind
    person: str
    skill: str
    before: tuple[dict[str, Any], ...]
    choices: tuple[str, ...] = ()
    begun: str = ""
    right: Callable[[str], bool] | None = None


def questions(talks: Sequence[Talk], seed: int) -> list[Question]:
    """Make the questions of some conversations: at most one of a kind for each, and 400 of a kind."""
    found = [*_next_turns(talks, seed)]
    for talk in talks:
        found += [*_code_lines(talk, seed)][:1] + [*_sums(talk, seed)][:1]
    return [question for kind in KINDS for question in [one for one in found if one.kind == kind][:_MOST]]


def answered(ensemble: Ensemble, asked: Sequence[Question]) -> list[bool]:
    """Ask, and tell of each question whether it was answered rightly."""
    right: dict[int, bool] = {}
    choosing = [place for place, question in enumerate(asked) if question.choices]
    right.update(zip(choosing, _chosen(ensemble, [asked[place] for place in choosing]), strict=True))
    for kind, length in (("code line", _LINE_TOKENS), ("sum", _SUM_TOKENS)):
        places = [place for place, question in enumerate(asked) if question.kind == kind]
        prefixes = [ensemble.prompt(asked[place].before, asked[place].begun) for place in places]
        for place, more in zip(places, ensemble.continued(prefixes, length), strict=True):
            check = asked[place].right
            right[place] = check is not None and check(ensemble.written(more))
    return [right[place] for place in range(len(asked))]


def _chosen(ensemble: Ensemble, asked: Sequence[Question]) -> Iterator[bool]:
    """Tell whether the conversation lifts the right answer more than any other."""
    texts: list[list[int]] = []
    starts: list[int] = []
    for question in asked:
        for before in (question.before, ({"role": "user", "content": ""},)):
            prompt = ensemble.prompt(before)
            for choice in question.choices:
                answer = ensemble.plain(choice)
                kept = prompt[-max(ensemble.context - len(answer), 1) :]
                texts.append([*kept, *answer])
                starts.append(len(kept) - 1)
    scores = ensemble.scores(texts)
    nats = iter([float(one.nats[start:].sum()) for one, start in zip(scores, starts, strict=True)])
    for question in asked:
        with_it = [next(nats) for _ in question.choices]
        without = [next(nats) for _ in question.choices]
        lifted = [
            (alone - there) / len(choice.encode())
            for there, alone, choice in zip(with_it, without, question.choices, strict=True)
        ]
        yield all(lifted[0] > other for other in lifted[1:])


def _answers(talk: Talk, seed: int) -> Iterator[tuple[int, str]]:
    """Yield the assistant's texts and their places, in an order that a hash settles."""
    said = [
        (place, message["content"])
        for place, message in enumerate(talk.messages)
        if message["role"] == "assistant" and place and isinstance(message.get("content"), str)
    ]
    yield from sorted(said, key=lambda one: _drawn(seed, talk.id, one[0]))


def _next_turns(talks: Sequence[Talk], seed: int) -> Iterator[Question]:
    pools: dict[str, list[tuple[str, Talk, int]]] = {}
    for talk in talks:
        for place, text in _answers(talk, seed):
            if text.strip():
                pools.setdefault(talk.skill, []).append((text[:_ANSWER_CHARS], talk, place))
                break
    for skill, pool in pools.items():
        for text, talk, place in pool:
            others = {said for said, other, _ in pool if other.whose != talk.whose} - {text}
            near = sorted(others, key=lambda said: (abs(len(said) - len(text)), _drawn(seed, talk.id, said)))
            wrong = sorted(near[:_NEAREST], key=lambda said: _drawn(seed, "wrong", talk.id, said))[: CHOICES - 1]
            if len(wrong) == CHOICES - 1:
                before = tuple(talk.messages[:place])
                yield Question("next turn", talk.whose, skill, before, choices=(text, *wrong))


def _code_lines(talk: Talk, seed: int) -> Iterator[Question]:
    for place, text in _answers(talk, seed):
        for block in _BLOCK.finditer(text):
            parses = _toml_parses if block[1] == "toml" else _python_parses
            cuts = sorted(_cuts(block[2], parses), key=lambda cut: _drawn(seed, talk.id, place, block.start(), cut))
            for cut in cuts[:1]:
                begun, head = text[: block.start(2) + cut], block[2][:cut]
                right = _finishes(head, parses)
                yield Question("code line", talk.whose, talk.skill, tuple(talk.messages[:place]), (), begun, right)


def _cuts(code: str, parses: Callable[[str], bool]) -> Iterator[int]:
    """Yield places in the middle of lines where the code so far does not parse, but does at the end of the line."""
    start = 0
    for line in code.splitlines(keepends=True):
        end, middle = start + len(line), start + len(line.rstrip()) // 2
        if len(line.strip()) >= _SHORTEST_LINE and parses(code[:end]) and not parses(code[:middle]):
            yield middle
        start = end


def _finishes(head: str, parses: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda said: parses(head + said.partition("\n")[0] + "\n")


def _python_parses(code: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a strange escape in somebody's string is none of our concern
        try:
            ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _toml_parses(code: str) -> bool:
    try:
        tomllib.loads(code)
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def _sums(talk: Talk, seed: int) -> Iterator[Question]:
    for place, text in _answers(talk, seed):
        steps = [step for step in _STEP.finditer(text) if _holds(step)]
        for step in sorted(steps, key=lambda step: _drawn(seed, talk.id, place, step.start()))[:1]:
            begun = text[: step.start(4)].rstrip(" ")
            before = tuple(talk.messages[:place])
            yield Question("sum", talk.whose, talk.skill, before, (), begun, _says(Fraction(step[4])))


def _holds(step: re.Match[str]) -> bool:
    one, sign, other, result = Fraction(step[1]), step[2], Fraction(step[3]), Fraction(step[4])
    if sign in "/÷":
        return other != 0 and one == result * other
    return result == (one + other if sign == "+" else one - other if sign == "-" else one * other)


def _says(result: Fraction) -> Callable[[str], bool]:
    def right(said: str) -> bool:
        found = _SAID.match(said)
        return found is not None and Fraction(found[1]) == result

    return right


def _drawn(seed: int, *words: object) -> bytes:
    """Return a place in an order that nobody chose, the same for ever."""
    return hashlib.sha256("\0".join(map(str, (seed, *words))).encode()).digest()


def tally(asked: Iterable[Question]) -> dict[str, int]:
    """Count questions by kind."""
    found: dict[str, int] = dict.fromkeys(KINDS, 0)
    for question in asked:
        found[question.kind] += 1
    return found
