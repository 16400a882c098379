"""`assent notice`: make, check, draw, publish and compare what people are asked."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Invalid, NotFound
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.notice_audit import audit
from assent.interfaces.cli.options import policy_path, read_notice, read_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.policy.document import Document
    from assent.services.notice.lints.finding import NoticeFinding
    from assent.services.notice.parse import Manifest, ManifestProblems
    from assent.services.notice.render import Rendered
    from assent.wiring import Wiring

_FILE = click.argument("file", metavar="FILE")
_POLICY = click.option("--policy", metavar="P", help="Policy file or name; the default is the one FILE names.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""What pictures, archives and UTF-16 hold in their first lines, and pages of no encoding do."""


@click.group()
def command() -> None:
    """Make, check, draw, publish, compare and audit what people are asked (spec/notice.md).

    A FILE is a notice manifest: a path, or the name of one that ships with assent.

    \b
    Examples:
      assent notice new --policy my-policy.toml > notice.toml
      assent notice lint notice.toml
      assent notice render notice.toml --surface terminal
      assent notice compare https://example.com/privacy --policy my-policy.toml
      assent notice audit https://example.com/
    """


@command.command()
@click.option("--policy", metavar="P", required=True, help="Policy file, or the name of one that ships with assent.")
@click.option("--purpose", "purposes", multiple=True, help="Ask for this one only; may be given again.")
@click.pass_obj
def new(wiring: Wiring, policy: str, purposes: tuple[str, ...]) -> None:
    """Write a manifest for a policy: it passes the lint and says nothing the policy does not keep.

    Addresses that end in `.example` are to be replaced; who reads and who receives is said cautiously.

    \b
    Example:
      assent notice new --policy anthropic/2025-10-08 > notice.toml
    """
    from assent.services.notice.generate import manifest_for

    click.echo(manifest_for(_named_policy(wiring, policy), purposes=purposes), nl=False)


@command.command()
@_FILE
@_POLICY
@_JSON
@click.pass_obj
def lint(wiring: Wiring, file: str, policy: str | None, *, as_json: bool) -> int:
    """Check FILE against every requirement that can be checked without a screen (spec/notice.md, section 6).

    Prints what is wrong with place and remedy, and says what was not checked.

    Exit status: 0 no errors, 2 errors, 1 FILE is not readable as a manifest, 3 no such file.

    \b
    Examples:
      assent notice lint notice.toml
      assent notice lint notice.toml --policy my-policy.toml --json
    """
    from assent.services.notice.lint import lint_notice
    from assent.services.notice.parse import ManifestProblems

    try:
        manifest = _manifest(wiring, file)
    except ManifestProblems as broken:
        return _show_problems(broken, as_json=as_json)
    findings = lint_notice(manifest, _policy_of(wiring, manifest, policy))
    if as_json:
        echo_json({"name": manifest.name, "digest": manifest.digest, "findings": [f.to_record() for f in findings]})
    else:
        _show_findings(findings)
    return 2 if any(finding.level == "error" for finding in findings) else 0


@command.command()
@_FILE
@_POLICY
@click.option("--purpose", help="Which question; the default is the first.")
@click.option("--surface", default="html", show_default=True, help="html, fragment, terminal, json or markdown.")
@click.option("--locale", help="The default is the first of FILE.")
@click.option("--layout", help="The default is the first of FILE.")
@click.option("--order", metavar="ACTS", help="Acts in the order shown, as `decline,allow,defer`.")
@click.option("--defers-left", type=click.IntRange(min=0), help="The default is what the policy grants.")
@click.option("--keep", is_flag=True, help="Put notice and text on the shelf of this home, as shown to people.")
@click.pass_obj
def render(  # noqa: PLR0917 - click passes one argument an option
    wiring: Wiring,
    file: str,
    policy: str | None,
    purpose: str | None,
    surface: str,
    locale: str | None,
    layout: str | None,
    order: str | None,
    defers_left: int | None,
    keep: bool,
) -> None:
    """Draw one question of FILE; equal options give equal bytes.

    \b
    Examples:
      assent notice render notice.toml > notice.html
      assent notice render notice.toml --surface terminal --locale de --order allow,decline
    """
    from assent.services.notice.render import orders
    from assent.services.notice.render import render as draw

    manifest = _manifest(wiring, file)
    document = _policy_of(wiring, manifest, policy)
    drawn = draw(
        manifest,
        document,
        purpose=purpose or manifest.purposes[0],
        surface=surface,
        locale=locale or manifest.locales[0],
        layout=layout or manifest.header.layouts[0],
        options=order.split(",") if order else orders(manifest, document, defers_left=defers_left)[0],
        defers_left=defers_left,
    )
    if keep:
        _keep(wiring, manifest, drawn)
        click.echo(drawn.digest, err=True)
    click.echo(drawn.body, nl=False)


