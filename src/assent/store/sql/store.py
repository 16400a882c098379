"""Every room of the store in one class: `SqliteStore` and `PostgresStore` only add how their database is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.store.sql.access import AnswerRoom, TokenRoom
from assent.store.sql.accounts import AccountRoom
from assent.store.sql.acting import ActingRoom, ContractRoom, SignalRoom
from assent.store.sql.adopting import AdoptRoom
from assent.store.sql.approvals import ApprovalRoom
from assent.store.sql.asking import CampaignRoom, NoticeRoom, PromptRoom
from assent.store.sql.backups import BackupRoom
from assent.store.sql.choices import ChoiceRoom
from assent.store.sql.columns import ColumnRoom
from assent.store.sql.conversations import ConversationRoom
from assent.store.sql.cuts import CutRoom
from assent.store.sql.erasure import ErasureRoom
from assent.store.sql.flags import AccessRoom, FlagRoom
from assent.store.sql.funnel import FunnelRoom
from assent.store.sql.guards import GuardRoom
from assent.store.sql.holds import HoldRoom
from assent.store.sql.intake import IntakeRoom
from assent.store.sql.kept import CountRoom, ImportRoom, PolicyRoom
from assent.store.sql.leases import LeaseRoom
from assent.store.sql.ledger import LedgerRoom, SigningRoom
from assent.store.sql.plans import PlanRoom
from assent.store.sql.reclaiming import ReclaimRoom
from assent.store.sql.reconciling import ReconcileRoom
from assent.store.sql.replaying import ReplayRoom
from assent.store.sql.requests import DirectoryRoom, OutgoingRoom, RightsRoom
from assent.store.sql.resting import RestRoom
from assent.store.sql.reviews import ReviewRoom
from assent.store.sql.room import HeldTexts
from assent.store.sql.runs import RunRoom
from assent.store.sql.sessions import FigureRoom, LookRoom, SessionRoom, StaffRoom
from assent.store.sql.sweeps import SweepRoom

if TYPE_CHECKING:
    from assent.store.port.contents import Contents
    from assent.store.sql.room import Database


class SqlStore(
    AccountRoom,
    IntakeRoom,
    AdoptRoom,
    ImportRoom,
    ChoiceRoom,
    ActingRoom,
    ContractRoom,
    SignalRoom,
    FlagRoom,
    HoldRoom,
    ConversationRoom,
    ColumnRoom,
    RestRoom,
    PolicyRoom,
    PlanRoom,
    SweepRoom,
    ErasureRoom,
    CutRoom,
    RunRoom,
    CountRoom,
    LedgerRoom,
    SigningRoom,
    NoticeRoom,
    CampaignRoom,
    PromptRoom,
    FunnelRoom,
    TokenRoom,
    AnswerRoom,
    RightsRoom,
    DirectoryRoom,
    OutgoingRoom,
    ApprovalRoom,
    AccessRoom,
    BackupRoom,
    ReplayRoom,
    ReconcileRoom,
    ReclaimRoom,
    LeaseRoom,
    GuardRoom,
    SessionRoom,
    StaffRoom,
    LookRoom,
    FigureRoom,
    ReviewRoom,
):
    """Keeps everything that `store.port` asks for. A new room is added to the bases above, once for both databases."""

    def __init__(self, database: Database, contents: Contents) -> None:
        """Keep rows in this database and content in a vault; `open` of a subclass is the usual way in."""
        self._database = database
        self.contents = contents
        self._held_texts = HeldTexts()

    def close(self) -> None:
        """Close every connection. The vault stays open: others may use it."""
        self._database.close()
