"""The signed snapshot: what exactly a person was shown, handed to the client with the question.

A snapshot is a C2SP signed note whose text is one line of canonical JSON; the token is the
note in base64url. A choice that quotes no snapshot is refused, so the ledger shows which
text, order of options and standing stood before the person when they acted.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final, Protocol

from assent.domain.choices import check_scope
from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import Invalid, NotFound
from assent.domain.facts import ACTS, Act, Scope
from assent.domain.instants import format_instant, parse_instant
from assent.ledger.note import open_note, sign_note, split_note
from assent.services.choose.desk import PERSON, Rejected
from assent.services.choose.gate import check_guardian, check_may_allow
from assent.services.choose.standing import acts_at, acts_of, standing_before
from assent.services.notice import purposes_asked
from assent.store.port import Accounts, Acting, Choices, Conversations, Notices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.ledger.note import Signer, Verifier
    from assent.policy.model import Policy
    from assent.services.choose.desk import Desk

VERSION: Final = "assent/snapshot/v1"
MAX_TOKEN_CHARACTERS: Final = 8_192
"""Longer tokens are not read; ours have about 1,500 characters."""

_INSTANTS: Final = ("issued_at", "expires_at")


class SnapshotStore(Notices, Choices, Acting, Accounts, Conversations, Protocol):
    """What serving asks of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What is about to be shown to whom. `rendering` is the digest of the text, `policy` of the version it speaks for.

    `options` are the acts in the order shown, where the rendering does not say (None: it does).
    `terms` is the digest of the terms of the asking, `target` a conversation's id or a
    `project_target`. `guardian` is who sits there instead of the child. `interactive` says that a
    person does; `role` who the session speaks for (`PERSON`, or somebody who can never allow).
    """

    subject: str
    purpose: str
    rendering: str
    policy: str
    client: str
    interactive: bool
    role: str = PERSON
    scope: Scope = "everything"
    target: str | None = None
    terms: str = ""
    campaign: str = ""
    guardian: str = ""
    options: tuple[Act, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a token says. People are pseudonyms in it; `prior` is the standing when it was served."""

    id: str
    subject: str
    guardian: str
    purpose: str
    rendering: str
    notice: str
    surface: str
    locale: str
    layout: str
    options: tuple[str, ...]
    policy: str
    terms: str
    client: str
    scope: Scope
    target: str | None
    prior: str
    campaign: str
    may_grant: bool
    issued_at: datetime
    expires_at: datetime

    @property
    def text(self) -> str:
        """The one line that is signed."""
        times = {name: format_instant(getattr(self, name)) for name in _INSTANTS}
        return canonical({**asdict(self), **times, "v": VERSION}).decode() + "\n"


@dataclass(frozen=True, slots=True)
class Served:
    """What the client gets with the question: the token to quote, and what it says."""

    token: str
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Quoted:
    """A snapshot that came back with our signature on it. `digest` names the signed note."""

    digest: str
    snapshot: Snapshot


