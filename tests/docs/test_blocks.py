"""Every block of code in the documents is run, or read by what reads it for real. `HELD` says how, by its language."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import textwrap
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx
import pytest
import yaml
from fastapi.testclient import TestClient
from joserfc.jwk import OKPKey
from lxml import html

from assent.connectors.coding_agents.scope_file import read_scope
from assent.connectors.registry import GROUP
from assent.connectors.sql.mapping import Fault
from assent.connectors.sql.mapping import parse as parse_mapping
from assent.domain.errors import NotFound
from assent.interfaces.cli.app import app
from assent.pipeline.recipe import parse_recipe
from assent.policy.parse import parse_document, parse_policy
from assent.services.campaign.definition import campaign_of
from assent.services.notice.parse import parse_manifest
from assent.services.session.subject_token import read as read_subject_token
from assent.settings import from_table
from assent.wiring import Wiring
from tests.docs.test_docs import LINKED
from tests.docs.write_reference import REPOSITORY
from tests.unit.interfaces.homes import made

PAGES = [*LINKED, REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "SECURITY.md", REPOSITORY / "benchmarks" / "README.md"]
FENCE = re.compile(r"^( *)```([a-z]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
CALLBACK = (REPOSITORY / "src/assent/connectors/litellm/callback.py").read_text("utf-8")
"""LiteLLM's callback, as text: it needs LiteLLM to be imported, and `make check-clients` runs it there."""
POLICY = (REPOSITORY / "spec/policy.md").read_text("utf-8").partition("```toml\n")[2].partition("```")[0]


class Block(NamedTuple):
    """A block of code: its page from the root of the repository, its language, and its text without indentation."""

    page: str
    language: str
    text: str


def blocks() -> Iterator[Block]:
    for path in PAGES:
        for indent, language, text in FENCE.findall(path.read_text("utf-8")):
            lines = "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))
            yield Block(path.relative_to(REPOSITORY).as_posix(), language, lines)


ALL = list(blocks())

HELD = {
    "console": "run, and its output compared: tests/docs/test_docs.py",
    "python": "run",
    "sh": "read by bash; every `assent` command in it is parsed by the program's own parser",
    "toml": "loaded by what loads it for real",
    "json": "parsed; the example of spec/policy.md is decided: tests/unit/policy/test_document.py",
    "html": "parsed; what it loads is there",
    "css": "every property and part that it sets is one of the element",
    "ini": "verified by systemd",
    "nginx": "tried by nginx",
    "sql": "run: tests/unit/store/test_postgres_logs.py",
    "yaml": "parsed; the callback that it names is there",
    "text": "no code: a picture, a format or what a program says; holds no command",
}

NOT_RUN = {
    "docs/reference/python.md": "signatures, made from the program",
    "docs/how-to/use-your-own-trainer.md": "needs a cut: the tutorial a-model-that-forgets runs the same lines",
    "docs/how-to/detect-harm.md": "asks a model on another machine: tests/unit/learn/test_harm_remote.py",
}
"""Pages whose Python is compiled and not run, with the reason."""


def of(language: str) -> list[Block]:
    return [one for one in ALL if one.language == language]


def named(one: Block) -> str:
    return f"{one.page} {sum(other is not one for other in ALL[: ALL.index(one)])}"


def test_every_block_says_its_language_and_it_is_one_that_is_held() -> None:
    assert {one.language for one in ALL} <= set(HELD)
    assert {one.page for one in ALL if one.language == ""} == set()


def test_a_block_of_text_holds_no_command() -> None:
    for one in of("text"):
        if one.page != "docs/reference/commands.md":
            assert not re.search(r"^\s*(\$ |assent |pip |make |python )", one.text, re.MULTILINE), one


# -- sh


def commands(script: str) -> Iterator[list[str]]:
    """List the arguments of each `assent` command of a script, in pipes, lists and substitutions too."""
    text = re.sub(r"(^|\s)#.*$", "", script, flags=re.MULTILINE).replace("\\\n", " ")
    text = re.sub(r"\$\(([^()]*)\)", lambda found: f"_ ; {found[1]} ; ", text)
    words = shlex.shlex(text, posix=True, punctuation_chars=";|&()<>\n")
    words.whitespace, words.whitespace_split, words.commenters = " \t", True, ""
    said: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= set(";|&()\n"):
            if said[:1] == ["assent"]:
                yield said[1:]
            said = []
        elif set(word) <= set("<>"):
            said.append(">")
        elif said[-1:] == [">"]:
            said.pop()
        elif said or not re.fullmatch(r"[A-Z_]+=.*", word):
            said.append(word)


