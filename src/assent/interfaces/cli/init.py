"""`assent init`: make a home folder with settings, a store, a policy and the notice that asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent import settings
from assent.domain.errors import Refused
from assent.interfaces.cli.app import echo_line
from assent.interfaces.cli.options import NEW_FOLDER, read_notice, read_policy
from assent.policy.parse import parse_document, parse_policy
from assent.services.erase.registry import begin
from assent.services.notice.asked import purposes_asked
from assent.store.records import NoticeText, PolicyText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.wiring import Wiring

TEMPLATE = """\
# Settings of this assent home. Every key is explained in docs/reference/settings.md.
database = {database}
policies = ["policies"]      # folder of the policy versions in force here; edit them as your own policy needs
"""
NAME = "origin = {origin}      # the ledger's name for ever: every signature and receipt carries it\n"


@click.command()
@click.argument("folder", type=NEW_FOLDER)
@click.option("--policy", "policies", multiple=True, default=["anthropic/2025-10-08"], show_default=True,
              help="Policy to begin with: a file, or a name from `assent policy list`.")  # fmt: skip
@click.option("--notice", "notices", multiple=True, metavar="FILE",
              help="Ask by this notice instead of the shipped or generated one for its policy.")  # fmt: skip
@click.option("--database", default="assent.db", metavar="PATH|URL",
              help="SQLite file in FOLDER, or postgresql://HOST/NAME of a server.")  # fmt: skip
@click.option("--origin", default="", metavar="NAME",
              help="The ledger's name, as `log.example.com/choices`; it cannot be changed later.")  # fmt: skip
@click.pass_obj
def command(
    wiring: Wiring, folder: Path, policies: tuple[str, ...], notices: tuple[str, ...], database: str, origin: str
) -> int:
    """Make FOLDER the home of a store: settings, an empty database, and a copy of the policies.

    For each policy that asks people something, the notice that asks it is put into `notices/` and on the
    shelf: the one that ships with assent, or one made from the policy. If you change the file, put it
    there again by `assent notice add`.

    \b
    Examples:
      assent init my-assent
      assent init my-assent --policy anthropic/2025-05-01 --policy anthropic/2025-10-08
      assent init our-assent --policy ./our-policy.toml --origin log.example.com/choices
      assent init my-assent --database postgresql://assent@db.example/assent
    """
    home = make_home(wiring, folder, policies, database=database, notices=notices, origin=origin)
    echo_line(f"made {folder}: policy {', '.join(policy.name for policy in home.policies)}")
    echo_line(f"next: cd {folder} && assent import FORMAT PATH --subject ME --plan pro --age adult")
    return 0


def make_home(
    wiring: Wiring,
    folder: Path,
    policies: Sequence[str],
    *,
    database: str = "assent.db",
    notices: Sequence[str] = (),
    origin: str = "",
) -> Wiring:
    """Write settings, policies and notices into a folder, make its store, and return the world seen from there.

    Raises `Refused` if the folder is a home already, `NotFound` for an unknown policy or notice, and
    what opening the store raises; then the folder is no home.
    """
    file = folder / settings.FILE
    if file.exists():
        raise Refused(f"`{folder.name}` is a home of assent already", "choose another folder, or go on in this one")
    texts = [(named, read_policy(named, wiring.policy_library())) for named in policies]
    named_texts = {parse_policy(text, named).name: text for named, text in texts}  # before anything is written
    given = [(named, read_notice(named, wiring.notice_library())) for named in notices]
    for name, text in named_texts.items():
        _write(folder / "policies", name, text)
    file.touch(mode=0o600)  # the address of a server may hold a password
    written = TEMPLATE.replace("{database}", json.dumps(database, ensure_ascii=False))
    if origin:
        written += NAME.replace("{origin}", json.dumps(origin, ensure_ascii=False))
    file.write_text(written, encoding="utf-8")
    home = wiring.at_home(folder)
    try:
        home.create_store()
        home.create_ledger()
        begin(home.store, now=home.now())
        _put_on_the_shelf(home, given)
        home.store.close()
    except BaseException:
        file.unlink()
        raise
    return home


def _put_on_the_shelf(home: Wiring, given: Sequence[tuple[str, str]]) -> None:
    """Keep a notice for every policy that asks for something, so that people can be asked at once."""
    from assent.services.notice.parse import parse_manifest

    store, now, folder = home.store, home.now(), home.settings.home / "notices"
    spoken_for = set()
    for named, text in given:
        from assent.services.choose.shelf import keep_notice  # loads the lint

        kept, _ = keep_notice(store, text, named, home.policy_texts, now=now)
        spoken_for.add(kept.policy)
        _write(folder, kept.policy, text)
    for policy, source in home.policy_texts:
        if policy.name in spoken_for or not purposes_asked([policy]):
            continue
        text = _notice_for(home, policy.name, source)
        made = parse_manifest(text, policy.name)
        # not linted: the tests lint what ships, and what is made from each policy that ships
        store.add_policy(PolicyText(policy.digest, policy.name, source, now))
        store.add_notice(NoticeText(made.digest, made.name, made.version, made.policy, made.text, now))
        _write(folder, policy.name, text)


def _notice_for(home: Wiring, policy: str, source: str) -> str:
    """Return the notice that ships for a policy, or one made from it where none does, or the policy was changed."""
    from assent.services.notice.generate import manifest_for

    shipped, original = (library / f"{policy}.toml" for library in (home.notice_library(), home.policy_library()))
    if shipped.is_file() and original.is_file() and original.read_text(encoding="utf-8") == source:
        return shipped.read_text(encoding="utf-8")
    return manifest_for(parse_document(source, policy))


def _write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name.replace('/', '-')}.toml").write_text(text, encoding="utf-8")
