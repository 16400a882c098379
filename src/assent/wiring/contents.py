"""Which ports keep sealed content and its keys, as the settings say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from assent import settings
from assent.domain.errors import Invalid, Place
from assent.wiring.files import read_text

if TYPE_CHECKING:
    from assent.settings import Settings
    from assent.vault.device import Device
    from assent.vault.epochs import EpochKeys
    from assent.vault.segments import Segments
    from assent.vault.vault import Vault

KEY_BYTES = 32


def open_vault(told: Settings) -> Vault:
    """Open the vault of a home, or begin it. Raises `Refused` where destroyed keys would stay on the disk."""
    from assent.vault.mounts import require_safe
    from assent.vault.sealing import Sealing, shipped_dictionary
    from assent.vault.slots import SlotStore
    from assent.vault.vault import Vault

    folder = told.home / told.slots
    require_safe(folder)
    slots = SlotStore(folder, _epoch_keys(told))
    return Vault(slots, segments_of(told), Sealing(shipped_dictionary()), os.urandom)


def segments_of(told: Settings) -> Segments:
    """Open what keeps the segments: a folder, or a bucket."""
    from assent.vault.segments import open_segments

    return open_segments(told.segments if "://" in told.segments else str(told.home / told.segments))


def _epoch_keys(told: Settings) -> EpochKeys:
    """Open what keeps the epoch keys."""
    folder = told.home / "keys" / "epochs"
    if told.epoch_keys == "local":
        from assent.vault.local import LocalEpochKeys
        from assent.vault.mounts import require_safe

        require_safe(folder)
        return LocalEpochKeys(folder, _new_key)
    from assent.vault.device import DeviceEpochKeys

    return DeviceEpochKeys(folder, _device(told), _new_key)


def _device(told: Settings) -> Device:
    if told.epoch_keys.startswith("pkcs11:"):
        from assent.vault.hardware import NONCE_BYTES, HardwareDevice, parse_uri

        uri = parse_uri(told.epoch_keys)
        pin = read_text(told.home / uri.get("pin-source", "keys/pkcs11.pin")).strip()
        return HardwareDevice(uri["module-path"], uri["token"], pin, lambda: os.urandom(NONCE_BYTES))
    if told.epoch_keys.startswith("aws-kms:"):
        from assent.vault.cloud import CloudDevice

        return CloudDevice(told.epoch_keys.removeprefix("aws-kms:"))
    fix = "write `local`, `pkcs11:token=NAME?module-path=FILE&pin-source=FILE` or `aws-kms:REGION`"
    raise Invalid("`epoch_keys` names no keeper of keys", fix, Place(settings.FILE))


def _new_key() -> bytes:
    return os.urandom(KEY_BYTES)
