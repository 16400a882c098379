"""A provider whose people are served questions and answer them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from ledger_world import log_of
from provider import NEW, T0, Provider

from assent.domain.digests import digest_bytes
from assent.ledger.note import new_signer
from assent.services.choose.choose import Answer, Outcome, choose
from assent.services.choose.desk import Desk
from assent.services.choose.snapshot import Served, Showing, serve
from assent.store.records import NoticeText, Rendering

KEY = new_signer("log.example/assent/snapshots", b"s" * 32)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEXT = "May we?\n"


class Counter:
    """Where people are asked: a provider, a desk and one text on the shelf."""

    def __init__(self, acme: Provider) -> None:
        self.acme, self.store, self.log = acme, acme.store, acme.log
        self.desk = Desk(KEY, log_of().identity)
        self.ids = (f"snapshot-{number}" for number in count())
        self.rendering = self.shelve(("decline", "allow", "defer"))

    def shelve(self, options: tuple[str, ...]) -> str:
        body = TEXT + ", ".join(options)
        self.store.add_notice(NoticeText("sha256:n", "acme-training", "1", self.policy, "a notice", T0))
        shown = Rendering(digest_bytes(body.encode()), "sha256:n", "web", "en", "wide", options, body, T0)
        self.store.add_rendering(shown)
        return shown.digest

    @property
    def policy(self) -> str:
        return next(one.digest for one in self.acme.versions if one.name == NEW)

    def serve(self, subject: str = "s1", *, now: datetime = T0, **more: object) -> Served:
        values = {"purpose": "training", "rendering": self.rendering, "policy": self.policy, "client": "browser"}
        showing = Showing(subject=subject, **{**values, "interactive": True, **more})
        return serve(self.store, self.desk, showing, policies=self.acme.versions, snapshot_id=next(self.ids), now=now)

    def answer(self, served: Served, act: str, subject: str = "s1", *, now: datetime = T0, **more: object) -> Outcome:
        shown = served.snapshot
        values = {"purpose": shown.purpose, "scope": shown.scope, "target": shown.target, "token": served.token}
        answer = Answer(subject=subject, act=act, **{**values, **more})
        return choose(self.store, self.log, self.desk, answer, policies=self.acme.versions, now=now)

    def say(self, act: str, subject: str = "s1", *, now: datetime = T0, **more: object) -> Outcome:
        """Serve the question and answer it at once. What is not offered on the shelf is put there."""
        guardian = more.get("guardian", "")
        rendering = self.shelve(("allow", "decline", "defer", "withdraw"))
        served = self.serve(subject, now=now, **{"rendering": rendering, **more})
        return self.answer(served, act, subject, now=now, guardian=guardian)

    def written(self) -> tuple[int, int]:
        """How much there is of acts and of leaves."""
        return self.store.counts().choices, self.store.staged()

    def with_desk(self, **changes: object) -> Counter:
        other = Counter(self.acme)
        other.desk = replace(self.desk, **changes)
        return other
