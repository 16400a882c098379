"""Mutate the core and see that the tests notice: `python -m tests.mutants`, or `make check-mutants`.

The tool (mutmut) lies in a folder of its own, `.mutants/lib`, and works on a copy of the tree, `.mutants/AREA`, so
nothing here changes while it runs. Survivors are written to `.mutants/AREA.survivors.txt` with file, line and change.
Exit status: 0 nothing survived but what `tests/mutants/judged.toml` judged to change nothing; 1 something did, or the
tests fail without any change.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from _pytest.config import default_plugins

from tests.mutants.areas import AREAS, REPOSITORY, Area
from tests.mutants.judge import MISSED, Judged, Mutant, became, in_words, read_judged, read_mutants, table

FOLDER: Final = REPOSITORY / ".mutants"
TOOL: Final = FOLDER / "lib"
ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": str(TOOL), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
COPIED: Final = ("src", "tests", "policies", "notices", "spec", "pyproject.toml")
LEFT_OUT: Final = shutil.ignore_patterns("node_modules", "__pycache__", "results", "browser", "mutants")
SEED: Final = 20260101
PLUGINS: Final = ("pytest_socket", "_hypothesis_pytestplugin", "tests.faults.profile")
# What every run of tests would import again, and nothing of ours: a value that a module of ours keeps from the time
# when it was imported would be kept from the mutant.
PRELOADED: Final = (
    *("pytest", *(f"_pytest.{name}" for name in default_plugins), "pygments.lexers.python", "pygments.lexers.diff"),
    *("hypothesis.core", "hypothesis.strategies", "hypothesis.internal.conjecture.engine", "hypothesis.database"),
    *("cryptography.hazmat.primitives.ciphers.aead", "cryptography.hazmat.primitives.asymmetric.ed25519"),
    *("duckdb", "lxml.etree", "obstore", "orjson", "pyarrow.compute", "pydantic", "rich.console", "sqlalchemy"),
    *("tree_sitter", "zstandard", "numpy", "fcntl", "sqlite3", "concurrent.futures.thread"),
)


def settings(area: Area, files: Sequence[str]) -> str:
    """Write the tool's settings: what it mutates, which tests it runs, how long one may take."""
    options = [f"--deselect={test}" for test in area.left_out]
    options += [part for plugin in PLUGINS for part in ("-p", plugin)]
    options += ["--hypothesis-profile=faults", "-p", "no:cacheprovider"]
    values = {
        "source_paths": ["src"],
        "only_mutate": list(files),
        "also_copy": [name for name in COPIED if name not in ("src", "tests")],
        "pytest_add_cli_args": options,
        "pytest_add_cli_args_test_selection": list(area.tests),
        "process_isolation": "forkserver",  # the engines of the tests have threads, which a fork would not take along
        "forkserver_warmup": "import",
        "preload_modules_file": "preloaded.txt",
        "timeout_multiplier": 4.0,
        "timeout_constant": 15.0,  # seconds of a machine that has other things to do
        "track_dependencies": False,
        "use_git_change_detection": False,
    }
    return "\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def copied(area: Area, files: Sequence[str]) -> Path:
    """Copy what the tests need; the copy of an earlier run goes."""
    tree = FOLDER / area.name
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(source, tree / name)
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings(area, files))
    (tree / "preloaded.txt").write_text("\n".join(PRELOADED), encoding="utf-8")
    return tree


def tried(tree: Path, mutants: Sequence[Mutant], at_once: int) -> list[tuple[Mutant, str]]:
    """Run the tests on each mutant in a fork. Raises `CalledProcessError` where they fail without any."""
    (tree / "wanted.json").write_text(json.dumps([one.name for one in mutants]), encoding="utf-8")
    command = [sys.executable, str(Path(__file__).with_name("trying.py")), str(at_once)]
    with (tree / "run.log").open("w", encoding="utf-8") as log:
        subprocess.run(command, cwd=tree, env=ENVIRONMENT, stdout=log, stderr=subprocess.STDOUT, check=True)
    codes = json.loads((tree / "codes.json").read_text(encoding="utf-8"))
    return [(one, became(codes[one.name])) for one in mutants]


def tried_alone(tree: Path, mutants: Sequence[Mutant], at_once: int) -> list[tuple[Mutant, str]]:
    """Let the tool run them, each in a process that has loaded nothing of ours. It may raise likewise."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(at_once), *(one.name for one in mutants)]
    with (tree / "run.log").open("w", encoding="utf-8") as log:
        subprocess.run(command, cwd=tree, env=ENVIRONMENT, stdout=log, stderr=subprocess.STDOUT, check=True)
    codes: dict[str, int | None] = {}
    for file in {one.file for one in mutants}:
        meta = (tree / "mutants" / f"{file}.meta").read_text(encoding="utf-8")
        codes |= json.loads(meta)["exit_code_by_key"]
    return [(one, became(codes[one.name])) for one in mutants]


def check(area: Area, asked: argparse.Namespace, judged: Sequence[Judged]) -> tuple[list[tuple[Mutant, str]], int]:
    """Try one area; return what became of its mutants, and how many survived that nobody judged."""
    began, last = time.monotonic(), FOLDER / f"{area.name}.survivors.json"
    again = json.loads(last.read_text(encoding="utf-8")) if asked.again and last.is_file() else []
    if asked.again and not again:
        return [], 0
    tree = copied(area, area.files(asked.only))
    numbers = [str(one) for one in (asked.at_once, asked.share, asked.seed)]
    make = [sys.executable, Path(__file__).with_name("inside.py"), *numbers]
    subprocess.run([*make, *again], cwd=tree, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    found = json.loads((tree / "mutants.json").read_text(encoding="utf-8"))
    drawn = read_mutants(found["drawn"])
    mutants = [one for one in drawn if not one.worded]
    outcomes = (tried_alone if again else tried)(tree, mutants, asked.at_once) if mutants else []
    missed = [(one, what) for one, what in outcomes if what in MISSED]
    known = {one.key for one in judged}
    unknown = [(one, what) for one, what in missed if one.key not in known]
    # on a busy machine more than endless loops run out of time: they are tried again with the rest
    late = [one.name for one, what in outcomes if what == "timed out"]
    last.write_text(json.dumps([*(one.name for one, _ in missed), *late], indent=1), encoding="utf-8")
    (FOLDER / f"{area.name}.survivors.txt").write_text("\n".join(in_words(*one) for one in unknown), encoding="utf-8")
    print(
        f"{area.name}: {found['made']} mutants, {len(drawn)} drawn, {len(drawn) - len(mutants)} of them wording; "
        f"{len(unknown)} survived, {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return outcomes, len(unknown)


def main() -> int:
    """Try what was asked for and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help="an area, or a part of a module's path")
    parser.add_argument("--share", type=float, default=1.0, help="how large a share is tried, drawn by --seed")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--again", action="store_true", help="only what survived or ran out of time in the last run")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 2)
    asked = parser.parse_args()
    if not TOOL.is_dir():
        parser.error("the tool is not installed: run `make check-mutants`")
    areas = [area for area in AREAS if area.files(asked.only)]
    if not areas:
        parser.error(f"no area and no module is called `{asked.only}`: name one of {', '.join(a.name for a in AREAS)}")
    judged, outcomes, unknown = read_judged(), [], 0
    for area in areas:
        found, survived = check(area, asked, judged)
        outcomes += found
        unknown += survived
    print(table(outcomes, judged))
    if unknown:
        print(f"{unknown} survived (.mutants/*.survivors.txt): write a test, or judge it in tests/mutants/judged.toml")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
