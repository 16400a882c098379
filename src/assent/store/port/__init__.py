"""What assent asks of a store, as contracts about durability.

For every store that implements these protocols:

- A method that changes something has changed it durably, as a whole, when it returns. If it
  raises, or the process dies in it, it has changed nothing, or everything; never half. So a
  caller that did not get its answer calls again: every write is idempotent by the id, digest
  or key it names, and raises `Refused` where the same id would come to mean something else.
- The store reads no clock and draws no randomness: instants and ids are arguments.
- A read sees everything that was acknowledged before it began.
- An iterator may be left before its end; what it held is given back when it is closed.
  Paged iterators hold nothing between pages. `fact_batches`, `act_batches` and `hold_batches` each
  see one instant from the first row to the last.
- Errors name ids of conversations, holds, plans, never content and never a subject.

`Store` is all of them together. A service asks for the smallest one that it needs. The
contract tests in tests/conformance/store run on every implementation.
"""

from typing import Protocol

from assent.store.port.access import Answers, Tokens
from assent.store.port.approvals import Approvals
from assent.store.port.asking import Campaigns, Notices, Prompts
from assent.store.port.backups import Backups, Reconciling, Snapshot
from assent.store.port.choices import Acting, Choices, Contracts, Signals
from assent.store.port.cuts import Cuts
from assent.store.port.erasure import Erasures
from assent.store.port.guards import Guards
from assent.store.port.holds import Accesses, Flags, Holds
from assent.store.port.kept import (
    Accounts,
    Conversations,
    FactColumns,
    Intake,
    Plans,
    Policies,
    Resting,
    Sweeps,
    Upkeep,
)
from assent.store.port.leases import Leases
from assent.store.port.ledger import Ledger
from assent.store.port.objects import TileStore
from assent.store.port.reclaiming import Reclaiming
from assent.store.port.requests import Directory, Outgoing, Rights
from assent.store.port.reviews import Reviews
from assent.store.port.runs import Runs
from assent.store.port.sessions import Figures, Looks, Sessions, Staff


class Store(
    Accounts,
    Intake,
    Choices,
    Acting,
    Contracts,
    Signals,
    Flags,
    Holds,
    Conversations,
    FactColumns,
    Resting,
    Policies,
    Plans,
    Sweeps,
    Erasures,
    Cuts,
    Runs,
    Upkeep,
    Ledger,
    Notices,
    Campaigns,
    Prompts,
    Tokens,
    Answers,
    Rights,
    Directory,
    Outgoing,
    Approvals,
    Accesses,
    Backups,
    Reconciling,
    Reclaiming,
    Leases,
    Guards,
    Sessions,
    Staff,
    Looks,
    Figures,
    Reviews,
    Protocol,
):
    """Everything that is kept."""


__all__ = [
    "Accesses",
    "Accounts",
    "Acting",
    "Answers",
    "Approvals",
    "Backups",
    "Campaigns",
    "Choices",
    "Contracts",
    "Conversations",
    "Cuts",
    "Directory",
    "Erasures",
    "FactColumns",
    "Figures",
    "Flags",
    "Guards",
    "Holds",
    "Intake",
    "Leases",
    "Ledger",
    "Looks",
    "Notices",
    "Outgoing",
    "Plans",
    "Policies",
    "Prompts",
    "Reclaiming",
    "Reconciling",
    "Resting",
    "Reviews",
    "Rights",
    "Runs",
    "Sessions",
    "Signals",
    "Snapshot",
    "Staff",
    "Store",
    "Sweeps",
    "TileStore",
    "Tokens",
    "Upkeep",
]
