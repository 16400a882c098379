"""The promises of every connector, kept by that to LibreChat."""

from pathlib import Path

import pytest
from tests.conformance.connectors.kit import LyingPromises, Promises, WatchPromises
from tests.conformance.connectors.librechat_worlds import LibreChatWorld


class TestLibreChat(Promises, LyingPromises, WatchPromises):
    many = 120

    @pytest.fixture
    def world(self, tmp_path: Path) -> LibreChatWorld:
        return LibreChatWorld(tmp_path)
