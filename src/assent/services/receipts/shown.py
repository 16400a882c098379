"""Find the terms that went with a choice: made again from the notice and policy on the shelf, never kept twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Refused
from assent.policy.parse import parse_document
from assent.services.notice.parse import parse_manifest
from assent.services.notice.terms import terms_of

if TYPE_CHECKING:
    from assent.ledger.terms import Terms
    from assent.store.records import Choice, NoticeText, PolicyText, Rendering


class Shelf(Protocol):
    """What was shown, and the policies it spoke for."""

    def rendering(self, digest: str) -> Rendering | None: ...

    def notice(self, digest: str) -> NoticeText | None: ...

    def policy(self, digest: str) -> PolicyText | None: ...


def shown_terms(store: Shelf, choice: Choice) -> Terms:
    """Return the terms of the notice that was shown for this choice.

    Raises `Refused` if the choice was recorded without terms (imported, or answered on a plain
    question), if the shelf no longer has its notice, or if they come out other than the choice says.
    """
    if not choice.terms:
        raise Refused(
            f"choice `{choice.id}` was recorded without terms, so there is no receipt for it",
            "`assent ledger prove` still shows when what was chosen",
        )
    rendering = store.rendering(choice.notice)
    notice = None if rendering is None else store.notice(rendering.notice)
    policy = store.policy(choice.policy)
    if rendering is None or notice is None or policy is None:
        raise Refused(
            f"the notice that was shown for choice `{choice.id}` is not on the shelf with its policy",
            "restore the store from before it was lost: notices are kept for ever",
        )
    manifest = parse_manifest(notice.document, notice.name)
    terms = terms_of(manifest, parse_document(policy.text, policy.name), choice.purpose, rendering.locale)
    if terms.digest != choice.terms:
        raise Refused(
            f"the terms of choice `{choice.id}` cannot be made again byte for byte",
            "use the version of assent that recorded it",
        )
    return terms
