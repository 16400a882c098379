"""Epoch keys under a hardware security module and under AWS KMS: the same promises as files, kept by a device."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from assent.domain.errors import AssentError, Invalid, NotFound
from assent.vault.device import Device, DeviceEpochKeys
from assent.vault.slots import SlotStore

PIN = "4711"
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SoftHSM with an empty folder of tokens; the library reads its settings once a process."""
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is missing: apt-get install softhsm2 (`make programs`)")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    yield module
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def hardware(softhsm: str) -> Iterator[Device]:
    import pkcs11

    from assent.vault.hardware import HardwareDevice

    token = uuid4().hex
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", token, "--pin", PIN, "--so-pin", PIN],
        check=True,
        capture_output=True,
    )
    pkcs11.lib(softhsm).reinitialize()  # tokens that came since it was loaded are not seen before
    device = HardwareDevice(softhsm, token, PIN, lambda: os.urandom(12))
    yield device
    device.close()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    from moto import mock_aws

    from assent.vault.cloud import CloudDevice

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield CloudDevice("eu-central-1", uuid4().hex)


@pytest.fixture(params=["hardware", "cloud"])
def device(request: pytest.FixtureRequest) -> Device:
    found: Device = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def new_key() -> Callable[[], bytes]:
    return lambda: os.urandom(32)


def test_a_key_comes_back_and_lies_nowhere_in_clear(
    device: Device, new_key: Callable[[], bytes], tmp_path: Path
) -> None:
    keys = DeviceEpochKeys(tmp_path / "epochs", device, new_key)
    key = keys.make(1)
    assert len(key) == 32
    assert keys.known() == [1]
    assert DeviceEpochKeys(tmp_path / "epochs", device, new_key).open(1) == key
    assert key not in (tmp_path / "epochs" / "epoch-1.wrapped").read_bytes()
    with pytest.raises(AssentError, match="epoch `1` has a key already"):
        keys.make(1)


def test_a_wrapped_file_kept_aside_does_not_open_once_the_device_destroyed_its_key(
    device: Device, new_key: Callable[[], bytes], tmp_path: Path
) -> None:
    keys = DeviceEpochKeys(tmp_path / "epochs", device, new_key)
    keys.make(1)
    other = keys.make(2)
    aside = (tmp_path / "epochs" / "epoch-1.wrapped").read_bytes()
    destroyed = keys.destroy(1)
    assert destroyed.epoch == 1
    assert keys.known() == [2]
    with pytest.raises(NotFound, match="epoch `1` has no key"):
        keys.open(1)
    with pytest.raises(AssentError):
        device.unwrap(1, aside)
    with pytest.raises(AssentError):
        device.unwrap(2, aside)
    assert keys.open(2) == other
    keys.destroy(1)  # as often as a crash makes it


def test_hardware_destroys_now_and_a_cloud_says_until_when_it_could_come_back(hardware: Device, cloud: Device) -> None:
    hardware.make(1)
    cloud.make(1)
    assert hardware.destroy(1).effective == "now"
    told = cloud.destroy(1)
    assert told.effective == "later"
    assert "an administrator of the account could bring it back" in told.note
    assert cloud.destroy(1).note == told.note


def test_slots_rotate_from_epoch_to_epoch_under_a_device(
    device: Device, new_key: Callable[[], bytes], tmp_path: Path
) -> None:
    slots = SlotStore(tmp_path / "slots", DeviceEpochKeys(tmp_path / "epochs", device, new_key))
    written = {number: os.urandom(32) for number in range(1, 20)}
    slots.write(written)
    slots.destroy([3, 4])
    slots.rotate(on_slots=lambda _: None)
    left = {number: key for number, key in written.items() if number not in (3, 4)}
    assert slots.read(list(written)) == left


def test_a_token_that_is_not_there_and_a_wrong_pin_are_told_apart(hardware: Device, softhsm: str) -> None:
    from assent.vault.hardware import HardwareDevice

    with pytest.raises(NotFound, match="there is no token `nowhere`"):
        HardwareDevice(softhsm, "nowhere", PIN, lambda: os.urandom(12))
    with pytest.raises(NotFound, match="there is no token"):
        HardwareDevice("/nowhere/module.so", "nowhere", PIN, lambda: os.urandom(12))
    assert hardware.name == "pkcs11"


def test_an_address_of_a_device_is_read_and_never_holds_the_pin() -> None:
    from assent.vault.hardware import parse_uri

    found = parse_uri("pkcs11:token=our%20keys?module-path=/usr/lib/hsm.so&pin-source=/etc/assent/pin")
    assert found == {"token": "our keys", "module-path": "/usr/lib/hsm.so", "pin-source": "/etc/assent/pin"}
    with pytest.raises(Invalid, match="holds a PIN"):
        parse_uri("pkcs11:token=t?module-path=/m.so&pin-value=1234")
    with pytest.raises(Invalid, match="names no `token`"):
        parse_uri("pkcs11:?module-path=/m.so")
