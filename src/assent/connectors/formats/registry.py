"""All import formats by name. A format's module is loaded when it is first used.

`assent --help` lists formats in a few milliseconds this way; parsers and pyarrow take
longer to load than most commands take to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

from assent.connectors.formats.port import Importer, Record, Source
from assent.domain.errors import NotFound

_SUMMARIES: Final = {
    "claude-ai": "Claude.ai data export",
    "chatgpt": "ChatGPT data export",
    "claude-code": "Claude Code sessions: one .jsonl, a project folder or ~/.claude",
    "codex": "Codex CLI sessions: one rollout .jsonl, a sessions folder or ~/.codex",
    "gemini-cli": "Gemini CLI sessions: one session .json/.jsonl or ~/.gemini/tmp",
    "gemini-takeout": "Gemini activity from Google Takeout",
    "hf-messages": ("published chat sets: rows with messages or chosen/rejected, .jsonl(.gz)/.json/.parquet"),
    "librechat": "LibreChat export",
    "lmsys-wildchat": "LMSYS-Chat-1M and WildChat, .parquet or .jsonl",
    "open-webui": "Open WebUI export",
    "openai-jsonl": "OpenAI fine-tuning files: chat messages or preference pairs, .jsonl",
    "sharegpt": "ShareGPT sets: {conversations: [{from, value}]}, .json/.jsonl, plain or gzip",
}
_ALIASES: Final = {"lmsys": "lmsys-wildchat", "wildchat": "lmsys-wildchat"}


@dataclass(slots=True)
class LazyImporter:
    """An importer that loads its module on the first question about a source."""

    name: str
    summary: str

    def sniff(self, path: Path) -> bool:
        """Ask the format's module."""
        return _load(self.name).sniff(path)

    def read(self, source: Source) -> Iterator[Record]:
        """Ask the format's module."""
        return _load(self.name).read(source)


@cache
def _load(name: str) -> Importer:
    module = import_module(f"assent.connectors.formats.{name.replace('-', '_')}")
    importer: Importer = module.IMPORTER
    return importer


def importers() -> dict[str, Importer]:
    """Give all formats by name, aliases left out, in alphabetical order."""
    return {name: LazyImporter(name, summary) for name, summary in sorted(_SUMMARIES.items())}


def get(name: str) -> Importer:
    """Find a format by name or alias. Raises `NotFound` with the nearest name."""
    known = importers()
    wanted = _ALIASES.get(name, name)
    if wanted in known:
        return known[wanted]
    near = get_close_matches(name.lower(), [*known, *_ALIASES], n=1)
    fix = f"did you mean `{near[0]}`?" if near else f"known formats: {', '.join(known)}"
    raise NotFound(f"there is no import format `{name}`", fix)


def sniff(path: Path) -> list[str]:
    """List the formats that PATH looks like; several for sets whose shapes overlap, none if unknown."""
    return [name for name, importer in importers().items() if importer.sniff(path)]
