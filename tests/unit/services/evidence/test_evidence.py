"""Evidence: any changed byte is found, and what does not fit together is named."""

import io
import random
import zipfile
from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START
from tests.unit.interfaces.homes import call

from assent.domain.errors import AssentError, Invalid, Refused
from assent.interfaces.cli.init import make_home
from assent.ledger.note import new_signer
from assent.services.evidence.archive import Archive, Opened
from assent.services.evidence.check import check_evidence
from assent.services.evidence.export import EvidenceWorld, write_evidence
from assent.services.hold.place import place
from assent.store.records import Account, Hold
from assent.wiring import Wiring


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Wiring:
    made = make_home(Wiring(clock=START), tmp_path_factory.mktemp("evidence") / "home", ("anthropic/2025-10-08",))
    made.store.put_accounts([Account("p-17", plan="free")])
    hold = Hold("h1", "M", "person", "p-17", START, "desk", "order", START.replace(year=2027))
    place(made.store, made.journal, hold)
    return made


@pytest.fixture(scope="module")
def archive(home: Wiring) -> bytes:
    out = io.BytesIO()
    world = EvidenceWorld(home.store, home.log, "0", b"# the verifier\n")
    counts = write_evidence(world, out, now=START)
    assert counts["holds"] == 1
    return out.getvalue()


def test_it_holds_and_names_nobody(home: Wiring, archive: bytes) -> None:
    found = check_evidence(io.BytesIO(archive), [home.log.signers[0].verifier])
    assert (found.exit_code, found.faults, found.missing) == (0, [], [])
    assert b"p-17" not in archive
    assert home.log.identity.pseudonym("p-17").encode() in archive


def test_without_a_key_nobody_vouches_for_it(archive: bytes) -> None:
    assert check_evidence(io.BytesIO(archive), []).exit_code == 4


def test_another_key_is_a_fault(home: Wiring, archive: bytes) -> None:
    stranger = new_signer(home.settings.origin, bytes(32)).verifier
    assert check_evidence(io.BytesIO(archive), [stranger]).exit_code == 2


def test_any_changed_byte_is_found(archive: bytes) -> None:
    chance = random.Random(7)
    places = [*range(0, 400, 3), *range(len(archive) - 2_000, len(archive), 5)]
    places += [chance.randrange(len(archive)) for _ in range(60)]
    for place_of in places:
        changed = bytearray(archive)
        changed[place_of] ^= 1 << chance.randrange(8)
        with pytest.raises(AssentError):
            check_evidence(io.BytesIO(bytes(changed)), [])


@pytest.mark.parametrize("change", [lambda b: b + b"x", lambda b: b"x" + b, lambda b: b[:-1], lambda b: b[:2000]])
def test_nothing_may_be_added_or_cut_off(archive: bytes, change) -> None:  # noqa: ANN001 - a lambda of this test
    with pytest.raises(AssentError):
        check_evidence(io.BytesIO(change(archive)), [])


def test_an_archive_written_again_with_another_member_is_not_signed(home: Wiring, archive: bytes) -> None:
    """Whoever writes the archive anew, digests and all, cannot sign it."""
    source, out = zipfile.ZipFile(io.BytesIO(archive)), io.BytesIO()
    forged = Archive(out)
    for name in source.namelist():
        if not name.startswith("SHA256SUMS"):
            forged.write(name, source.read(name).replace(b'"order"', b'"other"'))
    forged.write("SHA256SUMS", forged.sums())
    forged.write("SHA256SUMS.note", source.read("SHA256SUMS.note"))
    forged.close()
    found = check_evidence(io.BytesIO(out.getvalue()), [home.log.signers[0].verifier])
    assert found.faults == ["the signed digest is another one than that of `SHA256SUMS`"]


def test_something_else_is_no_archive() -> None:
    with pytest.raises(Invalid):
        Opened(io.BytesIO(b"not a zip"))
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as other:
        other.writestr("a", "b")
    with pytest.raises(Refused):
        Opened(plain)


def test_it_is_written_and_checked_by_commands(home: Wiring, tmp_path: Path) -> None:
    file = tmp_path / "evidence.zip"
    assert call(home, "evidence", file).status == 0
    key = home.log.signers[0].verifier.vkey
    checked = call(Wiring(), "verify", "evidence", file, "--key", key)
    assert checked.status == 0, checked.err
    assert "this holds" in checked.out
    assert call(Wiring(), "verify", "evidence", file, "--json").status == 4
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    assert call(Wiring(), "verify", "evidence", file, "--key", key).status == 2