def _keep(wiring: Wiring, manifest: Manifest, drawn: Rendered) -> None:
    from assent.store.records import NoticeText, Rendering

    now = wiring.now()
    wiring.store.add_notice(
        NoticeText(manifest.digest, manifest.name, manifest.version, manifest.policy, manifest.text, now)
    )
    wiring.store.add_rendering(
        Rendering(drawn.digest, drawn.notice, drawn.surface, drawn.locale, drawn.layout, drawn.options, drawn.body, now)
    )


@command.command()
@_FILE
@_JSON
@click.pass_obj
def add(wiring: Wiring, file: str, *, as_json: bool) -> int:
    """Lint FILE and put it on the shelf of this home: from then on `assent ask` and the API ask by it.

    Of several notices for one policy and purpose the one added last is asked by. Nothing leaves the shelf:
    receipts quote what was shown.

    Exit status: 0 added or there already, 2 the lint found errors, 1 FILE is not readable as a manifest, 3 no such
    file, or its policy is not in force here.

    \b
    Example:
      assent notice add notices/anthropic-2025-10-08.toml
    """
    from assent.services.choose.shelf import Unfit, keep_notice
    from assent.services.notice.parse import ManifestProblems

    text = read_notice(file, wiring.notice_library())
    try:
        kept, findings = keep_notice(wiring.store, text, file, wiring.policy_texts, now=wiring.now())
    except ManifestProblems as broken:
        return _show_problems(broken, as_json=as_json)
    except Unfit as unfit:
        if as_json:
            echo_json({"digest": None, "findings": [found.to_record() for found in unfit.findings]})
        else:
            _show_findings(unfit.findings)
        return 2
    if as_json:
        record = {"digest": kept.digest, "name": kept.name, "version": kept.version, "policy": kept.policy}
        echo_json({**record, "findings": [found.to_record() for found in findings]})
    else:
        echo_line(f"on the shelf: {kept.name}/{kept.version} for {kept.policy}, {kept.digest}")
    return 0


@command.command()
@click.argument("digest")
@_POLICY
@click.option("--check", is_flag=True, help="Print only whether the text can be made again.")
@click.pass_obj
def show(wiring: Wiring, digest: str, policy: str | None, *, check: bool) -> int:
    """Print the exact text with this DIGEST, as it was shown.

    The kept bytes are what counts. It is also said whether notice and policy still give the same bytes.

    Exit status: 0 shown, 1 the kept bytes are not those of the digest, 3 no such text.

    \b
    Example:
      assent notice show sha256:1d4f… > shown.html
    """
    from assent.services.notice.parse import parse_manifest
    from assent.services.notice.reproduce import is_itself, reproduce

    kept = wiring.store.rendering(digest)
    if kept is None:
        raise NotFound("no text with this digest was shown", "copy the digest from a receipt, as `sha256:...`")
    if not is_itself(kept):
        raise Invalid("the kept text is not the one that the digest names", "restore the store: this text was changed")
    notice = wiring.store.notice(kept.notice)
    if not check:
        click.echo(kept.body, nl=False)
    if notice is None:
        raise NotFound("the notice of this text is not on the shelf", "the text itself is whole")
    document = _policy_of(wiring, parse_manifest(notice.document, notice.name), policy)
    same = reproduce(kept, notice, document)
    words = "gives the same bytes again" if same else "gives other bytes today; the kept ones are what was shown"
    drawn = f"{notice.name} {notice.version}, {kept.surface}, {kept.locale}, {kept.layout}"
    echo_line(f"{drawn}: drawing it {words}", err=True)
    return 0


@command.command()
@_FILE
@_POLICY
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the pages.")
@click.pass_obj
def pages(wiring: Wiring, file: str, policy: str | None, out: Path) -> None:
    """Write policy page, notice, settings help and API text of FILE, all from its one policy.

    Every page carries the digests of the policy and of the notice.

    \b
    Example:
      assent notice pages notice.toml --out public
    """
    from assent.services.notice.pages import pages as written

    manifest = _manifest(wiring, file)
    texts = written(manifest, _policy_of(wiring, manifest, policy))
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
        echo_line(name)


