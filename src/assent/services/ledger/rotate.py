"""The keys that sign the log: the first one, a new one beside it, and the end of the old ones.

Each step is a signed note that says which keys sign from which size on (ledger/keys.py), so
whoever trusts any key of the chain can follow it to the newest. Between `rotate` and `retire` old and
new keys both sign every checkpoint. Each step may be repeated after a crash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import NotFound, Refused
from assent.ledger.checkpoint import Checkpoint
from assent.ledger.keys import KeyChange
from assent.ledger.merkle import EMPTY_ROOT
from assent.ledger.note import sign_note
from assent.services.ledger.seal import checkpoint_in, newest_keys, seal, signing
from assent.store.records import Head

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.ledger.note import Signer, Verifier
    from assent.services.ledger.log import Log
    from assent.store.port import Ledger


def found(store: Ledger, log: Log, *, now: datetime) -> None:
    """Begin the log: its keys are those of `log`, and its first checkpoint is of the empty tree.

    Does nothing if these keys sign it already. Raises `Refused` if other keys do.
    """
    verifiers = tuple(signer.verifier for signer in log.signers)
    if not store.key_changes():
        keys = sign_note(KeyChange(log.origin, 0, verifiers).text, log.signers)
        empty = sign_note(Checkpoint(log.origin, 0, EMPTY_ROOT).text, log.signers)
        store.swap(None, Head(0, empty, now), {}, keys)
    signing(log, newest_keys(store))


def rotate(store: Ledger, log: Log, signer: Signer, *, now: datetime) -> KeyChange:
    """Let a new key sign beside the ones in force, from the newest checkpoint on.

    `log` holds the keys in force. Does nothing if the new key is in force already. The caller
    keeps the new key durably before, and signs with it afterwards.
    """
    keys = newest_keys(store)
    if signer.verifier in keys.verifiers:
        return keys
    return _change(store, log, (*keys.verifiers, signer.verifier), (*signing(log, keys), signer), now=now)


def retire(store: Ledger, log: Log, *, now: datetime) -> KeyChange:
    """Let the newest key alone sign from the newest checkpoint on. The caller destroys the other keys afterwards."""
    keys = newest_keys(store)
    newest = keys.verifiers[-1]
    if all(signer.verifier != newest for signer in log.signers):
        raise Refused("the newest key of the ledger is not in this home", "put it back into `keys`")
    if len(keys.verifiers) == 1:
        return keys
    return _change(store, log, (newest,), signing(log, keys), now=now)


def _change(
    store: Ledger, log: Log, verifiers: Sequence[Verifier], signers: Sequence[Signer], *, now: datetime
) -> KeyChange:
    """Record who signs now, and sign the newest checkpoint with outgoing and incoming keys alike."""
    while True:
        seal(store, log, now=now)
        head = store.head()
        if head is None:
            raise NotFound("this home keeps no ledger yet", "run `assent ledger init`")
        change = KeyChange(log.origin, head.size, tuple(verifiers))
        after = Head(head.size, sign_note(checkpoint_in(head).text, signers), now)
        if store.swap(head, after, {}, sign_note(change.text, signers)):
            return change
