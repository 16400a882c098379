"""A vendor outside as a product: it takes orders, and what it signs about them is all that is known of it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from assent.connectors.formats.port import Record
from assent.connectors.opendsr import certificate
from assent.connectors.opendsr.channel import Channel
from assent.connectors.opendsr.evidence import Kept, Statement, furthest
from assent.connectors.opendsr.order import Order, Orders, order_id
from assent.connectors.opendsr.port import FOLDER, Wanted
from assent.connectors.opendsr.standard import Names, Standard
from assent.connectors.opendsr.webhook import Hook, check_secret, key_of
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.table import Secret, Table
from assent.domain.errors import AssentError, Invalid, NotFound
from assent.domain.instants import format_instant

SUMMARY: Final = "a vendor outside that takes erasure orders: OpenDSR 1.0, or webhooks with signed replies"

_WORD: Final = "copy at the vendor"
_ON_ITS_WORD: Final = "copy at the vendor, gone on its signed word"
_NOT_ORDERED: Final = "nobody can look into a vendor, and its erasure was not ordered"
_UNKNOWN: Final = "the vendor knows persons, and more of this one is kept here, or nobody knows whose it is"
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


class Settings(Table):
    """The keys of a vendor's file."""

    url: str = Field(description="where orders go: https://vendor.example/v1, or the address of its webhook")
    domain: str = Field(description="the domain that the vendor signs for")
    protocol: Literal["opendsr", "webhook"] = Field("opendsr", description="what it speaks")
    identify: Literal["conversation", "person"] = Field(
        "conversation",
        description="what the vendor knows; of a person everything is ordered, once nothing is kept here",
    )
    identity_type: str = Field(
        "conversation_id", description="what the vendor calls it: a type of the standard, else a name in its extension"
    )
    identity_format: Literal["raw", "sha256"] = Field("raw", description="as it is, or its SHA-256")
    regulation: Literal["gdpr", "ccpa"] = Field("gdpr", description="the law that the orders name")
    callback_url: str = Field("", description="where the vendor reports: https://HERE/v1/vendors/NAME/status")
    token_file: Path | None = Field(None, description="a file with the value of the header Authorization")
    certificate_file: Path | None = Field(None, description="the vendor's own certificate, pinned (PEM)")
    ca_file: Path | None = Field(None, description="certificates of the authorities that may stand for it (PEM)")
    secret_file: Path | None = Field(None, description="webhook: the secret that signs the orders (whsec_...)")
    reply_key_file: Path | None = Field(None, description="webhook: the vendor's Ed25519 public key (PEM or JWK)")
    resource: str = Field("opencompliance_requests", description="the name of requests in its addresses")
    domain_header: str = Field("X-OpenCompliance-Processor-Domain", description="the header with its domain")
    signature_header: str = Field("X-OpenCompliance-Signature", description="the header with its signature")
    evidence_dir: Path | None = Field(
        None, description="where what it signed is kept; `vendors` in the home if left out"
    )
    timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(15, description="seconds to wait for it")


