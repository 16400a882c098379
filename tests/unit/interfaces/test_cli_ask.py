"""`assent ask` and `assent choose`: only a person at a terminal who says so allows anything."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from homes import Home, claude_ai, made, program

# Makes the terminal its own first, so that Ctrl-C reaches it, also where the tests were started with it ignored.
START = (
    "import fcntl, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from assent.__main__ import main; sys.argv[0] = 'assent'; main()"
)
ASK = (sys.executable, "-c", START, "ask", "me")
ALLOW = (sys.executable, "-c", START, "choose", "me", "allow")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return adults(made(tmp_path_factory.mktemp("ask") / "home"), "me")


def adults(home: Home, *subjects: str) -> Home:
    """Say of these people that they are of age."""
    people = home.write("people.ndjson", [{"subject": one, "plan": "pro", "age": "adult"} for one in subjects])
    assert home("import", "accounts", people).status == 0
    return home


def at_a_terminal(
    home: Home, command: tuple[str, ...], answer: str, prompt: str = "> ", **environment: str
) -> tuple[int, str]:
    """Start a command at a terminal of its own, wait for the prompt, type; `{Allow}` stands for the number shown."""
    above, below = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key != "CI"}
    child = subprocess.Popen(
        command, cwd=home.folder, stdin=below, stdout=below, stderr=below, env={**kept, **environment},
        start_new_session=True,
    )  # fmt: skip
    os.close(below)
    shown = ""
    typed = 0.0
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([above], [], [], 0.1)[0]:
            try:
                piece = os.read(above, 65_536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            shown += piece.decode(errors="replace")
        if typed and answer == "\x03" and time.monotonic() > typed + 1:
            os.write(above, b"\x03")  # the first may come before the prompt listens
            typed = time.monotonic()
        if not typed and shown.endswith(prompt):
            numbers = dict(re.findall(r"  (\d)  ([\w' ]+?)\r?\n", shown))
            words = {label: number for number, label in numbers.items()}
            os.write(above, answer.format(allow=words.get("Allow"), refuse=words.get("Don't allow")).encode())
            typed = time.monotonic()
    try:
        status = child.wait(timeout=30)
    finally:
        child.kill()
        child.wait()
        os.close(above)
    return status, shown


def recorded(home: Home) -> list[str]:
    """What this test added to the acts of the subject."""
    return home.acts()


@pytest.mark.parametrize(
    ("answer", "status", "act"),
    [
        ("{allow}\n", 0, ["allow"]),
        ("{refuse}\n", 0, ["decline"]),
        ("\n", 0, ["defer"]),
        ("yes\n", 0, ["defer"]),
        ("9\n", 0, ["defer"]),
        ("\x04", 4, []),
        ("\x03", 1, []),
    ],
    ids=["allow", "decline", "enter", "yes", "9", "end of input", "interrupt"],
)
def test_a_person_answers_and_only_the_number_of_allow_allows(
    shared: Home, answer: str, status: int, act: list[str]
) -> None:
    before = recorded(shared)
    ended, shown = at_a_terminal(shared, ASK, answer)
    assert ended == status, shown
    assert recorded(shared)[len(before) :] == act
    assert "Traceback" not in shown


def test_the_receipt_of_an_answer_quotes_what_was_on_the_screen(tmp_path: Path) -> None:
    home = adults(made(tmp_path / "home"), "me")
    status, shown = at_a_terminal(home, ASK, "{allow}\n")
    (record,) = home("choose", "me", "show", "--json").lines()
    assert (status, record["act"], record["surface"]) == (0, "allow", "terminal")
    text = home("notice", "show", record["notice"]).out
    assert text in shown.replace("\r\n", "\n")
    (told,) = re.findall(r"assent receipt (\S+) --out receipt.json", shown)
    assert told == record["id"]
    file = tmp_path / "receipt.json"
    assert home("receipt", told, "--out", file).status == 0
    assert home("verify", "receipt", file, "--key", home("ledger", "key").out.strip()).out.startswith("valid\n")
    evidence = json.loads(json.loads(file.read_text("utf-8"))["evidence"]["record"])
    labels = {"allow": "Allow", "decline": "Don't allow"}
    answers = [act for act in evidence["options"] if act in labels]
    assert [labels[act] for act in answers] == re.findall(r"  \d  (.*)", text)
    assert evidence["options"][-1] == "defer"


def test_the_text_can_be_seen_without_being_asked_and_is_kept(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    text, digest = home("ask", "me", "--show").out.rsplit("notice: ", 1)
    assert home("notice", "show", digest.strip()).out == text
    assert home("ask", "me", "--show", "--locale", "de").out.startswith("Darf Anthropic")
    assert home.acts() == []


def test_a_notice_that_offers_no_later_records_nothing_for_a_bare_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = adults(made(tmp_path / "home"), "me")
    text = next((home.folder / "notices").iterdir()).read_text("utf-8")
    file = tmp_path / "now-or-never.toml"
    file.write_text(text.replace('[[control]]\nact = "defer"\n', "").replace('version = "1"', 'version = "2"'), "utf-8")
    added = home("notice", "add", file, at=home.now.replace(second=1))
    assert added.status == 0, added.out
    monkeypatch.setattr("assent.wiring.Wiring.interactive", lambda _self: True)
    monkeypatch.setattr("builtins.input", lambda _prompt="": "")
    said = home("ask", "me", at=home.now.replace(second=2))
    assert (said.status, "nothing recorded" in said.out) == (0, True)
    assert home.acts() == []


def test_a_campaign_says_who_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = adults(made(tmp_path / "home"), "me")
    monkeypatch.setattr("assent.wiring.Wiring.interactive", lambda _self: True)
    said = home("ask", "me", "--campaign", "spring")
    assert (said.status, "there is no campaign `spring`" in said.err) == (3, True)


def test_the_order_of_the_options_is_not_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = adults(made(tmp_path / "home"), *(f"s{number}" for number in range(40)))
    monkeypatch.setattr("assent.wiring.Wiring.interactive", lambda _self: True)
    monkeypatch.setattr("builtins.input", lambda _prompt="": "")
    firsts = {re.search(r"  1  (.*)", home("ask", f"s{number}").out)[1] for number in range(40)}
    assert firsts == {"Allow", "Don't allow"}


@pytest.mark.parametrize("command", [ASK, ALLOW], ids=["ask", "choose allow"])
def test_in_ci_nobody_is_asked_even_at_a_terminal(shared: Home, command: tuple[str, ...]) -> None:
    before = shared.acts()
    status, shown = at_a_terminal(shared, command, "1\n", CI="true")
    assert status == (4 if command is ASK else 2)
    assert "nothing recorded" in shown or "needs a person at a terminal" in shown
    assert shared.acts() == before


@pytest.mark.parametrize("stdin", [b"", b"1\n", b"allow\nallow\n", b"\n"])
def test_a_script_cannot_answer(shared: Home, stdin: bytes) -> None:
    before = shared.acts()
    asked = program("ask", "me", cwd=shared.folder, stdin=stdin)
    assert asked.returncode == 4
    assert asked.stderr.startswith("assent: nobody sits at this terminal")
    assert shared.acts() == before


def test_choose_takes_no_allow_from_a_script_and_says_who_can(shared: Home) -> None:
    before = shared.acts()
    done = program("choose", "me", "allow", cwd=shared.folder, stdin=b"allow\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("assent: an `allow` needs a person at a terminal\n  let the person run `assent ask`")
    assert shared.acts() == before


@pytest.mark.parametrize(
    ("answer", "status", "act"),
    [("allow\n", 0, ["allow"]), ("yes\n", None, []), ("\n", None, []), ("\x04", 1, [])],
    ids=["allow", "yes", "enter", "end of input"],
)
def test_choose_allow_needs_the_word(shared: Home, answer: str, status: int | None, act: list[str]) -> None:
    before = shared.acts()
    ended, shown = at_a_terminal(shared, ALLOW, answer, prompt="type allow to allow it: ")
    assert status is None or ended == status, shown
    assert shared.acts()[len(before) :] == act
    assert "Traceback" not in shown


@pytest.mark.parametrize("act", ["decline", "defer", "withdraw"])
def test_whatever_gives_nothing_may_come_from_anywhere(tmp_path: Path, act: str) -> None:
    home = made(tmp_path / "home")
    said = home("choose", "me", act, "--json")
    assert said.json()["act"] == act
    assert home.acts() == [act]


def test_what_is_recorded_by_hand_has_a_receipt_that_verifies(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    said = home("choose", "me", "decline").out.splitlines()
    assert said[0].startswith("recorded: decline for training at ")
    command = said[-1].removeprefix("your receipt: assent ").split()
    receipt = tmp_path / "receipt.json"
    assert home(*command[:-1], receipt).status == 0
    key = home("ledger", "key").out.strip()
    verified = home("verify", "receipt", receipt, "--key", key)
    assert verified.status == 0, verified.err


def test_choices_are_shown_in_the_order_of_time(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    assert home("choose", "me", "show").out == "never asked, or never answered\n"
    for act in ("defer", "decline", "withdraw"):
        home("choose", "me", act, at=home.now.replace(second=len(home.acts())))
    assert home.acts() == ["defer", "decline", "withdraw"]
    *lines, now = home("choose", "me", "show", at=home.now.replace(minute=1)).out.splitlines()
    assert [line.split()[2] for line in lines] == home.acts()
    assert now.startswith("now: training withdrawn since 2026-01-01T12:00:01Z, by person")


def test_who_may_not_allow_is_not_asked_and_may_still_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = made(tmp_path / "home")
    monkeypatch.setattr("assent.wiring.Wiring.interactive", lambda _self: True)
    for command in (("ask", "me"), ("choose", "me", "allow"), ("ask", "me", "--guardian", "mum")):
        said = home(*command)
        assert said.status == 2
        assert said.err.startswith(
            "assent: the age is not known" if "mum" not in command else "assent: nobody verified"
        )
    assert home("choose", "me", "decline").status == 0
    assert home.acts() == ["decline"]


def test_one_conversation_or_project_is_kept_out(tmp_path: Path) -> None:
    home = adults(made(tmp_path / "home"), "me")
    export = claude_ai(tmp_path / "export", ("c1", "2026-01-01T11:00:00Z"), ("c2", "2026-01-01T11:00:00Z"))
    assert home("import", "claude-ai", export, "--subject", "me").status == 0
    locked = home("choose", "me", "decline", "--conversation", "claude-ai:c1", "--json").json()
    assert (locked["scope"], locked["target"], locked["leaf"]) == ("conversation", "claude-ai:c1", 0)
    apart = home("choose", "me", "decline", "--scope", "project", "thesis")
    assert apart.out.startswith("recorded: decline for training, this project only at 2026-01-01")
    assert "thesis" not in home("choose", "me", "show", "--json").out
    assert {one["scope"] for one in home("choose", "me", "show", "--json").lines()} == {"conversation", "project"}
    assert home("choose", "me", "decline", "--conversation", "claude-ai:c9").status == 3
    both = home("choose", "me", "decline", "--conversation", "claude-ai:c1", "--scope", "project", "thesis")
    assert (both.status, "give one of them" in both.err) == (1, True)
    assert len(home.acts()) == 2


def test_withdrawing_says_what_ends_and_what_is_not_reached(tmp_path: Path) -> None:
    home = adults(made(tmp_path / "home"), "me")
    export = claude_ai(tmp_path / "export", ("c1", "2026-01-10T11:00:00Z"))
    allow = {"subject": "me", "purpose": "training", "act": "allow", "at": "2026-01-01T10:00:00Z",
             "notice": f"sha256:{'1' * 64}", "surface": "web"}  # fmt: skip
    assert home("import", "choices", home.write("choices.ndjson", [allow])).status == 0
    assert home("import", "claude-ai", export, "--subject", "me", at=home.now.replace(day=11)).status == 0
    said = home("choose", "me", "withdraw", at=home.now.replace(day=12))
    assert said.status == 0
    assert "  ends now: " in said.out
    assert "  conversations that are not used any more: 1\n" in said.out
    assert "  a training run that has already started goes on; finished models stay as they are" in said.out
    again = home("choose", "me", "withdraw", "--json", at=home.now.replace(day=13)).json()
    assert again["effects"]["stopped"] == 0
    assert again["before"] == "withdrawn"


def test_a_home_without_keys_says_what_to_do_and_goes_on_after_it(tmp_path: Path) -> None:
    home = adults(made(tmp_path / "home"), "me")
    shutil.rmtree(home.folder / "keys")
    refused = home("choose", "me", "decline")
    assert (refused.status, "assent ledger init" in refused.err) == (3, True)
    assert home.acts() == []


def test_status_and_change_take_one_step_each(tmp_path: Path) -> None:
    home = adults(made(tmp_path / "home"), "me")

    def status(*more: str) -> str:
        return program("ask", "me", "status", *more, cwd=home.folder).stdout

    assert "training: unasked, nobody has said anything" in home("ask", "me", "status").out
    assert at_a_terminal(home, ASK, "{allow}\n")[0] == 0
    assert re.search(r"training: allowed since \S+, by person\n", status())
    assert at_a_terminal(home, (*ASK, "change"), "{refuse}\n")[0] == 0
    assert "training: declined" in status("--purpose", "training")
    assert home.acts() == ["allow", "decline"]


def test_a_change_asks_nobody_where_nobody_sits(tmp_path: Path) -> None:
    home = adults(made(tmp_path / "home"), "me")
    refused = program("ask", "me", "change", cwd=home.folder, stdin=b"1\n2\n", CI="1")
    assert (refused.returncode, home.acts()) == (4, [])
    assert home("ask", "me", "change", "--campaign", "autumn").status == 1
