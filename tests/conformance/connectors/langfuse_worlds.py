"""A stand-in for Langfuse: the paths and bodies of its published API, over a queue, masked rows and a bucket.

Its two generations: traces with observations under them, and observations alone, in a table of their own; a server that
is being moved keeps both. It behaves as the product does, and worse when told to: traces go later than they are ordered
to, pages shift, every few requests are one too many, every order is answered and forgotten.
"""

import base64
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.conformance.connectors.kit import Seeded

from assent.connectors.langfuse.product import Langfuse, Settings, connect

BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)
CLEANED_DAYS = 7
KINDS = {
    "/traces": "sessionId fromTimestamp",
    "/observations": "traceId",
    "/v2/scores": "traceId sessionId",
    "/dataset-items": "sourceTraceId",
    "/comments": "objectType objectId",
}
EVENTS = "/v2/observations"
OLD = frozenset({"/traces", "/observations", "/v2/scores"})
NEW = frozenset({EVENTS, "/v3/scores"})
GENERATIONS = {"to 3": OLD, "from 4": NEW, "both": OLD | NEW}
CORE = ["id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type"]
FIELDS = {
    "basic": [
        "name",
        "level",
        "version",
        "environment",
        "bookmarked",
        "public",
        "userId",
        "sessionId",
        "isRootObservation",
    ],
    "io": ["input", "output"],
    "subject": ["subject"],
}
CORE_OF_SCORES = [
    "id",
    "projectId",
    "name",
    "value",
    "dataType",
    "source",
    "timestamp",
    "environment",
    "createdAt",
    "updatedAt",
]
TRACE = {
    "name": "chat",
    "metadata": {},
    "tags": [],
    "scores": [],
    "public": False,
    "environment": "default",
    "latency": 1.5,
    "totalCost": 0.0,
}
CALL = {
    "type": "GENERATION",
    "name": "chat",
    "level": "DEFAULT",
    "projectId": "p",
    "environment": "default",
    "parentObservationId": None,
    "metadata": {},
    "version": None,
}
COUNTS = {
    "modelParameters": {},
    "usage": {"input": 1, "output": 1, "total": 2, "unit": "TOKENS"},
    "usageDetails": {},
    "costDetails": {},
}
Row = dict[str, Any]


