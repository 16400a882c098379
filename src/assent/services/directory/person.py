"""What the directory tells of a person, as a SCIM resource: a small `User`, because what is not needed is not kept.

`userType` is the plan. `externalId`, or `userName` where there is none, is the subject under which the chat products
know the person; it is read once, when the entry is made. Addresses and numbers are kept to find the person behind a
rights request, and for nothing else. Attributes of the core schema that are not named here are read and dropped.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import EmailStr
from scim2_models import URN, ComplexAttribute, Meta, Required, Resource, Uniqueness

from assent.store.records import Account, DirectoryEntry

if TYPE_CHECKING:
    from collections.abc import Collection

_MICROSECOND: Final = timedelta(microseconds=1)


class Email(ComplexAttribute):
    """An address of the person."""

    value: EmailStr | None = None
    type: str | None = None
    primary: bool | None = None


class PhoneNumber(ComplexAttribute):
    """A number of the person."""

    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class User(Resource[Any]):
    """A person, as far as assent needs to know one."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    user_type: str | None = None
    """The plan, in the words of the policy: `free`, `pro`, `team` ..."""

    active: bool | None = None
    """False closes the account; whoever is active again later begins anew, the closed account stays closed."""

    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None


def subject_of(user: User) -> str:
    """Return the subject under which the products know a new person."""
    return user.external_id or user.user_name or ""


def handles_of(user: User) -> tuple[str, ...]:
    """Return what a rights request, or a search of the directory, may know the person by; in small letters."""
    found = [f"email:{item.value.lower()}" for item in user.emails or () if item.value]
    found += [f"phone:{plain_number(item.value)}" for item in user.phone_numbers or () if item.value]
    if user.external_id:
        found.append(external_handle(user.external_id))
    return tuple(dict.fromkeys(found))


def external_handle(external_id: str) -> str:
    """Return the handle of an `externalId`, whose capitals count."""
    return f"external:{external_id}"


def plain_number(text: str) -> str:
    """Return a telephone number as digits, with a plus where it had one (`tel:+1-201-555-0123`: `+12015550123`)."""
    return "".join(sign for sign in text.removeprefix("tel:") if sign.isdigit() or sign == "+")


def entry_of(user: User, name: str, subject: str, now: datetime) -> DirectoryEntry:
    """Return the entry of a new person, under the name `name` of the resource."""
    return DirectoryEntry(name, user.user_name or "", subject, _document(user), now, now, handles_of(user))


def changed_entry(entry: DirectoryEntry, user: User, now: datetime) -> DirectoryEntry:
    """Return the next version of an entry; no two versions have one time."""
    at = max(now, entry.changed_at + _MICROSECOND)
    name = user.user_name or ""
    return replace(entry, name=name, document=_document(user), changed_at=at, handles=handles_of(user))


def user_of(entry: DirectoryEntry, base: str) -> User:
    """Return the resource of an entry; `base` is the address of the directory, for its location."""
    user = User.model_validate_json(entry.document)
    user.id = entry.id
    user.meta = Meta(
        resource_type="User",
        created=entry.created_at,
        last_modified=entry.changed_at,
        location=f"{base}/Users/{entry.id}",
        version=version_of(entry),
    )
    return user


def version_of(entry: DirectoryEntry) -> str:
    """Return the version of an entry as a weak entity tag (RFC 7644 section 3.14)."""
    return f'W/"{entry.changed_at:%Y%m%dT%H%M%S%f}"'


def account_of(user: User, subject: str, known: Account | None, business: Collection[str], now: datetime) -> Account:
    """Return what is known of an account after the directory has spoken.

    A first move from another plan to one of `business` is dated; so is the end of the account.
    """
    before = known or Account(subject)
    account = replace(before, plan=user.user_type or None)
    if user.user_type in business and before.plan is not None and before.plan not in business:
        account = replace(account, moved_to_business_at=before.moved_to_business_at or now)
    if user.active is False:
        account = replace(account, closed_at=before.closed_at or now)
    return account


def _document(user: User) -> str:
    return user.model_dump_json(exclude={"id", "meta"})
