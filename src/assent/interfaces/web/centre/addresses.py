"""Every page of the privacy centre."""

from __future__ import annotations

from typing import Final

from assent.interfaces.web.centre import chats, choices, download, erased, flags, home, requests

ALL: Final = (
    home.pages,
    chats.pages,
    choices.pages,
    flags.pages,
    requests.pages,
    erased.pages,
    download.pages,
)
