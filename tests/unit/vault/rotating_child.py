"""Rotates the slot store of a folder once."""

import os
import sys
from pathlib import Path

from assent.vault.local import LocalEpochKeys
from assent.vault.slots import SlotStore

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    store = SlotStore(folder / "slots", LocalEpochKeys(folder / "keys", lambda: os.urandom(32)))
    store.rotate(on_slots=lambda _amount: None)
