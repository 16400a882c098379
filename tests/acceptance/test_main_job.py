"""The main job as a new user does it: ask, keep what the answer allows, erase the rest, cut what is eligible."""

import gzip
import json
import shutil
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.postgres_server import Server
from tests.unit.interfaces.homes import Home, call, claude_ai, made, program

from assent.store.records import ConversationFilter, Page
from assent.wiring import Wiring

TODAY = "2026-01-10T12:00:00Z"

CUT = ("cut", "create", "--purpose", "training", "--recipe", "none")


class User:
    """Somebody in a folder with a shell, on a day that stands still."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object) -> str:
        done = program(*arguments, cwd=self.folder, ASSENT_CLOCK=TODAY)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout


class Caller(User):
    """The same commands without a start of the program for each."""

    def __call__(self, *arguments: object) -> str:
        home = self.folder if (self.folder / "assent.toml").exists() else None
        done = call(Wiring(home, datetime.fromisoformat(TODAY)), *arguments)
        assert done.status == 0, done.err
        return done.out


def write(path: Path, *records: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def lantern(tmp_path: Path) -> Path:
    """One export of three people, each with a conversation of October and one of January."""
    chats = []
    for person in ("ann", "bea", "cem"):
        days = ((f"{person}-october", "2025-10-20T00:00:00Z"), (f"{person}-january", "2026-01-05T00:00:00Z"))
        folder = claude_ai(tmp_path / person, *days, text=f"MARKER of {person}", account=person)
        chats += json.loads((folder / "conversations.json").read_text("utf-8"))
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps(chats))
    return tmp_path / "export.zip"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made a home, brought an export in, said who the people are, and what they answered to the product's notice."""
    tmp_path = tmp_path_factory.mktemp("begun")
    begin(User(tmp_path), tmp_path)
    return tmp_path


def begin(user: User, tmp_path: Path, *options: str) -> None:
    user("init", tmp_path / "mine", *options)
    user.folder = tmp_path / "mine"
    assert json.loads(user("import", "claude-ai", lantern(tmp_path), "--json"))["conversations"] == {"new": 6}
    people = write(
        tmp_path / "people.ndjson",
        {"subject": "ann", "plan": "pro", "age": 40, "region": "DE"},
        {"subject": "bea", "plan": "free", "age": "adult"},
        {"subject": "cem", "plan": "team", "age": 30},
    )
    assert user("import", "accounts", people) == "accounts: 3 taken, 0 refused\n"
    notice = user("ask", "ann", "--show").splitlines()[-1].removeprefix("notice: ")
    shown = {"purpose": "training", "notice": notice, "surface": "web", "at": "2025-10-15T00:00:00Z"}
    acts = write(
        tmp_path / "acts.ndjson",
        {"subject": "ann", "act": "allow", **shown},
        {"subject": "bea", "act": "decline", **shown},
        {"subject": "cem", "act": "allow", **shown},
    )
    assert user("import", "choices", acts) == "choices: 3 taken, 0 refused\n"


@pytest.fixture
def user(begun: Path, tmp_path: Path) -> User:
    """Go on from there, in a copy: a home may be moved as a folder."""
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    return User(tmp_path / "mine")


def test_the_main_job(user: User, tmp_path: Path) -> None:
    main_job(user, tmp_path)


def test_the_main_job_on_postgresql(postgres: Server, tmp_path: Path) -> None:
    name = f"{postgres.blank()}_main"
    try:
        user = Caller(tmp_path)
        begin(user, tmp_path, "--database", postgres.address(name))
        assert (tmp_path / "mine" / "assent.toml").stat().st_mode & 0o077 == 0
        main_job(user, tmp_path)
        assert list((tmp_path / "mine").glob("*.db*")) == []
    finally:
        postgres.drop(name)


