"""The public keys of the chat product: a folder that whoever rotates keys writes into while the server runs.

`NAME.pem` and `NAME.jwk` hold one key each, found by `NAME`; a `.jwks.json` file holds several
under names of their own. While a product changes its key, the old and the new one lie side by side.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey, import_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from joserfc.jwk import Key

FOLDER: Final = "host"
LEAST_RSA_BITS: Final = 2_048
"""RFC 7518 section 3.3."""

_UNREAD: Final = (JoseError, ValueError, TypeError, KeyError, OSError, RecursionError, UnsupportedAlgorithm)
_SUFFIXES: Final = (".pem", ".jwk", ".jwks.json")
_MOST_BYTES: Final = 65_536
_WRITABLE: Final = 0o022

_Seen = tuple[tuple[str, int, int, int], ...]


class HostKeys:
    """Public keys by name, read again when a file in their folder changed."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """Read this folder, which need not be there; `say` hears of each file that is no use."""
        self._folder = folder
        self._say = say
        self._seen: _Seen = ()
        self._keys: dict[str, Key] = {}

    def find(self, kid: str) -> Key | None:
        """Return the key of this name, as the folder holds it now."""
        if (seen := self._look()) != self._seen:
            # the keys first: whoever asks meanwhile reads once more, and never goes without
            self._keys = self._read(seen)
            self._seen = seen
        return self._keys.get(kid)

    def _look(self) -> _Seen:
        if not self._folder.is_dir():
            return ()
        found = ((path, path.stat()) for path in self._folder.iterdir() if path.name.endswith(_SUFFIXES))
        return tuple(sorted((path.name, stat.st_mtime_ns, stat.st_size, stat.st_mode) for path, stat in found))

    def _read(self, seen: _Seen) -> dict[str, Key]:
        keys: dict[str, Key] = {}
        for name, _, size, mode in seen:
            try:
                if size > _MOST_BYTES or mode & _WRITABLE:
                    raise ValueError("larger than any key, or others on this machine may write it")
                found = dict(_keys_of(name, (self._folder / name).read_text("utf-8")))
                if taken := found.keys() & keys.keys():
                    raise ValueError(f"there is another key of the name `{min(taken)}`")
            except _UNREAD as error:
                # a file that is half written, or wrong, takes no other key with it
                self._say(json.dumps({"key_file": name, "problem": str(error)[:200]}))
            else:
                keys |= found
        return keys


def _keys_of(name: str, text: str) -> Iterator[tuple[str, Key]]:
    if name.endswith(".jwks.json"):
        for one in KeySet.import_key_set(_object(text)).keys:
            yield one.kid or "", _public(one)
    elif name.endswith(".jwk"):
        yield name.removesuffix(".jwk"), _public(import_key(_object(text)))
    else:
        yield name.removesuffix(".pem"), _public(_from_pem(text))


def _object(text: str) -> Any:
    """Read a JSON object: of a text alone the library would guess which kind of key it is."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004
    return found


def _from_pem(text: str) -> Key:
    if "PRIVATE KEY" in text:
        raise ValueError("it is a private key: keep that with the product, and put its public half here")
    for kind in ("OKP", "EC", "RSA"):
        try:
            return import_key(text, kind)
        except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
            continue
    raise ValueError("it is no public key of the kinds Ed25519, P-256 or RSA")


def _public(key: Key) -> Key:
    """Return a key that only checks. Raises `ValueError` for any other."""
    if not isinstance(key, OKPKey | ECKey | RSAKey):
        raise ValueError("it is a secret that both sides would know: only public keys are taken")  # noqa: TRY004
    if key.is_private:
        raise ValueError("it is a private key: keep that with the product, and put its public half here")
    if isinstance(key, RSAKey) and key.public_key.key_size < LEAST_RSA_BITS:
        raise ValueError(f"an RSA key has {LEAST_RSA_BITS} bits at least")
    return key
