"""A callback for LiteLLM's proxy: it keeps the prompts of those who allowed it, and nobody else's, and takes turns in.

It runs in the proxy's own process and imports nothing of assent: copy this one file beside the proxy's configuration as
`assent_litellm.py`, write `assent_litellm.toml` beside it, and name it there:

    litellm_settings:
      callbacks: ["assent_litellm.logger"]

What it does to a request: it asks assent what the person chose, remembers the answer for a minute, and where the
answer is anything but a yes (no person, no answer, assent down) lets no logger see what was said, the proxy's own
spend logs included. A conversation that a chat product names in a header becomes the session of the log, so that the
same id finds it later. Nothing that goes wrong here breaks a request; a request waits for assent once for
`wait_s` at most, and not at all for `rest_s` after it did not answer.
"""

# ruff: noqa: ARG002 - the proxy gives hooks their arguments by name

from __future__ import annotations

import asyncio
import logging
import tomllib
from collections import OrderedDict, deque
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import httpx

try:
    from litellm.integrations.custom_logger import CustomLogger  # type: ignore[import-not-found]
except ModuleNotFoundError:  # outside a proxy there is nothing to be a logger of
    CustomLogger = object


KEPT_CALLS: Final = 10_000
"""The newest requests whose prompts may be kept; one that is answered after so many others is not kept."""

TURNS_WAITING: Final = 1_000
"""Turns that wait for assent while it is down; older ones are given up, and are in the spend logs still."""

TURNS_AT_ONCE: Final = 20
PEOPLE: Final = 50_000
BLANK: Final = "redacted-by-assent"

_SPOKEN: Final = ("completion", "responses", "anthropic_messages", "generate_content")
_PLAIN: Final = frozenset(
    ("model", "stream", "temperature", "top_p", "max_tokens", "max_completion_tokens", "n", "seed")
)
"""What of a request is no content."""

_QUOTING: Final = (
    *("guardrail_information", "standard_logging_guardrail_information", "mcp_tool_call_metadata"),
    *("vector_store_request_metadata", "spend_logs_metadata", "requester_metadata", "requester_custom_headers"),
    *("previous_models", "eval_information", "error_information", "prompt_management_metadata", "proxy_server_request"),
)
"""Keys of a request's metadata that may quote what was said."""

_NAMING: Final = frozenset(("session_id", "trace_id", "tags", "headers"))
"""What a caller's metadata may say that names or bills a request."""

_PROMPTING: Final = (
    *("prompt", "input", "system", "instructions", "contents", "query", "documents", "tools", "functions"),
    *("tool_choice", "response_format", "prediction", "extra_body", "realtime_tools", "realtime_tool_calls"),
)

_log = logging.getLogger("assent")


class Settings(NamedTuple):  # no dataclass: the proxy loads this file without naming it in `sys.modules`
    """The keys of `assent_litellm.toml`.

    `url` and `token_file`: assent, and a token of the role `product`. `purpose`: the purpose for which a person must
    have allowed prompts to be kept. `person`, `conversation`, `plan`: headers that name them, the first that is there;
    they are believed, so only the chat product may reach the proxy with them. `plans` translates what `plan` says.
    `surface`: what the conversations are. `take_in`: bring turns in, or only redact. `remember_s`, `wait_s`, `rest_s`:
    seconds, see above.
    """

    url: str
    token_file: Path
    purpose: str = "training"
    person: tuple[str, ...] = ("x-openwebui-user-id",)
    conversation: tuple[str, ...] = ("x-openwebui-chat-id",)
    plan: tuple[str, ...] = ("x-assent-plan",)
    plans: Mapping[str, str] = MappingProxyType({})
    surface: str = "chat"
    take_in: bool = True
    remember_s: float = 60.0
    wait_s: float = 0.3
    rest_s: float = 10.0


class _Call(NamedTuple):
    person: str
    conversation: str
    plan: str


