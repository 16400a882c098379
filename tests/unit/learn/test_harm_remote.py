"""Remote detectors against a server on this machine that speaks the shapes of the real ones, and misbehaves."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import log
from typing import Any

import httpx
import pytest

from assent.domain.errors import Refused
from assent.learn.harm.keywords import Keywords
from assent.learn.harm.port import Piece, Scored
from assent.learn.harm.remote import Breaker, Clock, Remote, RemoteDetector, Unanswered, remote_detector

pytestmark = pytest.mark.enable_socket

Reply = tuple[int, dict[str, str], bytes]


class Server:
    """A server that answers moderation requests by a rule of the test, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.replies: list[Reply] = []
        self.answer: Callable[[str, dict[str, Any]], object] = lambda _path, _body: {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(body)
                outer.keys.append(self.headers.get("authorization"))
                status, headers, content = outer.replies.pop(0) if outer.replies else (200, {}, b"")
                content = content or json.dumps(outer.answer(self.path, body)).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


class Time:
    """Seconds that pass only when somebody waits."""

    def __init__(self) -> None:
        self.at = 0.0
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.at, self.wait, lambda: 0.5)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def asking(server: Server, client: httpx.Client, shape: str, time: Time | None = None, **terms: Any) -> RemoteDetector:
    remote = Remote(server.url, "org/Guard-8B", key="secret-key", **{"at_once": 1, **terms})
    return remote_detector(shape, remote, Keywords(), client, (time or Time()).clock)


def moderation(_path: str, body: dict[str, Any]) -> object:
    def one(text: str) -> dict[str, Any]:
        score = 0.9 if "bomb" in text else 0.01
        scores = {"illicit/violent": score, "violence": score / 2, "hate": 0.001, "not/known": 1}
        return {"flagged": score > 0.5, "categories": {}, "category_scores": scores}

    assert _path == "/v1/moderations"
    return {"id": "modr-1", "model": body["model"], "results": [one(text) for text in body["input"]]}


def completion(text: str, candidates: Sequence[tuple[str, float]]) -> dict[str, Any]:
    first = {"token": candidates[0][0], "logprob": log(candidates[0][1])} if candidates else None
    tops = [{"token": token, "logprob": log(share)} for token, share in candidates]
    content = [{"token": "\n\n", "logprob": 0.0, "top_logprobs": []}, {**first, "top_logprobs": tops}] if first else []
    return {"choices": [{"message": {"role": "assistant", "content": text}, "logprobs": {"content": content}}]}


def test_openai_is_asked_about_several_texts_at_once_and_its_names_become_ours(
    server: Server, client: httpx.Client
) -> None:
    server.answer = moderation
    texts = [Piece(text) for text in ("build a bomb", "bake bread", "bomb threat")]
    found = asking(server, client, "openai", batch=2).score(texts)
    assert [len(body["input"]) for body in server.asked] == [2, 1]
    assert server.keys == ["Bearer secret-key"] * 2
    assert [scored.score for scored in found] == [0.9, 0.01, 0.9]
    assert found[0].categories == {"indiscriminate_weapons": 0.9, "violent_crimes": 0.45, "hate": 0.001}
    assert not any(scored.missing for scored in found)


def test_llama_guard_says_unsafe_with_a_probability_and_hazards(server: Server, client: httpx.Client) -> None:
    def answer(path: str, body: dict[str, Any]) -> object:
        assert (path, body["temperature"], body["logprobs"]) == ("/v1/chat/completions", 0, True)
        if "bomb" in body["messages"][-1]["content"]:
            return completion("\n\nunsafe\nS9,S1", [("unsafe", 0.75), ("safe", 0.25)])
        return completion("\n\nsafe", [("safe", 0.96), ("unsafe", 0.04)])

    server.answer = answer
    asked = [Piece("bake bread"), Piece("a bomb is built so", "answer", "how is a bomb built?")]
    safe, unsafe = asking(server, client, "llama-guard").score(asked)
    assert safe == Scored(pytest.approx(0.04), {})
    assert unsafe.score == pytest.approx(0.75)
    assert set(unsafe.categories) == {"indiscriminate_weapons", "violent_crimes"}
    assert [turn["role"] for turn in server.asked[1]["messages"]] == ["user", "assistant"]


def test_llama_guard_without_probabilities_says_all_or_nothing(server: Server, client: httpx.Client) -> None:
    server.answer = lambda _path, _body: completion("unsafe\nS10", [])
    (found,) = asking(server, client, "llama-guard").score([Piece("x")])
    assert found == Scored(1.0, {"hate": 1.0})


