"""A policy with many purposes that people allow one by one, and `sharing`, which stands for all they object to."""

from __future__ import annotations

from typing import Final

from benchmarks.gdprbench.records import PURPOSES

SHARING: Final = "sharing"

_HEAD: Final = """\
assent = 1

[policy]
provider = "bench"
version = "2026-01-01"
title = "A company with {count} purposes"
effective = 2026-01-01T00:00:00Z
status = "in force"
acknowledgement_counts = false
summary = "Records are kept until you delete them and used for what you allowed."

[sources.none]
title = "Made up for measuring"
where = "benchmarks"
read = 2026-01-01
mark = "primary"

[parameters]
{parameters}

[parameters.basis]
{basis}

[plans]
consumer = ["free"]
business = ["team"]

[purposes]
service = {{ says = "keeping the service running", cut = false }}
{purposes}

[copies]
"back end" = {{ governed = true, says = "what is kept" }}

[[grant]]
id = "base"
says = "Records are kept until you delete them"
source = "none"
class = "default"
purpose = "service"
anchor = "created"
use_for = "indefinite"
owner = "bench"
review = 2027-01-01

{grants}
[[cap]]
id = "deleted"
says = "You deleted it: use ends at once, the bytes go within 30 days"
source = "none"
class = "deletion"
event = "deletion request"
purposes = ["service", {names}]
use_after = "at once"
erase_after = "P30D"

[withdrawal]
future_data = "not used"
stored_data = "not used"
started_runs = "continue"
finished_models = "unchanged"
source = "none"
says = "From now on it is not used for this"

[hold]
scopes = ["person", "conversation", "query", "organisation", "everyone"]
author_required = true
review_every = "P90D"
source = "none"
says = "Kept longer where the law requires it"
"""
_GRANT: Final = """\
[[grant]]
id = "{name}"
says = "Used for {name} if you allowed it"
source = "none"
class = "choice"
purpose = "{name}"
anchor = "created"
use_for = "{use_for}"
bound = "up to"
erase_after = "at once"
choice = {{ purpose = "{name}", needs = "allowed" }}
owner = "bench"
review = 2027-01-01
"""
_PARAMETERS: Final = {
    "retention_anchor": '"created"',
    "resume_scope": '"new turns"',
    "retention_on_withdrawal": '"keep"',
    "regrant_revives_earlier_data": "false",
    "no_answer": '"decline"',
    "max_defers": "3",
    "defer_cooldown": '"P1D"',
    "account_moves_to_org": '"earlier data stays under consumer terms"',
    "flag_reversed": '"base clock"',
    "branch_or_edit_is_resume": "true",
    "shared_chat_participants": '"owner decides"',
    "export_copy": '"outside this policy"',
    "plan_change_mid_conversation": '"split at the change"',
}


def policy_text(changed: int = 0) -> str:
    """Write the policy; `changed` is the purpose whose records may be used for some days less, and by how many."""
    names = [*(f"pur{n:02}" for n in range(PURPOSES)), SHARING]
    days = {f"pur{changed % PURPOSES:02}": 1800 - changed // PURPOSES}
    grants = (_GRANT.format(name=name, use_for=f"P{days.get(name, 1825)}D") for name in names)
    return _HEAD.format(
        count=PURPOSES,
        parameters="\n".join(f"{name} = {value}" for name, value in _PARAMETERS.items()),
        basis="\n".join(f'{name} = "open"' for name in _PARAMETERS),
        purposes="\n".join(f'{name} = {{ says = "{name}", cut = true }}' for name in names),
        grants="\n".join(grants),
        names=", ".join(f'"{name}"' for name in names),
    )