def connect(settings: Settings, secret: Secret) -> Outside:
    """Connect a vendor. Raises `Invalid` for settings that cannot be meant, `NotFound` for a file that is not there."""
    parts = urlsplit(settings.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise Invalid("the address of the vendor is not https", "write it as https://host/v1")
    if not parts.hostname or parts.username or parts.password:
        raise Invalid("the address of the vendor has no host, or a password in it", "write it as https://host/v1")
    channel = _webhook(settings, secret) if settings.protocol == "webhook" else _standard(settings, secret)
    outside = Outside(settings, channel)
    weakref.finalize(outside, channel.http.close)
    return outside


def _client(settings: Settings, secret: Secret) -> httpx.Client:
    headers = {"accept": "application/json"}
    if settings.token_file is not None:
        headers["authorization"] = secret(settings.token_file).strip()
    base = settings.url if settings.protocol == "webhook" else f"{settings.url.rstrip('/')}/"
    return httpx.Client(
        base_url=base, headers=headers, timeout=settings.timeout_s, trust_env=False, follow_redirects=False
    )


def _standard(settings: Settings, secret: Secret) -> Standard:
    files = (settings.certificate_file, settings.ca_file)
    own, authorities = ([] if one is None else certificate.read(_bytes(one)) for one in files)
    if not own and not authorities:
        raise Invalid("nothing is known of the vendor's certificate", "give `certificate_file` or `ca_file`")
    trusted = certificate.Trusted(settings.domain, own[0] if own else None, tuple(authorities))
    names = Names(
        settings.resource.strip("/"),
        settings.domain_header,
        settings.signature_header,
        settings.identity_type,
        settings.identity_format,
    )
    kept = settings.folder / "certificates.pem"
    return Standard(_client(settings, secret), trusted, names, settings.regulation, kept, settings.callback_url)


def _webhook(settings: Settings, secret: Secret) -> Hook:
    if settings.secret_file is None:
        raise Invalid("a webhook needs a secret that signs the orders", "give `secret_file`")
    key = key_of(_bytes(settings.reply_key_file).decode(errors="replace")) if settings.reply_key_file else None
    return Hook(
        _client(settings, secret),
        settings.domain,
        check_secret(secret(settings.secret_file)),
        key,
        settings.identity_type,
        settings.identity_format,
        settings.regulation,
        settings.callback_url,
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotFound(f"there is no file `{path.name}` to read", "check its path in the connector file") from None


class Outside:
    """One vendor."""

    format = "vendor"

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self.name = settings.name
        self.reach = (
            f"orders to `{channel.domain}`: what it signs is kept and believed on its word; nobody looks into it"
        )
        self._channel = channel
        self._by_person = settings.identify == "person"
        self._orders = Orders(settings.folder)
        # not in the connector's own folder: what was signed outlives the connection
        kept = settings.evidence_dir or settings.folder.parents[1] / FOLDER
        self._kept = Kept(kept / settings.name)
        self._wanted: dict[str, Wanted] = {}

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        """List nothing; ask whether it takes such orders."""
        del since
        self._channel.try_it(self._orders.now())
        yield from ()

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        """Read nothing: a vendor shows nobody what it has."""
        del ids
        yield from ()

    def watch(self, cursor: str = "") -> Iterator[Change]:
        """Say nothing: a vendor reports about orders only."""
        del cursor
        yield from ()

    def prepare(self, wanted: Sequence[Wanted]) -> None:
        self._wanted |= {one.id: one for one in wanted}

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        """Say how each conversation's order stands, as far as the vendor has said so; asks nobody."""
        return self._told(self._orders.of(ids), {})

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        """Ask about every order that is not carried out yet, and say how each stands."""
        return self._asked(ids)

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        """Order what was not ordered, or was and has no signed answer; then say how each stands."""
        del maintenance
        problems: dict[str, str] = {}
        orders = self._orders.of(ids)
        planned = self._planned(orders)
        self._orders.add(order for name, (order, _) in planned.items() if order not in orders[name])
        sent: set[str] = set()
        for name, (order, about) in planned.items():
            if order.id in sent or self._kept.of(order.id):  # a person's order stands for all that is theirs
                continue
            sent.add(order.id)
            try:
                self._kept.add(self._channel.send(order, about, self._orders.now()))
            except AssentError as problem:
                problems[name] = problem.message
        return self._told(self._orders.of(ids), problems)

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        statement = self._channel.hear(headers, body, self._orders.now())
        if statement.order not in self._orders.by_id():
            raise NotFound("there is no such order", "check the id that the vendor answers for")
        self._keep(statement)

    def seal(self, erasure: int, ids: Sequence[str]) -> str:
        orders = {order.id for some in self._orders.of(ids).values() for order in some}
        return self._kept.seal(erasure, orders)

    def evidence(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for orders in self._orders.of(ids).values():
            for order in orders:
                yield from self._kept.files(order.id)

    # -- orders -----------------------------------------------------------------------------

    def _about(self, name: str) -> str | None:
        if not self._by_person:
            return name
        wanted = self._wanted.get(name)
        return wanted.person if wanted is not None else None

    def _planned(self, orders: Mapping[str, Sequence[Order]]) -> dict[str, tuple[Order, str]]:
        """Return the order of each conversation that needs one, made before or new, and whom or what it is about."""
        known, now = self._orders.by_id(), self._orders.now()
        planned: dict[str, tuple[Order, str]] = {}
        for name, before in orders.items():
            about, standing = self._about(name), self._standing(name, before)
            if about is None or (standing is not None and self._status(standing) not in (None, "cancelled")):
                continue
            since = self._wanted[name].since if name in self._wanted else None
            vendor = f"{self.name}\n{self._channel.domain}"
            for number in count():
                made = order_id(vendor, about, number)
                first = known.setdefault(made, Order(name, made, now, since))
                served = since is None or first.since is None or first.since >= since
                if served and self._status(first) != "cancelled":
                    planned[name] = (replace(first, conversation=name), about)
                    break
        return planned

    def _keep(self, statement: Statement) -> None:
        """Keep what says something new; the same again, asked for every hour, is no further evidence."""
        known = {(one.status, one.expected) for one in self._kept.of(statement.order)}
        if (statement.status, statement.expected) not in known:
            self._kept.add(statement)

    def _status(self, order: Order) -> str | None:
        said = furthest(self._kept.of(order.id))
        return None if said is None else said.status

    def _standing(self, name: str, orders: Sequence[Order]) -> Order | None:
        """Return the order that counts: the newest, unless it served an earlier erasure than is asked about now."""
        newest = orders[-1] if orders else None
        wanted = self._wanted.get(name)
        if newest is not None and wanted is not None and newest.since is not None and newest.since < wanted.since:
            return None
        return newest

    def _asked(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        orders, answers = self._orders.of(ids), dict[str, str]()
        for name, before in orders.items():
            order = self._standing(name, before)
            if order is None or order.id in answers or self._status(order) not in ("pending", "in_progress"):
                continue
            answers[order.id] = ""
            try:
                self._keep(self._channel.ask(order, self._orders.now()))
            except AssentError as problem:
                answers[order.id] = problem.message
        standing = {name: self._standing(name, before) for name, before in orders.items()}
        return self._told(orders, {name: answers.get(one.id, "") for name, one in standing.items() if one is not None})

    def _told(self, orders: Mapping[str, Sequence[Order]], problems: Mapping[str, str]) -> Mapping[str, Sequence[Copy]]:
        at = self._orders.now() if orders else None
        return {
            name: [self._copy(self._standing(name, before), at, problems.get(name, "") or self._why(name))]
            for name, before in orders.items()
        }

    def _why(self, name: str) -> str:
        return _UNKNOWN if self._by_person and self._about(name) is None else ""

    def _copy(self, order: Order | None, at: datetime | None, problem: str = "") -> Copy:
        where = self._channel.domain
        if order is None:
            return Copy(_WORD, where, "not reachable", problem or _NOT_ORDERED)
        said = furthest(self._kept.of(order.id))
        if said is None:
            note = f"ordered at {format_instant(order.submitted)}, and no signed answer: {problem or 'none yet'}"
            return Copy(_WORD, where, "not reachable", note)
        if said.status == "completed":
            note = f"on the word of `{where}`, signed and kept; nobody looked into it"
            return Copy(_ON_ITS_WORD, where, "removed", note)
        return Copy(_WORD, where, "present", _standing_note(said, at) + (f"; {problem}" if problem else ""))


def _standing_note(said: Statement, at: datetime | None) -> str:
    if said.status == "cancelled":
        return "the vendor cancelled the order"
    if said.expected is None:
        return said.status.replace("_", " ")
    overdue = at is not None and at > said.expected
    when = (
        f"overdue since {format_instant(said.expected)}" if overdue else f"expected by {format_instant(said.expected)}"
    )
    return f"{said.status.replace('_', ' ')}, {when}"
