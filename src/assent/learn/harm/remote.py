"""Detectors that run elsewhere: asked in batches, within a deadline, again after a pause, and seldom while they fail.

A text leaves only where a deployment configured this; without an answer the local score stands.

The shapes are those of OpenAI's moderation API and of chat completions as vLLM and others serve Llama Guard and
ShieldGemma with log-probabilities.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import exp
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import httpx

from assent.domain.errors import AssentError, Refused
from assent.learn.harm.categories import OF_LLAMA_GUARD, OF_OPENAI, OF_SHIELD_GEMMA
from assent.learn.harm.port import Piece, Scored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assent.learn.harm.port import Detector

MAX_ANSWER_BYTES: Final = 4 << 20
_AGAIN: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_EVEN: Final = 0.5


class Unanswered(AssentError):  # noqa: N818 - it says what happened
    """A remote detector gave no answer that can be read."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a detector runs and how patiently it is asked. `key` is sent as a bearer token and never written anywhere.

    `deadline_s` is for a whole batch with all its attempts; `batch` is how many texts go into one request where the
    shape allows several, `at_once` how many requests are under way together. After `failures` failed batches in a row
    nothing is asked for `rest_s` seconds.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    deadline_s: float = 10.0
    attempts: int = 3
    pause_s: float = 0.25
    batch: int = 32
    at_once: int = 4
    failures: int = 5
    rest_s: float = 30.0


class Clock(NamedTuple):
    """What only the wiring has: seconds that never jump back, a way to wait, and a number evenly from [0, 1)."""

    ticks: Callable[[], float]
    wait: Callable[[float], None]
    chance: Callable[[], float]


class Breaker:
    """Counts failures in a row; open, it lets nothing through until it has rested, then one try decides."""

    def __init__(self, failures: int, rest_s: float, ticks: Callable[[], float]) -> None:
        """Open after `failures` and rest for `rest_s` seconds of `ticks`."""
        self._most, self._rest, self._ticks = failures, rest_s, ticks
        self._failed, self._until = 0, 0.0
        self._lock = Lock()

    def check(self) -> None:
        """Raise `Unanswered` while it rests."""
        with self._lock:
            if self._failed < self._most:
                return
            if self._ticks() < self._until:
                raise Unanswered("the remote detector failed too often and is left alone for a while")
            # one may try; the others go on waiting for what it finds
            self._until = self._ticks() + self._rest

    def note(self, *, answered: bool) -> None:
        """Take down how a try ended."""
        with self._lock:
            self._failed = 0 if answered else self._failed + 1
            if self._failed >= self._most:
                self._until = self._ticks() + self._rest


class Shape(Protocol):
    """One kind of request: how pieces are asked about, and how the answer is read."""

    path: str
    batch: int | None

    def requests(self, model: str, pieces: Sequence[Piece]) -> list[dict[str, Any]]: ...

    def read(self, answers: Sequence[Mapping[str, Any]], count: int) -> list[Scored]: ...