class AssentLogger(CustomLogger):  # type: ignore[misc]
    """The callback. One a proxy process."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Ask nothing yet; `transport` is for tests."""
        super().__init__()
        self.settings = settings
        base = settings.url.rstrip("/")
        self._client = httpx.AsyncClient(base_url=base, timeout=5.0, transport=transport, trust_env=False)
        self._token = ""
        self._answers: OrderedDict[str, tuple[bool, float]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[bool]] = {}
        self._down_until = float("-inf")
        self._kept: OrderedDict[str, _Call] = OrderedDict()
        self._turns: deque[dict[str, Any]] = deque(maxlen=TURNS_WAITING)
        self._sending: asyncio.Task[None] | None = None

    # -- before the model is asked --------------------------------------------------------

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> Any:
        """Decide whether the prompt may be kept; refuse whatever goes wrong. The request itself stays as it is."""
        try:
            if await self._decide(user_api_key_dict, data):
                return data
        except Exception:  # noqa: BLE001 - no fault of ours may break a request
            _log.warning("assent: a request could not be decided on, so it is not kept")
        self._kept.pop(str(data.get("litellm_call_id")), None)
        _refuse(data)
        return data

    async def _decide(self, key: Any, data: dict[str, Any]) -> bool:
        headers = _headers(data)
        call = _Call(
            _first(headers, self.settings.person) or str(getattr(key, "end_user_id", None) or ""),
            _first(headers, self.settings.conversation) or _session(data),
            _first(headers, self.settings.plan),
        )
        if call.conversation:
            _name_session(data, call.conversation)
        number = data.get("litellm_call_id")
        if not call.person or not isinstance(number, str) or not await self.may_keep(call.person):
            return False
        self._kept[number] = call
        while len(self._kept) > KEPT_CALLS:
            self._kept.popitem(last=False)
        return True

    # -- before anything is logged --------------------------------------------------------

    async def async_logging_hook(
        self, kwargs: dict[str, Any], result: Any, call_type: str
    ) -> tuple[dict[str, Any], Any]:
        """Blank what no logger may see: runs before every logger, the spend logs included."""
        return self._logged(kwargs, result)

    def logging_hook(self, kwargs: dict[str, Any], result: Any, call_type: str) -> tuple[dict[str, Any], Any]:
        """Do the same for loggers that run in a thread."""
        return self._logged(kwargs, result)

    def _logged(self, kwargs: dict[str, Any], result: Any) -> tuple[dict[str, Any], Any]:
        return (kwargs, result) if kwargs.get("litellm_call_id") in self._kept else (kwargs, blank(kwargs, result))

    async def async_log_failure_event(self, kwargs: dict[str, Any], *_: Any, **__: Any) -> None:
        """Blank a call that failed: the loggers named after this one are handed the same."""
        self.log_failure_event(kwargs)

    def log_failure_event(self, kwargs: dict[str, Any], *_: Any, **__: Any) -> None:
        """Do the same for loggers that run in a thread."""
        if kwargs.get("litellm_call_id") not in self._kept:
            blank(kwargs, None)

    async def async_post_call_failure_hook(self, request_data: dict[str, Any], *_: Any, **__: Any) -> None:
        """Blank the request of a call that failed, before it becomes a row of the spend logs."""
        if request_data.get("litellm_call_id") not in self._kept:
            blank(request_data, None)

    # -- taking in --------------------------------------------------------------------------

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Bring a turn in that may be kept, later and not in the way of anything."""
        call = self._kept.get(str(kwargs.get("litellm_call_id")))
        payload = kwargs.get("standard_logging_object")
        if call is None or not self.settings.take_in or not isinstance(payload, Mapping):
            return
        name = call.conversation or str(payload.get("session_id") or payload.get("trace_id") or "")
        turn = turn_of(payload, name, call.person, self.settings.plans.get(call.plan, call.plan))
        if turn is not None:
            self._turns.append({**turn, "surface": self.settings.surface})
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        """Send what waits, until nothing does; while assent is down it rests and goes on."""
        at_once = TURNS_AT_ONCE
        while self._turns:
            some = [self._turns[n] for n in range(min(len(self._turns), at_once))]
            status = await self._call("POST", "/v1/turns", {"turns": some})
            if _is_down(status):
                await asyncio.sleep(self.settings.rest_s)
                continue
            refused = status is not None and status >= 400
            if refused and len(some) > 1:
                at_once = 1  # one of them cannot be read: the others are not lost with it
                continue
            if refused:
                _log.warning("assent: it did not take a turn (status %d)", status)
            for one in some:
                if self._turns and self._turns[0] is one:  # the oldest are given up where too many wait
                    self._turns.popleft()

    # -- asking assent ----------------------------------------------------------------------

    async def may_keep(self, person: str) -> bool:
        """Say whether this person allowed it; an answer counts for a minute, no answer is a no."""
        now = asyncio.get_running_loop().time()
        answer, since = self._answers.get(person, (False, float("-inf")))
        if now - since < self.settings.remember_s:
            return answer
        if now < self._down_until:
            return False
        asking = self._asking.get(person)
        if asking is None or asking.done():
            asking = self._asking[person] = asyncio.create_task(self._ask(person))
            asking.add_done_callback(lambda _task: self._asking.pop(person, None))
        try:
            return await asyncio.wait_for(asyncio.shield(asking), self.settings.wait_s)
        except TimeoutError:
            self._down_until = now + self.settings.rest_s
            return False

    async def _ask(self, person: str) -> bool:
        found: list[Any] = []
        status = await self._call("GET", f"/v1/people/{quote(person, safe='')}/standings?limit=100", None, found)
        loop = asyncio.get_running_loop()
        if _is_down(status):
            self._down_until = loop.time() + self.settings.rest_s
            return False
        wanted = (self.settings.purpose, "everything", "allowed")
        rows = found[0].get("standings", ()) if found and isinstance(found[0], dict) else ()
        allowed = any((row.get("purpose"), row.get("scope"), row.get("status")) == wanted for row in rows)
        self._answers[person] = (allowed, loop.time())
        self._answers.move_to_end(person)
        while len(self._answers) > PEOPLE:
            self._answers.popitem(last=False)
        self._down_until = float("-inf")
        return allowed

    async def _call(self, method: str, path: str, body: object, answer: list[Any] | None = None) -> int | None:
        """Call assent; None where it does not answer. The token is read again after it was refused."""
        try:
            self._token = self._token or self.settings.token_file.read_text("utf-8").strip()
            headers = {"Authorization": f"Bearer {self._token}"}
            done = await self._client.request(method, path, headers=headers, json=body)
            if done.status_code in (401, 403):
                self._token = ""
            elif answer is not None and done.status_code < 300:
                answer.append(done.json())
        except (httpx.HTTPError, OSError, ValueError):
            return None
        return done.status_code


def _is_down(status: int | None) -> bool:
    """Tell whether assent could not be asked at all; whatever else it answers is an answer to this one question."""
    return status is None or status >= 500 or status in (401, 403, 429)


def _refuse(data: dict[str, Any]) -> None:
    """Have the proxy blank what it logs of this request, also where it fails; a caller cannot ask otherwise."""
    data["turn_off_message_logging"] = True
    dynamic = getattr(data.get("litellm_logging_obj"), "standard_callback_dynamic_params", None)
    if isinstance(dynamic, MutableMapping):
        dynamic["turn_off_message_logging"] = True
    for name in ("metadata", "litellm_metadata"):
        metadata = data.get(name)
        if isinstance(metadata, MutableMapping) and isinstance(metadata.get("headers"), Mapping):
            said = {k: v for k, v in metadata["headers"].items() if k.lower() != "litellm-disable-message-redaction"}
            metadata["headers"] = {**said, "x-litellm-enable-message-redaction": "true"}


# -- blanking -------------------------------------------------------------------------------------


def blank(call: dict[str, Any], result: Any) -> Any:
    """Blank all that a logger is handed of one call, in place, and return the blanked answer; counts and costs stay."""
    try:
        from litellm.litellm_core_utils.redact_messages import (  # type: ignore[import-not-found]  # noqa: PLC0415
            perform_redaction,
        )
    except ModuleNotFoundError:
        result = None
    else:
        result = perform_redaction(call, result)
    call["messages"] = [{"role": "user", "content": BLANK}]
    for key in _PROMPTING:
        if key in call:
            call[key] = None
    for key in ("additional_args", "original_response", "raw_request", "httpx_response", "preserved_params"):
        if key in call:
            call[key] = {} if isinstance(call[key], Mapping) else None
    if isinstance(call.get("optional_params"), Mapping):
        call["optional_params"] = _plain(call["optional_params"])
    _blank_holder(call)
    if isinstance(call.get("litellm_params"), Mapping):
        call["litellm_params"] = dict(call["litellm_params"])
        _blank_holder(call["litellm_params"])
    if isinstance(call.get("standard_logging_object"), Mapping):
        call["standard_logging_object"] = _blank_payload(call["standard_logging_object"])
    return result


def _blank_payload(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Blank a `StandardLoggingPayload`."""
    blanked = {**payload, "messages": BLANK, "response": BLANK, "error_str": None}
    if isinstance(payload.get("model_parameters"), Mapping):
        blanked["model_parameters"] = _plain(payload["model_parameters"])
    _blank_metadata(blanked)
    if isinstance(payload.get("metadata"), Mapping):
        blanked["metadata"] = dict(payload["metadata"])
        _blank_metadata(blanked["metadata"])
    return blanked


