"""Langfuse's public API: pages that shift, limits of requests, and ids that must not mean more than one thing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
import orjson

from assent.connectors.formats.fields import mapping, sequence
from assent.domain.errors import AssentError

PAGE: Final = 100
"""Rows of one page: the API takes no more."""

TRIES: Final = 6
LONGEST_WAIT_S: Final = 60.0
"""Seconds that are waited for a server that asks to come back later, however long it says."""

PASSES: Final = 5
"""How often a list is gone through while each time brings something new."""

_PAUSE_S: Final = 0.5
_TIMEOUT_S: Final = 60
_LATER: Final = frozenset({429, 502, 503, 504})
_GONE: Final = frozenset({404, 410})
_DOTS: Final = frozenset({"", ".", ".."})
"""Ids that would make another address of one."""

Row = dict[str, object]


class Api:
    """The API of one project. It is a context manager: its connections are closed when that ends."""

    def __init__(self, base: str, public: str, secret: str) -> None:
        self._base = base.rstrip("/")
        self._auth = (public, secret)
        self._client: httpx.Client | None = None
        self._unserved: set[str] = set()
        self.date: datetime | None = None
        """The server's own clock, as it last told it."""

    def __enter__(self) -> Self:
        tls = self._base.startswith("https:")  # without it no certificates are read, which takes longest of all
        self._client = httpx.Client(timeout=_TIMEOUT_S, auth=self._auth, follow_redirects=False, verify=tls)
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def pages(self, path: str, given: Mapping[str, str] | None = None) -> Iterator[Row] | None:
        """Read a list by numbered pages, each row of an id once, again and again until nothing new comes.

        Rows move between pages while others are written or deleted, and one pass may miss some. None where this
        server does not serve the path.
        """
        first = self._list(path, {**(given or {}), "page": "1", "limit": str(PAGE)})
        return None if first is None else self._numbered(path, given or {}, first)

    def _numbered(self, path: str, given: Mapping[str, str], first: Row) -> Iterator[Row]:
        seen: set[object] = set()
        answer = first
        for round_ in range(PASSES):
            before, page, last = len(seen), 1, 1
            while page <= last:
                if page > 1 or round_:
                    answer = self._list(path, {**given, "page": str(page), "limit": str(PAGE)}) or {}
                for row in map(mapping, sequence(answer.get("data"))):
                    if row.get("id") not in seen:
                        seen.add(row.get("id"))
                        yield row
                total = mapping(answer.get("meta")).get("totalPages")
                last = total if isinstance(total, int) else last
                page += 1
            if len(seen) == before or last <= 1:
                return

    def runs(self, path: str, given: Mapping[str, str], limit: int = 0) -> Iterator[Row] | None:
        """Read a list run by run, each naming where the next begins; None where this server does not serve the path.

        `limit` is how many rows are wanted of one request, 0 for as many as the API gives of every list.
        """
        asked = {**given, "limit": str(limit or PAGE)}
        first = self._list(path, asked)
        return None if first is None else self._following(path, asked, first)

    def _following(self, path: str, given: Mapping[str, str], first: Row) -> Iterator[Row]:
        answer, seen = first, set[str]()
        while True:
            yield from map(mapping, sequence(answer.get("data")))
            cursor = mapping(answer.get("meta")).get("cursor")
            if not isinstance(cursor, str) or not cursor:
                return
            if cursor in seen:
                raise AssentError(
                    "Langfuse shows the same part of a list again", "look at its own record, then ask again"
                )
            seen.add(cursor)
            answer = self._list(path, {**given, "cursor": cursor}) or {}

    def there(self, path: str, name: str) -> bool:
        """Ask for one thing by its id. One whose id would be another address is not asked for: a list shows it."""
        return name not in _DOTS and self._ask("GET", f"{path}/{quote(name, safe='')}", missing=True) is not None

    def delete(self, path: str, name: str) -> None:
        """Order the deletion of one thing; what is gone already is no problem. The answer says nothing."""
        if name not in _DOTS:
            self._ask("DELETE", f"{path}/{quote(name, safe='')}", missing=True)

    def delete_traces(self, ids: Sequence[str]) -> None:
        """Order the deletion of traces, which queues it."""
        self._ask("DELETE", "/traces", content={"traceIds": list(ids)})

    def _list(self, path: str, given: Mapping[str, str]) -> Row | None:
        if path in self._unserved:
            return None
        answer = self._ask("GET", path, given=given, missing=True)
        if answer is None:
            self._unserved.add(path)
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        *,
        given: Mapping[str, str] | None = None,
        content: Any = None,
        missing: bool = False,
    ) -> Row | None:
        answer = self._send(method, path, given, content)
        for _ in range(TRIES):
            if answer.status_code not in _LATER:
                break
            time.sleep(min(_wait(answer), LONGEST_WAIT_S))
            answer = self._send(method, path, given, content)
        if answer.status_code in _GONE and missing:
            return None
        if answer.status_code in (401, 403):
            raise AssentError(
                "Langfuse does not take these keys", "give the keys of the project, and a secret that is valid"
            )
        if answer.is_error or answer.is_redirect:
            raise AssentError(f"Langfuse answers {answer.status_code}", "look at its own record, then ask again")
        try:
            return mapping(orjson.loads(answer.content)) if answer.content else {}
        except orjson.JSONDecodeError:
            raise AssentError("what answers there is not Langfuse", "correct `url`") from None

    def _send(self, method: str, path: str, given: Mapping[str, str] | None, content: Any) -> httpx.Response:
        assert self._client is not None, "questions are asked inside `with`"  # noqa: S101 - a fault of this package
        address = f"{self._base}/api/public{path}"
        try:
            answer = self._client.request(method, address, params=dict(given or {}), json=content)
        except httpx.HTTPError as problem:
            what = type(problem).__name__
            raise AssentError(f"Langfuse cannot be reached ({what})", "look whether it runs, and at `url`") from None
        told = answer.headers.get("date")
        if told:
            try:
                self.date = parsedate_to_datetime(told).astimezone(UTC)
            except ValueError:
                self.date = None
        return answer


def _wait(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else _PAUSE_S
