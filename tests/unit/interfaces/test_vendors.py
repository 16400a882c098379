"""A vendor from the sweep's order to the archive of evidence: what it signs is asked for, heard, kept and proven."""

import asyncio
import base64
import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from tests.conformance.connectors.kit import Seeded
from tests.conformance.connectors.simulated import BEGIN, SimulatedWorld
from tests.unit.connectors.opendsr.vendor_server import DOMAIN, ServedVendor, authority, files_of, served
from tests.unit.interfaces.homes import Home

from assent.connectors import registry
from assent.interfaces.api.app import create_app
from assent.wiring import Wiring

CALLBACK = "https://here.example/v1/vendors/outside/status"
ADDRESS = "/v1/vendors/outside/status"

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def vendor() -> Iterator[ServedVendor]:
    found = ServedVendor()
    with served(found):
        yield found


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> list[Seeded]:
    return list(SimulatedWorld(tmp_path_factory.mktemp("chat")).seed(6))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, empty_home: Path) -> Path:
    """A home with six conversations of a product that is connected no more: only the vendor is looked at here."""
    folder = tmp_path_factory.mktemp("filled")
    world = SimulatedWorld(folder)
    world.seed(6)
    shutil.copytree(empty_home, folder / "home")
    home = Home(folder / "home", BEGIN + timedelta(days=7))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.KINDS, "simulated", "tests.conformance.connectors.simulated_kind")
        said = ("--name", "chat", "--data-dir", world.system.folder, "--plan-name", "pro-group=pro")
        assert home("connect", "simulated", *said).status == 0
        people = [{"subject": f"p-{number}", "age": "adult"} for number in range(3)]
        assert home("import", "accounts", home.write("people.ndjson", people)).status == 0
        assert home("connector", "import", "chat").status == 0
        home("connector", "remove", "chat")
    return folder / "home"


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Home:
    shutil.copytree(filled, tmp_path / "home")
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    return Home(tmp_path / "home", BEGIN + timedelta(days=7))


def connect(home: Home, vendor: ServedVendor, *more: str) -> None:
    said = home(
        "connect", "opendsr", "--name", "outside", "--also", "simulated", "--url", f"{vendor.address}/v1",
        "--domain", DOMAIN, "--ca-file", home.folder.parent / "ca.pem", "--callback-url", CALLBACK, *more,
    )  # fmt: skip
    assert said.status == 0, said.err


def test_a_vendor_of_no_format_is_not_connected(home: Home, vendor: ServedVendor) -> None:
    ca = home.folder.parent / "ca.pem"
    said = home("connect", "opendsr", "--url", f"{vendor.address}/v1", "--domain", DOMAIN, "--ca-file", ca)
    assert (said.status, "--also" in said.err) == (1, True)
    assert not (home.folder / "connectors" / "opendsr.toml").exists()


def swept(home: Home) -> dict[str, int]:
    home.now = BEGIN + timedelta(days=60)
    digest = home("plan", "--json").json()["digest"]
    found: dict[str, int] = home("sweep", "--plan", digest, "--json").json()["copies"]["outside"]
    return found


def posted(home: Home, *messages: tuple[str, dict[str, str], bytes]) -> list[int]:
    """Post to the server of a home, each an address, headers and a body; return how it answered."""
    wiring = Wiring(home.folder, home.now)

    async def call() -> list[int]:
        transport = httpx.ASGITransport(create_app(wiring.world()), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://assent.test") as client:
            return [(await client.post(at, headers=said, content=body)).status_code for at, said, body in messages]

    try:
        return asyncio.run(call())
    finally:
        wiring.store.close()


def test_a_sweep_orders_waits_and_ends_on_the_vendors_signed_word(
    home: Home, vendor: ServedVendor, seeded: list[Seeded], capsys: pytest.CaptureFixture[str]
) -> None:
    connect(home, vendor)
    assert swept(home) == {"present": 1}
    assert len(vendor.requests) == len(seeded)
    assert home("sweep", "--redo").status == 4
    assert len(vendor.bodies) == len(seeded)  # asked how it stands, not ordered again
    calls = [(ADDRESS, *vendor.callback(name, "completed", CALLBACK)) for name in vendor.requests]
    assert set(posted(home, *calls)) == {204}
    said = "".join(capsys.readouterr())
    assert not [name for name in (*vendor.requests, *(one.id for one in seeded)) if name in said]  # the server's record
    assert home("sweep", "--redo", "--json").json()["copies"]["outside"] == {"removed": 1}
    (note,) = [one["note"] for one in home("prove", "1", "--json").json()["copies"] if one["store"] == "outside"]
    assert "gone on its signed word: 6 removed" in note
    assert not [one for one in seeded if one.id in note]
    (listed,) = (home.folder / "vendors" / "outside").glob("erasure-1-*.sha256")
    assert sha256(listed.read_bytes()).hexdigest() in note
    assert home("connector", "remove", "outside").status == 0
    assert listed.exists()  # what was signed outlives the connection


def test_statements_are_in_the_archive_of_evidence_and_checked_there(
    home: Home, vendor: ServedVendor, tmp_path: Path
) -> None:
    connect(home, vendor)
    swept(home)
    vendor.set("completed")
    home("sweep", "--redo")
    assert home("evidence", tmp_path / "evidence.zip").status == 0
    said = home("verify", "evidence", tmp_path / "evidence.zip")
    assert "12 statements of vendors are signed" in said.out
    archive = zipfile.ZipFile(tmp_path / "evidence.zip")
    lists = [name for name in archive.namelist() if name.endswith(".sha256")]
    for line in archive.read(lists[-1]).decode().splitlines():
        digest, _, name = line.partition("  ")
        assert sha256(archive.read(f"vendors/outside/{name}")).hexdigest() == digest


def test_a_statement_that_was_changed_is_a_fault(home: Home, vendor: ServedVendor, tmp_path: Path) -> None:
    connect(home, vendor)
    swept(home)
    for number, file in enumerate(files_of(home.folder / "vendors")):
        said = json.loads(file.read_bytes()) if file.suffix == ".json" else None
        if said is not None:
            if number % 2:
                said["status"] = "completed"
                said["signed"]["signature"] = base64.b64encode(bytes(256)).decode()
            else:
                said["sha256"] = "00" * 32
            file.write_text(json.dumps(said))
    home("evidence", tmp_path / "evidence.zip")
    said = home("verify", "evidence", tmp_path / "evidence.zip")
    assert said.status == 2
    assert said.out.count("signature is not the processor's") == 6


def test_a_vendor_that_knows_persons_is_ordered_when_nothing_of_them_is_kept(
    home: Home, vendor: ServedVendor, seeded: list[Seeded]
) -> None:
    connect(home, vendor, "--identify", "person", "--identity-type", "controller_customer_id")
    assert swept(home) == {"present": 1}
    told = [json.loads(body)["subject_identities"][0]["identity_value"] for body in vendor.bodies]
    assert sorted(told) == sorted({one.owner for one in seeded})


def test_what_nobody_signed_is_refused_at_the_door(home: Home, vendor: ServedVendor) -> None:
    connect(home, vendor)
    swept(home)
    before = files_of(home.folder / "vendors")
    name = next(iter(vendor.requests))
    body = json.dumps({"subject_request_id": name, "request_status": "completed"}).encode()
    addresses = ("/v1/vendors/nobody/status", "/v1/vendors/..%2Foutside/status", ADDRESS)
    said = {"content-type": "application/json"}
    assert posted(home, *((address, said, body) for address in addresses)) == [404, 404, 403]
    assert files_of(home.folder / "vendors") == before
