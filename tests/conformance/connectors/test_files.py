"""The promises of connectors, for folders and buckets of rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.connectors.files_worlds import BucketWorld, FolderWorld, ParquetWorld, bucket_world
from tests.conformance.connectors.kit import LyingPromises, Promises, WatchPromises


class TestFolderOfJsonLines(Promises, WatchPromises):
    @pytest.fixture
    def world(self, tmp_path: Path) -> FolderWorld:
        return FolderWorld(tmp_path)


class TestFolderOfParquet(Promises, WatchPromises):
    @pytest.fixture
    def world(self, tmp_path: Path) -> ParquetWorld:
        return ParquetWorld(tmp_path)


class TestBucket(Promises, WatchPromises, LyingPromises):
    many = 30

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[BucketWorld]:
        with bucket_world(tmp_path) as world:
            yield world
