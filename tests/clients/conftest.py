"""Real products on the loopback: built when they are first needed, their figures told at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.clients.models import Models, models
from tests.clients.programs import LITELLM, OPEN_WEBUI

_told: list[str] = []


@pytest.fixture(scope="session")
def tell() -> Callable[[str], None]:
    """Keep a figure for the end of the run."""
    return _told.append


@pytest.fixture(scope="session")
def _open_webui_built() -> None:
    OPEN_WEBUI.build()


@pytest.fixture(scope="session")
def _litellm_built() -> None:
    LITELLM.build()


@pytest.fixture(scope="session")
def service() -> Iterator[Models]:
    """Models that answer with what they were asked."""
    with models() as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was counted and measured."""
    for line in _told:
        terminalreporter.write_line(line)
