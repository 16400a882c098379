"""The card of a cut: what it is, for somebody who finds the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assent.pipeline.write import EXCLUDED_FILE, MESSAGES_FILE, PARTS_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD: Final = f"""\
---
configs:
- config_name: conversations
  data_files: {MESSAGES_FILE}
- config_name: parts
  data_files: {PARTS_FILE}
---
"""


def card(manifest: Mapping[str, Any]) -> str:
    """Write `README.md` from the manifest's own values, so that the two cannot differ."""
    counts, messages = manifest["counts"], manifest["messages"]
    policies = ", ".join(f"{policy['name']}" for policy in manifest["policies"])
    excluded = "\n".join(f"| {reason} | {count:,} |" for reason, count in _largest(counts["excluded"]))
    left_out = ", ".join(f"{count:,} have {reason}" for reason, count in _largest(messages["left_out"])) or "none"
    names = {file["name"] for file in manifest["files"]}
    also = (
        f"- `{EXCLUDED_FILE}`: what was left out, by name and reason, without content.\n"
        if EXCLUDED_FILE in names
        else ""
    )
    return f"""{_HEAD}
# Cut `{manifest["name"]}`, number {manifest["number"]}

{counts["written"]:,} parts of {counts["conversations"]:,} conversations of {counts["people"]:,} people, for the purpose
`{manifest["purpose"]}`, as things stood at {manifest["at"]} under {policies}.

Every row was decided twice, by two evaluators that work differently, and carries the id of its decision and of the
proof that it may be used: the choice the person made, or the flag or feedback that an exception of the policy speaks
of. What was allowed only because nobody objected is not in here.

## What it is for, and until when

Use it for `{manifest["purpose"]}` only. It shows one instant: people may have changed their answer since. Before a
run starts, take the next cut; afterwards delete old ones. People are named by keyed pseudonyms, which is not
anonymity: the text is as the people wrote it, with whatever they wrote about themselves and others. Keep this folder
as you keep their chats.

## Files

- `{PARTS_FILE}`: one row a part, with decision, receipt and policy.
- `{MESSAGES_FILE}`: one conversation a line as chat messages: {messages["conversations"]:,} conversations;
  left out: {left_out}.
{also}- `manifest.json`: counts and digests. `assent cut --check FOLDER` compares it with the files.

## What was left out

Of {counts["considered"]:,} parts considered:

| reason | parts |
|---|---|
{excluded}
"""


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
