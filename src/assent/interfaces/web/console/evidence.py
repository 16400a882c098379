"""Evidence: one archive that an auditor verifies offline. Who takes it says why, and that is written down."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import StreamingResponse

import assent_verify
from assent import __version__
from assent.interfaces.web.console.frame import OFFICE, shown
from assent.interfaces.web.pages import Pages
from assent.services.connect.vendors import folders
from assent.services.evidence.export import EvidenceWorld, write_evidence
from assent.services.ledger.seal import keys_ever

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages: Final = Pages()

_PIECE: Final = 1 << 18


@pages.get("/console/evidence", OFFICE)
def about(visit: Visit) -> Response:
    """Say what is in the archive, and how it is checked."""
    head = visit.world.store.head()
    keys = keys_ever(visit.world.store) if head is not None else []
    return shown(visit, "evidence.html", "/console/evidence", head=head, keys=keys)


@pages.get("/console/evidence/{archive}", OFFICE, sensitive="archive")
def download(visit: Visit) -> Response:
    """Write the archive of this moment and send it."""
    world = visit.world
    # on the disk, not in memory: it grows with the ledger; it is gone with the answer
    file = tempfile.TemporaryFile()  # noqa: SIM115 - `_pieces` closes it
    kept = folders(world.connectors, world.settings.home)
    taken = EvidenceWorld(world.store, world.log, __version__, Path(assent_verify.__file__).read_bytes(), kept)
    try:
        write_evidence(taken, file, now=visit.now)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    headers = {
        "Content-Disposition": f'attachment; filename="evidence-{visit.now:%Y-%m-%d}.zip"',
        "Content-Length": str(size),
    }
    return StreamingResponse(_pieces(file), 200, headers, "application/zip")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
