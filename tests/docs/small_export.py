"""The export that the examples in the documents speak of: four conversations, as Claude.ai writes them."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

CLOCK = "2025-12-01T12:00:00Z"
"""The instant at which the outputs in the documents were printed."""

_TALKS = (
    ("0a41f3c2-6b1d-4e0f-9a57-2f3c8d1e7b01", "Bread without kneading", "2025-11-28T18:20", ("How long?", "18 hours.")),
    ("1b52a4d3-7c2e-4f10-8b68-304d9e2f8c12", "Train to Lisbon", "2025-11-20T07:05", ("Which line?", "Via Madrid.")),
    ("2c63b5e4-8d3f-4021-9c79-415eaf309d23", "Sort a list in place", "2025-10-02T14:41", ("How?", "list.sort()")),
    ("3d74c6f5-9e40-4132-8d8a-526fb041ae34", "Letter to the landlord", "2025-03-14T20:12", ("Write it.", "Dear ...")),
)


def write_export(path: Path) -> None:
    """Write the export as a ZIP, with an empty conversation and the files that stand beside conversations."""
    talks = [_talk(*talk) for talk in _TALKS]
    talks.append(_talk("4e85d706-af51-4243-9e9b-6370c152bf45", "", "2025-11-29T09:00", ()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps(talks))
        archive.writestr("users.json", json.dumps([{"uuid": "5f96e817"}]))
        archive.writestr("projects.json", "[]")


def _talk(uuid: str, title: str, began: str, texts: tuple[str, ...]) -> dict[str, object]:
    start = datetime.fromisoformat(began).replace(tzinfo=UTC)
    return {
        "uuid": uuid,
        "name": title,
        "created_at": _time(start),
        "updated_at": _time(start),
        "account": {"uuid": "5f96e817"},
        "chat_messages": [
            {
                "uuid": f"{uuid[:-1]}{number}",
                "sender": "assistant" if number % 2 else "human",
                "text": text,
                "content": [{"type": "text", "text": text}],
                "created_at": _time(start + timedelta(seconds=number)),
                "attachments": [],
                "files": [],
            }
            for number, text in enumerate(texts)
        ],
    }


def _time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
