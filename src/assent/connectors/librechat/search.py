"""The search index: documents of conversations and of messages in MeiliSearch, found by the conversation's id.

Documents that are deleted leave freed pages in the index's own database. They go when the index is made anew, which
its creation date shows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from assent.domain.errors import AssentError

_KEYS: Final = {"convos": "conversationId", "messages": "messageId"}
"""Index and its primary key."""

_QUERIES: Final = 50
_HITS: Final = 1_000
"""The most that one search of MeiliSearch returns, unless it is set otherwise."""

_WAITS: Final = 200
_ROUNDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Search:
    """A MeiliSearch server. `pause` waits between two looks at a task."""

    http: httpx.Client
    pause: Callable[[], None]

    def count(self, ids: Collection[str]) -> dict[str, int]:
        """Count the documents of each conversation, at most `_HITS` in each index."""
        found = dict.fromkeys(ids, 0)
        for index in _KEYS:
            for name, keys in self._find(index, ids).items():
                found[name] += len(keys)
        return found

    def erase(self, ids: Collection[str]) -> None:
        """Delete the documents of these conversations, and wait for each task; whether they are gone is for `count`."""
        for index in _KEYS:
            done: list[str] = []
            for _ in range(_ROUNDS):  # a search returns no more than `_HITS`
                keys = [key for some in self._find(index, ids).values() for key in some]
                if keys in ([], done) or not self._delete(index, keys):
                    break
                done = keys

    def made(self) -> dict[str, str]:
        """Return when each index was made, as the server writes it; one that is not there is left out."""
        answers = {index: self._ask("GET", f"/indexes/{index}", missing=True) for index in _KEYS}
        return {index: str(answer["createdAt"]) for index, answer in answers.items() if "createdAt" in answer}

    def drop(self) -> None:
        """Delete both indexes; LibreChat makes and fills them when it starts."""
        for index in _KEYS:
            task = self._ask("DELETE", f"/indexes/{index}", missing=True)
            if "taskUid" in task:
                self._wait(task["taskUid"])

    def _find(self, index: str, ids: Iterable[str]) -> dict[str, list[str]]:
        key, found = _KEYS[index], dict[str, list[str]]()
        known = list(ids)
        for start in range(0, len(known), _QUERIES):
            some = known[start : start + _QUERIES]
            body = {"queries": [_query(index, key, one) for one in some]}
            answer = self._ask("POST", "/multi-search", body, missing=True)
            for one, result in zip(some, answer.get("results", ()), strict=False):
                # the words of an id are searched for: what only resembles it is not it
                hits = [hit[key] for hit in result["hits"] if hit.get("conversationId") == _indexed(one) and key in hit]
                found[one] = hits
        return found

    def _delete(self, index: str, keys: list[str]) -> bool:
        task = self._ask("POST", f"/indexes/{index}/documents/delete-batch", keys, missing=True)
        return "taskUid" in task and self._wait(task["taskUid"])

    def _wait(self, task: int) -> bool:
        for _ in range(_WAITS):
            status = self._ask("GET", f"/tasks/{task}").get("status")
            if status not in ("enqueued", "processing"):
                return status == "succeeded"
            self.pause()
        return False

    def _ask(self, method: str, path: str, body: object = None, *, missing: bool = False) -> dict[str, Any]:
        try:
            answer = self.http.request(method, path, json=body)
        except httpx.HTTPError as problem:
            raise AssentError(f"MeiliSearch does not answer: {type(problem).__name__}", "see that it runs") from None
        if missing and answer.status_code in (400, 404) and _code(answer) == "index_not_found":
            return {}
        if not answer.is_success:
            raise AssentError(f"MeiliSearch answered {answer.status_code}", "check its address and key")
        return dict(answer.json())


def _query(index: str, key: str, name: str) -> dict[str, object]:
    quoted = _indexed(name).replace('"', " ")
    return {
        "indexUid": index,
        "q": f'"{quoted}"',
        "attributesToSearchOn": ["conversationId"],
        "attributesToRetrieve": list(dict.fromkeys((key, "conversationId"))),
        "limit": _HITS,
    }


def _indexed(name: str) -> str:
    """Return the id as LibreChat writes it into an index."""
    return name.replace("|", "--")


def _code(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return ""
    return str(said.get("code", "")) if isinstance(said, Mapping) else ""


def client_of(address: str, key: str, timeout_s: float) -> httpx.Client:
    """Return a client of a MeiliSearch server; nothing is asked yet."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=address, headers=headers, timeout=timeout_s, trust_env=False)
