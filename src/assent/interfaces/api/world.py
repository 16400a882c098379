"""All that the API knows of the outside: ports, settings, and what only the wiring may draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.policy.model import Policy
    from assent.services.choose.desk import Desk
    from assent.services.choose.several import EnterAll
    from assent.services.connect.files import Connectors
    from assent.services.erase.journal import Journal
    from assent.services.erase.world import ErasureWorld
    from assent.services.events.deliver import Desk as Post
    from assent.services.figures.background import Background
    from assent.services.guard.by_hand import ByHand
    from assent.services.ledger.log import Log
    from assent.services.run.world import RunWorld
    from assent.services.session.open_id import OpenId
    from assent.services.session.subject_token import Keys
    from assent.settings import Settings
    from assent.store.columns import Columns
    from assent.store.keys import KeyFolder
    from assent.store.port import Store


@dataclass(frozen=True)
class World:
    """Ports of one running server; every resource of the API is built from it and from nothing else.

    `log` is what appending to the ledger needs, `append` appends choices that come at the same moment, `desk` is
    where questions are handed out, `post` where events leave, `keys` the folder of secrets. `policies` pairs each
    version in force, oldest first, with the text of its file. `now` is the instant, `ticks` are seconds that never
    jump back (for how long things took), `new_id` and `new_key` draw a fresh name and a fresh secret of 32 bytes,
    `chance` a number evenly from [0, 1). `say` takes one line of the server's own record,
    `new_columns` opens a session of the set evaluator. `journal` is where holds are written down beside the database,
    `lead` how long before `erase_by` a part is erased. `host_keys` are the public keys of the chat product, by which
    its people are believed; `open_id` is the identity provider of the staff, None where there is none. `background`
    does what takes long beside the requests, `by_hand` gives what carries out a plan that a person looked at,
    `erasing` what erasing reaches, for whoever proves an erasure, `runs` what training runs need, `connectors` are the
    files of connected systems.
    """

    store: Store
    log: Log
    append: EnterAll
    desk: Desk
    post: Post
    keys: KeyFolder
    settings: Settings
    policies: tuple[tuple[Policy, str], ...]
    now: Callable[[], datetime]
    ticks: Callable[[], float]
    new_id: Callable[[], str]
    new_key: Callable[[], bytes]
    chance: Callable[[], float]
    say: Callable[[str], None]
    new_columns: Callable[[], Columns]
    journal: Journal
    lead: timedelta
    background: Background
    by_hand: Callable[[], ByHand]
    erasing: Callable[[], ErasureWorld]
    runs: Callable[[], RunWorld]
    host_keys: Keys
    connectors: Connectors
    open_id: OpenId | None
