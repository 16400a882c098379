"""LiteLLM's callback against the whole API: the prompts of those who allowed it are kept, and nobody else's."""

import asyncio
import copy
import importlib.util
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.unit.interfaces.api.asking import Shop
from tests.unit.interfaces.api.server import Api

from assent.connectors.litellm import callback
from assent.connectors.litellm.callback import AssentLogger, Settings, blank, turn_of

WORD = "marker0000001q"


@pytest.fixture
def shop(api: Api) -> Shop:
    shop = Shop(api)
    shop.say("allow")
    shop.person("s2")
    shop.say("decline", "s2")
    shop.person("s3")
    return shop


@pytest.fixture
def settings(api: Api, tmp_path: Path) -> Settings:
    token = tmp_path / "token"
    token.write_text(api.tokens["product"] + "\n")
    return Settings("http://assent.test", token, rest_s=0.05)


class Gateway:
    """What the proxy does with a callback, in its order, for one request."""

    def __init__(self, logger: AssentLogger) -> None:
        self.logger = logger
        self.calls = 0

    async def request(self, person: str, chat: str = "c1", *, fails: bool = False, **headers: str) -> dict[str, Any]:
        """Return what a logger that is named after the callback is handed."""
        self.calls += 1
        named = {"x-openwebui-user-id": person, "x-openwebui-chat-id": chat, **headers}
        body = {"model": "m", "messages": [{"role": "user", "content": f"say {WORD}"}], "tools": [{"about": WORD}]}
        data: dict[str, Any] = {
            **copy.deepcopy(body),
            "litellm_call_id": f"call-{self.calls}",
            "litellm_logging_obj": SimpleNamespace(standard_callback_dynamic_params={}),
            "proxy_server_request": {"headers": named, "body": copy.deepcopy(body)},
            "metadata": {"headers": named, "requester_metadata": {"note": WORD}, "note": WORD},
        }
        before = copy.deepcopy(data["messages"])
        handed = await self.logger.async_pre_call_hook(SimpleNamespace(end_user_id=None), None, data, "acompletion")
        assert handed["messages"] == before  # what the model is asked stays as it was
        if fails:
            await self.logger.async_log_failure_event(kwargs=data, response_obj=None, start_time=None, end_time=None)
            await self.logger.async_post_call_failure_hook(
                request_data=data, original_exception=None, user_api_key_dict=None, traceback_str=None
            )
            return data
        kwargs: dict[str, Any] = {
            "litellm_call_id": data["litellm_call_id"],
            "messages": data["messages"],
            "tools": data["tools"],
            "optional_params": {"tools": data["tools"], "temperature": 1},
            "original_response": WORD,
            "litellm_params": {key: data[key] for key in ("proxy_server_request", "metadata")},
            "standard_logging_object": payload(data),
        }
        kwargs, result = await self.logger.async_logging_hook(kwargs, {"choices": [WORD]}, "acompletion")
        await self.logger.async_log_success_event(kwargs, result, None, None)
        return {**kwargs, "result": result}


def payload(data: dict[str, Any]) -> dict[str, Any]:
    answer = {"role": "assistant", "content": f"{WORD} it is", "annotations": None}
    return {
        "id": "chatcmpl-1",
        "litellm_call_id": data["litellm_call_id"],
        "call_type": "acompletion",
        "trace_id": data.get("litellm_trace_id", ""),
        "session_id": "",
        "startTime": 1_795_338_000.5,
        "endTime": 1_795_338_002.5,
        "messages": data["messages"],
        "response": {"choices": [{"message": answer}]},
        "response_cost": 0.25,
        "total_tokens": 7,
        "model_parameters": {"temperature": 1, "tools": data["tools"]},
        "guardrail_information": [{"guardrail_request": WORD}],
        "metadata": {"requester_metadata": {"note": WORD}, "user_api_key_team_id": "t"},
    }


def run(api: Api, settings: Settings, story: Callable[[AssentLogger, Gateway], Awaitable[Any]]) -> Any:
    async def told() -> Any:
        logger = AssentLogger(settings, httpx.ASGITransport(api.app, raise_app_exceptions=False))
        found = await story(logger, Gateway(logger))
        if logger._sending is not None:
            await asyncio.wait_for(logger._sending, 5)
        return found

    return asyncio.run(told())


