"""The table of leases: who may do a thing that one at a time may do."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text

from assent.store.schema.base import METADATA, instant_column, text_column

lease: Final = Table(
    "lease",
    METADATA,
    Column("name", Text, primary_key=True),
    text_column("holder"),
    Column("fence", BigInteger, nullable=False),  # one more each time it is taken, never given twice
    instant_column("until"),  # NULL once it was given back
)
