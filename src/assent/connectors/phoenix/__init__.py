"""Arize Phoenix, on SQLite or PostgreSQL, through its own database: a session is a conversation.

Copies: the session and its traces with all spans (attributes and events), annotations of spans, documents, traces and
sessions, cost rows; examples of datasets that were made from its spans, with every revision; runs of experiments on
those examples, what evaluators said of them, logs, and the traces that such runs left in projects of their own. And
what the database keeps of deleted rows. Phoenix's own deletion of a session leaves the examples and all that was made
from them; it only forgets where they came from.

An example whose span was deleted before, by hand or by a retention rule, is linked to nothing any more: it cannot be
found from here, and neither can copies that somebody uploaded or exported.
"""
