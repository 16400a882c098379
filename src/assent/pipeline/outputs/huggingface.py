"""The head of a cut's card that `datasets.load_dataset` reads: which files are which split, and their columns.

The columns of lines are spelled out, for a reader that guesses them from the first lines fails
at the first tool call of a later shard. The columns of Parquet stand in its own footer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assent.pipeline.outputs.layout import forms, pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRING: Final = "string"
_MESSAGES: Final[dict[str, Any]] = {
    "role": _STRING,
    "content": _STRING,
    "reasoning_content": _STRING,
    "name": _STRING,
    "tool_calls": [{"type": _STRING, "function": {"name": _STRING, "arguments": _STRING}}],
}
_PROVEN: Final = {"decisions": [_STRING], "receipts": [_STRING]}

COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "messages": {"id": _STRING, "messages": [_MESSAGES], **_PROVEN},
    "sharegpt": {
        "id": _STRING,
        "conversations": [{"from": _STRING, "value": _STRING, "reasoning": _STRING}],
        **_PROVEN,
    },
    "preferences": {"id": _STRING, "prompt": [_MESSAGES], "chosen": [_MESSAGES], "rejected": [_MESSAGES], **_PROVEN},
    "ratings": {"id": _STRING, "prompt": [_MESSAGES], "completion": [_MESSAGES], "label": "bool", **_PROVEN},
}
"""Columns of each form of lines: the type by name, a list as a list of one, an object as an object."""

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST: Final = ((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"))
"""Words of the Hub for the number of rows; what is larger is `n>1B`."""


def front_matter(manifest: Mapping[str, Any]) -> str:
    """Write the YAML head, with its two `---` lines.

    Every form of lines is a configuration, the first of them the default. Parts are none: `datasets`
    reads one kind of file from a folder; `load_dataset("parquet", data_files=...)` reads them.
    """
    found = {form: splits for form, splits in forms(manifest).items() if form in COLUMNS}
    lines = ["---", f"pretty_name: Cut {manifest['name']} {manifest['number']}"]
    lines += ["license: other", "license_name: not-for-publication"]
    if languages := sorted(set(manifest["counts"]["by_language"]) - {"", "und"}):
        lines += ["language:", *(f'- "{language}"' for language in languages)]
    lines += ["task_categories:", "- text-generation"]
    lines += ["size_categories:", f"- {_size(manifest['counts']['conversations'])}", "tags:", "- conversational"]
    lines.append("configs:")
    for number, (form, splits) in enumerate(found.items()):
        lines += [f"- config_name: {form}", *(["  default: true"] if number == 0 else []), "  data_files:"]
        for split in splits:
            lines += [f"  - split: {split}", f"    path: {pattern(form, split)}"]
    lines.append("dataset_info:")
    for form in found:
        lines += [f"- config_name: {form}", "  features:", *_columns(COLUMNS[form], "  ")]
    return "\n".join([*lines, "---", ""])


def _columns(columns: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for name, kind in columns.items():
        lines.append(f"{indent}- name: {name}")
        word, inner = ("list", kind[0]) if isinstance(kind, list) else ("struct", kind)
        if isinstance(inner, dict):
            lines += [f"{indent}  {word}:", *_columns(inner, f"{indent}  ")]
        else:
            lines.append(f"{indent}  {'list' if word == 'list' else 'dtype'}: {inner}")
    return lines


def _size(rows: int) -> str:
    return next((word for limit, word in (*_SIZES, *_LARGEST) if rows < limit), "n>1B")
