"""Every room of the store in one class: `SqliteStore` and `PostgresStore` only add how their database is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.store.sql.access import AnswerRoom, TokenRoom
from assent.store.sql.accounts import AccountRoom
from assent.store.sql.acting import ActingRoom, ContractRoom, SignalRoom
from assent.store.sql.asking import CampaignRoom, NoticeRoom, PromptRoom
from assent.store.sql.choices import ChoiceRoom, FlagRoom, HoldRoom
from assent.store.sql.columns import ColumnRoom
from assent.store.sql.conversations import ConversationRoom
from assent.store.sql.cuts import CountRoom, CutRoom, ImportRoom, PolicyRoom
from assent.store.sql.funnel import FunnelRoom
from assent.store.sql.intake import IntakeRoom
from assent.store.sql.ledger import LedgerRoom, SigningRoom
from assent.store.sql.plans import PlanRoom
from assent.store.sql.requests import DirectoryRoom, OutgoingRoom, RightsRoom
from assent.store.sql.sweeps import SweepRoom

if TYPE_CHECKING:
    from assent.store.records import Rendering
    from assent.store.sql.room import Database


class SqlStore(
    AccountRoom,
    IntakeRoom,
    ImportRoom,
    ChoiceRoom,
    ActingRoom,
    ContractRoom,
    SignalRoom,
    FlagRoom,
    HoldRoom,
    ConversationRoom,
    ColumnRoom,
    PolicyRoom,
    PlanRoom,
    SweepRoom,
    CutRoom,
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
):
    """Keeps everything that `store.port` asks for. A new room is added to the bases above, once for both databases."""

    def __init__(self, database: Database) -> None:
        """Keep everything in this database; `open` of a subclass is the usual way in."""
        self._database = database
        self._renderings: dict[str, Rendering] = {}

    def close(self) -> None:
        """Close every connection."""
        self._database.close()
