"""The documents say what the program does: pages are current, links lead somewhere, examples run."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from assent.connectors.formats.registry import importers
from assent.domain.conversation import MARKS
from assent.interfaces.cli.app import COMMANDS
from assent.settings import Settings
from tests.docs.quick_assent import CLIENT, READY
from tests.docs.small_export import CLOCK, write_export
from tests.docs.write_reference import PAGES, REFERENCE, REPOSITORY, commands_page, setting_meanings

DOCS = REPOSITORY / "docs"
GUIDES = [REPOSITORY / "README.md", *sorted((DOCS / "tutorials").glob("*.md")), *sorted((DOCS / "how-to").glob("*.md"))]
LINKED = [
    REPOSITORY / "README.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted((REPOSITORY / "spec").rglob("*.md")),
]
NEVER = {
    "tenant": r"tenants?",
    "TTL": r"ttls?",
    "cron": r"crons?",
    "soft delete": r"soft[ -]delet\w+",
    "verdict": r"verdicts?",
}
END_SERVERS = "kill $(jobs -p) 2>/dev/null; wait"
"""A page that fails half-way leaves nothing running."""

CONSOLE = re.compile(r"^(<!-- only in `make check-deep`: .+ -->\n)?```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
"""A block of commands; one that takes long says so above itself."""
RUN = [path for path in LINKED if CONSOLE.search(path.read_text("utf-8"))]
LONG = [path for path in RUN if any(slow for slow, _ in CONSOLE.findall(path.read_text("utf-8")))]


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_made_from_the_program_is_current(page: str) -> None:
    written = (REFERENCE / page).read_text("utf-8")
    assert written == PAGES[page](), "run `python -m tests.docs.write_reference` and look at the difference"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference_and_in_a_guide(command: str) -> None:
    assert f"\n## assent {command}\n" in (REFERENCE / "commands.md").read_text("utf-8")
    assert any(re.search(rf"\bassent {command}\b", path.read_text("utf-8")) for path in GUIDES)


def test_every_setting_says_what_it_means_and_is_in_the_reference() -> None:
    meanings = setting_meanings()
    page = (REFERENCE / "settings.md").read_text("utf-8")
    for setting in fields(Settings):
        if setting.name != "home":
            assert meanings.get(setting.name), f"the docstring of Settings says nothing about `{setting.name}`"
            assert f"| `{setting.name}` |" in page


def test_every_variable_of_the_environment_is_in_the_reference() -> None:
    wiring = "".join(path.read_text("utf-8") for path in (REPOSITORY / "src" / "assent" / "wiring").glob("*.py"))
    found = set(re.findall(r"""environ(?:\.get\(|\.setdefault\(|\[)["'](\w+)["']""", wiring))
    page = (REFERENCE / "settings.md").read_text("utf-8")
    assert found
    assert found == set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))


def test_every_exit_status_that_a_command_states_is_on_the_page_of_exit_codes() -> None:
    page = (REFERENCE / "exit-codes.md").read_text("utf-8")
    stated = re.findall(
        r"^## assent (\S+)\n|^####? assent (\S+ \S+(?: \S+)?)\n|Exit status: (.*?)\.\n",
        commands_page(),
        re.MULTILINE | re.DOTALL,
    )
    command = ""
    seen = set()
    for name, below, status in stated:
        command = name or below or command
        if status and command:
            seen.add(command)
            assert f"| `{command}` | {' '.join(status.split())} |" in page
    assert seen == set(re.findall(r"^\| `([a-z ]+)` \| \d", page, re.MULTILINE))


@pytest.mark.parametrize("name", importers())
def test_every_import_format_is_described(name: str) -> None:
    for page in (REFERENCE / "formats.md", DOCS / "how-to" / "import-conversations.md"):
        assert f"\n## {name}\n" in page.read_text("utf-8"), f"{page.name} has no section `{name}`"


def test_every_mark_is_described() -> None:
    described = set(re.findall(r"^\| `([a-z-]+)` \|", (REFERENCE / "formats.md").read_text("utf-8"), re.MULTILINE))
    assert set(MARKS) <= described


def test_every_page_is_in_the_index_of_its_kind() -> None:
    for kind in ("tutorials", "how-to", "reference", "explanation"):
        index = (DOCS / kind / "README.md").read_text("utf-8")
        missing = [path.name for path in (DOCS / kind).glob("*.md") if f"]({path.name})" not in index]
        assert [name for name in missing if name != "README.md"] == []


def _anchors(path: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKED, ids=_name)
def test_every_relative_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        there = page.parent / target if target else page
        assert there.exists(), f"`{link}` leads nowhere"
        if anchor:
            assert anchor in _anchors(there), f"`{link}`: there is no such heading"


@pytest.mark.parametrize("word", NEVER)
def test_a_word_that_the_glossary_rules_out_is_in_no_docstring_and_no_help(word: str) -> None:
    assert word in (DOCS / "glossary.md").read_text("utf-8"), "the list of this test is older than the glossary"
    pattern = re.compile(rf"\b{NEVER[word]}\b", re.IGNORECASE)
    assert not pattern.search(commands_page())
    for path in sorted((REPOSITORY / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found = pattern.search(ast.get_docstring(node) or "")
                assert found is None, f"{_name(path)}: `{word}` in the docstring of `{getattr(node, 'name', 'module')}`"


def _steps(page: Path, *, long: bool = False) -> list[tuple[str, list[str]]]:
    """List the commands of the console blocks with the output that is shown under each; of `long` ones if asked."""
    steps: list[tuple[str, list[str]]] = []
    blocks = [block for slow, block in CONSOLE.findall(page.read_text("utf-8")) if long or not slow]
    for block in blocks:
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif line.startswith("> "):
                steps[-1] = (f"{steps[-1][0]}\n{line[2:]}", [])
            elif line.strip():
                steps[-1][1].append(line)
    return steps


@pytest.fixture(scope="module")
def assent_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a program that behaves as `assent` does and starts fast."""
    with TemporaryDirectory(prefix="assent-") as folder:  # the address of a socket has to be short
        address = Path(folder, "socket")
        command = [sys.executable, "-m", "tests.docs.quick_assent", str(address)]
        server = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == READY, "the server of commands did not start"
            program = Path(folder, "assent")
            program.write_text(CLIENT.format(python=sys.executable, address=str(address)), "utf-8")
            program.chmod(0o755)
            yield program
        finally:
            server.terminate()
            server.communicate()


def _world(folder: Path, assent: Path) -> dict[str, str]:
    """Make a folder with the small export and an environment in which `assent` and `python3` are ours."""
    write_export(folder / "export.zip")
    programs = folder / ".bin"
    programs.mkdir()
    (programs / "assent").symlink_to(assent)
    (programs / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', "utf-8")
    (programs / "python3").chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONUTF8": "1", "ASSENT_CLOCK": CLOCK}


@pytest.mark.skipif(shutil.which("bash") is None, reason="the examples are written for bash")
@pytest.mark.parametrize("page", RUN, ids=_name)
def test_the_examples_of_a_page_run_and_print_what_the_page_shows(
    page: Path, tmp_path: Path, assent_program: Path
) -> None:
    _follow(_steps(page), tmp_path, assent_program)


@pytest.mark.deep
@pytest.mark.parametrize("page", LONG, ids=_name)
def test_the_long_examples_of_a_page_run_too(page: Path, tmp_path: Path, assent_program: Path) -> None:
    _follow(_steps(page, long=True), tmp_path, assent_program, limit_s=600)


def _follow(steps: list[tuple[str, list[str]]], tmp_path: Path, assent_program: Path, *, limit_s: float = 240) -> None:
    """Run all steps in one shell, in a folder of their own, and compare what each printed."""
    if shutil.which("curl") is None and any("curl" in command for command, _ in steps):
        pytest.skip("this page speaks to the API by curl, which is not installed")
    mark = "---- step"
    script = "".join(
        f"{command}\nstatus=$?; echo; echo '{mark}' $status\n[ $status = 0 ] || exit\n" for command, _ in steps
    )
    done = subprocess.run(
        ["bash", "-c", f"set -u; exec 2>&1; trap '{END_SERVERS}' EXIT\n{script}"],
        cwd=tmp_path,
        env=_world(tmp_path, assent_program),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=limit_s,
    )
    printed = re.split(rf"^{mark} (\d+)\n", done.stdout, flags=re.MULTILINE)
    outputs, statuses = printed[::2], printed[1::2]
    for (command, shown), output, status in zip(steps, outputs, statuses, strict=False):
        assert status == "0", f"`{command}` ended with {status}:\n{output}"
        _compare(command, shown, output)
    assert len(statuses) == len(steps), done.stdout[-2000:]


def _compare(command: str, shown: list[str], output: str) -> None:
    """Find each line that the page shows in the output, in order; `…` stands for anything."""
    lines = iter(output.splitlines())
    for line in shown:
        if line.strip() == "…":
            continue
        pattern = re.compile(".*".join(re.escape(piece) for piece in line.rstrip().split("…")))
        assert any(pattern.fullmatch(printed.rstrip()) for printed in lines), (
            f"`{command}` did not print `{line}`:\n{output}"
        )


def test_every_test_that_a_page_names_exists() -> None:
    named = {name for page in LINKED for name in re.findall(r"`(test_\w+)`", page.read_text("utf-8"))}
    written = {
        name
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(named) > 30
    assert named <= written, sorted(named - written)
