"""`assent ask` and `assent choose`: only a person at a terminal who says so allows anything."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from homes import Home, made, program

# Makes the terminal its own first, so that Ctrl-C reaches it.
START = (
    "import fcntl, termios, sys; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "from assent.__main__ import main; sys.argv[0] = 'assent'; main()"
)
ASK = (sys.executable, "-c", START, "ask", "me")
ALLOW = (sys.executable, "-c", START, "choose", "me", "allow")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return made(tmp_path_factory.mktemp("ask") / "home")


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
    status = child.wait(timeout=30)
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


def test_an_answer_quotes_the_notice_that_was_shown(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    shown = home("ask", "me", "--show").out
    assert home.acts() == []
    status, _ = at_a_terminal(home, ASK, "{allow}\n")
    (record,) = home("choose", "me", "show", "--json").lines()
    assert (status, record["act"], record["surface"]) == (0, "allow", "terminal")
    assert f"notice: {record['notice']}" in shown


def test_the_order_of_the_options_is_not_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = made(tmp_path / "home")
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


def test_choices_are_shown_in_the_order_of_time(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    assert home("choose", "me", "show").out == "never asked, or never answered\n"
    for act in ("defer", "decline", "withdraw"):
        home("choose", "me", act, at=home.now.replace(second=len(home.acts())))
    assert home.acts() == ["defer", "decline", "withdraw"]
    assert [line.split()[2] for line in home("choose", "me", "show").out.splitlines()] == home.acts()
