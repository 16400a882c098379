"""Settings: one frozen object of addresses and limits, each with its unit and default."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Final

from assent.domain.errors import Invalid, Place

MAX_PAGE_ROWS: Final = 1_000
"""The most rows one page of a list may hold."""

FILE: Final = "assent.toml"
"""Name of the settings file; the folder that holds it is assent's home."""

_TEXTS: Final = frozenset(
    {
        "address",
        "controller",
        "epoch_keys",
        "gpc",
        "gpc_since",
        "host_issuer",
        "ledger_target",
        "oidc_client",
        "oidc_issuer",
        "origin",
        "product_url",
        "rights_business",
        "rights_verify_at",
        "segments",
        "slots",
    }
)
_SWITCHES: Final = frozenset({"rights_training_opt_out", "webhooks_inner"})
_LISTS: Final = frozenset({"embed_origins", "witnesses"})
_MAY_BE_ZERO: Final = frozenset(
    {"quarantine_days", "sweep_lag_days", "key_backup_days", "slack_days", "guard_floor_parts"}
)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_KINDS: Final = {
    **dict.fromkeys(_MAY_BE_ZERO, "a whole number, zero or above"),
    "database": "a path or an address that starts with postgresql://",
    "policies": "a list of paths",
    "embed_origins": "a list of texts",
    "witnesses": "a list of texts",
    **dict.fromkeys(_TEXTS, "a text"),
    **dict.fromkeys(_SWITCHES, "`true` or `false`"),
}
"""What a value must be; a whole number above zero where nothing else is said."""


SERVER: Final = ("postgresql://", "postgres://")
"""How the address of a PostgreSQL database starts."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a database server is. It may hold a password, so it shows itself to nobody."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things lie, and how much is done at once. Relative paths start at the home folder.

    `database`: SQLite file, or address of a PostgreSQL database. `policies`: folders or files of policy versions in
    force here. `batch_rows`: rows read, decided or erased at once. `memory_limit_mb`: MiB for the set
    evaluator. `threads`: workers of the set evaluator. `import_batch`: conversations written in one
    transaction. `list_page`: rows of a list on one page. `plan_valid_hours`: hours for which a plan may be swept.

    Of sealed content: `segments`: folder or address (`s3://...`) of the sealed records. `slots`: folder of the slot
    store, on this machine, on a file system that overwrites in place. `epoch_keys`: what keeps the keys that wrap the
    slots: `local` for files in `keys/epochs`, `pkcs11:token=NAME?module-path=FILE&pin-source=FILE` for a hardware
    security module, `aws-kms:REGION` for AWS KMS.

    Of erasing: `quarantine_days`: days for which what a person deleted is hidden and can be brought back.
    `sweep_lag_days`: days within which a sweep erases what has become ripe. `key_backup_days`: days for which backups
    of keys are kept. `slack_days`: days in hand. The last three together are the lead with which keys must go before
    `erase_by`, and all four must fit into the shortest promise of a policy. `epoch_days`: days after which the daemon
    rotates the keys, which ends every residue of those that were destroyed.

    Of what guards a sweep, beyond which it takes a second person: `guard_floor_parts`: parts that are never too many.
    `guard_most_parts`: parts of one plan. `guard_most_percent`: percent of all parts that are kept. `guard_times_mean`:
    times the parts of an average day. `canary_parts`: parts of a plan above the floor that go first and alone.
    `day_budget_parts`: parts that go in 24 hours. `cool_off_hours`: hours for which a new policy version, or a
    loosened guard, waits before it may erase more than the floor. `clock_ahead_hours`: hours by which the clock may
    have run on since the last round of the daemon.

    Of holds and flags: `approval_valid_days`: days within which a second person can approve what somebody asked for.
    `flag_score_days`: days for which what a flag found is kept, counted from the flag; its content may be gone by then.

    Of choices: `adult_age`: full years from which a person may allow without a guardian. `snapshot_valid_minutes`:
    minutes for which a question that was shown may be answered. `clock_skew_seconds`: seconds by which the clocks of
    two machines may differ.
    `gpc`: what Global Privacy Control does: `record`, or `decline` for people who have not answered since.
    `gpc_since`: the day, as YYYY-MM-DD, since when this site says so; empty publishes nothing.

    Of the ledger: `origin`: its name, as a web address without scheme. `controller`: who answers for the choices, as
    every record names it; the origin if empty. `witnesses`: public keys whose cosignatures are taken.
    `ledger_target`: folder or address (`s3://...`) where it is published; nowhere if empty.

    Of the API: `max_body_bytes`: bytes of one request. `max_telemetry_bytes`: bytes of one request with traces or
    turns, packed and unpacked. `api_threads`: requests that ask the store at the same moment.
    `answer_within_seconds`: seconds after which a request that nothing answered is told to come again.
    `answers_kept_hours`: hours for which a repeated `Idempotency-Key` gets the first answer again.
    `rights_business`: the name under which agents of the Data Rights Protocol know this controller; empty refuses
    them all. `rights_days`: days until a rights request must be answered (CCPA section 1798.130(a)(2): 45).
    `rights_training_opt_out`: whether agents may decline training for somebody (`training:opt-out`).
    `webhooks_inner`: whether events may go to http and to inner addresses, as within one cluster.
    `rights_verify_at`: https address of a page of yours on which people prove who they are; empty denies a request
    whose person is not found.

    Of the pages: `address`: where people reach them, as `https://privacy.example/assent`; empty: as they are asked,
    which is for one machine only. `host_issuer`: who signs the tokens with which people come from the product, as the
    tokens name it (`iss`); empty lets nobody in that way. `product_url`: where people who are not signed in go back
    to. `embed_origins`: origins, as `https://chat.example`, whose pages may hold the notice. `oidc_issuer`: address of
    the identity provider of the staff; empty: they come with one-time links. `oidc_client`: our name there.
    `session_hours`: hours for which staff stay signed in. `idle_minutes`: minutes without a visit after which they
    are not. `person_minutes`: minutes for which people stay signed in.
    """

    home: Path
    database: Path | ServerAddress
    policies: tuple[Path, ...] = ()
    batch_rows: int = 50_000
    memory_limit_mb: int = 700
    threads: int = 2
    import_batch: int = 200
    list_page: int = 50
    plan_valid_hours: int = 72
    segments: str = "vault/segments"
    slots: str = "vault/slots"
    epoch_keys: str = "local"
    quarantine_days: int = 14
    sweep_lag_days: int = 1
    key_backup_days: int = 14
    slack_days: int = 1
    epoch_days: int = 7
    guard_floor_parts: int = 1_000
    guard_most_parts: int = 250_000
    guard_most_percent: int = 10
    guard_times_mean: int = 10
    canary_parts: int = 100
    day_budget_parts: int = 1_000_000
    cool_off_hours: int = 72
    clock_ahead_hours: int = 24
    approval_valid_days: int = 7
    flag_score_days: int = 2_555
    adult_age: int = 18
    snapshot_valid_minutes: int = 60
    clock_skew_seconds: int = 60
    max_body_bytes: int = 1_048_576
    max_telemetry_bytes: int = 16_777_216
    api_threads: int = 8
    answer_within_seconds: int = 60
    answers_kept_hours: int = 24
    rights_business: str = ""
    origin: str = "localhost/assent"
    controller: str = ""
    witnesses: tuple[str, ...] = ()
    ledger_target: str = ""
    rights_days: int = 45
    rights_training_opt_out: bool = False
    rights_verify_at: str = ""
    gpc: str = "record"
    gpc_since: str = ""
    webhooks_inner: bool = False
    address: str = ""
    host_issuer: str = ""
    product_url: str = ""
    embed_origins: tuple[str, ...] = ()
    oidc_issuer: str = ""
    oidc_client: str = ""
    session_hours: int = 12
    idle_minutes: int = 60
    person_minutes: int = 60


