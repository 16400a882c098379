"""Langfuse through its public REST API: a session is a conversation, each of its traces a turn.

Copies that the API shows: traces, observations, scores of traces and of the session, dataset items made from them, and
comments. Deleting a trace only queues it: it is gone when the trace, its observations and its scores are no longer
answered, which is polled for. Dataset items stay when their trace goes, and are deleted one by one.

What no request shows: rows of ClickHouse that are masked until a merge drops their parts, raw events and media in the
bucket. They are `not reachable`, unless whoever runs it says after how many days its own rules have removed them; then
they are pending for so long by the server's own clock. Comments cannot be deleted by the API, so one that is left on a
trace is `not reachable`, too. An entry of the session without content stays, and so do traces of experiments that ran
on dataset items.
"""