def test_shield_gemma_is_asked_once_a_policy(server: Server, client: httpx.Client) -> None:
    def answer(_path: str, body: dict[str, Any]) -> object:
        hateful = "Hate" in body["chat_template_kwargs"]["guideline"]
        return completion("Yes" if hateful else "No", [("Yes", 0.8), ("No", 0.2)] if hateful else [("No", 0.99)])

    server.answer = answer
    (found,) = asking(server, client, "shield-gemma").score([Piece("x")])
    assert len(server.asked) == 4
    assert found.score == pytest.approx(0.8)
    assert found.categories["hate"] == pytest.approx(0.8)
    assert found.categories["sexual_content"] == 0.0


def test_a_busy_server_is_asked_again_after_a_growing_pause(server: Server, client: httpx.Client) -> None:
    server.answer, time = moderation, Time()
    server.replies = [(503, {}, b"busy"), (429, {"retry-after": "2"}, b"slow")]
    (found,) = asking(server, client, "openai", time).score([Piece("bomb")])
    assert (found.score, found.missing) == (0.9, "")
    assert time.waited == [0.25, 2.0]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ((401, {}, b"no"), "it answered 401"),
        ((200, {}, b"not json"), "no JSON object"),
        ((200, {}, b"[]"), "no JSON object"),
        ((200, {}, b'{"results": []}'), "another number"),
        ((200, {}, b'{"results": [{"category_scores": {"hate": 7}}]}'), "no moderation"),
        ((200, {}, b'{"results": [{}]}'), "no moderation"),
    ],
)
def test_without_an_answer_the_local_score_stands_and_says_so(
    server: Server, client: httpx.Client, reply: Reply, why: str
) -> None:
    server.replies = [reply]
    (found,) = asking(server, client, "openai").score([Piece("how to murder him")])
    assert found.score == Keywords().score([Piece("how to murder him")])[0].score
    assert why in found.missing
    assert "murder" not in found.missing
    assert "secret" not in found.missing
    assert len(server.asked) == 1


@pytest.mark.parametrize("text", ["maybe", "unsafe-ish", ""])
def test_an_answer_that_is_no_judgement_counts_as_none(server: Server, client: httpx.Client, text: str) -> None:
    server.answer = lambda _path, _body: completion(text, [])
    assert asking(server, client, "llama-guard").score([Piece("x")])[0].missing
    assert asking(server, client, "shield-gemma").score([Piece("x")])[0].missing


def test_a_deadline_ends_attempts(server: Server, client: httpx.Client) -> None:
    time = Time()
    server.replies = [(503, {}, b"x")] * 9
    (found,) = asking(server, client, "openai", time, attempts=9, deadline_s=1.0).score([Piece("x")])
    assert "503" in found.missing
    assert sum(time.waited) < 1.0


def test_nobody_listening_is_no_answer(client: httpx.Client) -> None:
    remote = Remote("http://127.0.0.1:9", "m", attempts=1)
    (found,) = remote_detector("openai", remote, Keywords(), client, Time().clock).score([Piece("x")])
    assert "ConnectError" in found.missing


def test_a_server_that_fails_is_left_alone_and_then_tried_once(server: Server, client: httpx.Client) -> None:
    time = Time()
    detector = asking(server, client, "openai", time, attempts=1, failures=2, rest_s=30.0)
    server.replies = [(500, {}, b"x")] * 2
    for _ in range(5):
        detector.score([Piece("x")])
    assert len(server.asked) == 2
    time.at += 31
    server.answer = moderation
    assert detector.score([Piece("x")])[0].missing == ""
    assert detector.score([Piece("x")])[0].missing == ""
    assert len(server.asked) == 4


def test_while_one_tries_the_others_go_on_waiting() -> None:
    time = Time()
    breaker = Breaker(1, 10.0, time.clock.ticks)
    breaker.note(answered=False)
    time.at = 11.0
    breaker.check()
    with pytest.raises(Unanswered):
        breaker.check()


def test_an_unknown_shape_is_refused(client: httpx.Client) -> None:
    with pytest.raises(Refused, match="`telepathy` is no shape"):
        remote_detector("telepathy", Remote("http://localhost", "m"), Keywords(), client, Time().clock)


def test_a_key_is_not_shown() -> None:
    assert "secret" not in repr(Remote("http://localhost", "m", key="secret"))
