"""The shelf of notices: what is shown is put there first, so that a choice can quote it and it can be shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Invalid, NotFound
from assent.policy.parse import parse_document
from assent.services.campaign.show import manifest_of
from assent.services.notice.lint import errors, lint_notice
from assent.services.notice.parse import parse_manifest
from assent.store.port import Notices, Policies
from assent.store.records import NoticeText, PolicyText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.notice.lints.finding import NoticeFinding


class Unfit(Invalid):
    """A notice that must not be shown; `findings` are those of its lint, warnings too."""

    def __init__(self, findings: Sequence[NoticeFinding]) -> None:
        """Count the errors; the findings say where each is."""
        count = len(errors(findings))
        super().__init__(f"the lint found {count} error{'' if count == 1 else 's'} in the notice", "correct each")
        self.findings = list(findings)


class Shelf(Notices, Policies, Protocol):
    """Where notices are kept, with the policies that they speak for."""


def keep_notice(
    store: Shelf, text: str, file: str, policies: Sequence[tuple[Policy, str]], *, now: datetime
) -> tuple[NoticeText, list[NoticeFinding]]:
    """Lint a manifest with its policy, and keep it if nothing speaks against showing it; returns what the lint said.

    `file` is the name under which problems point at it. Raises `ManifestProblems` if it cannot be read, `NotFound` if
    its policy is none of `policies`, `Unfit` if the lint finds errors.
    """
    manifest = parse_manifest(text, file)
    found = [(policy, source) for policy, source in policies if policy.name == manifest.policy]
    if not found:
        known = ", ".join(f"`{policy.name}`" for policy, _ in policies)
        raise NotFound("the notice speaks for a policy that is not in force here", f"name one of {known}")
    policy, source = found[-1]
    findings = lint_notice(manifest, parse_document(source, policy.name))
    if errors(findings):
        raise Unfit(findings)
    store.add_policy(PolicyText(policy.digest, policy.name, source, now))
    kept = NoticeText(manifest.digest, manifest.name, manifest.version, manifest.policy, manifest.text, now)
    store.add_notice(kept)
    return store.notice(manifest.digest) or kept, findings


def newest_notice(store: Notices, policy: str, purpose: str, named: str = "") -> NoticeText:
    """Find the notice kept last that asks for a purpose under a policy (a name). `named`: only the one of this digest.

    Raises `NotFound`.
    """
    for notice in reversed(store.notices()):
        fits = notice.policy == policy and named in ("", notice.digest)
        if fits and purpose in manifest_of(store, notice.digest).purposes:
            return notice
    fix = "put one there: `assent notice add FILE`, or `POST /v1/notices`"
    raise NotFound(f"no notice on the shelf asks for `{purpose}` under the policy in force", fix)
