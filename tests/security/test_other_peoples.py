"""One person brings the ids of another one to every address there is: nothing is seen, and nothing changes."""

import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest

from assent.domain.conversation import Conversation, Part
from assent.interfaces.cli.init import make_home
from assent.interfaces.web.audience import ELEMENT, PERSON, SIGNED_IN
from assent.store.records import Account, Flag
from assent.wiring import Wiring
from tests.security.conftest import house_on
from tests.security.house import PARAMETER, House, Visitor, filled, named
from tests.security.test_every_address import ENTRIES
from tests.unit.interfaces.api.server import START
from tests.unit.interfaces.homes import call

ANN, BEN = "ann-7", "ben-7"
WHISPER = "whispered-by-ann"
PEOPLES = [entry for entry in ENTRIES if entry.audience in (PERSON, ELEMENT, SIGNED_IN)]
HERS = ("/me/chats", "/me/flags", "/me/requests", "/me/choices", "/me/download", "/me/erased", "/sign-in/sessions")
FIELDS = ("id", "conversation", "choice", "flag", "request", "session", "link", "erasure", "subject", "target")


def talk(name: str, subject: str, said: str) -> Conversation:
    at = START - timedelta(days=2)
    parts = (Part("1", "t1", "user", "person", "text", said, at),)
    return Conversation(f"test:{name}", "test", parts, subject, said, "chat", created_at=at, last_turn_at=at)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with two people in it, one of whom has a bit of everything."""
    folder = tmp_path_factory.mktemp("peoples") / "home"
    home = make_home(Wiring(clock=START), folder, ("anthropic/2025-10-08",), notices=("lantern/2025-10-08",))
    home.store.put_accounts([Account(who, "pro", age=30, region="DE", signed_in=True) for who in (ANN, BEN)])
    talks = [talk("ann", ANN, WHISPER), talk("ann-2", ANN, f"{WHISPER} again"), talk("ben", BEN, "aloud")]
    home.store.intake(talks, plan=None, recorded_at=START - timedelta(days=1))
    home.store.add_flag(Flag("flag-of-ann", "test:ann", START - timedelta(days=1), "misuse", "classifier", "a rule"))
    home.store.close()
    assert call(Wiring(folder, START), "choose", ANN, "decline").status == 0
    for house in house_on(folder):
        house.patient = True
        yield house
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def ann(full: House) -> Visitor:
    return full.person(ANN)


@pytest.fixture(scope="module")
def ids(full: House, ann: Visitor) -> list[str]:
    """Everything of Ann's that has a name in some address or form."""
    began = full.post("/me/download", {}, ann)
    assert began.status_code == 303, began.text
    link = began.headers["location"].split("/")[3].partition("?")[0]
    assert full.post("/me/requests/open", {"wish": "access", "text": WHISPER}, ann).status_code in {303, 422}
    (choice,) = full.world.store.choices(ANN)
    session = full.world.store.sessions_of(ANN)[0]
    return ["test:ann", choice.id, "flag-of-ann", link, session.digest, session.digest[:16], ANN]


def hers(full: House, ann: Visitor) -> dict[str, str]:
    return {path: full.get(path, ann).text for path in HERS}


def test_there_is_something_to_be_seen(full: House, ann: Visitor, ids: list[str]) -> None:
    assert WHISPER in full.get("/me/chats", ann).text
    assert full.get(f"/me/chat?id={ids[0]}", ann).status_code == 200
    assert full.get(f"/me/choices/receipt?id={ids[1]}", ann).status_code == 200
    assert full.get(f"/me/download/{ids[3]}", ann).status_code == 200
    assert "flag-of-ann" in full.get("/me/flags", ann).text


@pytest.mark.parametrize("entry", PEOPLES, ids=named)
def test_the_ids_of_another_person_open_nothing_and_change_nothing(
    full: House, ann: Visitor, ids: list[str], entry: object
) -> None:
    ben = full.element(BEN) if entry.audience is ELEMENT else full.person(BEN)
    before = hers(full, ann)
    names = PARAMETER.findall(entry.path)
    for one in ids:
        path = filled(entry, **dict.fromkeys(names, one))
        fields = dict.fromkeys(FIELDS, one)
        for extra in ({}, {"text": "mine", "wish": "access", "act": "allow", "word": "delete"}):
            if entry.method == "POST":
                answer = full.post(path, {**fields, **extra}, ben)
            else:
                query = "&".join(f"{name}={value}" for name, value in {**fields, **extra}.items())
                answer = full.get(f"{path}?{query}", ben)
            assert answer.status_code < 500, answer.text
            assert WHISPER not in answer.text
            if names and one != ANN:
                assert answer.status_code in {403, 404, 409, 422}, (one, answer.text[:600])
        if ben.kind == "person" and full.get("/sign-in/sessions", ben).status_code == 401:
            ben = full.person(BEN)
    assert hers(full, ann) == before
