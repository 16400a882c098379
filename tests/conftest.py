"""What every test shares: two Hypothesis profiles, the public sample data, the time we hold ourselves to."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TARGET_S = 480

# `ci` gives the same examples on every machine; `deep` looks further, and differently each time.
# No deadline in either: a busy machine must not turn a change red.
settings.register_profile("ci", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile(
    "deep",
    max_examples=5_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public sample data in `shared/data` beside the repository: read-only, never committed."""
    if not DATA.is_dir():
        pytest.skip("no sample data: put it into `shared/data` beside the repository (CONTRIBUTING.md)")
    return DATA


def pytest_report_header() -> str:
    """Say in the header whether the tests marked `data` can run."""
    return f"sample data: {'found' if DATA.is_dir() else 'ABSENT, tests marked `data` are skipped'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the target next to pytest's own time, so that a slow suite is seen on the day it becomes slow."""
    terminalreporter.write_line(
        f"target: every test together within {TARGET_S} s on 2 cores, of which the million decisions take about 100"
    )
