"""What an offered question looks like, and whether the notice of a campaign may be shown at all."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from assent.domain.digests import digest
from assent.domain.errors import NotFound
from assent.policy.lints.finding import Finding
from assent.policy.parse import parse_document
from assent.services.campaign.machine import Linted
from assent.services.notice.lint import lint_notice
from assent.services.notice.parse import named_in, parse_manifest, texts_of
from assent.services.notice.render import render
from assent.store.records import Rendering

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.policy.document import Document
    from assent.services.campaign.acts import Keeping
    from assent.services.campaign.definition import Campaign
    from assent.services.campaign.machine import Course
    from assent.services.campaign.offer import Offer, Order
    from assent.services.notice.parse import Manifest
    from assent.services.notice.render import Rendered
    from assent.store.port import Notices, Policies


def manifest_of(store: Notices, notice: str) -> Manifest:
    """Read a notice of the shelf. Raises `NotFound`."""
    return _manifest(_notice_text(store, notice))


def policy_of(store: Policies, policy: str) -> Document:
    """Read a policy of the store. Raises `NotFound`."""
    return _policy(_policy_text(store, policy))


def shown(store: Keeping, offer: Offer, *, surface: str, locale: str, now: datetime) -> Rendering:
    """Draw an offered question exactly as it will be shown, and put it on the shelf.

    `defer` is left out where the notice has no such control. Raises `Invalid` for a surface or locale that the
    notice does not have.
    """
    texts = _notice_text(store, offer.notice), _policy_text(store, offer.policy)
    drawn = _drawn(*texts, offer, surface, locale)
    kept = store.rendering(drawn.digest)
    if kept is None:
        kept = Rendering(
            digest=drawn.digest,
            notice=offer.notice,
            surface=drawn.surface,
            locale=drawn.locale,
            layout=drawn.layout,
            options=tuple(drawn.options),
            body=drawn.body,
            added_at=now,
            deadline=_deadline(offer),
        )
        store.add_rendering(kept)
    return kept


def order_of(store: Notices, course: Course) -> Order:
    """Return how the notice in force orders its two answers."""
    return "decline first" if manifest_of(store, course.notice).header.order == "decline first" else "random"


def facts_said(manifest: Manifest) -> str:
    """Name what a notice says apart from how it says it: two notices with one such name differ in wording only.

    Everything but the sentences counts, and of each sentence the values of the policy that it words.
    """
    meant: dict[str, Any] = manifest.document.model_dump(mode="json")
    meant["locale"] = {
        locale: [[*map(str, path), sorted(set(named_in(text)))] for path, text in texts_of(wording)]
        for locale, wording in manifest.document.locale.items()
    }
    return digest(meant)


def linted_as(manifest: Manifest, policy: str, findings: Sequence[Finding]) -> Linted:
    """Sum up what the lint of a notice found; `policy` is the digest of the policy it was read with."""
    errors = sum(finding.severity == "error" for finding in findings)
    return Linted(manifest.digest, policy, facts_said(manifest), errors, len(findings) - errors)


def lint_of(store: Keeping, course: Course, notice: str = "") -> tuple[Linted, list[Finding]]:
    """Lint the notice in force, or the one that an amendment brings (a digest), with how the campaign fits to it."""
    manifest, policy = manifest_of(store, notice or course.notice), policy_of(store, course.policy)
    findings = [*lint_notice(manifest, policy), *misfits(course.campaign, manifest, policy)]
    return linted_as(manifest, course.policy, findings), findings


def misfits(campaign: Campaign, manifest: Manifest, policy: Document) -> list[Finding]:
    """Say where a campaign and its notice do not fit together; each is an error, but a deadline is a warning."""
    found = []
    for purpose in campaign.purposes:
        if purpose not in manifest.purposes:
            message = f"the notice does not ask for `{purpose}`"
            found.append(_finding(("campaign", "purposes"), message, f"use one of {', '.join(manifest.purposes)}"))
    for layout, _ in campaign.layouts:
        if layout not in manifest.header.layouts:
            message = f"the notice has no layout `{layout}`"
            found.append(_finding(("layouts", layout), message, f"use one of {', '.join(manifest.header.layouts)}"))
    if manifest.policy != campaign.policy:
        message = f"the notice speaks for `{manifest.policy}`"
        found.append(_finding(("campaign", "policy"), message, "name the notice of this policy"))
    told = policy.parameters.answer_deadline
    if told is not None and told != campaign.deadline:
        message = f"the policy names another deadline than the notice will: {told.isoformat()}"
        warning = _finding(("campaign", "deadline"), message, "let both name the same")
        found.append(replace(warning, severity="warning"))
    return found


def _finding(path: tuple[str | int, ...], message: str, fix: str) -> Finding:
    return Finding("", "", path, message, fix)


def _notice_text(store: Notices, notice: str) -> str:
    kept = store.notice(notice)
    if kept is None:
        raise NotFound(f"there is no notice `{notice}` on the shelf", "add the notice first")
    return kept.document


def _policy_text(store: Policies, policy: str) -> str:
    kept = store.policy(policy)
    if kept is None:
        raise NotFound(f"policy `{policy}` is not in the store", "add the policy first")
    return kept.text


@lru_cache(maxsize=1_000)
def _drawn(notice: str, policy: str, offer: Offer, surface: str, locale: str) -> Rendered:
    manifest = _manifest(notice)
    controls = {control.act for control in manifest.document.control}
    return render(
        manifest,
        _policy(policy),
        purpose=offer.purpose,
        surface=surface,
        locale=locale,
        layout=offer.layout,
        options=[option for option in offer.options if option in controls],
        defers_left=offer.defers_left,
        deadline=_deadline(offer),
    )


def _deadline(offer: Offer) -> datetime | None:
    """Return the deadline that a campaign set; outside of campaigns the policy's own is named."""
    return offer.deadline if offer.campaign else None


@lru_cache(maxsize=64)
def _manifest(document: str) -> Manifest:
    return parse_manifest(document, "notice")


@lru_cache(maxsize=64)
def _policy(text: str) -> Document:
    return parse_document(text, "policy")