def _blank_holder(holder: MutableMapping[str, Any]) -> None:
    """Blank the request and the metadata that a call, or its parameters, hold."""
    request = holder.get("proxy_server_request")
    if isinstance(request, Mapping):
        body = request.get("body")
        holder["proxy_server_request"] = {**request, "body": _plain(body) if isinstance(body, Mapping) else {}}
    for name in ("metadata", "litellm_metadata"):
        if isinstance(holder.get(name), Mapping):
            holder[name] = dict(holder[name])
            _blank_metadata(holder[name])


def _blank_metadata(metadata: MutableMapping[str, Any]) -> None:
    """Blank what may quote; what the caller sent with a request goes too, where it stands a second time."""
    callers = metadata.get("requester_metadata")
    for key in (*_QUOTING, *(callers if isinstance(callers, Mapping) else ())):
        if metadata.get(key) is not None and key not in _NAMING:
            metadata[key] = None


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key in _PLAIN}


# -- what a request says ---------------------------------------------------------------------------


def turn_of(payload: Mapping[str, Any], conversation: str, person: str, plan: str) -> dict[str, Any] | None:
    """Make one turn of a `StandardLoggingPayload`; None if nobody spoke in it (an embedding, a picture)."""
    messages, answer = payload.get("messages"), _answer(payload.get("response"))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    spoken = any(word in str(payload.get("call_type")) for word in _SPOKEN)
    if not (spoken and conversation and isinstance(messages, list) and all(isinstance(one, dict) for one in messages)):
        return None
    turn = {
        "format": "litellm",
        "conversation": conversation,
        "turn": str(payload.get("litellm_call_id") or payload.get("id")),
        "subject": person,
        "started_at": _instant(payload.get("startTime")),
        "ended_at": _instant(payload.get("endTime")),
        "input": messages,
        "output": [answer] if answer else [],
    }
    return {**turn, "plan": plan} if plan else turn


