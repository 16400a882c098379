"""The servers beside LibreChat's MongoDB that can run here, and settings that cannot be meant."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests import postgres_server
from tests.conformance.connectors.kit import LyingPromises, Promises
from tests.conformance.connectors.librechat_worlds import OWNER, LibreChatWorld

from assent.connectors.librechat.product import Settings, connect
from assent.connectors.librechat.vectors import vectors_of
from assent.connectors.port import state_of
from assent.domain.errors import AssentError, Invalid

SECRET = "hidden"
MONGODB = os.environ.get("ASSENT_TEST_MONGODB", "")


def make_vectors(address: str) -> None:
    engine = create_engine(address)
    with engine.begin() as connection:
        # the RAG service's own table; its vector column is another extension's, and holds no words
        connection.execute(text("create table langchain_pg_embedding (uuid text, document text, cmetadata jsonb)"))
    engine.dispose()


def test_vectors_go_and_their_bytes_when_the_table_is_written_anew(
    tmp_path: Path, postgres: postgres_server.Server
) -> None:
    name = postgres.blank()
    make_vectors(postgres.address(name))
    vectors = vectors_of(postgres.address(name))
    try:
        world = LibreChatWorld(tmp_path, vectors=vectors)
        gone, kept = world.seed(2)
        for number, one in enumerate((gone, kept)):
            file = f"embedded-{number}"
            world.file(file, one.id, one.marker, "vectordb", source="vectordb", embedded=True)
            with vectors.engine.begin() as connection:
                row = {"document": one.marker, "meta": f'{{"file_id": "{file}"}}'}
                insert = "insert into langchain_pg_embedding values ('u', :document, cast(:meta as jsonb))"
                connection.execute(text(insert), row)
        found = world.product().copies([gone.id])[gone.id]
        assert [copy.state for copy in found if copy.kind == "vectors"] == ["present"]
        copies = world.product().erase([gone.id])[gone.id]
        assert [copy.state for copy in copies if copy.kind == "freed rows"] == ["pending maintenance"]
        assert vectors.count(["embedded-0", "embedded-1"]) == {"embedded-1": 1}
        world.product().erase([gone.id], maintenance=True)
        assert state_of(world.product().verify([gone.id])[gone.id]) == "removed"
    finally:
        vectors.engine.dispose()
        postgres.drop(name)


def test_vectors_that_nobody_connected_are_not_reachable(tmp_path: Path) -> None:
    world = LibreChatWorld(tmp_path)
    (gone,) = world.seed(1)
    world.file("embedded", gone.id, gone.marker, f"/uploads/{OWNER}/embedded.txt", embedded=True)
    copies = world.product().erase([gone.id], maintenance=True)[gone.id]
    assert [copy.state for copy in copies if copy.kind == "vectors"] == ["not reachable"]


def test_a_database_of_vectors_that_is_down_says_so_without_quoting() -> None:
    vectors = vectors_of("postgresql+psycopg:///nowhere?host=/nowhere&user=hidden")
    with pytest.raises(AssentError, match="does not answer") as caught:
        vectors.count(["x"])
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("address", ["", "http://host", "mongodb://"])
def test_an_address_that_is_none_is_refused_without_quoting_it(tmp_path: Path, address: str) -> None:
    settings = Settings(name="mine", folder=tmp_path / "state", uri_file=tmp_path / "uri")
    with pytest.raises(Invalid, match="cannot be read"):
        connect(settings, lambda _path: address)


@pytest.mark.enable_socket
def test_a_mongodb_that_does_not_answer_says_so_without_its_password(tmp_path: Path) -> None:
    settings = Settings(name="mine", folder=tmp_path / "state", uri_file=tmp_path / "uri", timeout_s=0.2)
    product = connect(settings, lambda _path: f"mongodb://me:{SECRET}" + "@127.0.0.1:1/")
    with pytest.raises(AssentError, match="MongoDB does not answer") as caught:
        list(product.list())
    assert SECRET not in str(caught.value)


@pytest.mark.enable_socket
@pytest.mark.skipif(not MONGODB, reason="NO REAL MONGODB WAS TRIED: name one in ASSENT_TEST_MONGODB (it is emptied)")
class TestRealMongoDB(Promises, LyingPromises):
    """The same promises on a real server; freed blocks are its own, so they are left to it here."""

    many = 200

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[LibreChatWorld]:
        from pymongo import MongoClient

        world = LibreChatWorld(tmp_path, freed_blocks="leave")
        with MongoClient(MONGODB, tz_aware=True) as world.server.rows:
            world.server.rows.drop_database("LibreChat")
            yield world
