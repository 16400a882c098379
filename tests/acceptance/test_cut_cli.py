"""`assent cut`, as a data engineer types it: what is printed, what lies there, and how it ends."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.cut_files import lines_of

from assent.domain.conversation import Conversation, Part
from assent.interfaces.cli.app import run
from assent.store.records import Account, Choice
from assent.wiring import Wiring

CLOCK = datetime(2026, 5, 1, tzinfo=UTC)
TURN = CLOCK - timedelta(days=20)


def chat(name: str, subject: str) -> Conversation:
    parts = (
        Part("1", "t1", "user", "person", "text", f"question of {name}", TURN),
        Part("2", "t2", "assistant", "model", "text", f"answer to {name}", TURN),
    )
    return Conversation(f"test:{name}", "test", parts, subject, created_at=TURN, last_turn_at=TURN)


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Wiring:
    """A home in which ann allowed training and bob did not answer."""
    wiring = Wiring(tmp_path / "home", CLOCK)
    assert run(["init", str(tmp_path / "home")], Wiring(None, CLOCK)) == 0
    store = wiring.store
    store.put_accounts([Account(who, plan="pro", age=30, region="DE") for who in ("ann", "bob")])
    at = TURN - timedelta(days=1)
    store.add_choice(Choice("receipt-1", "ann", "training", "allow", at, "sha256:n", "web", "web", at))
    store.intake([chat("a", "ann"), chat("b", "bob")], plan=None, recorded_at=TURN)
    capsys.readouterr()
    return wiring


def out(tmp_path: Path, name: str = "out") -> str:
    return str(tmp_path / name)


def test_a_cut_says_what_it_wrote_and_what_it_left_out(
    home: Wiring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(["cut", "create", "spring", "--recipe", "none", "--purpose", "training", "--out", out(tmp_path)], home) == 0
    )
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "cut spring number 1 for training at 2026-05-01T00:00:00Z"
    assert " ".join(lines[1].split()) == "written: 2 parts in 1 conversations of 1 people, 24 bytes of text"
    assert lines[2].split() == ["considered:", "4", "parts"]
    assert lines[3].split() == ["left", "out:", "2", "unanswered"]
    assert lines[-1].startswith("manifest: sha256:")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["README.md", "croissant.json", "data", "lineage.ndjson", "manifest.json"]
    (cut,) = home.store.cuts_with_person("ann")
    assert f"manifest: {cut.manifest}" == lines[-1]


def test_json_is_one_object_with_the_counts(home: Wiring, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "cut",
        "create",
        "spring",
        "--recipe",
        "none",
        "--purpose",
        "training",
        "--out",
        out(tmp_path),
        "--json",
        "--keep-excluded",
    ]
    assert run(arguments, home) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["counts"]["excluded"] == {"unanswered": 2}
    assert record["digest"].startswith("sha256:")
    excluded = pq.read_table(tmp_path / "out" / "excluded.parquet").to_pylist()
    assert [row["part"] for row in excluded] == ["test:b#1", "test:b#2"]
    (line,) = lines_of(tmp_path / "out")
    assert line["messages"] == [
        {"role": "user", "content": "question of a"},
        {"role": "assistant", "content": "answer to a"},
    ]
    assert line["receipts"] == ["receipt-1"]


def test_the_card_speaks_of_this_cut(home: Wiring, tmp_path: Path) -> None:
    assert (
        run(["cut", "create", "spring", "--recipe", "none", "--purpose", "training", "--out", out(tmp_path)], home) == 0
    )
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "# Cut `spring`, number 1" in card
    assert "1 conversations of 1 people (2 parts," in card
    assert "| unanswered | 2 |" in card
    assert "anthropic/2025-10-08" in card


def test_nothing_eligible_is_no_with_the_reasons(
    home: Wiring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["cut", "create", "thumbs", "--recipe", "none", "--purpose", "feedback", "--out", out(tmp_path)]
    assert run(arguments, home) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "no part may be used for `feedback`" in said.err
    assert said.err.splitlines()[-1].split() == ["left", "out:", "4", "no", "basis"]
    assert not (tmp_path / "out").exists()
    assert run([*arguments, "--json"], home) == 2
    assert json.loads(capsys.readouterr().out)["counts"] == {
        "considered": 4,
        "written": 0,
        "excluded": {"no basis": 4},
    }


def test_a_cut_of_an_earlier_instant_takes_nothing_that_was_taken_back(home: Wiring, tmp_path: Path) -> None:
    at = CLOCK - timedelta(days=2)
    home.store.add_choice(Choice("w", "ann", "training", "withdraw", at, "sha256:n", "web", "web", at))
    arguments = [
        "cut",
        "create",
        "spring",
        "--recipe",
        "none",
        "--purpose",
        "training",
        "--out",
        out(tmp_path),
        "--at",
        "2026-04-20T00:00:00Z",
    ]
    assert run(arguments, home) == 2
    assert not (tmp_path / "out").exists()


def test_check_finds_a_changed_byte(home: Wiring, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["cut", "create", "spring", "--recipe", "none", "--purpose", "training", "--out", out(tmp_path)], home) == 0
    )
    digest = capsys.readouterr().out.splitlines()[-1].removeprefix("manifest: ")
    nowhere = Wiring(tmp_path / "nowhere")
    assert run(["cut", "verify", "--files", out(tmp_path)], nowhere) == 0
    assert capsys.readouterr().out == f"cut spring number 1 is as its manifest says: {digest}\n"
    lines = tmp_path / "out" / "data" / "messages-train-00000.jsonl"
    lines.write_bytes(lines.read_bytes().replace(b"answer", b"ANSWER"))
    assert run(["cut", "verify", "--files", out(tmp_path)], nowhere) == 2
    assert "`data/messages-train-00000.jsonl` has another digest" in capsys.readouterr().err
    assert run(["cut", "verify", "--files", out(tmp_path), "--json"], nowhere) == 2
    assert len(json.loads(capsys.readouterr().out)["differences"]) == 1
    assert run(["cut", "verify", "--files", str(tmp_path)], nowhere) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["spring"],
        ["spring", "--purpose", "training"],
        ["--purpose", "training", "--out", "x"],
        ["spring", "--purpose", "training", "--out", "x", "--recipe", "nowhere.toml"],
        ["spring", "--purpose", "training", "--out", "x", "--engine", "abacus"],
        ["spring", "--purpose", "service", "--out", "x"],
        ["spring", "--purpose", "training", "--out", "x", "--at", "2027-01-01T00:00:00Z"],
        ["Spring 1", "--purpose", "training", "--out", "x"],
    ],
)
def test_what_cannot_be_carried_out_is_broken_and_says_so(
    home: Wiring,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["cut", "create", *arguments], home) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err
    assert not (tmp_path / "x").exists()


def test_help_shows_examples(home: Wiring, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cut", "--help"], home) == 0
    said = capsys.readouterr().out
    assert "assent cut create spring --purpose training --out cuts/spring-1" in said
    assert "assent cut verify cuts/spring-2" in said


def test_the_command_itself_writes_and_checks(home: Wiring, tmp_path: Path) -> None:
    home.store.close()
    environment = {**os.environ, "ASSENT_HOME": str(tmp_path / "home"), "ASSENT_CLOCK": "2026-05-01T00:00:00Z"}

    def assent(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "assent", *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    written = assent("cut", "create", "spring", "--recipe", "none", "--purpose", "training", "--out", "cuts/one")
    assert (written.returncode, written.stderr) == (0, "")
    assert assent("cut", "verify", "--files", "cuts/one").returncode == 0
    again = assent("cut", "create", "spring", "--recipe", "none", "--purpose", "training", "--out", "cuts/one")
    assert again.returncode == 1
    assert again.stderr.startswith("assent: `one` is not an empty folder")
