"""A real vault in a folder, for every test that opens a store."""

import os
from pathlib import Path

from assent.vault.local import LocalEpochKeys
from assent.vault.sealing import Sealing, shipped_dictionary
from assent.vault.segments import FolderSegments
from assent.vault.slots import SlotStore
from assent.vault.vault import Vault

SEALING = Sealing(shipped_dictionary())


def vault_in(folder: Path) -> Vault:
    """Open the vault of a folder, or begin one there."""
    epochs = LocalEpochKeys(folder / "keys" / "epochs", lambda: os.urandom(32))
    slots = SlotStore(folder / "vault" / "slots", epochs)
    return Vault(slots, FolderSegments(folder / "vault" / "segments"), SEALING, os.urandom)
