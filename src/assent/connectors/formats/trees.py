"""Messages that name their parent: which of them lie on the path that the person ended up on.

An edited prompt or a regenerated answer gives a message a second child. What is not on the
path stays in the conversation, marked as abandoned, because it has to be erased as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from assent.domain.instants import EARLIEST


def path_to(leaf: str, parents: Mapping[str, str]) -> list[str]:
    """List the messages from the root to `leaf`; a missing parent or a cycle ends the walk."""
    path: dict[str, None] = {}
    node = leaf
    while node in parents and node not in path:
        path[node] = None
        node = parents[node]
    return list(reversed(path))


def newest_leaf(parents: Mapping[str, str], times: Mapping[str, datetime | None]) -> str:
    """Guess where the person ended up, if the source does not say: at the newest message without a reply.

    Of equally new ones it is the last; "" if there are no messages.
    """
    inner = set(parents.values())
    leaves = [node for node in parents if node not in inner] or list(parents)
    return max(reversed(leaves), key=lambda node: times.get(node) or EARLIEST, default="")
