"""The house rules that no linter knows. Each rule is a function from a folder to complaints.

Two tests: this repository earns no complaint, and each rule complains about a small tree that breaks it.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
MAX_LINES = 600

Rule = Callable[[Path], Iterator[str]]

VAGUE = {"common", "core", "helpers", "manager", "utils"}
PURE = ("domain", "policy", "ledger")
NEVER = re.compile(r"(?:^|_)(?:tenant|ttl|cron|verdict)s?(?:_|$)|soft_delete|is_latest")
CLOCK_OR_CHANCE = re.compile(
    r"(?:^|\.)(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time(?:_ns)?|uuid\.uuid[14]|os\.urandom)$"
    r"|^(?:random|secrets)(?:\.|$)"
)
# The names that people put into examples on purpose.
EXAMPLE = r"(?!(?:alice|bob|dev|example|me|someone|user|you)\b|[<$*.])"
MACHINE = re.compile(rf"(?<![\w.}}~])(?:/(?:home|Users)/{EXAMPLE}\w|/roo[t]/)|\b[A-Z]:\\Users\\\w")
REGISTRY = re.compile(
    r"://[^\s\[\]()<>\"'`]+/simple\b|files\.pythonhosted\.org|registry\.(?:npmjs|yarnpkg)\.\w|://[^\s/@:]+:[^\s/@]+@"
)
# A hash of npm is base64, where a slash is a letter.
LOCK_ADDRESS = re.compile(
    r"://|--(?:extra-)?index-url|--find-links|--trusted-host"
    r"|^(?!\s*\"integrity\": \"sha512-[\w+/=]+\",?$).*(?<![\w.])/\w"
)


def _files(root: Path) -> list[Path]:
    """Every file that is, or is about to be, part of the project, also where there is no git to ask."""
    if not (root / ".git").exists():
        ignore = root / ".gitignore"
        lines = ignore.read_text("utf-8").splitlines() if ignore.exists() else []
        made = {line.strip("/") for line in lines if not line.startswith("#")}
        return sorted(
            path for path in root.rglob("*") if path.is_file() and made.isdisjoint(path.relative_to(root).parts)
        )
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(path for name in listed.split("\0") if name and (path := root / name).is_file())


def _text(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def _lines(paths: list[Path], pattern: re.Pattern[str]) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(_text(path).splitlines(), 1):
            if found := pattern.search(line):
                yield f"{path}:{number}: `{found[0]}`"


def _modules(root: Path, *packages: str) -> Iterator[tuple[Path, ast.Module]]:
    source = root / "src" / "assent"
    for folder in [source / package for package in packages] or [source]:
        for path in sorted(folder.rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"), str(path))


def _dependencies(root: Path) -> set[str]:
    content = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    groups = content.get("dependency-groups", {}).values()
    extras = content["project"].get("optional-dependencies", {}).values()
    named = chain(content["project"]["dependencies"], *groups, *extras)
    return {re.split(r"[^\w.-]", entry)[0] for entry in named if isinstance(entry, str)}


def _imports(tree: ast.Module) -> dict[str, str]:
    """What each local name stands for: `{"dt": "datetime"}` after `import datetime as dt`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dotted(node: ast.expr, imports: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, imports)}.{node.attr}"
    return imports.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _bound_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names that a module gives; those it only uses belong to somebody else."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno


def folders_have_names_that_say_something(root: Path) -> Iterator[str]:
    for path in sorted((root / "src").rglob("*")):
        if path.is_dir() and path.name in VAGUE:
            yield f"{path}: name it after what it holds"


def source_files_stay_readable(root: Path) -> Iterator[str]:
    for path in sorted((root / "src").rglob("*.py")):
        if (count := len(path.read_text("utf-8").splitlines())) > MAX_LINES:
            yield f"{path}: {count} lines, {MAX_LINES} at most"


def locks_carry_no_address(root: Path) -> Iterator[str]:
    locks = {"uv.lock", "package-lock.json", "poetry.lock", "Pipfile.lock"}
    paths = [
        path
        for path in _files(root)
        if path.parent.name == "requirements" or path.name in locks or path.name.startswith("pylock")
    ]
    if not paths:
        yield f"{root}: there is no lock"
    yield from _lines(paths, LOCK_ADDRESS)


def no_file_names_a_machine_or_a_registry(root: Path) -> Iterator[str]:
    paths = _files(root)
    yield from _lines(paths, MACHINE)
    yield from _lines(paths, REGISTRY)


def every_dependency_has_a_reason(root: Path) -> Iterator[str]:
    record = (root / "docs" / "adr" / "0003-dependencies.md").read_text("utf-8")
    reasons = set(re.findall(r"^\| `([\w.-]+)` \| \S", record, re.MULTILINE))
    for name in sorted(_dependencies(root) - reasons):
        yield f"`{name}` has no reason in {record.splitlines()[0]}"
    for name in sorted(reasons - _dependencies(root)):
        yield f"`{name}` has a reason and is no dependency"


def public_names_of_the_core_say_why(root: Path) -> Iterator[str]:
    for path, tree in _modules(root, *PURE):
        if ast.get_docstring(tree) is None:
            yield f"{path}: no docstring"
        for node in tree.body:
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if named and not node.name.startswith("_") and ast.get_docstring(node) is None:
                yield f"{path}:{node.lineno}: `{node.name}` has no docstring"


