"""Gemini activity from Google Takeout: `My Activity` as JSON or as an HTML page.

A record is an activity. Only prompts to Gemini are kept; each is one conversation with its
answer, since Takeout names no conversations, and its id is a digest of what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from assent.connectors.formats.chats import SEEN_BEFORE, dated, media
from assent.connectors.formats.exports import ExportFile, heads, json_records, open_export, wanted
from assent.connectors.formats.fields import instant, mapping, sequence, string
from assent.connectors.formats.gemini_takeout_html import Activity, answer_text, cells, read_cell
from assent.connectors.formats.port import Importer, Malformed, Record, Skipped, Source
from assent.domain.conversation import Conversation, Part
from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place
from assent.domain.instants import format_instant

_PAGES: Final = (".html", ".htm")
_ENDINGS: Final = (*_PAGES, ".json")
_IN_GEMINI_FOLDER: Final = re.compile(
    r"(?:^|/)[^/]*(?:gemini|bard)[^/]*/[^/]*(?:acti|akti|ativ|atti)[^/]*$", re.IGNORECASE
)
_ACTIVITY_FILE: Final = re.compile(r"(?:^|/)my ?activity\.(?:html?|json)$", re.IGNORECASE)
_PRODUCT: Final = re.compile(r"\b(?:gemini|bard)\b", re.IGNORECASE)
# How the title of a prompt begins. Other languages have no such list in public: see `_prompt`.
_PROMPTED: Final = re.compile(
    r"(?:prompted(?: with)?|asked(?: gemini| bard)?|said|answered|eingegebener prompt)\b:?\s*", re.IGNORECASE
)
_OTHER_KINDS: Final = re.compile(
    r"(?:created|used|added|gave|selected|shared|deleted|viewed|visited|searched|edited|pinned|renamed|exported"
    r"|updated|turned|verwendet|erstellt|feedback)\b",
    re.IGNORECASE,
)
_ATTACHED: Final = re.compile(
    r"\s*(?:attached \d+ files?|\d+ dateien? angehängt|\d+ datei angehängt|\d+ generated images?)\.?\s*$", re.IGNORECASE
)
_ID_CHARACTERS: Final = 32
_TITLE_CHARACTERS: Final = 80


class GeminiTakeout:
    """The importer of Gemini activity."""

    name = "gemini-takeout"
    summary = "Gemini activity from Google Takeout"

    def sniff(self, path: Path) -> bool:
        """Look for an activity of Gemini."""
        single = path.is_file() and path.suffix != ".zip"
        for head in heads(path, lambda name: (single and name.endswith(_ENDINGS)) or _is_activity(name)):
            text = head.decode("utf-8", "replace")
            return ("outer-cell" in text or '"header"' in text) and bool(_PRODUCT.search(text))
        return False

    def read(self, source: Source) -> Iterator[Record]:
        """Yield every prompt with its answer; other products and other kinds of activity are skipped."""
        with open_export(source.path) as files:
            seen: set[bytes] = set()
            for file in wanted(files, source.path, _is_activity):
                for place, activity in _activities(file, source):
                    if isinstance(activity, Activity):
                        yield _record(activity, place, seen)
                    else:
                        yield activity


def _is_activity(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(_ENDINGS) and bool(_ACTIVITY_FILE.search(lower) or _IN_GEMINI_FOLDER.search(lower))


def _activities(file: ExportFile, source: Source) -> Iterator[tuple[Place, Activity | Malformed]]:
    if file.base.lower().endswith(_PAGES):
        yield from _page(file, source)
        return
    for place, value in json_records(file, source.on_bytes):
        if isinstance(value, Malformed):
            yield place, value
        elif not isinstance(value, dict):
            yield place, Malformed(place, "an activity is not an object")
        elif not isinstance(value.get("title"), str):
            yield place, Malformed(place, "an activity has no title")
        else:
            yield place, _from_json(value)


def _page(file: ExportFile, source: Source) -> Iterator[tuple[Place, Activity | Malformed]]:
    number = 0
    try:
        stream = file.open()
    except (OSError, Invalid):
        yield Place(file.name, 1), Malformed(Place(file.name, 1), "the file cannot be opened")
        return
    with stream:
        for number, cell in enumerate(cells(stream, file.progress(source.on_bytes)), 1):
            place = Place(file.name, number)
            try:
                yield place, Malformed(place, cell) if isinstance(cell, str) else read_cell(cell)
            except Invalid as error:
                yield place, Malformed(place, error.message)
    if not number:
        yield Place(file.name, 1), Malformed(Place(file.name, 1), "the page holds no activity")


def _from_json(value: dict[str, object]) -> Activity:
    products = [string(value.get("header")), *(string(product) for product in sequence(value.get("products")))]
    answers = [answer_text(string(mapping(item).get("html"))) for item in sequence(value.get("safeHtmlItem"))]
    files = [string(name) for name in sequence(value.get("attachedFiles"))]
    return Activity(
        product=" ".join(filter(None, products)),
        title=string(value.get("title")).replace("\u00a0", " ").strip(),
        time=instant(value.get("time")),
        answer="\n\n".join(filter(None, answers)),
        files=[name for name in files if name],
        images=[name for name in (string(value.get("imageFile")),) if name],
    )


def _record(activity: Activity, place: Place, seen: set[bytes]) -> Record:
    # A page of Gemini alone may leave the product out; it never names another one.
    if activity.product and not _PRODUCT.search(activity.product):
        return Skipped(place, "activity of another product")
    prompt = _prompt(activity)
    if not prompt and not activity.files:
        return Skipped(place, "activity that is no prompt")
    name = digest(
        [prompt, activity.answer, format_instant(activity.time) if activity.time else "", activity.files]
    ).removeprefix("sha256:")
    key = bytes.fromhex(name)[:16]
    if key in seen:
        return Skipped(place, SEEN_BEFORE)
    seen.add(key)
    return dated(
        Conversation(
            id=f"gemini-takeout:{name[:_ID_CHARACTERS]}",
            source="gemini-takeout",
            parts=tuple(_parts(prompt, activity)),
            title=prompt.partition("\n")[0][:_TITLE_CHARACTERS],
            created_at=activity.time,
        )
    )


def _prompt(activity: Activity) -> str:
    """Give what the person typed, "" if they typed nothing.

    In a language whose titles are not known, an activity with an answer is a prompt, and its
    title is kept whole.
    """
    title = _ATTACHED.sub("", activity.title)
    begun = _PROMPTED.match(title)
    if begun:
        return title[begun.end() :]
    return title if activity.answer and not _OTHER_KINDS.match(title) else ""


def _parts(prompt: str, activity: Activity) -> Iterator[Part]:
    time = activity.time
    if prompt:
        yield Part("prompt/0", "prompt", "user", "person", "text", prompt, time)
    for number, name in enumerate(activity.files, 1):
        yield Part(f"prompt/{number}", "prompt", "user", "file", media("", name), "", time, name)
    if activity.answer:
        yield Part("answer/0", "answer", "assistant", "model", "text", activity.answer, time)
    for number, name in enumerate(activity.images, 1):
        yield Part(f"answer/{number}", "answer", "assistant", "model", "image", "", time, name)


IMPORTER: Importer = GeminiTakeout()
