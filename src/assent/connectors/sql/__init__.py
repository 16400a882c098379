"""Any provider's own chat tables, through a mapping: SQLite, PostgreSQL, MariaDB.

Copies are the rows that the mapping leads to, and what the database keeps of rows that were deleted. Rows of
conversations, messages and further tables are deleted, or single columns of theirs are emptied where a row has to
stay; rows that several conversations use go with the last one. Columns elsewhere that point at what goes let go of it
first, so that no kept row is taken along. A table that may hold copies and is not mapped is refused, never overlooked.

`mapping` is what somebody writes; `facts` is what the database says of itself; `schema` puts one against the other,
with `unmapped`; `tracing` finds rows, `erasing` removes them, `residue` looks after what is left of them; `reading`
and `watching` are the way in; `memory` is what has to be known afterwards; `product` is all of it behind the port.
"""
