"""Pages of docs/reference that are one table each: extras, metrics, events. What is there is read from the program."""

import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final, get_args

from assent.interfaces.api.health import Metrics
from assent.store.records import CampaignEventKind

REPOSITORY = Path(__file__).resolve().parents[2]

EXTRAS: Final = {
    "browser": "`assent notice audit`, in a chromium that is installed beside it",
    "cluster": "cuts on a Ray cluster that is there already",
    "cut": "the blocks of a cut: languages, personal data, duplicates, skills; and the preview of redaction for people",
    "detect": "the detector of harm, and training a better one",
    "kms": "keys of epochs under AWS KMS",
    "lake": "the connector `lake`: Delta Lake and Iceberg",
    "mongo": "the connector `librechat`",
    "mysql": "the connector `sql` on MariaDB and MySQL",
    "otlp": "traces as protobuf; JSON needs nothing",
    "pkcs11": "keys of epochs in a hardware security module",
    "postgres": "the store on PostgreSQL, and every connector to a system that is on it",
    "s3": "the connector `files` on a bucket",
    "train": "`assent train start`, `evaluate`, `exposure`; torch comes with it",
}
"""What each extra is for."""

EVENTS: Final = {
    "assent.choice.recorded": "somebody allowed, declined, put it off or took it back",
    "assent.campaign.revised": "a campaign that is not scheduled got another text",
    "assent.campaign.linted": "its notice passed the lint",
    "assent.campaign.scheduled": "it will start by itself",
    "assent.campaign.unscheduled": "it will not, after all",
    "assent.campaign.started": "it asks",
    "assent.campaign.amended": "its deadline, or something else that changes no receipt, was moved; it is signed",
    "assent.campaign.closed": "it asks nobody any more",
    "assent.flag.upheld": "a reviewer agreed with a flag; `data` names flag, conversation and category",
    "assent.flag.reversed": "a flag was taken back; tell the person",
    "assent.flag.appealed": "the person asked for another look",
    "assent.flag.decided": "somebody else decided about the appeal; tell the person",
    "assent.cut.stale": "a cut holds rows that may not be used any more: refresh it before a run starts",
    "assent.erasure.intended": "something was erased, and a registered system shall erase it too; ids of conversations "
    "and parts, and nothing else",
    "assent.sweep.stopped": "a guard stopped the sweep daemon: the id of the plan, once for each plan and guard",
    "assent.erasure.ordered": "an order to one vendor that was connected by `assent connect opendsr`; sent to it alone",
}
"""When each event is sent."""


def extras_page(made: str) -> str:
    """Give every extra with what it installs."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    rows = [
        f"| `{name}` | {EXTRAS[name]} | {', '.join(f'`{one}`' for one in needs)} |"
        for name, needs in project["optional-dependencies"].items()
    ]
    return f"""# Extras

{made}

`pip install assent` is enough for the store, policies, choices, the ledger, sweeps, pages and the API. What is heavy,
or is for one kind of machine, is an extra: `pip install 'assent[cut,detect]'`. A command that needs one says which.

| extra | is for | installs |
|---|---|---|
{chr(10).join(rows)}
"""


def metrics_page(made: str) -> str:
    """Give every metric as a monitor reads it."""
    rows = [f"| `{name}` | {kind} | {', '.join(labels)} | {says} |" for name, kind, labels, says in metrics()]
    return f"""# Metrics

{made}

`assent sweep --daemon` answers `/metrics` in the text form of Prometheus, on this machine alone. What to be woken for
is said in [run the sweep daemon](../how-to/run-the-sweep-daemon.md). No label names a person or a conversation.

| metric | kind | label | is |
|---|---|---|---|
{chr(10).join(rows)}
"""


def events_page(made: str) -> str:
    """Give every type of event."""
    rows = [f"| `{name}` | {says} |" for name, says in EVENTS.items()]
    return f"""# Events

{made}

Events are CloudEvents 1.0, signed as Standard Webhooks 1.0 asks; how they are sent is said in
[tell other systems](../how-to/tell-other-systems.md). People stand in them under a pseudonym.

| type | is sent when |
|---|---|
{chr(10).join(rows)}
"""


def metrics() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """List name, kind, labels and meaning of every metric of the daemon."""
    kept = Metrics()
    labels = {one._name: one._labelnames for one in vars(kept).values() if hasattr(one, "_labelnames")}
    for family in kept._registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield name, family.type, labels[family.name], family.documentation


def event_types() -> set[str]:
    """Find every type of event that the program can send, by the names in its source."""
    found = {f"assent.campaign.{kind}" for kind in get_args(CampaignEventKind)}
    for path in (REPOSITORY / "src").rglob("*.py"):
        found |= set(re.findall(r"""["'](assent\.[a-z]+\.[a-z]+)["']""", path.read_text("utf-8")))
    # the others are names of packages
    return {name for name in found if find_spec(name.rpartition(".")[0]) is None}
