"""A hardware security module that speaks PKCS #11 (OASIS, version 2.40 and later)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass

from assent.domain.errors import AssentError, Invalid, NotFound
from assent.vault.epochs import Destroyed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs11 import Session

NONCE_BYTES: Final = 12
"""Of AES-GCM. Each key of the device encrypts once or, after a crash, a few times; a drawn nonce does not repeat."""


class HardwareDevice:
    """One token of a module. Keys are AES-256, made inside, sensitive and not extractable, named by their epoch."""

    name = "pkcs11"

    def __init__(
        self, module: str, token: str, pin: str, new_nonce: Callable[[], bytes], label: str = "assent"
    ) -> None:
        """Use the token of this name with its PIN, through the library `module`; keys are named `label-epoch-N`.

        `new_nonce` draws 12 bytes. Raises `NotFound` where there is no such library or token.
        """
        self._label = label
        self._new_nonce = new_nonce
        try:
            slot = pkcs11.lib(module).get_token(token_label=token)
        except (pkcs11.NoSuchToken, RuntimeError) as problem:
            fix = "check `epoch_keys` in the settings file, and that the device is there"
            raise NotFound(f"there is no token `{token}`: {type(problem).__name__}", fix) from None
        try:
            self._session: Session = slot.open(rw=True, user_pin=pin)
        except pkcs11.PKCS11Error as problem:
            fix = "check the file or variable that holds the PIN"
            raise AssentError(f"the token `{token}` does not open: {type(problem).__name__}", fix) from None

    def make(self, epoch: int) -> None:
        if self._found(epoch) is None:
            self._session.generate_key(
                KeyType.AES,
                256,
                label=self._name(epoch),
                store=True,
                template={
                    Attribute.TOKEN: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                    Attribute.ENCRYPT: True,
                    Attribute.DECRYPT: True,
                },
            )

    def wrap(self, epoch: int, key: bytes) -> bytes:
        nonce = self._new_nonce()
        sealed: bytes = self._key(epoch).encrypt(
            key, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(nonce, self._name(epoch).encode(), 128)
        )
        return nonce + sealed

    def unwrap(self, epoch: int, wrapped: bytes) -> bytes:
        parameters = GCMParams(wrapped[:NONCE_BYTES], self._name(epoch).encode(), 128)
        try:
            key: bytes = self._key(epoch).decrypt(
                wrapped[NONCE_BYTES:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters
            )
        except pkcs11.PKCS11Error as problem:
            fix = "put the wrapped file back from a backup, or the device that it was made with"
            raise AssentError(f"the key of epoch `{epoch}` does not open: {type(problem).__name__}", fix) from None
        return key

    def destroy(self, epoch: int) -> Destroyed:
        for key in self._all(epoch):
            key.destroy()
        return Destroyed(epoch, "now", "destroyed in the device; a backup of the device itself would still hold it")

    def close(self) -> None:
        """Log out of the token."""
        self._session.close()

    def _key(self, epoch: int) -> Any:
        found = self._found(epoch)
        if found is None:
            fix = "if it was not destroyed on purpose, restore the device from its own backup"
            raise NotFound(f"the device has no key for epoch `{epoch}`", fix)
        return found

    def _found(self, epoch: int) -> Any:
        return next(self._all(epoch), None)

    def _all(self, epoch: int) -> Iterator[Any]:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: self._name(epoch)}
        # a search that is left half-way would keep the session busy
        yield from list(self._session.get_objects(wanted))

    def _name(self, epoch: int) -> str:
        return f"{self._label}-epoch-{epoch}"


def parse_uri(uri: str) -> dict[str, str]:
    """Read a PKCS #11 URI (RFC 7512): `pkcs11:token=NAME?module-path=FILE&pin-source=FILE`.

    Returns its attributes by name. Raises `Invalid` if it names no token or library, or holds the PIN itself.
    """
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    found = {name: unquote(value) for name, _, value in (piece.partition("=") for piece in path.split(";") if piece)}
    found |= dict(parse_qsl(query, keep_blank_values=True))
    if "pin-value" in found:
        raise Invalid("`epoch_keys` holds a PIN", "put the PIN into a file and name it by `pin-source`")
    for name in ("token", "module-path"):
        if not found.get(name):
            raise Invalid(f"`epoch_keys` names no `{name}`", "write `pkcs11:token=NAME?module-path=FILE`")
    return found
