"""AWS KMS as the keeper of epoch keys.

Its gap: KMS destroys no key at once. A key waits seven days at least (ScheduleKeyDeletion, 7 to 30), is unusable
meanwhile, and an administrator of the account can bring it back until the last day. So an epoch under KMS ends
`WAITING_DAYS` after its rotation, and residues of wrapped data keys in backups and journals live that much longer.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from assent.domain.errors import AssentError, NotFound
from assent.vault.epochs import Destroyed

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITING_DAYS: Final = 7
"""The shortest waiting time that KMS allows before it destroys a key."""


class CloudDevice:
    """One KMS key for each epoch, found by its alias `alias/PREFIX-epoch-N`.

    Credentials come from where the AWS libraries look for them: the environment, files, or the machine's role.
    """

    name = "aws-kms"

    def __init__(self, region: str, prefix: str = "assent") -> None:
        """Use the keys of one region whose aliases begin with `prefix`."""
        self._client: Any = boto3.client("kms", region_name=region)
        self._prefix = prefix

    def make(self, epoch: int) -> None:
        if self._found(epoch) is not None:
            return
        with _explained("make a key"):
            key = self._client.create_key(Description=f"assent: what wraps the key of epoch {epoch}")["KeyMetadata"]
            self._client.create_alias(AliasName=self._alias(epoch), TargetKeyId=key["KeyId"])

    def wrap(self, epoch: int, key: bytes) -> bytes:
        with _explained("wrap a key"):
            sealed: bytes = self._client.encrypt(
                KeyId=self._key(epoch), Plaintext=key, EncryptionContext=self._bound_to(epoch)
            )["CiphertextBlob"]
        return sealed

    def unwrap(self, epoch: int, wrapped: bytes) -> bytes:
        with _explained("open a key"):
            key: bytes = self._client.decrypt(
                KeyId=self._key(epoch), CiphertextBlob=wrapped, EncryptionContext=self._bound_to(epoch)
            )["Plaintext"]
        return key

    def destroy(self, epoch: int) -> Destroyed:
        found = self._found(epoch)
        if found is None:
            return Destroyed(epoch, "now", "AWS KMS has no key for this epoch")
        with _explained("destroy a key"):
            if found["KeyState"] != "PendingDeletion":
                self._client.schedule_key_deletion(KeyId=found["KeyId"], PendingWindowInDays=WAITING_DAYS)
                found = self._client.describe_key(KeyId=found["KeyId"])["KeyMetadata"]
        day = f"{found['DeletionDate']:%Y-%m-%d}"
        note = f"AWS KMS destroys it on {day}; until then an administrator of the account could bring it back"
        return Destroyed(epoch, "later", note)

    def _key(self, epoch: int) -> str:
        found = self._found(epoch)
        if found is None:
            raise NotFound(f"AWS KMS has no key for epoch `{epoch}`", "check region and prefix in `epoch_keys`")
        if found["KeyState"] == "PendingDeletion":
            raise NotFound(f"the key of epoch `{epoch}` is being destroyed in AWS KMS", "what it wrapped was erased")
        key: str = found["KeyId"]
        return key

    def _found(self, epoch: int) -> dict[str, Any] | None:
        with _explained("look for a key"):
            try:
                found: dict[str, Any] = self._client.describe_key(KeyId=self._alias(epoch))["KeyMetadata"]
            except self._client.exceptions.NotFoundException:
                return None
        return found

    def _alias(self, epoch: int) -> str:
        return f"alias/{self._prefix}-epoch-{epoch}"

    def _bound_to(self, epoch: int) -> dict[str, str]:
        return {"assent-epoch": str(epoch)}


@contextmanager
def _explained(deed: str) -> Iterator[None]:
    try:
        yield
    except ClientError as problem:
        code = problem.response["Error"]["Code"]
        raise AssentError(f"AWS KMS does not {deed}: {code}", "check the key's state and your permissions") from None
    except BotoCoreError as problem:
        name = type(problem).__name__
        raise AssentError(f"AWS KMS could not be asked to {deed}: {name}", "check region and credentials") from None
