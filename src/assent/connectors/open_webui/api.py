"""The admin API of Open WebUI: what a running server has to do itself, since it holds things in memory.

Nothing that it answers is taken for proof; who orders looks at the data afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from assent.domain.errors import AssentError, Refused

TIMEOUT_S: Final = 60
KNOCK_S: Final = 5
INDEX_S: Final = 1_800
"""A new index of memories embeds every memory of everybody."""
_REACHES_MORE: Final = frozenset({"", ".", "..", "all"})
"""Ids that would make another address of one: `DELETE /files/all` deletes everybody's files."""


class Api:
    """The API at an address: signed in when it is first asked, and again when the sign-in has run out.

    It is a context manager: its connections are closed when that ends.
    """

    def __init__(self, base: str, credentials: Callable[[], dict[str, str] | str]) -> None:
        """Build from an address and what to sign in with: an e-mail address and password, or a key as text."""
        self._base = base.rstrip("/")
        self._credentials = credentials
        self._client: httpx.Client | None = None
        self._token = ""

    def __enter__(self) -> Self:
        """Sign in and see that it is an administrator. Raises `Refused` or `AssentError`."""
        self._client = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False)
        try:
            self._check()
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def runs(self) -> bool:
        """Tell whether anything listens at the address, however badly it answers."""
        try:
            httpx.get(f"{self._base}/health", timeout=KNOCK_S)
        except httpx.ConnectError:
            return False
        except httpx.HTTPError:
            return True
        return True

    def delete(self, kind: str, name: str) -> None:
        """Order the deletion of one thing: `chats`, `files`, `evaluations/feedback`. Its answer says nothing."""
        if name not in _REACHES_MORE:
            self._ask("DELETE", f"/api/v1/{kind}/{quote(name, safe='')}")

    def delete_chunks(self, collection: str, file: str) -> None:
        """Order the deletion of a file's chunks from a collection; the server knows them by the file's hash."""
        self._ask("POST", "/api/v1/retrieval/delete", {"collection_name": collection, "file_id": file})

    def index_memories_again(self) -> None:
        """Order a new index of everybody's memories: the only order of an administrator that removes one from it."""
        self._ask("POST", "/api/v1/memories/reindex", timeout_s=INDEX_S)

    def _check(self) -> None:
        answer = self._ask("GET", "/api/v1/auths/")
        if answer.status_code != HTTPStatus.OK or _object(answer).get("role") != "admin":
            fix = "give the e-mail address of an administrator"
            raise Refused("this account is no administrator of Open WebUI", fix)

    def _ask(
        self, method: str, path: str, content: dict[str, Any] | None = None, timeout_s: float = TIMEOUT_S
    ) -> httpx.Response:
        if not self._token:
            self._sign_in()
        answer = self._send(method, path, content, timeout_s)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._session_is_over():
            self._sign_in()
            answer = self._send(method, path, content, timeout_s)
        return answer

    def _send(
        self, method: str, path: str, content: dict[str, Any] | None = None, timeout_s: float = TIMEOUT_S
    ) -> httpx.Response:
        assert self._client is not None, "orders are given inside `with`"  # noqa: S101 - a fault of this package
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            return self._client.request(method, self._base + path, json=content, headers=headers, timeout=timeout_s)
        except httpx.HTTPError as problem:
            raise AssentError(
                f"Open WebUI at `{self._base}` cannot be reached ({type(problem).__name__})",
                "start it, or order a maintenance pass while it is stopped",
            ) from None

    def _session_is_over(self) -> bool:
        # A chat that is not there answers 401 as well, so the session itself is asked.
        return self._send("GET", "/api/v1/auths/").status_code == HTTPStatus.UNAUTHORIZED

    def _sign_in(self) -> None:
        given = self._credentials()
        if isinstance(given, str):
            self._token = given
            return
        self._token = ""
        answer = self._send("POST", "/api/v1/auths/signin", dict(given))
        token = _object(answer).get("token")
        if answer.status_code != HTTPStatus.OK or not isinstance(token, str):
            raise Refused(
                f"Open WebUI did not take the sign-in (status {answer.status_code})",
                "look at the e-mail address and the password file; where passwords are off, give `api_key_file`",
            )
        self._token = token


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