class RemoteDetector:
    """A detector over HTTP; where it gives no answer, `local` stands in and the score says why."""

    def __init__(self, remote: Remote, shape: Shape, local: Detector, client: httpx.Client, clock: Clock) -> None:
        """Ask `remote` in this shape through `client`; its certificate checks and proxies are the client's."""
        self._remote, self._shape, self._local = remote, shape, local
        self._client, self._clock = client, clock
        self._breaker = Breaker(remote.failures, remote.rest_s, clock.ticks)
        self.name = f"{remote.model.rsplit('/', 1)[-1].lower()}@remote"

    def score(self, pieces: Sequence[Piece]) -> list[Scored]:
        """Score pieces, a batch at a time; a batch that fails is scored locally."""
        size = self._shape.batch or self._remote.batch
        batches = [pieces[first : first + size] for first in range(0, len(pieces), size)]
        with ThreadPoolExecutor(max(1, min(self._remote.at_once, len(batches)))) as pool:
            return [scored for found in pool.map(self._batch, batches) for scored in found]

    def _batch(self, pieces: Sequence[Piece]) -> list[Scored]:
        try:
            self._breaker.check()
            until = self._clock.ticks() + self._remote.deadline_s
            answers = [self._ask(body, until) for body in self._shape.requests(self._remote.model, pieces)]
            found = self._shape.read(answers, len(pieces))
        except Unanswered as problem:
            if "left alone" not in problem.message:
                self._breaker.note(answered=False)
            return [one._replace(missing=f"{self.name}: {problem.message}") for one in self._local.score(pieces)]
        self._breaker.note(answered=True)
        return found

    def _ask(self, body: Mapping[str, Any], until: float) -> Mapping[str, Any]:
        """Send one request, again after a growing pause. Raises `Unanswered`; what was sent is not repeated in it."""
        problem = "no time was left to ask"
        for attempt in range(self._remote.attempts):
            left = until - self._clock.ticks()
            if left <= 0:
                break
            try:
                answer = self._client.post(
                    self._remote.url.rstrip("/") + self._shape.path,
                    json=body,
                    headers={"authorization": f"Bearer {self._remote.key}"} if self._remote.key else {},
                    timeout=left,
                )
            except httpx.HTTPError as error:
                problem, told = f"no answer ({type(error).__name__})", 0.0
            else:
                if answer.status_code == httpx.codes.OK:
                    return _object(answer)
                problem, told = f"it answered {answer.status_code}", _seconds(answer.headers.get("retry-after"))
                if answer.status_code not in _AGAIN:
                    break
            pause = max(self._remote.pause_s * 2**attempt * (_EVEN + self._clock.chance()), told)
            if attempt + 1 == self._remote.attempts or self._clock.ticks() + pause >= until:
                break
            self._clock.wait(pause)
        raise Unanswered(problem)


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    if len(answer.content) > MAX_ANSWER_BYTES:
        raise Unanswered("its answer is too long")
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unanswered("its answer is no JSON object")
    return found


def _seconds(told: str | None) -> float:
    try:
        return max(0.0, float(told or 0))
    except ValueError:
        return 0.0