def words_of_the_glossary_are_kept(root: Path) -> Iterator[str]:
    for path, tree in _modules(root):
        if "connectors" in path.parts:
            continue  # a connector speaks the words of its product
        for name, line in chain([(path.stem, 1)], _bound_names(tree)):
            if NEVER.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()):
                yield f"{path}:{line}: `{name}` is a word docs/glossary.md rules out"


def only_the_wiring_reads_clock_and_chance(root: Path) -> Iterator[str]:
    for path, tree in _modules(root):
        if path.parent.name == "wiring":
            continue
        imports = _imports(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Name) and CLOCK_OR_CHANCE.search(name := _dotted(node, imports)):
                yield f"{path}:{node.lineno}: `{name}`"


def the_forge_runs_what_people_run(root: Path) -> Iterator[str]:
    script = root / ".ci" / "run"
    lines = [line for line in script.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    if lines != ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "exec make test"]:
        yield f"{script}: does more or less than `make test`"
    if not script.stat().st_mode & 0o111:
        yield f"{script}: is not executable"


def every_record_is_in_its_index(root: Path) -> Iterator[str]:
    folder = root / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    for path in sorted(folder.glob("[0-9]*.md")):
        if f"]({path.name})" not in index:
            yield f"{path}: not in {folder / 'README.md'}"


def links_in_documents_lead_somewhere(root: Path) -> Iterator[str]:
    for path in _files(root):
        if path.suffix != ".md":
            continue
        for target in re.findall(
            r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", _text(path), flags=re.DOTALL)
        ):
            if not (path.parent / target).exists():
                yield f"{path}: `{target}` does not exist"


PROJECT = '[project]\ndependencies = ["click>=8"]\n'
LONG = "x = 1\n" * (MAX_LINES + 1)
# rule, a small tree that breaks it
BROKEN: list[tuple[Rule, dict[str, str]]] = [
    (folders_have_names_that_say_something, {"src/assent/utils/__init__.py": ""}),
    (source_files_stay_readable, {"src/assent/store/long.py": LONG}),
    (locks_carry_no_address, {"requirements/run.txt": "click @ https:" + "//host/click.whl"}),
    (locks_carry_no_address, {"requirements/run.txt": "--find-links wheels"}),
    (locks_carry_no_address, {"requirements/run.txt": "--index-url host"}),
    (locks_carry_no_address, {"requirements/run.txt": "#   -c /srv/requirements/dev.txt"}),
    (locks_carry_no_address, {"README.md": ""}),
    (no_file_names_a_machine_or_a_registry, {"docs/a.md": "see /home" + "/jo/assent"}),
    (no_file_names_a_machine_or_a_registry, {"spec/a.toml": 'path = "/root' + '/x"'}),
    (no_file_names_a_machine_or_a_registry, {"setup.cfg": "index = https://mirror.example" + "/simple/"}),
    (every_dependency_has_a_reason, {"pyproject.toml": PROJECT, "docs/adr/0003-dependencies.md": "# 3\n"}),
    (
        every_dependency_has_a_reason,
        {
            "pyproject.toml": PROJECT,
            "docs/adr/0003-dependencies.md": "# 3\n| `click` | a |\n| `gone` | b |\n",
        },
    ),
    (public_names_of_the_core_say_why, {"src/assent/policy/a.py": "x = 1\n"}),
    (public_names_of_the_core_say_why, {"src/assent/ledger/a.py": '"""A."""\n\ndef leaf(): ...\n'}),
    (words_of_the_glossary_are_kept, {"src/assent/store/a.py": "class TenantRow: ...\n"}),
    (words_of_the_glossary_are_kept, {"src/assent/store/a.py": "def f(cache_ttl): ...\n"}),
    (words_of_the_glossary_are_kept, {"src/assent/store/a.py": "row.is_latest = True\n"}),
    (words_of_the_glossary_are_kept, {"src/assent/services/soft_delete.py": ""}),
    (
        only_the_wiring_reads_clock_and_chance,
        {"src/assent/a.py": "from datetime import datetime as d\nd.now()\n"},
    ),
    (only_the_wiring_reads_clock_and_chance, {"src/assent/a.py": "import time as t\nt.time()\n"}),
    (only_the_wiring_reads_clock_and_chance, {"src/assent/a.py": "from uuid import uuid4\nuuid4()\n"}),
    (only_the_wiring_reads_clock_and_chance, {"src/assent/a.py": "from random import choice\nchoice(x)\n"}),
    (the_forge_runs_what_people_run, {".ci/run": "make test || true\n"}),
    (every_record_is_in_its_index, {"docs/adr/README.md": "", "docs/adr/0009-x.md": ""}),
    (links_in_documents_lead_somewhere, {"docs/a.md": "[there](b.md#c)"}),
]
RULES = list(dict.fromkeys(rule for rule, _ in BROKEN))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_is_in_order(rule: Rule) -> None:
    assert list(rule(REPOSITORY)) == []


@pytest.mark.parametrize(("rule", "tree"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_rule_is_seen(rule: Rule, tree: dict[str, str], tmp_path: Path) -> None:
    for name, content in tree.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    assert list(rule(tmp_path))