def kept(api: Api) -> list[str]:
    return sorted(api.world.store.facts_of_several(["litellm:c1", "litellm:c2", f"litellm:{'c' * 300}"]))


def test_a_turn_of_one_who_allowed_it_is_kept_and_taken_in(api: Api, shop: Shop, settings: Settings) -> None:
    seen = run(api, settings, lambda _, gateway: gateway.request("s1"))
    assert WORD in str(seen["messages"])
    assert WORD in str(seen["standard_logging_object"])
    assert seen["standard_logging_object"]["trace_id"] == "c1"  # the chat's id is the session of the proxy's log
    assert kept(api) == ["litellm:c1"]


def test_nothing_is_logged_of_anybody_else(api: Api, shop: Shop, settings: Settings) -> None:
    """Of those who declined, were not asked, are not known, are not named, or have an odd name; when it fails, too."""

    async def story(_: AssentLogger, gateway: Gateway) -> list[dict[str, Any]]:
        persons = ("s2", "s3", "nobody", "", "a/b", "x" * 300)
        return [await gateway.request(person, fails=fails) for person in persons for fails in (False, True)]

    seen = run(api, settings, story)
    assert not [one for one in seen if WORD in str(one)]
    assert kept(api) == []
    logged = seen[0]["standard_logging_object"]
    assert (logged["response_cost"], logged["total_tokens"]) == (0.25, 7)
    assert logged["metadata"]["user_api_key_team_id"] == "t"


def test_a_caller_cannot_have_it_logged_all_the_same(api: Api, shop: Shop, settings: Settings) -> None:
    header = {"litellm-disable-message-redaction": "true"}
    seen = run(api, settings, lambda _, gateway: gateway.request("s2", **header))
    headers = seen["litellm_params"]["metadata"]["headers"]
    assert "litellm-disable-message-redaction" not in headers
    assert headers["x-litellm-enable-message-redaction"] == "true"


def test_who_withdraws_is_heard_after_a_minute_at_the_latest(api: Api, shop: Shop, settings: Settings) -> None:
    async def story(logger: AssentLogger, _: Gateway) -> list[bool]:
        first = await logger.may_keep("s1")
        await asyncio.to_thread(shop.say, "withdraw")
        return [first, await logger.may_keep("s1")]

    assert run(api, settings, story) == [True, True]
    assert run(api, settings, lambda logger, _: logger.may_keep("s1")) is False
    assert settings.remember_s == 60


def test_an_odd_person_makes_nobody_else_wait(api: Api, shop: Shop, settings: Settings) -> None:
    async def story(logger: AssentLogger, _: Gateway) -> list[bool]:
        return [await logger.may_keep(person) for person in ("x" * 300, "a/b", "\x07", "s1")]

    assert run(api, settings._replace(rest_s=60), story) == [False, False, False, True]


class Down(httpx.AsyncBaseTransport):
    """An assent that answers nothing, or nothing in time."""

    def __init__(self, wait_s: float | None = None) -> None:
        self.asked, self.wait_s = 0, wait_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.wait_s is not None:
            await asyncio.sleep(self.wait_s)
        raise httpx.ConnectError("connection refused", request=request)


@pytest.mark.parametrize("wait_s", [None, 30.0])
def test_while_assent_is_down_nothing_is_kept_and_nobody_waits_twice(settings: Settings, wait_s: float | None) -> None:
    async def story() -> tuple[list[str], int, float]:
        down = Down(wait_s)
        logger = AssentLogger(settings._replace(rest_s=60, wait_s=0.1), down)
        gateway, clock = Gateway(logger), asyncio.get_running_loop()
        began = clock.time()
        seen = [str(await gateway.request(f"s{number}")) for number in range(20)]
        waited = clock.time() - began
        for task in logger._asking.values():
            task.cancel()
        return seen, down.asked, waited

    seen, asked, waited = asyncio.run(story())
    assert not [one for one in seen if WORD in one]
    assert asked == 1
    assert waited < 2


