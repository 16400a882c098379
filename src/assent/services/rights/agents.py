"""Agents: who may ask for people, and the token that each draws for itself with a signed message."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Invalid, Refused
from assent.services.rights.message import KEY_BYTES, VERSION, Expected, Untrusted, issued_at, open_message
from assent.services.tokens import digest_of
from assent.store.records import RightsAgent

if TYPE_CHECKING:
    from datetime import datetime

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Agents(Protocol):
    """Where agents are kept."""

    def put_agent(self, agent: RightsAgent) -> None: ...

    def agent(self, agent: str) -> RightsAgent | None: ...


def add_agent(store: Agents, name: str, *, title: str, verifier: str, now: datetime) -> RightsAgent:
    """Admit the agent `name` by its Ed25519 public key in base64, as the protocol's directory of agents lists it.

    Raises `Invalid` for a key or name that cannot be one, `Refused` if the agent is known by another key.
    """
    if not _ID.fullmatch(name):
        raise Invalid("an agent's id is letters, digits, underscore, hyphen", "copy it from the directory of agents")
    try:
        size = len(b64decode(verifier, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != KEY_BYTES:
        raise Invalid("the key is not base64 of 32 bytes", "copy `verify_key` from the directory of agents")
    known = store.agent(name)
    if known is not None and known.verifier != verifier:
        raise Refused(f"agent `{name}` is known by another key", "admit the new key under a new id")
    agent = replace(known, name=title) if known else RightsAgent(name, title, verifier, now)
    store.put_agent(agent)
    return agent


def set_up(store: Agents, name: str, body: bytes, *, business: str, key: bytes, now: datetime) -> str:
    """Give an agent a fresh token for a signed message; the token before it is refused from now on.

    `key` is a fresh secret of 32 bytes. Raises `Untrusted`, also for a message that is not newer
    than the one answered last: who overheard a message must not draw a token with it.
    """
    agent = store.agent(name)
    if agent is None:
        raise Untrusted("signature", "the agent is not known here")
    message = open_message(body, Expected(agent, business, now))
    if message.get("drp.version") != VERSION:
        raise Untrusted("version", f"this server speaks version {VERSION}")
    asked_at = issued_at(message)
    if agent.asked_at is not None and asked_at <= agent.asked_at:
        raise Untrusted("replay", "this message, or a later one, was answered before")
    token = "drp_" + urlsafe_b64encode(key).rstrip(b"=").decode()
    store.put_agent(replace(agent, token=digest_of(token), asked_at=asked_at))
    return token
