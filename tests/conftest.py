"""What every test shares: two Hypothesis profiles, the public sample data, the time we hold ourselves to."""

import gc
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres_server

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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep all that is loaded to collect out of the search for garbage, which took a tenth of the time of a run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_unconfigure() -> None:
    """Let what was kept out go at the end, as without that: extensions report what is left of them as leaked."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public sample data in `shared/data` beside the repository: read-only, never committed."""
    if not DATA.is_dir():
        pytest.skip("no sample data: put it into `shared/data` beside the repository (CONTRIBUTING.md)")
    return DATA


@pytest.fixture
def injected(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Say how often a test marked `fault` injected it (`times`, else once) and by which `seed`: `make check-faults`."""

    def tell(**what: int) -> None:
        request.node.user_properties.extend(what.items())

    return tell


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """A real PostgreSQL server, started for the first test that asks; an error, never a skip, where there is none."""
    with postgres_server.running() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: postgres_server.Server) -> Iterator[str]:
    """The address of an empty database at the newest step of the schema."""
    name = postgres.fresh(_make_store)
    yield postgres.address(name)
    postgres.give_back(name)


def _make_store(address: str) -> None:
    from assent.store.postgres.database import Database

    Database(address, create=True).close()


def pytest_report_header() -> str:
    """Say in the header whether the tests marked `data` can run."""
    return f"sample data: {'found' if DATA.is_dir() else 'ABSENT, tests marked `data` are skipped'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the target next to pytest's own time, so that a slow suite is seen on the day it becomes slow."""
    terminalreporter.write_line(
        f"target: every test together within {TARGET_S} s on 2 cores, of which the million decisions take about 100"
    )