@command.command()
@click.argument("old")
@click.argument("new")
@click.option("--html", "as_html", is_flag=True, help="Write a page instead of Markdown.")
@click.pass_obj
def changes(wiring: Wiring, old: str, new: str, *, as_html: bool) -> None:
    """Say in plain words what changes from policy OLD to policy NEW, and for whom, ready to publish.

    \b
    Example:
      assent notice changes anthropic/2025-05-01 anthropic/2025-10-08 --html > changes.html
    """
    from assent.services.notice.changes import changes_html, changes_markdown

    before, after = _named_policy(wiring, old), _named_policy(wiring, new)
    click.echo((changes_html if as_html else changes_markdown)(before, after), nl=False)


@command.command()
@click.argument("page", metavar="URL|FILE")
@click.option("--policy", metavar="P", help="Policy file or name; the default is the newest of this home.")
@_JSON
@click.pass_obj
def compare(wiring: Wiring, page: str, policy: str | None, *, as_json: bool) -> int:
    """Look for statements of an existing page that the policy contradicts.

    Reads English HTML or text by fixed rules; what no rule reads is listed as not judged.

    Exit status: 0 nothing is contradicted, 2 something is, 1 the page cannot be read, 3 no such file, 4 not fetched.

    \b
    Examples:
      assent notice compare privacy.html --policy my-policy.toml
      assent notice compare https://example.com/privacy --policy anthropic/2025-10-08 --json
    """
    from assent.services.notice.compare import compare_page
    from assent.services.notice.sentences import sentences_of

    text = _page(page)
    if not sentences_of(text):
        raise Invalid("the page holds no text", "save it as a browser shows it, as HTML or as text")
    judged = compare_page(text, _named_policy(wiring, policy), page)
    if as_json:
        echo_json([found.to_record() for found in judged])
    else:
        for answer in ("contradicted", "not judged", "confirmed"):
            for found in judged:
                if found.answer == answer:
                    echo_line(f"{found.place}: {answer}{f', {found.about}' if found.about else ''}: {found.sentence}")
                    echo_line(f"  {found.reason}")
        counts = Counter(found.answer for found in judged)
        echo_line(", ".join(f"{counts[name]} {name}" for name in ("contradicted", "confirmed", "not judged")))
    return 2 if any(found.answer == "contradicted" for found in judged) else 0


command.add_command(audit)


@command.command()
def schema() -> None:
    """Print the JSON Schema of a notice manifest, for editors and for other implementations.

    \b
    Example:
      assent notice schema > notice.schema.json
    """
    from assent.services.notice.document import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def _page(named: str) -> str:
    if "://" in named:
        from assent.services.notice.fetch import fetch_page

        return fetch_page(named)
    path = Path(named)
    if not path.is_file():
        raise NotFound(f"no page `{named}`", "give a file, or an address that begins with https://")
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    if _NO_TEXT.search(text):
        raise Invalid("the page cannot be read: it is neither HTML nor text", "save it as HTML or as text in UTF-8")
    return text


def _manifest(wiring: Wiring, named: str) -> Manifest:
    """Read a manifest by path, or by the name of one that ships with assent."""
    from assent.services.notice.parse import parse_manifest

    return parse_manifest(read_notice(named, wiring.notice_library()), named)


def _policy_of(wiring: Wiring, manifest: Manifest, named: str | None) -> Document:
    """Find the policy of a manifest: the one given, this home's with its name, or one that ships with assent."""
    from assent.policy.parse import parse_document

    if named is None:
        try:
            own = wiring.policy_texts
        except NotFound:  # no home here
            own = []
        for policy, text in own:
            if policy.name == manifest.policy:
                return parse_document(text, manifest.policy)
    return _named_policy(wiring, named or manifest.policy)


def _named_policy(wiring: Wiring, named: str | None) -> Document:
    from assent.policy.parse import parse_document

    if named is None:
        policy, text = wiring.policy_texts[-1]
        return parse_document(text, policy.name)
    library = wiring.policy_library()
    return parse_document(read_policy(named, library), str(policy_path(named, library)))


def _show_problems(broken: ManifestProblems, *, as_json: bool) -> int:
    if as_json:
        echo_json({"problems": [{"message": str(problem), "fix": problem.fix} for problem in broken.problems]})
        return 1
    for problem in broken.problems:
        echo_line(str(problem), err=True)
        echo_line(f"  {problem.fix}", err=True)
    return 1


def _show_findings(findings: Sequence[NoticeFinding]) -> None:
    for finding in findings:
        echo_line(f"{finding.place}: {finding.level} {finding.lint}: {finding.message}")
        echo_line(f"  {finding.fix}")
    counts = Counter(finding.level for finding in findings)
    echo_line(f"{counts['error']} errors, {counts['warning']} warnings, {counts['unchecked']} not checked")
