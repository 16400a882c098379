"""The promises of every connector, kept for the folders of three coding agents."""

from pathlib import Path

import pytest
from agent_worlds import ClaudeCodeWorld, CodexWorld, GeminiCliWorld
from tests.conformance.connectors.kit import Promises, WatchPromises


class TestClaudeCode(Promises, WatchPromises):
    many = 100

    @pytest.fixture
    def world(self, tmp_path: Path) -> ClaudeCodeWorld:
        return ClaudeCodeWorld(tmp_path)


class TestCodex(Promises, WatchPromises):
    many = 100

    @pytest.fixture
    def world(self, tmp_path: Path) -> CodexWorld:
        return CodexWorld(tmp_path)


class TestGeminiCli(Promises, WatchPromises):
    many = 100

    @pytest.fixture
    def world(self, tmp_path: Path) -> GeminiCliWorld:
        return GeminiCliWorld(tmp_path)


@pytest.mark.deep
class TestManySessionsOfClaudeCode(Promises):
    """The large run at the size that a busy year leaves behind."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> ClaudeCodeWorld:
        return ClaudeCodeWorld(tmp_path)
