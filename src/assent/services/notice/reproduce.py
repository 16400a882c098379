"""Make a past rendering again from the kept manifest and policy, and say whether it is the same bytes (R20).

The kept bytes are what counts. That they can be made again shows that they belong to this notice
and policy; where the renderer or CLDR has changed since, they cannot, and that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.digests import digest_bytes
from assent.domain.errors import AssentError
from assent.services.notice.parse import parse_manifest
from assent.services.notice.render import render

if TYPE_CHECKING:
    from assent.policy.document import Document
    from assent.store.records import NoticeText, Rendering


def is_itself(rendering: Rendering) -> bool:
    """Tell whether the kept bytes are those that the digest names."""
    return digest_bytes(rendering.body.encode()) == rendering.digest


def reproduce(rendering: Rendering, notice: NoticeText, policy: Document) -> bool:
    """Tell whether rendering again gives the kept bytes, for some purpose and some number of defers left.

    False also for a rendering that belongs to another notice or policy.
    """
    try:
        manifest = parse_manifest(notice.document, "notice")
    except AssentError:
        return False
    if manifest.digest != rendering.notice:
        return False
    for purpose in manifest.purposes:
        for left in range(policy.parameters.max_defers, -1, -1):
            try:
                again = render(
                    manifest,
                    policy,
                    purpose=purpose,
                    surface=rendering.surface,
                    locale=rendering.locale,
                    layout=rendering.layout,
                    options=rendering.options,
                    defers_left=left,
                    deadline=rendering.deadline,
                )
            except AssentError:
                continue
            if again.body == rendering.body:
                return True
    return False
