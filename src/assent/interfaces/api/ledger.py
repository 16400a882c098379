"""The ledger over HTTP: the log by the paths of C2SP tlog-tiles, proofs of single choices, and witnesses."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import Field

from assent.domain.errors import Invalid, NotFound
from assent.interfaces.api.access import Anybody
from assent.interfaces.api.resource import Input, Output, problems, resource
from assent.interfaces.api.world import World
from assent.ledger.encoding import HASH_BYTES
from assent.ledger.note import MAX_NOTE_BYTES
from assent.ledger.tiles import ENTRIES, HEIGHT, WIDTH, Tile, bundle, parse_path
from assent.services.ledger.prove import prove, served
from assent.services.ledger.witness import cosign
from assent.services.strict_json import MAX_INTEGER
from assent.store.port import Ledger

_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH: Final = {"Cache-Control": "no-store"}


class ChoiceProof(Output):
    """A choice's place in the ledger, and all that shows it; `salt` is hexadecimal, `proof` a C2SP tlog-proof."""

    choice: str
    number: int
    record: str
    salt: str
    proof: str


class CosignatureIn(Input):
    """What a witness signed: a cosigned checkpoint, or its signature lines alone for the checkpoint of `size`."""

    note: str = Field(min_length=1, max_length=MAX_NOTE_BYTES)
    size: int | None = Field(default=None, ge=0, le=MAX_INTEGER, description="Without it, lines are for the newest.")


class Witnessed(Output):
    """Whose signatures were taken, and under the checkpoint of what size they stand."""

    size: int
    witnesses: list[str]


def router(world: World) -> APIRouter:
    """Return the ledger's routes. The log is for everybody; a proof says what somebody chose and needs a token."""
    routes = resource("ledger")

    @routes.get("/ledger/checkpoint", response_class=Response, responses=_of(_TEXT) | problems(404))
    def read_checkpoint() -> Response:
        """Read the newest checkpoint, with the cosignatures that it has (C2SP tlog-checkpoint)."""
        return Response(served(world.store), headers=_FRESH, media_type=_TEXT)

    @routes.get("/ledger/tile/{place:path}", response_class=Response, responses=_of(_BYTES) | problems(404))
    def read_tile(place: Annotated[str, Path(max_length=64)]) -> Response:
        """Read a tile of hashes, or under `entries/` a bundle of entries (C2SP tlog-tiles)."""
        try:
            tile = parse_path(f"tile/{place}")
        except Invalid as problem:
            raise NotFound(problem.message, problem.fix) from None
        return Response(_data(world.store, tile), headers=_FOR_EVER, media_type=_BYTES)

    @routes.get("/ledger/keys/{number}", response_class=Response, responses=_of(_TEXT) | problems(404))
    def read_key_change(number: Annotated[str, Path(pattern=r"^[0-9]{3}$")]) -> Response:
        """Read a change of the log's keys: `000` is the first, each is signed by the keys before it."""
        notes = world.store.key_changes()
        if int(number) >= len(notes):
            raise NotFound(f"the keys of this ledger changed {len(notes)} times", "ask for a smaller number")
        return Response(notes[int(number)], headers=_FRESH, media_type=_TEXT)

    @routes.get("/ledger/proofs/{choice}", responses=problems(404, 409))
    def read_proof(choice: Annotated[str, Path(max_length=200)], _caller: Anybody) -> ChoiceProof:
        """Prove that a choice is in the ledger.

        Refused once the salt of the choice was erased.
        """
        found = prove(world.store, world.log, choice)
        record = found.record.decode()
        return ChoiceProof(choice=choice, number=found.number, record=record, salt=found.salt.hex(), proof=found.proof)

    @routes.post("/ledger/cosignatures", responses=problems(404, 409))
    def add_cosignatures(what: CosignatureIn) -> Witnessed:
        """Take in what a witness signed. It needs no token: the signature says whose it is."""
        taken = cosign(world.store, world.log, what.note, now=world.now(), size=what.size)
        return Witnessed(size=taken[0].size, witnesses=[one.witness.partition("+")[0] for one in taken])

    return routes


def _data(store: Ledger, tile: Tile) -> bytes:
    """Read a tile or bundle under the newest checkpoint. Raises `NotFound` where the log does not reach."""
    head = store.head()
    level = max(tile.level, 0)
    reaches = (0 if head is None else head.size >> (HEIGHT * level)) - tile.number * WIDTH
    if tile.width <= reaches:
        if tile.level == ENTRIES:
            return bundle(store.commitments(tile.number * WIDTH, tile.width))
        found = store.tile(tile.level, tile.number)
        if found is not None:
            return found[: tile.width * HASH_BYTES]
    raise NotFound("the log does not reach that far", "read the checkpoint to see how long it is")


def _of(media_type: str) -> dict[int | str, dict[str, object]]:
    schema = {"type": "string"} if media_type == _TEXT else {"type": "string", "format": "binary"}
    return {
        200: {"description": "The file as published.", "content": {media_type.partition(";")[0]: {"schema": schema}}}
    }
