"""What a directory may do: make, read, find, replace, change and remove people; accounts follow at once.

Removing somebody, or setting them inactive, closes the account: what then happens to what they wrote is the policy's
to say, and no history is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from scim2_models import (
    NotFoundException,
    PatchOp,
    PreconditionFailedException,
    ScimFilter,
    ScimPolicy,
    TooManyException,
    UniquenessException,
)
from scim2_models.path.expressions import CompareOperator, Comparison

from assent.domain.errors import Refused
from assent.services.directory.person import (
    User,
    account_of,
    changed_entry,
    entry_of,
    external_handle,
    subject_of,
    user_of,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from assent.store.records import Account, DirectoryEntry

LOOKED_THROUGH: Final = 10_000
"""Entries that a filter looks through at most; `userName eq`, `externalId eq` and `id eq` are found by index."""

LENIENT: Final = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
"""Directories send whole people; what assent has no use for is dropped, not refused."""


class DirectoryStore(Protocol):
    """What is kept of the directory, and the accounts that follow it."""

    def put_entry(self, entry: DirectoryEntry, *, was: datetime | None = None) -> bool: ...

    def entry(self, entry: str) -> DirectoryEntry | None: ...

    def entries(self, *, after: int, limit: int, name: str | None = None) -> tuple[list[DirectoryEntry], int]: ...

    def entries_known_as(self, handles: Sequence[str]) -> list[DirectoryEntry]: ...

    def drop_entry(self, entry: str) -> bool: ...

    def account(self, subject: str) -> Account | None: ...

    def put_accounts(self, accounts: Sequence[Account]) -> None: ...


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory as one caller sees it: `base` is its address, `business` the business plans, `now` the instant."""

    store: DirectoryStore
    base: str
    business: Collection[str]
    now: datetime

    def create(self, user: User, name: str) -> User:
        """Take a new person in under the name `name`. Raises `UniquenessException` if somebody has the `userName`."""
        subject = subject_of(user)
        named_so = self.store.entries_known_as([external_handle(subject), subject.casefold()])
        if any(entry.subject == subject for entry in named_so):
            raise UniquenessException(detail="another User stands for this account")
        entry = entry_of(user, name, subject, self.now)
        self._keep(entry, None)
        self._follow(user, entry.subject)
        return user_of(entry, self.base)

    def read(self, name: str) -> User:
        """Return a person. Raises `NotFoundException`."""
        return user_of(self._entry(name), self.base)

    def find(self, which: ScimFilter[User] | None, *, start: int, count: int) -> tuple[list[User], int]:
        """Return `count` people from the `start`-th on (from 0) that a filter asks for, and how many it asks for.

        Raises `TooManyException` if the filter would have to look through more than `LOOKED_THROUGH` people.
        """
        if which is None:
            entries, total = self.store.entries(after=start, limit=count)
            return [user_of(entry, self.base) for entry in entries], total
        nearest = self._nearest(which)
        if nearest is None:
            nearest, total = self.store.entries(after=0, limit=LOOKED_THROUGH)
            if total > LOOKED_THROUGH:
                raise TooManyException(detail="too many to look through: filter by userName, externalId or id")
        users = [user for entry in nearest if which.match(user := user_of(entry, self.base))]
        return users[start : start + count], len(users)

    def replace(self, name: str, user: User, version: str | None) -> User:
        """Put another description in the place of a person's; `version` is the one it must still have, if given."""
        entry = self._entry(name, version)
        user.replace(user_of(entry, self.base))
        return self._change(entry, user)

    def patch(self, name: str, patch: PatchOp[User], version: str | None) -> User:
        """Change a person in part."""
        entry = self._entry(name, version)
        user = user_of(entry, self.base)
        patch.patch(user, scim_policy=LENIENT)
        return self._change(entry, user)

    def remove(self, name: str, version: str | None) -> None:
        """Forget the description of a person and close the account."""
        entry = self._entry(name, version)
        user = user_of(entry, self.base)
        user.active = False
        # first the account: if this stops half-way, the directory asks again
        self._follow(user, entry.subject)
        self.store.drop_entry(entry.id)

    def _change(self, entry: DirectoryEntry, user: User) -> User:
        changed = changed_entry(entry, user, self.now)
        if changed.document != entry.document:
            self._keep(changed, entry.changed_at)
            entry = changed
        self._follow(user, entry.subject)
        return user_of(entry, self.base)

    def _keep(self, entry: DirectoryEntry, was: datetime | None) -> None:
        try:
            kept = self.store.put_entry(entry, was=was)
        except Refused:
            raise UniquenessException(detail="another User has this userName") from None
        if not kept:
            raise PreconditionFailedException(detail="the User was changed meanwhile: read it again")

    def _entry(self, name: str, version: str | None = None) -> DirectoryEntry:
        entry = self.store.entry(name)
        if entry is None:
            raise NotFoundException(detail="there is no User under this id")
        if version not in (None, "*", version_of(entry)):
            raise PreconditionFailedException(detail="the User is another version by now: read it again")
        return entry

    def _follow(self, user: User, subject: str) -> None:
        known = self.store.account(subject)
        account = account_of(user, subject, known, self.business, self.now)
        if account != known:
            self.store.put_accounts([account])

    def _nearest(self, which: ScimFilter[User]) -> list[DirectoryEntry] | None:
        """Find by index what may match; None where no index helps."""
        node = which.ast
        if not isinstance(node, Comparison) or node.op is not CompareOperator.eq or not isinstance(node.value, str):
            return None
        attribute = str(node.attr_path).rpartition(":")[2].lower()
        if attribute == "username":
            return self.store.entries(after=0, limit=1, name=node.value)[0]
        if attribute == "externalid":
            return self.store.entries_known_as([external_handle(node.value)])
        if attribute == "id":
            found = self.store.entry(node.value)
            return [found] if found else []
        return None