def _answer(response: object) -> dict[str, Any] | None:
    """Read the first answer of chat completions, of Anthropic's messages, or of responses."""
    if isinstance(response, str):
        return {"role": "assistant", "content": response} if response else None
    if not isinstance(response, Mapping):
        return None
    for choice in response.get("choices") or ():
        message = choice.get("message") or {"content": choice.get("text")}
        said: dict[str, Any] = {
            key: message[key] for key in ("content", "tool_calls", "reasoning_content") if message.get(key)
        }
        return said | {"role": "assistant"}
    blocks = [part for item in response.get("output") or () for part in item.get("content") or ()]
    blocks = blocks or (response.get("content") if response.get("role") == "assistant" else None) or []
    return {"role": "assistant", "content": blocks} if blocks else None


def _instant(seconds: object) -> str | None:
    if not isinstance(seconds, int | float):
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _headers(data: Mapping[str, Any]) -> dict[str, str]:
    request = data.get("proxy_server_request")
    found = request.get("headers") if isinstance(request, Mapping) else None
    return {str(k).lower(): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}


def _first(headers: Mapping[str, str], names: Sequence[str]) -> str:
    return next((value for name in names if (value := headers.get(name.lower(), "").strip())), "")


def _session(data: Mapping[str, Any]) -> str:
    found = data.get("litellm_session_id") or data.get("litellm_trace_id")
    return found if isinstance(found, str) else ""


def _name_session(data: dict[str, Any], name: str) -> None:
    """Make the conversation the session of the proxy's log: its column `session_id` then holds the chat's id."""
    data["litellm_session_id"] = data["litellm_trace_id"] = name
    call = data.get("litellm_logging_obj")  # it took over the ids of the request before the hook ran
    if call is not None:
        call.litellm_session_id = call.litellm_trace_id = name
    for key in ("metadata", "litellm_metadata"):
        if isinstance(data.get(key), MutableMapping):
            data[key]["session_id"] = data[key]["trace_id"] = name


# -- the instance that the proxy's configuration names ---------------------------------------------


def from_file(path: Path) -> AssentLogger:
    """Read the settings beside this file. A path in them is relative to it."""
    said = tomllib.loads(path.read_text("utf-8"))
    for key in ("person", "conversation", "plan"):
        if key in said:
            said[key] = tuple(said[key])
    return AssentLogger(Settings(**{**said, "token_file": path.parent / said["token_file"]}))


def __getattr__(name: str) -> Any:
    """Make `logger` when the proxy asks for it, once."""
    if name != "logger":
        raise AttributeError(name)
    made = globals()["logger"] = from_file(Path(__file__).with_suffix(".toml"))
    return made
