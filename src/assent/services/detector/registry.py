"""The versions of a home: which one decides, which runs in its shadow, which are retired, and what let each in.

`detectors/registry.json` of the home says so; each version lies in a folder of its own beside it, with its files,
its card and the report of the gate. The file is replaced as a whole, so it is never half of one state and half of
another. Without a version of its own a home uses the detector that comes with the package.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.instants import format_instant
from assent.learn.harm.cascade import SHIPPED, load
from assent.learn.harm.manifest import FILE, read_files, read_manifest
from assent.services.approve import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assent.learn.harm.cascade import Cascade
    from assent.store.port import Approvals

FOLDER: Final = "detectors"
REGISTRY: Final = "registry.json"
REPORT: Final = "gate.json"
DEFAULT: Final = "default"

State = Literal["candidate", "shadow", "active", "retired"]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a detector. `manifest` is the digest of its manifest, by which a report names what it judged."""

    title: str
    folder: str
    manifest: str
    state: State
    added_at: str


@dataclass(frozen=True, slots=True)
class Act:
    """What was done with a version, when, by whom and why."""

    at: str
    act: str
    title: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Registry:
    """All versions, and all acts, the oldest first."""

    versions: tuple[Version, ...] = ()
    acts: tuple[Act, ...] = ()

    @property
    def active(self) -> Version | None:
        """The version that decides; None for the one that comes with the package."""
        return next((one for one in self.versions if one.state == "active"), None)

    @property
    def shadow(self) -> Version | None:
        """The version that is scored beside it and decides nothing."""
        return next((one for one in self.versions if one.state == "shadow"), None)

    def named(self, title: str) -> Version:
        """Return a version. Raises `NotFound`."""
        found = next((one for one in self.versions if one.title == title), None)
        if found is None:
            raise NotFound(f"no version `{title}` is registered here", "list them with `assent detector versions`")
        return found


def read_registry(home: Path) -> Registry:
    """Read the registry of a home; one without any is empty. Raises `Invalid` for a file that is none."""
    path = home / FOLDER / REGISTRY
    if not path.exists():
        return Registry()
    try:
        said = json.loads(path.read_text("utf-8"))
        return Registry(tuple(Version(**one) for one in said["versions"]), tuple(Act(**one) for one in said["acts"]))
    except (ValueError, TypeError, KeyError):
        raise Invalid(f"`{REGISTRY}` of the detectors is no registry", "restore it from a backup") from None


def register(home: Path, source: Path, *, by: str, reason: str, now: datetime) -> Version:
    """Take a trained detector in as a candidate; its folder is copied. The same one again changes nothing.

    Raises `Refused` if another one of its name and version is there, and what reading a detector raises.
    """
    manifest = read_manifest(source)
    read_files(source, manifest)  # no version is taken in whose files are not those of its manifest
    digest = digest_bytes((source / FILE).read_bytes())
    with _changing(home) as change:
        known = next((one for one in change.registry.versions if one.title == manifest.title), None)
        if known is not None:
            if known.manifest != digest:
                raise Refused(f"another `{manifest.title}` is registered", "train it under a version of its own")
            return known
        folder = home / FOLDER / manifest.title.replace("@", "-")
        if folder.resolve() != source.resolve():
            shutil.copytree(source, folder, dirs_exist_ok=True)
        made = Version(manifest.title, folder.name, digest, "candidate", format_instant(now))
        change.write(
            Registry((*change.registry.versions, made), change.registry.acts), "register", made, by, reason, now
        )
    return made


def run_in_shadow(home: Path, title: str, *, by: str, reason: str, now: datetime) -> Version:
    """Let a candidate be scored beside the version that decides, whatever runs there now. It decides nothing."""
    with _changing(home) as change:
        version = change.registry.named(title)
        if version.state == "active":
            raise Refused(f"`{title}` decides already", "name a candidate")
        rest = tuple(_into(one, "candidate") if one.state == "shadow" else one for one in change.registry.versions)
        change.write(
            _with(replace(change.registry, versions=rest), version, "shadow"), "shadow", version, by, reason, now
        )
    return replace(version, state="shadow")