def serve(
    store: SnapshotStore, desk: Desk, showing: Showing, *, policies: Sequence[Policy], snapshot_id: str, now: datetime
) -> Served:
    """Sign what is about to be shown. `snapshot_id` is fresh; a snapshot takes one act.

    Raises `NotFound` for a text that is not on the shelf, a policy that is not kept here or a
    conversation that is not the person's; `Invalid` for a purpose that the policy does not ask
    for; `Rejected` for a guardian whom nobody verified.
    """
    rendering = store.rendering(showing.rendering)
    notice = None if rendering is None else store.notice(rendering.notice)
    if rendering is None or notice is None:
        raise NotFound("this text is not on the shelf of notices", "put the rendering there before it is shown")
    policy = next((one for one in policies if one.digest == showing.policy), None)
    if policy is None:
        raise NotFound("no policy here has this digest", "name a version that this home decides by")
    if showing.purpose not in purposes_asked([policy]):
        fix = "ask for what the policy asks for: " + ", ".join(purposes_asked([policy]))
        raise Invalid(f"no grant of `{policy.name}` asks for `{showing.purpose}`", fix)
    check_scope(showing.scope, showing.target)
    check_target(store, showing.subject, showing.scope, showing.target)
    if showing.guardian:
        check_guardian(store, showing.subject, showing.guardian, adult_age=desk.adult_age, now=now)
    acts = acts_at(store, acts_of(store, showing.subject), showing.scope, showing.target)
    options = rendering.options if showing.options is None else showing.options
    snapshot = Snapshot(
        id=snapshot_id,
        subject=desk.identity.pseudonym(showing.subject),
        guardian=desk.identity.pseudonym(showing.guardian) if showing.guardian else "",
        purpose=showing.purpose,
        rendering=rendering.digest,
        notice=f"{notice.name}/{notice.version}",
        surface=rendering.surface,
        locale=rendering.locale,
        layout=rendering.layout,
        options=options,
        policy=policy.digest,
        terms=showing.terms,
        client=showing.client,
        scope=showing.scope,
        target=showing.target,
        prior=standing_before(acts, showing.purpose),
        campaign=showing.campaign,
        may_grant=_may_grant(store, desk, showing, options, now),
        issued_at=now,
        expires_at=now + desk.valid,
    )
    return Served(token_of(sign_note(snapshot.text, [desk.signer])), snapshot)


def token_of(note: str) -> str:
    """Write a signed note so that it fits into a form field."""
    return urlsafe_b64encode(note.encode()).rstrip(b"=").decode()


def open_snapshot(token: str, desk: Desk) -> Quoted:
    """Read a token. Raises `Rejected` for none at all, and for one that this desk did not sign."""
    if not token:
        raise Rejected("no snapshot", "the act quotes no snapshot", "ask for the question first, and quote what came")
    try:
        note = _note_of(token)
        text, _ = split_note(note)
        # Ed25519 has one signature for one text (RFC 8032, 5.1.6): signing again takes a third of the time of checking
        if not compare_digest(sign_note(text, [desk.signer]).encode(), note.encode()):
            text = open_note(note, _verifiers(desk.signer, desk.earlier)).text
        return Quoted(digest_bytes(note.encode()), _read(json.loads(text)))
    except (ValueError, TypeError, KeyError, RecursionError, Invalid):
        fix = "quote the token exactly as it was served, or ask for the question again"
        raise Rejected("bad snapshot", "the snapshot is not one that was signed here", fix) from None


@lru_cache(maxsize=8)
def _verifiers(signer: Signer, earlier: tuple[Verifier, ...]) -> tuple[Verifier, ...]:
    return signer.verifier, *earlier


def _note_of(token: str) -> str:
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise Invalid("the token is too long")
    note = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    if token_of(note) != token:
        # two spellings of one token would be two names of one snapshot
        raise Invalid("the token is not in the form that was served")
    return note


def check_target(store: SnapshotStore, subject: str, scope: Scope, target: str | None) -> None:
    """Raise `NotFound` unless a conversation that an act is about belongs to the person or a linked device."""
    if scope != "conversation" or target is None:
        return
    stored = store.conversation(target)
    owners = {subject, *(link.device for link in store.devices_of(subject))}
    if stored is None or stored.entry.subject not in owners:
        fix = "look at `assent explain --all` for the ids of what is kept"
        raise NotFound("no such conversation of this person is kept", fix)


def _may_grant(store: SnapshotStore, desk: Desk, showing: Showing, options: Sequence[str], now: datetime) -> bool:
    if not showing.interactive or showing.role != PERSON or "allow" not in options:
        return False
    try:
        check_may_allow(store, showing.subject, showing.guardian, adult_age=desk.adult_age, now=now)
    except Rejected:
        return False
    return True


def _read(value: Mapping[str, Any]) -> Snapshot:
    if value["v"] != VERSION or not set(value["options"]) <= set(ACTS):
        raise Invalid("another version", "")
    fields = {name: value[name] for name in Snapshot.__dataclass_fields__}
    times = {name: parse_instant(fields[name]) for name in _INSTANTS}
    return Snapshot(**{**fields, **times, "options": tuple(fields["options"])})
