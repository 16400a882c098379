"""The card of a cut: what it is, in plain words, for somebody who finds the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assent.pipeline.outputs.huggingface import front_matter
from assent.pipeline.outputs.layout import CROISSANT, EXCLUDED, LINEAGE, forms

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS: Final = {
    "reservations": "pages whose publisher reserves the training of models were left out",
    "normalise": "line ends and invisible characters were made uniform",
    "redact": "personal data and secrets that were found were replaced by made-up ones of the same kind",
    "language": "the language was recognised",
    "quality": "conversations that teach nothing (empty, repeating, cut off) were left out",
    "skill": "what kind of work a conversation is was recognised",
    "decontaminate": "conversations that repeat a benchmark were left out",
    "dedup": "of the same or nearly the same conversations one was kept",
    "balance": "nobody has more conversations or rows in it than the recipe allows, and skills are mixed as it says",
    "split": "people, not conversations, were divided into splits, so that nobody is in two",
    "tokenise": "tokens were counted",
}
"""What each block did, for people. A block that is not named here shows its own name."""

CHOOSING: Final = ("dedup", "balance", "split")
"""Parts of a recipe that are no blocks: they choose among whole conversations (`choice` in the manifest)."""

_FORMS: Final = {
    "messages": "one conversation a line, as chat messages",
    "parts": "one row a part, with decision, proof, receipt and policy",
    "sharegpt": "the same conversations as turns of `human` and `gpt`",
    "preferences": "questions with an answer somebody rated good and one they rated bad",
    "ratings": "answers that somebody rated, with the question",
}


def card(manifest: Mapping[str, Any]) -> str:
    """Write `README.md` from the manifest's own values, so that the two cannot differ."""
    counts = manifest["counts"]
    policies = ", ".join(policy["name"] for policy in manifest["policies"])
    first, last = manifest["timeframe"]["first"], manifest["timeframe"]["last"]
    said = f"They were said between {first} and {last}." if first and last else "Their source does not say when."
    return f"""{front_matter(manifest)}
# Cut `{manifest["name"]}`, number {manifest["number"]}

{counts["conversations"]:,} conversations of {counts["people"]:,} people ({counts["written"]:,} parts, \
{counts["bytes"]:,} bytes of text), for the purpose `{manifest["purpose"]}`, as things stood at {manifest["at"]}
under {policies}. {said}

Every row was decided twice, by two evaluators that work differently, and carries the id of its decision and of the
proof that it may be used: the choice the person made, or the flag or feedback that an exception of the policy speaks
of. What was allowed only because nobody objected is not in here.

## What it is for, and until when

Use it for `{manifest["purpose"]}` only. It shows one instant: people may have changed their answer since. Ask before a
run starts (`assent cut show`), refresh it when it is stale, and retire old ones. People are named by keyed pseudonyms,
which is not anonymity: a reader who knows somebody may know them again by what they wrote. Keep this folder as you
keep their chats, and do not publish it.

## What is in it

{_shares(manifest)}
## What was done to it

{_steps(manifest)}
## Files

{_files(manifest)}
## What was left out

Of {counts["considered"]:,} parts considered:

| reason | parts |
|---|---|
{_reasons(counts["excluded"])}
"""


def steps(manifest: Mapping[str, Any]) -> list[str]:
    """Name what was done to a cut, in order: its blocks, then what chose among conversations afterwards."""
    chosen = [name for name in CHOOSING if manifest["choice"].get(name)]
    return list(dict.fromkeys([*(step["block"] for step in manifest["recipe"]), *chosen]))


def _shares(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    rows = [
        f"| {split} | {found['conversations']:,} | {found['people']:,} | {found['rows']:,} | {found['bytes']:,} |"
        for split, found in counts["by_split"].items()
    ]
    table = "\n".join(["| split | conversations | people | parts | bytes |", "|---|---|---|---|---|", *rows])
    return (
        f"{table}\n\n- Skills, by conversations: {_largest_first(counts['by_skill'])}.\n"
        f"- Languages, by conversations: {_largest_first(counts['by_language'])}.\n"
        f"- Products: {', '.join(sorted(manifest['surfaces'])) or 'unknown'}.\n"
    )


def _steps(manifest: Mapping[str, Any]) -> str:
    by_block = manifest["counts"]["by_block"]
    lines = []
    for number, name in enumerate(steps(manifest), 1):
        did = by_block.get(name, {})
        dropped = sum(did.get("dropped", {}).values())
        left = f"; {dropped:,} parts left out" if dropped else ""
        found = f"; found: {_largest_first(did['counts'])}" if did.get("counts") else ""
        lines.append(f"{number}. {name}: {STEPS.get(name, 'see the recipe in the manifest')}{left}{found}.\n")
    return "".join(lines) or "Nothing: the text is as people and models wrote it.\n"


def _files(manifest: Mapping[str, Any]) -> str:
    names = {file["name"] for file in manifest["files"]}
    lines = [
        f"- `data/{form}-*`: {_FORMS[form]} ({sum(piece.rows for pieces in splits.values() for piece in pieces):,}).\n"
        for form, splits in forms(manifest).items()
    ]
    lines += [f"- `{EXCLUDED}`: what was left out, by name and reason, without content.\n"] if EXCLUDED in names else []
    return (
        f"{''.join(lines)}- `{CROISSANT}`, `{LINEAGE}`: the same for programs that read Croissant and OpenLineage.\n"
        "- `manifest.json`: counts and digests. `assent cut verify FOLDER` compares it with the files.\n"
    )


def _reasons(counts: Mapping[str, int]) -> str:
    return "\n".join(f"| {reason} | {count:,} |" for reason, count in _ordered(counts)) or "| nothing | 0 |"


def _largest_first(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'unknown'} {count:,}" for name, count in _ordered(counts)) or "not recognised"


def _ordered(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