def promote(home: Path, approvals: Approvals, title: str, *, by: str, reason: str, now: datetime) -> Version:
    """Let a version decide, whose report of the gate says that it passed against the one that decides now.

    It takes a second person (`assent approve ask promote TITLE`), whose approval is used up. Raises `Refused` without
    one, without a report, or with one about other detectors than these.
    """
    with _changing(home) as change:
        version = change.registry.named(title)
        if version.state == "active":
            return version
        _check_report(home, change.registry, version)
        require(approvals, act="promote", target=title, now=now)
        rest = tuple(_into(one, "retired") if one.state == "active" else one for one in change.registry.versions)
        change.write(
            _with(replace(change.registry, versions=rest), version, "active"), "promote", version, by, reason, now
        )
    return replace(version, state="active")


def rollback(home: Path, *, by: str, reason: str, now: datetime) -> Version | None:
    """Let the version decide again that did before; None for the one that comes with the package.

    One person may: what is brought back has passed before. Raises `Refused` where the package's own decides.
    """
    with _changing(home) as change:
        active = change.registry.active
        if active is None:
            raise Refused("the detector of the package decides; nothing is before it", "promote a version instead")
        before = _before(change.registry, active)
        rest = tuple(_into(one, "retired") if one.title == active.title else one for one in change.registry.versions)
        left = replace(change.registry, versions=rest)
        change.write(left if before is None else _with(left, before, "active"), "rollback", active, by, reason, now)
    return None if before is None else replace(before, state="active")


def open_detector(home: Path, name: str = DEFAULT) -> Cascade:
    """Load a detector: a shipped one, a registered version, a folder, or `active`, the one that decides."""
    registry = read_registry(home)
    if name == "active":
        return load(DEFAULT) if registry.active is None else load(str(home / FOLDER / registry.active.folder))
    known = next((one for one in registry.versions if one.title == name), None)
    return load(str(home / FOLDER / known.folder)) if known is not None and name not in SHIPPED else load(name)


def open_shadow(home: Path) -> Cascade | None:
    """Load the version that runs in the shadow; None where none does."""
    version = read_registry(home).shadow
    return None if version is None else load(str(home / FOLDER / version.folder))


def keep_report(home: Path, version: Version, report: dict[str, object]) -> Path:
    """Keep what the gate said of a version beside it, and return where."""
    path = home / FOLDER / version.folder / REPORT
    _put(path, report)
    return path


def _check_report(home: Path, registry: Registry, version: Version) -> None:
    path = home / FOLDER / version.folder / REPORT
    fix = f"run `assent detector compare {version.title}`"
    if not path.exists():
        raise Refused(f"nobody has compared `{version.title}` with the version that decides", fix)
    try:
        report = json.loads(path.read_text("utf-8"))
    except ValueError:
        report = None
    if not isinstance(report, dict):
        raise Invalid(f"`{REPORT}` of `{version.title}` is no report", fix)
    incumbent = load(DEFAULT).name if registry.active is None else registry.active.title
    if (report.get("candidate_manifest"), report.get("incumbent")) != (version.manifest, incumbent):
        raise Refused(f"the report on `{version.title}` is about another comparison", fix)
    if report.get("passed") is not True:
        raise Refused(f"the gate does not let `{version.title}` through", "look at its report: every number is there")


def _before(registry: Registry, active: Version) -> Version | None:
    """Walk the acts: what decided before this version was promoted last."""
    stack: list[str] = []
    for act in registry.acts:
        if act.act == "promote":
            stack.append(act.title)
        elif act.act == "rollback" and stack:
            stack.pop()
    earlier = stack[-2] if len(stack) > 1 and stack[-1] == active.title else None
    return None if earlier is None else registry.named(earlier)


def _with(registry: Registry, version: Version, state: State) -> Registry:
    return replace(
        registry, versions=tuple(_into(one, state) if one.title == version.title else one for one in registry.versions)
    )


def _into(version: Version, state: State) -> Version:
    return replace(version, state=state)


class _Change:
    """A registry that nobody else changes meanwhile."""

    def __init__(self, home: Path) -> None:
        self.registry = read_registry(home)
        self._home = home

    def write(self, registry: Registry, act: str, version: Version, by: str, reason: str, now: datetime) -> None:
        if not by.strip() or not reason.strip():
            raise Invalid(f"to {act} a detector needs a name and a reason", "say who and why")
        done = Act(format_instant(now), act, version.title, by, reason)
        whole = {"versions": [asdict(one) for one in registry.versions]}
        _put(self._home / FOLDER / REGISTRY, whole | {"acts": [asdict(one) for one in (*registry.acts, done)]})


@contextmanager
def _changing(home: Path) -> Iterator[_Change]:
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _Change(home)


def _put(path: Path, value: object) -> None:
    """Replace a file as a whole; it is on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
