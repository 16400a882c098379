"""Writes 1,000 keys from a number on, in batches, and destroys every tenth."""

import os
import random
import sys
from pathlib import Path

from assent.vault.local import LocalEpochKeys
from assent.vault.slots import SlotStore

if __name__ == "__main__":
    folder, first = Path(sys.argv[1]), int(sys.argv[2])
    store = SlotStore(folder / "slots", LocalEpochKeys(folder / "keys", lambda: os.urandom(32)))
    for start in range(first, first + 1_000, 20):
        store.write({slot: random.Random(slot).randbytes(32) for slot in range(start, start + 20)})
        store.destroy([slot for slot in range(start, start + 20) if slot % 10 == 0])