def understood(arguments: list[str]) -> None:
    """Parse a command line as the program does. Raises `click.UsageError` for what it does not know."""
    context, command, left = click.Context(app, info_name="assent", **app.context_settings), app, list(arguments)
    while isinstance(command, click.Group):
        command.parse_args(context, left)
        left = [*context._protected_args, *context.args]
        if not left:
            return
        name, below, left = command.resolve_command(context, left)
        assert below is not None, name
        context, command = click.Context(below, context, info_name=name), below
    values, left, _ = command.make_parser(context).parse_args(left)
    assert not left, f"`{context.command_path}` takes no `{' '.join(left)}`"
    for option in command.params:
        value = values.get(option.name)
        if isinstance(option.type, click.Choice) and isinstance(value, str) and not value.isupper():
            option.type.convert(value, option, context)


@pytest.mark.parametrize("one", of("sh"), ids=[f"{one.page}-{n}" for n, one in enumerate(of("sh"))])
def test_the_shell_and_the_program_understand_a_block_of_commands(one: Block) -> None:
    for arguments in commands(one.text):
        try:
            understood(arguments)
        except click.UsageError as problem:
            raise AssertionError(f"assent {shlex.join(arguments)}: {problem.format_message()}") from None


@pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are written for bash")
def test_every_block_of_commands_is_a_script_of_bash() -> None:
    whole = "\n".join(f"f{n}() {{\n{one.text}\n}}" for n, one in enumerate(of("sh")))
    done = subprocess.run(["bash", "-n"], input=whole, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_a_command_within_a_sentence_exists_with_its_options(page: Path) -> None:
    for said in re.findall(r"`assent (\w[^`]*)`", FENCE.sub("", page.read_text("utf-8"))):
        for arguments in commands(f"assent {' '.join(said.split())}"):
            try:
                understood([word for word in arguments if word != "--help"])
            except (click.NoSuchOption, click.exceptions.NoSuchCommand) as problem:
                raise AssertionError(f"assent {said}: {problem.format_message()}") from None
            except (click.UsageError, AssertionError, NotFound):
                pass  # a sentence leaves out what does not matter to it


def test_a_command_with_an_unknown_option_is_found() -> None:
    with pytest.raises(click.UsageError, match="no-such"):
        understood(["cut", "create", "spring", "--no-such", "x"])
    assert list(commands("cd x && assent plan > y; A=$(assent ask p --show | tail) # assent z")) == [
        ["plan"],
        ["ask", "p", "--show"],
    ]


# -- python


@pytest.mark.parametrize("page", sorted({one.page for one in of("python")}))
def test_the_python_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "\n".join(one.text for one in of("python") if one.page == page)
    if page == "docs/reference/python.md":
        return  # compared with the program: test_a_page_made_from_the_program_is_current
    compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if page in NOT_RUN:
        return
    if 'application("' in source:
        made(tmp_path / "home", "anthropic/2025-10-08")
        source = re.sub(r'application\("[^"]*"', f'application("{tmp_path / "home"}"', source)
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"__name__": "a_page"}
    exec(compile(source, page, "exec"), space)
    RESULTS.get(page, lambda _: None)(space)


def mounted(space: dict[str, Any]) -> None:
    with TestClient(space["app"]) as browser:
        assert browser.get("/privacy/healthz").json() == {"well": True}


def signed(space: dict[str, Any]) -> None:
    key = OKPKey.generate_key("Ed25519")
    address = httpx.URL(space["privacy_address"]("p-17", key.as_pem(private=True).decode()))
    keys = type("Keys", (), {"find": staticmethod({"spring": key}.get)})()
    found = read_subject_token(
        address.params["token"], keys, issuer="https://chat.example", audience="ledger.chat.example/choices",
        now=datetime.fromtimestamp(time.time(), UTC), skew=timedelta(seconds=60),
    )  # fmt: skip
    assert (found.sub, address.params["next"]) == ("p-17", "/me/chats")


RESULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "docs/how-to/embed-assent.md": mounted,
    "docs/tutorials/an-engineers-week.md": mounted,
    "docs/how-to/sign-in.md": signed,
}


# -- toml


def settings(text: str, folder: Path) -> None:
    from_table(folder, tomllib.loads(text))


def rule_of_a_policy(text: str, _: Path) -> None:
    whole = (Wiring.policy_library() / "anthropic" / "2025-10-08.toml").read_text("utf-8")
    of_this = text.replace('source = "terms"', f'source = "{next(iter(tomllib.loads(whole)["sources"]))}"')
    parse_policy(whole.replace("\n[withdrawal]", f"\n{of_this}\n[withdrawal]"), "a page")


