"""What the tests against real products stand on: words are found wherever they lie, programs end with their starter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.clients.words import AT_ONCE, PIECE, Words, look

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(lambda word: word, id="a whole word"),
        pytest.param(
            lambda word: word[: len(word) // 2 + 2] + b"\x00\x07\x00" + word[len(word) // 2 + 2 :], id="cut in two"
        ),
        pytest.param(lambda word: b"\x00".join(word[at : at + PIECE] for at in range(2, 24, PIECE)), id="compressed"),
        pytest.param(lambda word: b"x" * (AT_ONCE - 5) + word, id="across two reads"),
    ],
)
def test_a_word_is_found_wherever_eight_bytes_of_it_lie(cut: object, tmp_path: Path) -> None:
    words = Words("seed")
    word = words.new("a chat", "a copy", doomed=True)
    other = words.new("a chat", "another copy", doomed=True)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.bin").write_bytes(b"before " + cut(word.encode()) + b" behind")
    found = look([tmp_path], words.given)
    assert {word.text: places for word, places in found.items()} == {word: ["deep/file.bin"]}
    assert other not in {word.text for word in found}


def test_a_word_in_the_name_of_a_file_is_found(tmp_path: Path) -> None:
    words = Words("seed")
    (tmp_path / f"{words.new('a chat', 'a name', doomed=True)}.txt").touch()
    assert len(look([tmp_path], words.given)) == 1


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    words = Words("seed")
    word = words.new("a chat", "a copy", doomed=True)
    (tmp_path / "near.txt").write_text(f"zq {word[:9]} {word[-7:]} {word[::-1]}")
    assert look([tmp_path], words.given) == {}


STARTER = """
    import sys, time
    from pathlib import Path
    from tests.clients.running import running
    with running([sys.executable, "-c", "import time; time.sleep(600)"], {}, Path("."), Path(sys.argv[1])) as program:
        print(program.pid, flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_ends_with_whoever_started_it(number: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(STARTER), tmp_path / "log"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as starter:
        program = psutil.Process(int(starter.stdout.readline()))
        assert program.is_running()
        starter.send_signal(number)
        starter.wait()
    until = time.monotonic() + 20
    while psutil.pid_exists(program.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(program.pid)
