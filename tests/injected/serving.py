"""A real `assent serve` behind a line to PostgreSQL, and chat products that bring it people's answers all the while."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy.engine import make_url

from assent.interfaces.cli.init import make_home
from assent.services.tokens import add_token
from assent.store.records import Account
from assent.wiring import Wiring
from tests.injected.line import Line, line_to

WITHIN_S = 2
"""What the settings of this server allow an answer to take."""

PATIENCE_S = 90
"""How long a test waits for what takes a second on a quiet machine."""

PEOPLE = 5_000


@dataclass
class Place:
    """A server at work, its line, and how a test looks at the database past the line."""

    process: subprocess.Popen[str]
    address: str
    direct: str
    token: str
    line: Line
    numbers: Iterator[int] = field(default_factory=count)

    def next_person(self) -> str:
        number = next(self.numbers)
        assert number < PEOPLE, "give this home more people"
        return f"p{number}"

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.address, headers={"authorization": f"Bearer {self.token}"}, timeout=PATIENCE_S
        )


@contextmanager
def serving(folder: Path, direct: str) -> Iterator[Place]:
    """Make a home on the database at `direct`, and serve it through a line."""
    with line_to(make_url(direct)) as line:
        home = make_home(Wiring(), folder, ("anthropic/2025-10-08",), database=direct)
        token = add_token(home.store, "shop", "product", key=home.new_key(), now=home.now())
        accounts = (Account(f"p{n}", "pro", region="DE", age=33, signed_in=True) for n in range(PEOPLE))
        home.store.put_accounts(list(accounts))
        home.store.close()
        settings = folder / "assent.toml"
        through = line.address(make_url(direct).database or "")
        written = settings.read_text().replace(json.dumps(direct), json.dumps(through))
        assert through in written
        settings.write_text(f"{written}answer_within_seconds = {WITHIN_S}\n")
        command = [sys.executable, "-m", "assent", "serve", "--port", "0"]
        env = {**os.environ, "ASSENT_HOME": str(folder)}
        with (
            (folder / "record").open("w") as record,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=record, text=True, env=env) as process,
        ):
            try:
                assert process.stdout is not None
                said = process.stdout.readline()
                assert said.startswith("serving at http://127.0.0.1:"), (folder / "record").read_text()
                yield Place(process, said.split()[-1], direct, token, line)
            finally:
                process.kill()


@dataclass
class Product:
    """Brings the answer of one person after the other, and repeats what was not acknowledged."""

    place: Place
    acknowledged: dict[str, str] = field(default_factory=dict)
    told: Counter[int] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    slowest: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with self.place.client() as api:
            while not self.stop.is_set():
                subject = self.place.next_person()
                if (act := self.prepared(api, subject)) and (made := self.repeat(api, "/v1/choices", act)):
                    self.acknowledged[subject] = made["id"]

    def prepared(self, api: httpx.Client, subject: str) -> dict[str, str] | None:
        """Ask a person, and return the act that is to be brought in."""
        known = {"subject": subject, "purpose": "training", "surface": "json", "locale": "en", "client": "desktop"}
        question = self.repeat(api, "/v1/questions", {**known, "interactive": True})
        if question is None:
            return None
        return {"subject": subject, "purpose": "training", "act": "decline", "token": question["token"]}

    def repeat(self, api: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Ask until it is done; None: the test is over."""
        while not self.stop.is_set():
            if (done := self.once(api, path, body)) is not None:
                return done
            time.sleep(0.05)
        return None

    def once(self, api: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        began = time.monotonic()
        try:
            answer = api.post(path, json=body)
        except httpx.TransportError as problem:
            self.odd.append(f"no answer at all: {type(problem).__name__}")
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.told[answer.status_code] += 1
        if answer.status_code in (200, 201):
            return dict(answer.json())
        told = answer.json()
        clear = answer.status_code == 503 and told["detail"] and told["fix"] and "retry-after" in answer.headers
        if not clear or body["subject"] in answer.text:
            self.odd.append(f"{answer.status_code} {answer.text}")
        return None


@contextmanager
def at_work(place: Place, products: int) -> Iterator[list[Product]]:
    """Let products work for as long as the block lasts."""
    made = [Product(place) for _ in range(products)]
    threads = [threading.Thread(target=one.run) for one in made]
    for one in threads:
        one.start()
    try:
        yield made
    finally:
        place.line.mend()
        for product in made:
            product.stop.set()
        for one in threads:
            one.join(PATIENCE_S)
    assert not any(one.is_alive() for one in threads)


def harmed(place: Place, products: Sequence[Product], harm: Callable[[Line], None], lasts_s: float) -> None:
    """Do harm while products work: everybody hears 503 and why, and work goes on when it is over."""

    def acknowledged() -> int:
        return sum(len(one.acknowledged) for one in products)

    with place.client() as api:
        mine = Product(place)
        before = acknowledged()
        wait_until(lambda: acknowledged() > before, "any work")
        act = mine.prepared(api, place.next_person())
        assert act is not None
        harm(place.line)
        try:
            time.sleep(lasts_s)
            assert mine.once(api, "/v1/choices", act) is None, "acknowledged although the database cannot have it"
            assert mine.told[503] == 1, mine.odd
        finally:
            place.line.mend()
        stood = acknowledged()
        made = mine.repeat(api, "/v1/choices", act)
        assert made is not None
        products[0].acknowledged[act["subject"]] = made["id"]
        wait_until(lambda: acknowledged() > stood + 1, "work goes on")
    assert place.process.poll() is None
    assert [odd for one in (mine, *products) for odd in one.odd] == []


def wait_until(done: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < until, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.01)


def missing(place: Place, products: Sequence[Product]) -> list[str]:
    """Say what was acknowledged and is not there, what is there twice, and what the ledger does not have."""
    with psycopg.connect(place.direct) as connection:
        there = connection.execute("SELECT subject, id FROM choice").fetchall()
        leaves = {choice for (choice,) in connection.execute("SELECT choice FROM leaf")}
    ids = dict(there)
    found = [f"{subject} has more than one act" for subject in ids if sum(one == subject for one, _ in there) > 1]
    found += [f"the act of {subject} has no leaf" for subject, choice in there if choice not in leaves]
    for product in products:
        told = product.acknowledged.items()
        found += [f"the act of {subject} was acknowledged and is lost" for subject, choice in told
                  if ids.get(subject) != choice]  # fmt: skip
    return found