def accepted(text: str, _: Path) -> None:
    of_this = text.replace('rule = "contract"', 'rule = "minor"')
    parse_policy(POLICY.replace("\n[withdrawal]", f"\n{of_this}\n[withdrawal]"), "a page")


def entry_point(text: str, _: Path) -> None:
    assert list(tomllib.loads(text)["project"]["entry-points"]) == [GROUP]


def system(text: str, folder: Path) -> None:
    said = tomllib.loads(text)
    if "training" in said:
        (folder / ".assent.toml").write_text(text)
        assert read_scope(str(folder)) is not None
    elif "token_file" in said:
        assert set(said) <= set(re.findall(r"^    ([a-z_]+): ", CALLBACK, re.MULTILINE))
    else:
        assert parse_mapping(said, Fault()).conversations.table == "chat"


def recipe(text: str, folder: Path) -> None:
    for name in tomllib.loads(text)["blocks"]["decontaminate"]["files"]:
        (folder / name).parent.mkdir()
        (folder / name).write_text('{"question": "how many?"}\n')
    with chdir(folder):
        parse_recipe(text, "a page")


LOADERS: dict[str, Callable[[str, Path], object]] = {
    "docs/how-to/review-flags.md": rule_of_a_policy,
    "docs/how-to/write-a-connector.md": entry_point,
    "docs/reference/lints.md": accepted,
    "docs/reference/recipe.md": recipe,
    "docs/reference/systems.md": system,
    "spec/campaign.md": lambda text, _: campaign_of(text, "a page", parse_document(POLICY, "policy.md")),
    "spec/notice.md": lambda text, _: parse_manifest(text, "a page"),
    "spec/policy.md": lambda text, _: parse_policy(text, "a page"),
}
"""What loads the TOML of a page; the settings of a home where none is named."""


@pytest.mark.parametrize("one", of("toml"), ids=[f"{one.page}-{n}" for n, one in enumerate(of("toml"))])
def test_a_block_of_toml_is_loaded(one: Block, tmp_path: Path) -> None:
    LOADERS.get(one.page, settings)(one.text, tmp_path)


# -- the others


def test_every_block_of_json_is_json() -> None:
    decoder = json.JSONDecoder()
    for one in of("json"):
        text = one.text.strip()
        while text:
            _, end = decoder.raw_decode(text)
            text = text[end:].strip()


def test_what_a_block_of_html_loads_is_there() -> None:
    for one in of("html"):
        sources = [source.rpartition("/")[2] for source in html.fragment_fromstring(one.text, "div").xpath("//@src")]
        assert sources
        assert all((REPOSITORY / "src/assent/interfaces/web/static" / name).exists() for name in sources)


def test_what_a_block_of_css_sets_is_there_to_be_set() -> None:
    element = (REPOSITORY / "src/assent/interfaces/web/static/assent-notice.js").read_text("utf-8")
    for one in of("css"):
        assert one.text.count("{") == one.text.count("}")
        properties = set(re.findall(r"--(assent-[a-z]+):", one.text))
        assert properties
        assert {name for name in properties if f"--{name}" not in element} == set()
        assert all(part in element for part in re.findall(r"::part\((\w+)\)", one.text))


def test_a_block_for_litellm_names_the_callback() -> None:
    for one in of("yaml"):
        (name,) = yaml.safe_load(one.text)["litellm_settings"]["callbacks"]
        assert name == "assent_litellm.logger"
        assert 'globals()["logger"]' in CALLBACK


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_reads_the_units_of_the_pages(tmp_path: Path) -> None:
    for one in of("ini"):
        for name, unit in re.findall(
            r"^# (\S+\.(?:service|timer))\n(.*?)(?=^# \S+\.|\Z)", one.text, re.MULTILINE | re.DOTALL
        ):
            (tmp_path / name).write_text(unit.replace("/usr/local/bin/assent", "/usr/bin/env assent"))
    units = sorted(map(str, tmp_path.iterdir()))
    assert units
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if str(tmp_path) in line or "assent-rotate" in line] == []


NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@pytest.mark.skipif(NGINX is None, reason="there is no nginx: run `make programs`")
def test_nginx_takes_the_locations_of_the_pages(tmp_path: Path) -> None:
    for one in of("nginx"):
        zone = re.findall(r"# (limit_req_zone .*;)", one.text)[0]
        (tmp_path / "nginx.conf").write_text(
            f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {zone}\n"
            f"server {{ listen 127.0.0.1:8080;\n{textwrap.indent(one.text, '  ')}\n}} }}"
        )
        done = subprocess.run(
            [str(NGINX), "-t", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