class LangfuseStub:
    """Rows by path; what is deleted is masked, and lies in parts and in the bucket until somebody cleans."""

    def __init__(self, generation: str = "from 4") -> None:
        self.served = {"/dataset-items", "/comments"} | GENERATIONS[generation]
        self.rows: dict[str, list[Row]] = {path: [] for path in (*KINDS, EVENTS)}
        self.masked: list[Row] = []
        self.bucket: list[Row] = []
        self.queue: list[tuple[int, str]] = []
        self.now = datetime(2026, 6, 1, tzinfo=UTC)
        self.requests = self.passes = 0
        self.mood: dict[str, Any] = {}
        self.lock = threading.Lock()

    def add(self, path: str, **row: Any) -> None:
        self.rows[path].append(row)
        self.bucket.append(row)

    def answer(self, method: str, path: str, given: Mapping[str, str], body: Any) -> tuple[int, Any]:
        self.requests += 1
        self._work_off()
        if self.mood.get("limits") and self.requests % 5 == 0:
            return 429, {"message": "too many"}
        if method == "DELETE":
            return self._delete(path, body)
        kind, _, name = path.rpartition("/")
        if not {path, kind} & self.served:
            return 404, {"message": "not served"}
        if path in NEW:
            return 200, self._run(path, given)
        if path in KINDS:
            return 200, self._page(path, given)
        found = next((row for row in self.rows.get(kind, ()) if row["id"] == unquote(name)), None)
        return (200, found) if found is not None else (404, {"message": "not found"})

    def _page(self, path: str, given: Mapping[str, str]) -> Row:
        wanted = {key: given[key] for key in KINDS[path].split() if given.get(key)}
        since = wanted.pop("fromTimestamp", "")
        rows = [row for row in self.rows[path] if all(row.get(key) == value for key, value in wanted.items())]
        rows = [row for row in rows if str(row.get("timestamp", "")) >= since]
        page, limit = int(given["page"]), int(given["limit"])
        self.passes += page == 1
        # a row before this page was deleted after the page before it was read: one moves up and is missed
        start = (page - 1) * limit + (page > 1 and self.passes % 2 == 1 and bool(self.mood.get("shifts")))
        total = -(-len(rows) // limit)
        meta = {"page": page, "limit": limit, "totalItems": len(rows), "totalPages": total}
        return {"data": rows[start : start + limit], "meta": meta}

    def _run(self, path: str, given: Mapping[str, str]) -> Row:
        """A list that goes on behind a cursor; only the fields that were asked for, input and output as text."""
        fields = [key for group in given.get("fields", "").split(",") for key in FIELDS.get(group, ())]
        if path == EVENTS:
            rows = [
                row
                for row in self.rows[EVENTS]
                if all(_meets(row, one) for one in json.loads(given.get("filter", "[]")))
            ]
            rows = [{key: row.get(key) for key in (*CORE, *fields)} for row in rows]
            rows.sort(key=lambda row: (row["startTime"], row["id"]), reverse=True)
        else:
            assert "," not in given.get("traceId", "") + given.get("sessionId", ""), "that would be two"
            wanted = {key: given[key] for key in ("traceId", "sessionId") if given.get(key)}
            rows = [
                row for row in self.rows["/v2/scores"] if all(row.get(key) == value for key, value in wanted.items())
            ]
            rows = [{key: _third(row).get(key) for key in (*CORE_OF_SCORES, *fields)} for row in rows]
        start, limit = int(base64.b64decode(given.get("cursor", "MA=="))), int(given["limit"])
        more = start + limit < len(rows)
        cursor = base64.b64encode(str(start + limit).encode()).decode()
        meta = {"limit": limit, **({"cursor": cursor} if more else {})}
        return {"data": rows[start : start + limit], "meta": meta}

    def _delete(self, path: str, body: Any) -> tuple[int, Any]:
        if not self.mood.get("lies"):
            if path == "/traces":
                self.queue += [(self.requests + self.mood.get("late", 0), name) for name in body["traceIds"]]
            else:
                kind, _, name = path.rpartition("/")
                self._mask("/v2/scores" if kind == "/scores" else kind, lambda row: row["id"] == unquote(name))
        return 200, {"message": "deleted"}

    def _work_off(self) -> None:
        due = {name for at, name in self.queue if at < self.requests}
        self.queue = [one for one in self.queue if one[1] not in due]
        if due:
            self._mask("/traces", lambda row: row["id"] in due)
            for path in ("/observations", EVENTS, "/v2/scores"):
                self._mask(path, lambda row: row.get("traceId") in due)

    def _mask(self, path: str, gone: Any) -> None:
        self.masked += [row for row in self.rows[path] if gone(row)]
        self.rows[path] = [row for row in self.rows[path] if not gone(row)]

    def clean(self) -> None:
        """What its operator's rules do in time: parts are merged, the bucket forgets what no row needs."""
        self.masked = []
        kept = {id(row) for rows in self.rows.values() for row in rows}
        self.bucket = [row for row in self.bucket if id(row) in kept]
        self.now += timedelta(days=CLEANED_DAYS + 1)


class LangfuseWorld:
    """The stand-in behind a real socket, for the kit."""

    odd_ids: Sequence[str] = ("a/b", "..", "%", "a&b=c", "ä ö", "a,b", 'a"b')

    def __init__(self, folder: Path, generation: str = "from 4", **mood: Any) -> None:
        self.folder = folder
        self.stub = LangfuseStub(generation)
        self.stub.mood = mood
        self.number = 0
        self.port = 0
        (folder / "secret").write_text("sk-lf-1")

    def __enter__(self) -> Self:
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.break_down()

    def product(self, **more: Any) -> Langfuse:
        keys = {"url": f"http://127.0.0.1:{self.port}", "public_key": "pk-lf-1", "wait_s": 0}
        keys |= {"secret_key_file": self.folder / "secret", "cleaned_after_days": CLEANED_DAYS, **more}
        return connect(Settings(name="traces", folder=self.folder / "own", **keys), Path.read_text)

    def mend(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self.stub))
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def break_down(self) -> None:
        if self.thread.is_alive():
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        made = []
        for step in range(count):
            self.number += 1
            name = ids[step] if ids is not None else f"session-{self.number:07d}"
            made.append(self._session(self.number, name))
        return made

    def _session(self, number: int, name: str) -> Seeded:
        """Two traces: one with a text, one with messages and the whole history; all that hangs on them."""
        word, person, at = f"marker{number:07d}q", f"p-{number % 3}", BEGIN + timedelta(hours=number)
        history = [{"role": "user", "content": f"on {word}"}, {"role": "assistant", "content": f"{word} is a word"}]
        said: list[tuple[Any, Any]] = [
            (history[0]["content"], history[1]),
            ({"messages": [*history, {"role": "user", "content": f"more of {word}"}]}, f"{word} again"),
        ]
        for step, (given, made) in enumerate(said):
            self._trace(f"{number}-{step}", at + timedelta(minutes=2 * step), (given, made), person, name)
            self.score(f"s-{number}-{step}", f"good {word}", traceId=f"t-{number}-{step}")
        self.score(f"ss-{number}", f"all {word}", sessionId=name)
        about = {"status": "ACTIVE", "expectedOutput": None, "metadata": {}, "datasetId": "d-1", "datasetName": "d"}
        source = {"sourceTraceId": f"t-{number}-0", "sourceObservationId": None, "mediaReferences": []}
        made_at = {"createdAt": _text(at), "updatedAt": _text(at)}
        self.stub.add("/dataset-items", id=f"i-{number}", input={"q": word}, **about, **source, **made_at)
        return Seeded(name, word, at + timedelta(minutes=2), person)

    def _trace(self, number: str, at: datetime, said: tuple[Any, Any], person: str, session: str) -> None:
        """One call of a model, as each generation that this server has keeps it."""
        trace, time = f"t-{number}", _text(at)
        whose = {"userId": person, "sessionId": session}
        call = {"id": f"o-{number}", "traceId": trace, "startTime": time, "endTime": time, **CALL}
        if "/traces" in self.stub.served:
            values = {"input": said[0], "output": said[1]}
            place = {"id": trace, "timestamp": time, "htmlPath": f"/project/p/traces/{trace}"}
            self.stub.add("/traces", **place, **values, **whose, **TRACE, observations=[call["id"]])
            self.stub.add("/observations", **call, **values, **COUNTS)
        if EVENTS in self.stub.served:
            texts = {"input": _raw(said[0]), "output": _raw(said[1])}
            self.stub.add(EVENTS, **call, **texts, **whose, bookmarked=False, public=False, isRootObservation=True)

    def score(self, name: str, comment: str, **about: Any) -> None:
        """A score of a trace or of a session."""
        at = about.pop("timestamp", _text(BEGIN))
        row = {"name": "liked", "value": 1, "dataType": "NUMERIC", "source": "API", "timestamp": at, "createdAt": at}
        row |= {"updatedAt": at, "environment": "default", "projectId": "p", "metadata": {}, "comment": comment}
        self.stub.add("/v2/scores", id=name, **row, **about)

    def add_comment(self, name: str, text: str, trace: str) -> None:
        """A comment that somebody wrote beside a trace."""
        at = {"createdAt": _text(BEGIN), "updatedAt": _text(BEGIN), "projectId": "p", "authorUserId": None}
        self.stub.add("/comments", id=name, objectType="TRACE", objectId=trace, content=text, **at)

    def touch(self, id: str) -> None:  # noqa: A002
        """Somebody scores a session, long after its last turn."""
        later = _text(BEGIN + timedelta(days=400))
        self.score(f"late-{id}", "looked at", sessionId=id, timestamp=later)

    @contextmanager
    def maintenance(self) -> Iterator[None]:
        self.stub.clean()
        yield

    @contextmanager
    def lie(self) -> Iterator[None]:
        self.stub.mood["lies"] = True
        yield
        self.stub.mood["lies"] = False

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        words = list(markers)
        places = {**self.stub.rows, "masked rows": self.stub.masked, "bucket": self.stub.bucket}
        texts = {place: json.dumps(rows) for place, rows in places.items()}
        return {place: sum(text.count(word) for word in words) for place, text in texts.items()}


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _meets(row: Row, condition: Mapping[str, str]) -> bool:
    value = row.get(condition["column"]) or ""
    return value >= condition["value"] if condition["operator"] == ">=" else value == condition["value"]


def _third(row: Row) -> Row:
    """A score as the third version of its API shows it: what it is about is an object of its own."""
    about = ("trace", row["traceId"]) if row.get("traceId") else ("session", row.get("sessionId"))
    return {**row, "subject": dict(zip(("kind", "id"), about, strict=True))}


def _handler(stub: LangfuseStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            parts = urlsplit(self.path)
            assert parts.path.startswith("/api/public/")
            given = dict(parse_qsl(parts.query, keep_blank_values=True))
            with stub.lock:
                status, found = stub.answer(self.command, parts.path.removeprefix("/api/public"), given, body)
            content = json.dumps(found).encode()
            self.send_response_only(status)
            self.send_header("Date", format_datetime(stub.now, usegmt=True))
            self.send_header("Content-Length", str(len(content)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(content)

        do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    return Handler
