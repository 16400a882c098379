"""The promises of connectors, for tables of a lake."""

from pathlib import Path

import pytest
from tests.conformance.connectors.kit import Promises, WatchPromises
from tests.conformance.connectors.lake_worlds import DeltaWorld, IcebergWorld


class TestDelta(Promises, WatchPromises):
    many = 300

    @pytest.fixture
    def world(self, tmp_path: Path) -> DeltaWorld:
        return DeltaWorld(tmp_path)


class TestIceberg(Promises, WatchPromises):
    many = 100

    @pytest.fixture
    def world(self, tmp_path: Path) -> IcebergWorld:
        return IcebergWorld(tmp_path)
