"""LiteLLM's proxy: a gateway whose PostgreSQL keeps a log row for every request, and what it keeps beside it.

A conversation is the rows of one `session_id` (the caller's `x-litellm-session-id`, a chat's id, a trace id); a row
without one is a conversation of one request, by its `request_id`. What becomes of its copies:

- `LiteLLM_SpendLogs`: `messages`, `response`, `proxy_server_request`, the address of the requester and every key of
  `metadata` that is not of billing (`KEPT_METADATA`) are blanked; the row stays, with spend, tokens, times, key, team
- `LiteLLM_ErrorLogs` of its requests, or that name it: `request_kwargs` and `exception_string` are blanked
- `LiteLLM_AuditLog` rows that name it: the values before and after are blanked
- `LiteLLM_AdaptiveRouterSession`: its last texts and tool calls are blanked; the counts stay
- `LiteLLM_WorkflowRun` with its `WorkflowEvent`s: input, output, data are blanked; `LiteLLM_WorkflowMessage`s go
- `LiteLLM_MemoryTable` rows that name it go; with `memory = "with-person"` all of a person of whom nothing is left
- managed files that only this conversation names: content and entry go; what lies at a provider is not reachable
- objects in cold storage: not reachable; erase them with a `files` connector, then set `cold_storage = "elsewhere"`
- dead row versions, samples in `pg_statistic`, the write-ahead log: pending until maintenance (`postgresql`)

`statements` says all that in SQL, `rows` runs it, `reading` makes a conversation of rows, `state` remembers what is
gone, `product` is all of it behind the port. `callback` is for the proxy's own process and imports nothing of ours.
"""