def main_job(user: User, tmp_path: Path) -> None:
    # what happens to each conversation
    records = [json.loads(line) for line in user("explain", "--all", "--json").splitlines()]
    answers = {record["conversation"].removeprefix("claude-ai:"): record for record in records}
    assert {name: (record["eligible"], record["erase_by"]) for name, record in answers.items()} == {
        "ann-october": (["training"], "2030-10-20T00:00:00Z"),
        "ann-january": (["training"], "2031-01-05T00:00:00Z"),
        "bea-october": ([], "2025-11-19T00:00:00Z"),
        "bea-january": ([], "2026-02-04T00:00:00Z"),
        "cem-october": ([], None),
        "cem-january": ([], None),
    }

    # the plan, and exactly that
    plan = json.loads(user("plan", "--json"))
    assert (plan["due"], [tally["rule"] for tally in plan["by_rule"]]) == (2, ["base"])
    assert {sample["conversation"] for sample in plan["sample"]} == {"claude-ai:bea-october"}
    swept = json.loads(user("sweep", "--plan", plan["digest"][7:19], "--json"))
    assert (swept["erased"], swept["kept"], swept["problems"]) == (2, 0, [])
    ahead = json.loads(user("forecast", "--by", "year", "--steps", "6", "--json"))
    assert [sum(bucket["parts"].values()) for bucket in ahead["buckets"]] == [2, 0, 0, 0, 2, 2]
    assert (ahead["later"], ahead["without_end"]) == (0, 4)

    # the training set: ann's, and nobody else's
    cut = json.loads(user(*CUT, "first", "--out", tmp_path / "cut", "--json"))
    assert (cut["counts"]["written"], cut["counts"]["people"]) == (4, 1)
    user("cut", "verify", tmp_path / "cut")
    written = bytes_of(tmp_path / "cut")
    assert b"MARKER of ann" in (tmp_path / "cut" / "data" / "messages-train-00000.jsonl").read_bytes()
    assert not any(f"MARKER of {name}".encode() in written for name in ("bea", "cem"))

    status = json.loads(user("status", "--json"))
    assert (status["conversations"], status["parts"], status["tombstones"], status["cuts"]) == (5, 10, 2, 1)


def test_a_permission_that_is_taken_back_ends_cuts_at_once_and_bytes_in_time(user: User, tmp_path: Path) -> None:
    def day(text: str) -> datetime:
        return datetime.fromisoformat(f"{text}T00:00:00+00:00")

    home = Home(user.folder, day("2026-01-11"))
    assert home("choose", "ann", "withdraw").status == 0
    refused = home(*CUT, "second", "--out", tmp_path / "cut", at=day("2026-01-12"))
    assert refused.status == 2
    assert "no part may be used for `training`" in refused.err
    assert not (tmp_path / "cut").exists()

    late = day("2026-03-01")
    digest = home("plan", "--json", at=late).json()["digest"]
    assert home("sweep", "--plan", digest, "--json", at=late).json()["erased"] == 8
    status = home("status", "--json", at=late).json()
    assert (status["conversations"], status["parts"], status["tombstones"]) == (2, 4, 8)
    left = bytes_of(user.folder)
    assert not any(words in left for words in (b"MARKER of", b"title of"))
    assert all("MARKER of cem" in " ".join(kept) for kept in texts(home).values())

    again = home("import", "claude-ai", tmp_path / "export.zip", "--json", at=late).json()
    assert again["conversations"] == {"erased before": 4, "unchanged": 2}
    assert home("status", "--json", at=late).json()["parts"] == 4


# -- public sample data -----------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return made(tmp_path / "home", now=datetime(2026, 1, 10, tzinfo=UTC))


def texts(home: Home) -> dict[str, list[str]]:
    """Everything that is kept: the texts of each conversation, in order."""
    store = Wiring(home.folder).store
    found, page = {}, None
    try:
        while True:
            listing = store.conversations(ConversationFilter(), Page(1000, page))
            for entry in listing.items:
                keys = [part.key for part in store.conversation(entry.id).parts]
                content = store.content_of(keys)
                found[entry.id] = [content[key] for key in keys]
            page = listing.after
            if page is None:
                return found
    finally:
        store.close()


