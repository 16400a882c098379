"""Every command: help with examples, exit statuses, errors that are one sentence and one remedy."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from homes import Home, call, claude_ai, made, program

from assent.domain.errors import AssentError, Incomplete, Invalid, NotFound, Refused
from assent.interfaces.cli.app import COMMANDS, app
from assent.wiring import Wiring

HERE = Path(__file__).parent


def commands(group: click.Group = app, *above: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None, name
        yield (*above, name)
        if isinstance(found, click.Group):
            yield from commands(found, *above, name)


@pytest.mark.parametrize("name", list(commands()), ids=" ".join)
def test_help_shows_examples(name: tuple[str, ...], tmp_path: Path) -> None:
    said = call(Wiring(tmp_path), *name, "--help")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"Usage: assent {' '.join(name)}")
    assert (
        re.search(rf"Examples?:\n +.*(assent {' '.join(name)}|-- )", said.out)
        or f"assent {' '.join(name)}" in (said.out.partition("Example")[2])
    )
    assert re.search(r"^  Examples?:\n    \S", said.out, re.MULTILINE), "examples stand on lines of their own"
    assert "\\b" not in said.out, "a mark for click is printed"
    assert call(Wiring(tmp_path), *name, "-h").out == said.out


def test_help_lists_every_command_with_its_line(tmp_path: Path) -> None:
    out = call(Wiring(tmp_path), "--help").out
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", out, re.MULTILINE)
    assert "Exit status: 0 yes or done, 1 broken, 2 answered no, 3 not found, 4 incomplete." in " ".join(out.split())


def test_every_command_has_a_module_and_every_module_a_line() -> None:
    folder = HERE.parents[2] / "src" / "assent" / "interfaces" / "cli"
    with_command = {path.stem for path in folder.glob("*.py") if "\ndef command(" in path.read_text("utf-8")}
    assert {stem.rstrip("_").replace("_", "-") for stem in with_command} == set(COMMANDS)
    for name in COMMANDS:
        module = "import_" if name == "import" else name.replace("-", "_")
        assert import_module(f"assent.interfaces.cli.{module}").command


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from assent.interfaces.cli.app import run; from assent.wiring import Wiring; "
        "run(['--help'], Wiring()); "
        "print([name for name in ('duckdb', 'pyarrow', 'sqlalchemy', 'rich', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_told(tmp_path: Path) -> None:
    from assent import __version__

    assert call(Wiring(tmp_path), "--version").out == f"assent {__version__}\n"


# -- errors -----------------------------------------------------------------------------------------

SENTENCE = re.compile(r"assent: (?:[\w.-]+:(?:\d+:\d+:)? )?[a-z`].*[^.\n]\n  \S.*\n")
NEEDS_HOME = [
    ("status",), ("plan",), ("explain", "--all"), ("explain", "x"), ("forecast",), ("sweep", "--plan", "12345678"),
    ("ask", "me"), ("choose", "me", "show"), ("choose", "me", "decline"), ("hold", "list"),
    ("release", "x", "--by", "y"), ("flag", "x", "--category", "c", "--by", "y"),
    ("import", "accounts", str(HERE / "homes.py")), ("import", "claude-ai", str(HERE)),
    ("cut", "create", "n", "--purpose", "training", "--out", "o"),
]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("cut", "verify", "nothere"),
        ("cut", "evidence", "nothere", "--out", "new"),
        ("canary", "check", "nothere"),
        ("backup", "check", "nothere", "--keys", "."),
        ("backup", "check", ".", "--keys", "nothere"),
        ("restore", "nothere", "new", "--keys", "."),
        ("policy", "lint", "anthropic/2025-10-08", "--page", "nothere"),
        ("ledger", "verify", "--log", "nothere"),
        ("rights", "show", "nothere"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_ends_with_3_and_says_what_to_do(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made(tmp_path / "home")
    monkeypatch.chdir(home.folder)
    said = home(*arguments)
    assert (said.status, said.out) == (3, "")
    assert re.fullmatch(r"assent: there is no .*`nothere`\n  \S.*\n", said.err)
    assert not (home.folder / "new").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is there on Linux")
def test_no_space_left_is_said_and_not_called_a_matter_of_permissions(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "assent", "redact"],
            cwd=tmp_path, input=b'{"id":1,"text":"x"}', stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.decode().startswith("assent: there is no space left where this is written\n  make room")


@pytest.mark.parametrize("name", ["redact", "dedup"])
def test_a_closed_standard_input_is_said(name: str, tmp_path: Path) -> None:
    line = f"exec {shlex.quote(sys.executable)} -m assent {name} <&-"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("assent: standard input is closed, so nothing can be read from it\n  name a file")


@pytest.mark.parametrize("arguments", NEEDS_HOME, ids=" ".join)
def test_without_a_home_a_command_says_what_to_do(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSENT_HOME", raising=False)
    said = call(Wiring(), *arguments)
    assert (said.status, said.out) == (3, "")
    assert said.err == (
        "assent: no `assent.toml` here or above\n  run `assent init FOLDER` first, or go to the folder that holds it\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return made(tmp_path_factory.mktemp("errors") / "home")


FAILING = [
    # what is called, exit status
    (("explain", "claude-ai:nothing"), 3),
    (("explain",), 1),
    (("sweep", "--plan", "deadbeef0"), 3),
    (("sweep", "--plan", "12"), 3),
    (("release", "nothing", "--by", "desk"), 3),
    (("flag", "nothing", "--category", "fraud", "--by", "team"), 3),
    (("flag", "nothing", "--reverse", "--by", "team"), 3),
    (("hold", "query", "--matter", "m", "--author", "a", "--reason", "r"), 1),
    (("hold", "everyone", "--matter", "m", "--author", "a", "--reason", " "), 1),
    (("hold", "close", "nothing"), 3),
    (("approve", "nothing", "--by", "desk"), 3),
    (("read", "nothing", "--for", "legal", "--by", "desk", "--reason", "r"), 3),
    (("choose", "me", "allow"), 2),
    (("import", "auto", str(HERE)), 1),
    (("import", "nonsense", str(HERE)), 3),
    (("import", "claude-ai", str(HERE)), 1),
    (("import", "claude-ai", str(HERE), "--age", "41"), 1),
    (("import", "claude-ai", str(HERE), "--subject", "me", "--age", "old"), 1),
    (("decide", "--policy", "nobody/1"), 3),
    (("policy", "show", "nobody/1"), 3),
]


@pytest.mark.parametrize(
    ("arguments", "status"), FAILING, ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else str(value)
)
def test_an_error_is_one_sentence_and_one_remedy(home: Home, arguments: tuple[str, ...], status: int) -> None:
    said = home(*arguments)
    assert (said.status, said.out) == (status, "")
    assert SENTENCE.fullmatch(said.err), said.err


@pytest.mark.parametrize(
    ("problem", "status"),
    [(AssentError("a", "b"), 1), (Refused("a", "b"), 2), (NotFound("a", "b"), 3), (Incomplete("a", "b"), 4),
     (Invalid("a", "b"), 1)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_each_kind_of_error_has_its_exit_status(
    home: Home, problem: AssentError, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("assent.interfaces.cli.forecast.forecast", fail)
    said = home("forecast")
    assert (said.status, said.out, said.err) == (status, "", "assent: a\n  b\n")


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("plan", "--at", "soon"), ("sweep",), ("hold", "person", "me"), ("hold", "everyone", "me")],
)
def test_a_wrong_call_is_explained_without_a_traceback(home: Home, arguments: tuple[str, ...]) -> None:
    said = home(*arguments)
    assert (said.status, said.out) == (1, "")
    assert "Error: " in said.err
    assert "Traceback" not in said.err


def test_an_interrupt_is_no_traceback(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("assent.interfaces.cli.forecast.forecast", interrupted)
    said = home("forecast")
    assert said.status == 1
    assert said.err.strip() == "assent: stopped; nothing half-done was kept"


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "choices", "FOLDER"),
        ("import", "accounts", "FOLDER"),
        ("forecast", "--svg", "FOLDER/nowhere/x.svg"),
        ("init", "FILE"),
        ("demo", "--no-serve", "--out", "FILE"),
        ("demo", "--no-serve", "--people", "60", "--out", "FILE/below"),
    ],
    ids=" ".join,
)
def test_what_the_machine_refuses_is_said_in_a_sentence(home: Home, arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = [word.replace("FOLDER", str(tmp_path)).replace("FILE", str(tmp_path / "file")) for word in arguments]
    said = home(*places)
    assert said.status in (1, 2)
    assert SENTENCE.fullmatch(said.err), said.err


def test_a_reader_that_has_seen_enough_is_no_error(home: Home, tmp_path: Path) -> None:
    chats = [(f"c{number}", "2025-12-20T00:00:00Z") for number in range(400)]
    export = claude_ai(tmp_path / "export", *chats)
    assert home("import", "claude-ai", export, "--subject", "me", "--plan", "pro", "--age", "adult").status == 0
    command = f"'{sys.executable}' -m assent explain --all --limit 400 --json | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=home.folder, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["conversation"].startswith("claude-ai:c")
    assert (done.returncode, done.stderr) == (0, "")


def test_errors_of_the_program_go_to_standard_error(home: Home) -> None:
    done = program("explain", "nothing", cwd=home.folder)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("assent: no such conversation is kept\n  look at ")