def from_table(home: Path, table: dict[str, object]) -> Settings:
    """Read settings from the parsed settings file. Raises `Invalid` naming the key and what is allowed."""
    settings = Settings(home=home, database=home / "assent.db")
    known = {one.name for one in fields(Settings)} - {"home"}
    for key, value in table.items():
        if key not in known:
            raise Invalid(f"`{key}` is not a setting", f"use one of {', '.join(sorted(known))}", Place(FILE))
        settings = replace(settings, **{key: _read(home, key, value)})  # type: ignore[arg-type]
    return settings


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _read(home: Path, key: str, value: object) -> object:
    if key == "database" and isinstance(value, str) and (value.startswith(SERVER) or "://" not in value):
        return ServerAddress(value) if value.startswith(SERVER) else home / value
    if key == "policies" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(home / item for item in value)
    if key in _LISTS and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if key == "list_page" and isinstance(value, int) and value > MAX_PAGE_ROWS:
        raise Invalid(f"`list_page` is more than {MAX_PAGE_ROWS}", "ask for fewer rows a page", Place(FILE))
    if key == "gpc" and value not in ("record", "decline"):
        raise Invalid("`gpc` is neither `record` nor `decline`", "correct it in the settings file", Place(FILE))
    if key == "gpc_since" and not (isinstance(value, str) and _is_day(value)):
        raise Invalid("`gpc_since` is not a day", "write it as YYYY-MM-DD, in quotes", Place(FILE))
    if (key in _TEXTS and isinstance(value, str)) or (key in _SWITCHES and isinstance(value, bool)):
        return value
    if key in _MAY_BE_ZERO and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if key not in _KINDS and isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    kind = _KINDS.get(key, "a whole number above zero")
    raise Invalid(f"`{key}` is not {kind}", "correct it in the settings file", Place(FILE))