def twice(home: Home, *arguments: object) -> dict[str, object]:
    """Import twice; the second time must change nothing. Returns what the first said."""
    first = home("import", *arguments, "--json")
    counts = home("status", "--json").out
    again = home("import", *arguments, "--json").json()
    told = first.json()
    assert set(again["conversations"]) == {"unchanged"}
    assert [again[key] for key in ("imported", "skipped", "malformed", "problems")] == [
        told[key] for key in ("imported", "skipped", "malformed", "problems")
    ]
    assert (again["parts"], home("status", "--json").out) == (0, counts)
    return told


@pytest.mark.data
def test_every_conversation_of_arena_hard_comes_in(home: Home, shared_data: Path) -> None:
    path = shared_data / "conversations" / "arena-hard" / "conversations.jsonl"
    told = twice(home, "auto", path, "--subject", "me", "--plan", "pro", "--age", "adult")
    assert (told["imported"], told["skipped"], told["malformed"]) == (514, 0, 0)
    assert told["conversations"] == {"new": 514}
    source = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    said = [[message["content"] for message in record["messages"]] for record in source]
    assert sorted(said) == sorted(texts(home).values())


@pytest.mark.data
def test_every_pair_of_hh_rlhf_comes_in(home: Home, shared_data: Path) -> None:
    path = shared_data / "conversations" / "hh-rlhf-harmless" / "test.jsonl.gz"
    told = twice(home, "auto", path, "--subject", "me", "--plan", "pro", "--age", "adult")
    assert (told["imported"], told["skipped"], told["malformed"]) == (2312, 0, 0)
    assert told["conversations"] == {"new": 2312}
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        firsts = sorted(opening(json.loads(line)["chosen"]) for line in stream)
    kept = texts(home)
    assert sum(map(len, kept.values())) == told["parts"]
    assert sorted(parts[0].strip() for parts in kept.values()) == firsts


def opening(transcript: str) -> str:
    """What the person said first."""
    return transcript.partition("\n\nAssistant:")[0].removeprefix("\n\nHuman:").strip()


@pytest.mark.data
@pytest.mark.parametrize("format_name", ["claude-code", "codex", "gemini-cli"])
def test_every_record_of_the_fixtures_is_accounted_for(home: Home, shared_data: Path, format_name: str) -> None:
    files = sorted((shared_data / "fixtures" / format_name).glob("*.json*"))
    assert files
    for path in files:
        told = twice(home, format_name, path, "--subject", "me", "--plan", "pro", "--age", "adult")
        text = path.read_text("utf-8")
        records = (
            len(json.loads(text)["messages"])
            if path.suffix == ".json"
            else sum(map(bool, map(str.strip, text.splitlines())))
        )
        assert told["imported"] + told["skipped"] + told["malformed"] == records
        assert told["conversations"] == {"new": 1}
        assert told["parts"] > 0


# -- memory -----------------------------------------------------------------------------------------


def test_memory_does_not_follow_the_size_of_a_file(tmp_path: Path) -> None:
    """Neither twice the conversations nor a file twice as large needs more at once."""
    peaks = []
    for size in (1, 2):
        home = made(tmp_path / f"home{size}")
        text = "a long question about glass and light, " * 200
        chats = [(f"c{number}", "2025-12-20T00:00:00Z") for number in range(600 * size)]
        export = claude_ai(tmp_path / f"export{size}", *chats, text=text)
        assert (export / "conversations.json").stat().st_size > 9_000_000 * size
        tracemalloc.start()
        said = home("import", "claude-ai", export, "--subject", "me", "--json")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert said.json()["conversations"] == {"new": 600 * size}
    assert peaks[1] < peaks[0] * 1.2
