"""`assent cut verify` and `assent cut evidence`: check every row of a cut by rules that share no code with it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import NotFound
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import FOLDER, read_policy
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from typing import BinaryIO

    from assent.ledger.note import Verifier
    from assent.services.cut_check.report import Report
    from assent.services.ledger.log import Log
    from assent.wiring import Wiring

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option(
    "--evidence", "file", type=_FILE, help="What `assent cut evidence` wrote. Default: what this home knows now."
)
@click.option(
    "--policy", "named", multiple=True, help="A policy file of the cut. May be repeated. Default: this home's."
)
@click.option(
    "--key", "vkeys", multiple=True, help="The ledger's public key, obtained elsewhere. Default: this home's."
)
@click.option("--files", "only_files", is_flag=True, help="Compare files and rows with the manifest, nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def verify(wiring: Wiring, /, *, folder: Path, only_files: bool, as_json: bool, **said: Any) -> int:
    """Check that every row of the cut in DIR may be there, by its folder, the evidence and the policies alone.

    Each row is decided again by rules that share no code with what made the cut, as of the cut and as of the evidence:
    so what was withdrawn, deleted, held or erased since is found too. With --evidence, --policy and --key no home
    is needed, and with --files nothing at all.

    Exit status: 0 nothing is wrong, 1 broken, 2 something is wrong, 3 no cut there or a policy is missing, 4 not
    everything could be checked.

    \b
    Examples:
      assent cut verify cuts/spring-1
      assent cut verify cuts/spring-1 --files
      assent cut verify spring-1 --evidence spring-1.evidence --policy acme-2.toml --key VKEY --json
    """
    from assent.ledger.note import parse_verifier
    from assent.services.cut_check.check import verify_cut

    if only_files:
        return _compare(folder, as_json=as_json)
    file: Path | None
    file, named, vkeys = said["file"], said["named"], said["vkeys"]
    keys = [parse_verifier(vkey) for vkey in dict.fromkeys(vkeys)] or ([] if file else _own_keys(wiring))
    texts = [(name, read_policy(name, wiring.policy_library())) for name in named]
    texts = texts or [(policy.name, text) for policy, text in wiring.policy_texts]
    with tempfile.TemporaryDirectory() as scratch:
        if file is None:
            file = Path(scratch) / "evidence"
            with file.open("wb") as out:
                _write(wiring, folder, out)
        report = verify_cut(folder, file, texts, keys)
    echo_json(report.to_record()) if as_json else _say(report)
    return report.exit_code


def _compare(folder: Path, *, as_json: bool) -> int:
    """Compare the files of a cut with its manifest: every digest, every row."""
    from assent.pipeline.check import check

    found = check(folder)
    if as_json:
        record = {"name": found.name, "number": found.number, "digest": found.manifest}
        echo_json({**record, "erased": found.erased, "differences": list(found.differences)})
    elif found.differences:
        for difference in found.differences:
            echo_line(f"assent: {difference}", err=True)
        click.echo("  do not use this cut: write it again, or fetch it again", err=True)
    else:
        echo_line(f"cut {found.name} number {found.number} is as its manifest says: {found.manifest}")
        if found.erased:
            echo_line(f"{found.erased:,} rows left it since, for their parts were erased")
    return 2 if found.differences else 0


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.pass_obj
def evidence(wiring: Wiring, /, *, folder: Path, out: Path) -> int:
    """Write what is known about the rows of the cut in DIR, for whoever checks it elsewhere.

    The file holds facts, marks, choices with their place in the ledger, flags and tombstones: no content, and nobody's
    id in a chat product. An existing file is replaced when the new one is whole.

    \b
    Example:
      assent cut evidence cuts/spring-1 --out spring-1.evidence
    """
    new = out.with_name(f".{out.name}.new")
    with new.open("wb") as stream:
        count = _write(wiring, folder, stream)
    new.replace(out)
    echo_line(f"evidence about {count:,} conversations: {out}")
    return 0


def _write(wiring: Wiring, folder: Path, out: BinaryIO) -> int:
    from assent.services.cut_check.export import export_evidence
    from assent.services.cut_check.files import open_folder

    total = open_folder(folder).manifest["counts"].get("conversations", 0)
    count = 0
    with progress("writing evidence", total) as advance:
        for some in export_evidence(folder, out, wiring.store, _log(wiring), now=wiring.now()):
            count += some
            advance(some)
    return count


def _log(wiring: Wiring) -> Log | None:
    try:
        return wiring.log
    except NotFound:
        return None


def _own_keys(wiring: Wiring) -> list[Verifier]:
    log = _log(wiring)
    return [] if log is None else [signer.verifier for signer in log.signers]


def _say(report: Report) -> None:
    from assent.services.cut_check.report import KINDS

    echo_line(
        f"cut {report.name} number {report.number}: {report.rows:,} rows of {report.conversations:,} conversations"
    )
    echo_line(f"manifest: {report.digest}")
    for kind in KINDS:
        if report.problems[kind]:
            echo_line(f"assent: {report.problems[kind]:,} x {kind}: {KINDS[kind]}", err=True)
            for problem in [one for one in report.examples if one.kind == kind][:3]:
                echo_line(f"  {problem.where}: {problem.says}", err=True)
    if report.problems:
        click.echo("  do not use this cut: refresh it, or cut again", err=True)
    elif not report.missing:
        click.echo("every row may be there")
    for sentence in report.missing:
        echo_line(f"this could not be checked: {sentence}", err=True)