class OpenAiModeration:
    """`POST /v1/moderations`: several texts a request; thirteen category scores, which are no probabilities."""

    path = "/v1/moderations"
    batch: int | None = None

    def requests(self, model: str, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
        """Ask about all pieces at once."""
        return [{"model": model, "input": [piece.text for piece in pieces]}]

    def read(self, answers: Sequence[Mapping[str, Any]], count: int) -> list[Scored]:
        """Read one result for each text."""
        try:
            results = [result["category_scores"] for answer in answers for result in answer["results"]]
            scored = [_of_openai({str(name): _share(value) for name, value in scores.items()}) for scores in results]
        except (KeyError, TypeError, AttributeError, ValueError):
            raise Unanswered("its answer is no moderation") from None
        if len(scored) != count:
            raise Unanswered("its answer has another number of results")
        return scored


def _of_openai(scores: Mapping[str, float]) -> Scored:
    categories: dict[str, float] = {}
    for name, score in scores.items():
        if ours := OF_OPENAI.get(name):
            categories[ours] = max(categories.get(ours, 0.0), score)
    return Scored(max(categories.values(), default=0.0), categories)


def _share(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError
    return float(value)


class LlamaGuard:
    """Chat completions of Llama Guard: `safe`, or `unsafe` and hazard codes; the score is P(first token "unsafe")."""

    path = "/v1/chat/completions"
    batch: int | None = 1

    def requests(self, model: str, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
        """Ask about each piece; an answer is judged after what it answers."""
        return [{**_completion(model), "messages": _turns(piece)} for piece in pieces]

    def read(self, answers: Sequence[Mapping[str, Any]], count: int) -> list[Scored]:
        """Read the first word and the codes."""
        return [self._one(answer) for answer in answers][:count]

    def _one(self, answer: Mapping[str, Any]) -> Scored:
        text, first = _first(answer)
        head, _, codes = text.strip().partition("\n")
        if head.strip() not in {"safe", "unsafe"}:
            raise Unanswered("its answer is neither safe nor unsafe")
        score = _chance(first, "unsafe", "safe", 1.0 if head.strip() == "unsafe" else 0.0)
        named = {OF_LLAMA_GUARD[code] for code in (part.strip() for part in codes.split(",")) if code in OF_LLAMA_GUARD}
        return Scored(score, dict.fromkeys(sorted(named), score))


class ShieldGemma:
    """Chat completions of ShieldGemma: one question a policy, answered Yes or No; the score is P("Yes")."""

    path = "/v1/chat/completions"
    batch: int | None = 1

    POLICIES: Final[Mapping[str, str]] = {
        "dangerous": "No Dangerous Content: nothing that helps or encourages harming oneself or others.",
        "harassment": "No Harassment: nothing that is malicious, intimidating, bullying or abusive towards a person.",
        "hate": "No Hate Speech: nothing that expresses hatred of people for what they are.",
        "sexual": "No Sexually Explicit Information: no explicit or graphic sexual acts.",
    }

    def requests(self, model: str, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
        """Ask once for each policy; a served model puts the policy in by its chat template."""
        return [
            {**_completion(model), "messages": _turns(piece), "chat_template_kwargs": {"guideline": policy}}
            for piece in pieces
            for policy in self.POLICIES.values()
        ]

    def read(self, answers: Sequence[Mapping[str, Any]], count: int) -> list[Scored]:
        """Read Yes or No for each policy."""
        each = len(self.POLICIES)
        found = []
        for place in range(count):
            shares = {}
            for name, answer in zip(self.POLICIES, answers[place * each : (place + 1) * each], strict=True):
                text, first = _first(answer)
                word = text.strip().split("\n")[0].rstrip(".").lower()
                if word not in {"yes", "no"}:
                    raise Unanswered("its answer is neither yes nor no")
                shares[OF_SHIELD_GEMMA[name]] = _chance(first, "yes", "no", 1.0 if word == "yes" else 0.0)
            found.append(Scored(max(shares.values()), shares))
        return found


def _completion(model: str) -> dict[str, Any]:
    return {"model": model, "temperature": 0, "max_tokens": 20, "logprobs": True, "top_logprobs": 5}


def _turns(piece: Piece) -> list[dict[str, str]]:
    if piece.surface == "answer":
        asked = piece.before or "(the question is not known)"
        return [{"role": "user", "content": asked}, {"role": "assistant", "content": piece.text}]
    return [{"role": "user", "content": f"{piece.before}\n{piece.text}" if piece.before else piece.text}]


def _first(answer: Mapping[str, Any]) -> tuple[str, list[Mapping[str, Any]]]:
    """Return the text of an answer, and the candidates for its first word with their log-probabilities."""
    try:
        choice = answer["choices"][0]
        text = choice["message"]["content"]
        tokens = (choice.get("logprobs") or {}).get("content") or []
        telling = next((token for token in tokens if token["token"].strip()), None)
        candidates = telling.get("top_logprobs") or [telling] if telling else []
    except (KeyError, TypeError, IndexError, AttributeError):
        raise Unanswered("its answer is no chat completion") from None
    if not isinstance(text, str):
        raise Unanswered("its answer has no text")
    return text, candidates


def _chance(candidates: Sequence[Mapping[str, Any]], yes: str, no: str, otherwise: float) -> float:
    """Return P(yes) against P(no) from log-probabilities; without them what the text says."""
    said = {yes: 0.0, no: 0.0}
    try:
        for candidate in candidates:
            word = str(candidate["token"]).strip().lower()
            if word in said:
                said[word] += exp(min(float(candidate["logprob"]), 0.0))
    except (KeyError, TypeError, ValueError):
        raise Unanswered("its log-probabilities cannot be read") from None
    total = said[yes] + said[no]
    return said[yes] / total if total > 0 else otherwise


SHAPES: Final[Mapping[str, type[OpenAiModeration | LlamaGuard | ShieldGemma]]] = {
    "openai": OpenAiModeration,
    "llama-guard": LlamaGuard,
    "shield-gemma": ShieldGemma,
}


def remote_detector(shape: str, remote: Remote, local: Detector, client: httpx.Client, clock: Clock) -> RemoteDetector:
    """Make a remote detector of a named shape. Raises `Refused` for a shape that is not known."""
    if shape not in SHAPES:
        raise Refused(f"`{shape}` is no shape of a remote detector", f"use one of {', '.join(SHAPES)}")
    return RemoteDetector(remote, SHAPES[shape](), local, client, clock)