def test_turns_wait_until_assent_is_back_and_one_that_is_not_read_takes_none_along(
    api: Api, shop: Shop, settings: Settings
) -> None:
    class Flaky(httpx.ASGITransport):
        failures = 1

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/v1/turns" and Flaky.failures:
                Flaky.failures -= 1
                raise httpx.ConnectError("connection refused", request=request)
            return await super().handle_async_request(request)

    async def story() -> None:
        logger = AssentLogger(settings, Flaky(api.app))
        gateway = Gateway(logger)
        for chat in ("c1", "c" * 300, "c2"):  # the second is longer than any name may be
            await gateway.request("s1", chat)
        assert logger._sending is not None
        await asyncio.wait_for(logger._sending, 5)

    asyncio.run(story())
    assert kept(api) == ["litellm:c1", "litellm:c2"]


def test_a_fault_of_ours_breaks_no_request(settings: Settings) -> None:
    broken = settings._replace(token_file=settings.token_file.with_name("nowhere"))

    async def story() -> tuple[Any, Any]:
        logger = AssentLogger(broken, Down())
        odd = await logger.async_pre_call_hook(None, None, {"metadata": 7, "proxy_server_request": "x"}, "")
        return odd, await Gateway(logger).request("s1")

    odd, seen = asyncio.run(story())
    assert odd["turn_off_message_logging"] is True
    assert WORD not in str(seen)


@pytest.mark.parametrize("call", [{}, {"litellm_params": None}, {"metadata": [], "standard_logging_object": 3}])
def test_anything_that_a_proxy_hands_over_can_be_blanked(call: dict[str, Any]) -> None:
    blank(call, None)
    assert call["messages"] == [{"role": "user", "content": callback.BLANK}]


def test_only_what_somebody_said_is_a_turn() -> None:
    logged = payload({"litellm_call_id": "1", "messages": "hello", "tools": []})
    turn = turn_of(logged, "c1", "s1", "pro")
    assert turn is not None
    assert (turn["input"], turn["plan"]) == ([{"role": "user", "content": "hello"}], "pro")
    assert turn["started_at"] == "2026-11-22T09:00:00.500Z"
    assert turn_of({**logged, "call_type": "aembedding"}, "c1", "s1", "") is None
    assert turn_of(logged, "", "s1", "") is None


ANSWERS = {
    "chat": {"choices": [{"message": {"role": "assistant", "content": "hi", "audio": None}}]},
    "text": {"choices": [{"text": "hi"}]},
    "anthropic": {"role": "assistant", "content": [{"type": "text", "text": "hi"}]},
    "responses": {
        "output": [{"type": "reasoning"}, {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]
    },
    "words": "hi",
}


@pytest.mark.parametrize("response", ANSWERS.values(), ids=ANSWERS)
def test_the_answer_of_every_api_is_understood(response: Any) -> None:
    logged = payload({"litellm_call_id": "1", "messages": "hello", "tools": []})
    turn = turn_of({**logged, "response": response}, "c1", "s1", "")
    assert turn is not None
    ((answer,),) = (turn["output"],)
    assert answer["role"] == "assistant"
    assert "hi" in str(answer["content"])


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Any]:
    """The file as the proxy loads it: copied beside its configuration, under another name."""
    copied = tmp_path / "assent_litellm.py"
    copied.write_bytes(Path(callback.__file__).read_bytes())
    (tmp_path / "assent_litellm.toml").write_text(
        'url = "http://assent.test"\ntoken_file = "token"\nperson = ["x-person"]\nplans = {team = "pro"}\n'
    )
    spec = importlib.util.spec_from_file_location("assent_litellm", copied)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_proxy_loads_one_file_and_settings_beside_it(beside: Any, tmp_path: Path) -> None:
    assert beside.logger.settings.person == ("x-person",)
    assert beside.logger.settings.plans == {"team": "pro"}
    assert beside.logger.settings.token_file == tmp_path / "token"
    assert beside.logger is beside.logger
    assert "assent." not in "".join(Path(beside.__file__).read_text().split('"""')[2::2])  # it imports nothing of ours
