"""`assent init`: make a home folder with settings, a store and a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent import settings
from assent.domain.errors import Refused
from assent.interfaces.cli.options import read_policy
from assent.policy.parse import parse_policy

if TYPE_CHECKING:
    from assent.wiring import Wiring

TEMPLATE = """\
# Settings of this assent home. Every key is explained in docs/reference/settings.md.
database = "assent.db"
policies = ["policies"]      # folder of the policy versions in force here; edit them as your own policy needs
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--policy", "policies", multiple=True, default=["anthropic/2025-10-08"], show_default=True,
              help="Policy to begin with: a file, or a name from `assent policy list`.")  # fmt: skip
@click.pass_obj
def command(wiring: Wiring, folder: Path, policies: tuple[str, ...]) -> int:
    """Make FOLDER the home of a store: settings, an empty database, and a copy of the policies.

    \b
    Examples:
      assent init my-assent
      assent init my-assent --policy anthropic/2025-05-01 --policy anthropic/2025-10-08
      assent init my-assent --policy ./our-policy.toml
    """
    home = make_home(wiring, folder, policies)
    click.echo(f"made {folder}: policy {', '.join(policy.name for policy in home.policies)}")
    click.echo(f"next: cd {folder} && assent import FORMAT PATH --subject ME --plan pro --age adult")
    return 0


def make_home(wiring: Wiring, folder: Path, policies: tuple[str, ...]) -> Wiring:
    """Write settings, copies of the policies and an empty store into a folder, and return the world seen from there.

    Raises `Refused` if the folder is a home already, `NotFound` for an unknown policy.
    """
    file = folder / settings.FILE
    if file.exists():
        raise Refused(f"`{folder.name}` is a home of assent already", "choose another folder, or go on in this one")
    texts = [(named, read_policy(named, wiring.policy_library())) for named in policies]
    named_texts = {parse_policy(text, named).name: text for named, text in texts}  # before anything is written
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    for name, text in named_texts.items():
        (folder / "policies" / f"{name.replace('/', '-')}.toml").write_text(text, encoding="utf-8")
    file.write_text(TEMPLATE, encoding="utf-8")
    home = wiring.at_home(folder)
    home.create_store()
    return home
