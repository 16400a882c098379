"""What is asked of LiteLLM's tables. Ids are always bound values; tables and columns are LiteLLM's own names.

Every finder gives `(id, what, count)` for the conversations in `:ids`; every order takes the same `:ids`.
"""

# ruff: noqa: S608 - what is put together here are constants, and names of columns that the settings choose from

from __future__ import annotations

from typing import Final, NamedTuple

SPEND: Final = "LiteLLM_SpendLogs"
FILES: Final = "LiteLLM_ManagedFileTable"
CONTENTS: Final = "LiteLLM_ManagedFileContentTable"
IN_DATABASE: Final = "litellm_db://"
"""How the address of a file begins whose bytes are in this database."""

KEPT_METADATA: Final = (
    *("additional_usage_values", "usage_object", "cost_breakdown", "model_map_information", "compression_savings"),
    *("batch_models", "batch_successful_requests", "batch_failed_requests", "status", "applied_guardrails"),
    *("user_api_key", "user_api_key_alias", "user_api_key_team_id", "user_api_key_team_alias"),
    *("user_api_key_project_id", "user_api_key_project_alias", "user_api_key_org_id", "user_api_key_user_id"),
    *("billing_agent_id", "actor_agent_id", "target_agent_id", "agent_execution_mode", "internal_call_origin"),
    *("litellm_call_id", "litellm_overhead_time_ms", "litellm_gateway_injected_cache", "litellm_roi_estimator"),
    *("attempted_retries", "max_retries", "attempted_fallbacks", "original_model_group", "router_metadata"),
    *("autorouter_savings", "autorouter_savings_estimate", "azure_spillover", "used_client_oauth_token"),
    "cold_storage_object_key",
)
"""Keys of `metadata` that say what a request cost and who pays; every other one may quote it (guardrails, tools)."""

_NAMING: Final = " || ".join(
    f'@.key == "{key}"'
    for key in (
        *("session_id", "litellm_session_id", "trace_id", "litellm_trace_id", "chat_id", "conversation_id"),
        *("x-litellm-session-id", "x-litellm-trace-id", "x-openwebui-chat-id"),
    )
)


def _named(column: str) -> str:
    """Give the sessions that a JSON value names: only under keys that hold such ids, never any text that equals one."""
    path = f'$.** ? (@.type() == "object").keyvalue() ? ({_NAMING}).value'
    return f"(SELECT DISTINCT one #>> '{{}}' FROM jsonb_path_query({column}, '{path}') one)"


def _blank(column: str) -> str:
    return f"({column} IS NULL OR {column} IN ('{{}}', '[]', 'null', '\"\"'))"


KEY: Final = "coalesce(nullif(s.session_id, ''), s.request_id)"
"""The conversation of a row of the log."""

_MINE: Final = (
    "((s.session_id = ANY(:ids) AND s.session_id <> '') OR"
    " (coalesce(s.session_id, '') = '' AND s.request_id = ANY(:ids)))"
)
SAID: Final = f"NOT ({_blank('s.messages')} AND {_blank('s.response')} AND {_blank('s.proxy_server_request')})"
"""A row that holds what somebody said."""

_EXTRA: Final = (
    "CASE jsonb_typeof(s.metadata) WHEN 'object' THEN EXISTS (SELECT FROM jsonb_each(s.metadata) one"
    " WHERE one.key <> ALL(:kept) AND one.value NOT IN ('null', '{}', '[]', '\"\"', 'false', '0'))"
    f" ELSE NOT {_blank('s.metadata')} END"
)
LEFT: Final = f"({SAID} OR {_EXTRA} OR coalesce(s.requester_ip_address, '') <> '')"
"""A row with anything to blank."""

_LAST: Final = "coalesce(s.proxy_server_request -> 'messages', s.proxy_server_request -> 'input', s.messages) -> -1"
_ASKED: Final = (
    f"CASE jsonb_typeof({_LAST}) WHEN 'object' THEN {_LAST} ->> 'role' = 'user'"
    f" AND coalesce({_LAST} #>> '{{content,0,type}}', '') <> 'tool_result' ELSE true END"
)
"""A request that ends with words of the person, not with what a tool answered."""


def listing(person: str, plan: str, *, since: bool) -> str:
    """List conversations; `person` and `plan` are the columns that name them."""
    newer = f'AND {KEY} IN (SELECT {KEY} FROM "{SPEND}" s WHERE s."startTime" >= :since)' if since else ""
    return f"""
        SELECT {KEY} AS id, min(nullif(s."{person}", '')) AS person, max(nullif(s."{person}", '')) AS other,
            min(s."startTime") AS created, max(s."startTime") FILTER (WHERE {_ASKED}) AS turned,
            (array_agg(s."{plan}" ORDER BY s."startTime" DESC))[1] AS plan
        FROM "{SPEND}" s WHERE {SAID} {newer} GROUP BY 1 ORDER BY 1
    """


def reading(person: str) -> str:
    """Read what was said, oldest first."""
    return f"""
        SELECT {KEY} AS id, s."startTime" AS started, s."endTime" AS ended, s."{person}" AS person, s.call_type,
            s.messages, s.response, s.proxy_server_request AS request
        FROM "{SPEND}" s WHERE {_MINE} AND {SAID} ORDER BY s."startTime", s.request_id
    """


WATCHING: Final = f"""
    SELECT {KEY} AS id, s."startTime" AS started, s.request_id AS request,
        NOT EXISTS (SELECT FROM "{SPEND}" o WHERE o.session_id = s.session_id AND s.session_id <> ''
            AND (o."startTime", o.request_id) < (s."startTime", s.request_id)) AS first
    FROM "{SPEND}" s WHERE {SAID} AND (s."startTime", s.request_id) > (:started, :request)
        AND s."startTime" <= (clock_timestamp() AT TIME ZONE 'UTC') - :settle * interval '1 minute'
    ORDER BY s."startTime", s.request_id
"""


class Place(NamedTuple):
    """One kind of copy: the table it is in, what finds it, what erases it; `{both}` is filled in by `_place`."""

    table: str
    kind: str
    find: str
    erase: str


def _place(table: str, kind: str, mine: str, left: str, erase: str) -> Place:
    find = f'SELECT mine.id, count(*) FROM "{table}" t, LATERAL ({mine}) mine(id) WHERE {left} GROUP BY 1'
    return Place(table, kind, find, erase.format(table=table, mine=f"EXISTS (SELECT FROM ({mine}) mine)"))


_SESSION: Final = "SELECT t.session_id WHERE t.session_id = ANY(:ids) AND t.session_id <> ''"
_RUN: Final = (
    'SELECT r.session_id FROM "LiteLLM_WorkflowRun" r WHERE r.run_id = t.run_id AND r.session_id = ANY(:ids)'
    " AND r.session_id <> ''"
)
_REQUESTS: Final = (
    f'SELECT {KEY} FROM "{SPEND}" s WHERE {_MINE} AND (s.request_id = t.request_id OR s.litellm_call_id = t.request_id)'
)


def _naming(*columns: str) -> str:
    named = " UNION ".join(f"SELECT n.id FROM {_named(f't.{column}')} n(id)" for column in columns)
    return f"SELECT one.id FROM ({named}) one(id) WHERE one.id = ANY(:ids) AND one.id <> ''"


PLACES: Final = (
    Place(
        SPEND,
        "request log rows",
        f'SELECT {KEY}, count(*) FROM "{SPEND}" s WHERE {_MINE} AND {LEFT} GROUP BY 1',
        f"""
        UPDATE "{SPEND}" s SET messages = '{{}}', response = '{{}}', proxy_server_request = '{{}}',
            requester_ip_address = NULL, metadata = CASE jsonb_typeof(s.metadata) WHEN 'object' THEN coalesce(
                (SELECT jsonb_object_agg(key, value) FROM jsonb_each(s.metadata) WHERE key = ANY(:kept)), '{{}}')
            ELSE '{{}}' END
        WHERE {_MINE} AND {LEFT}
        """,
    ),
    _place(
        "LiteLLM_ErrorLogs",
        "error log rows",
        f"{_REQUESTS} UNION {_naming('request_kwargs')}",
        f"NOT ({_blank('t.request_kwargs')} AND t.exception_string = '')",
        "UPDATE \"{table}\" t SET request_kwargs = '{{}}', exception_string = '' WHERE {mine}",
    ),
    _place(
        "LiteLLM_AuditLog",
        "audit rows",
        _naming("before_value", "updated_values"),
        "NOT (t.before_value IS NULL AND t.updated_values IS NULL)",
        'UPDATE "{table}" t SET before_value = NULL, updated_values = NULL WHERE {mine}',
    ),
    _place(
        "LiteLLM_AdaptiveRouterSession",
        "router sessions",
        _SESSION,
        "NOT (coalesce(t.last_user_content, '') = '' AND coalesce(t.last_assistant_content, '') = ''"
        f" AND {_blank('t.tool_call_history')} AND {_blank('t.pending_tool_calls')})",
        'UPDATE "{table}" t SET last_user_content = NULL, last_assistant_content = NULL,'
        " tool_call_history = '[]', pending_tool_calls = '{{}}' WHERE {mine}",
    ),
    _place(
        "LiteLLM_WorkflowMessage",
        "workflow messages",
        f"{_RUN} UNION {_SESSION}",
        "true",
        'DELETE FROM "{table}" t WHERE {mine}',
    ),
    _place(
        "LiteLLM_WorkflowEvent",
        "workflow events",
        _RUN,
        f"NOT {_blank('t.data')}",
        'UPDATE "{table}" t SET data = NULL WHERE {mine}',
    ),
    _place(
        "LiteLLM_WorkflowRun",
        "workflow runs",
        _SESSION,
        f"NOT ({_blank('t.input')} AND {_blank('t.output')} AND {_blank('t.metadata')})",
        'UPDATE "{table}" t SET input = NULL, output = NULL, metadata = NULL WHERE {mine}',
    ),
    _place(
        "LiteLLM_MemoryTable",
        "memories",
        _naming("metadata"),
        "true",
        'DELETE FROM "{table}" t WHERE {mine}',
    ),
)
"""Every copy that a conversation's id leads to, children before what they hang on."""

_LAST_OF_PERSON: Final = (
    f'SELECT {KEY} FROM "{SPEND}" s WHERE {_MINE} AND s."user" = t.user_id AND t.user_id <> \'\''
    f' AND NOT EXISTS (SELECT FROM "{SPEND}" s WHERE s."user" = t.user_id AND {SAID} AND NOT {_MINE})'
)
MEMORIES_OF_PERSON: Final = _place(
    "LiteLLM_MemoryTable",
    "memories of the person",
    _LAST_OF_PERSON,
    "true",
    'DELETE FROM "{table}" t WHERE {mine}',
)

TABLES: Final = (*dict.fromkeys(place.table for place in PLACES), FILES, CONTENTS)
"""Every table that may hold content of a conversation."""

_FILE_IDS: Final = "jsonb_path_query(s.proxy_server_request, '$.**.file_id') one"
FILES_NAMED: Final = f"""
    SELECT DISTINCT {KEY} AS id, one #>> '{{}}' AS file FROM "{SPEND}" s, {_FILE_IDS}
    WHERE {_MINE} AND jsonb_typeof(one) = 'string'
"""
"""Files that these conversations name."""

FILES_SHARED: Final = f"""
    SELECT DISTINCT one #>> '{{}}' AS file FROM "{SPEND}" s, {_FILE_IDS}
    WHERE {KEY} <> ALL(:ids) AND one #>> '{{}}' = ANY(:files)
"""
"""Those of them that others name too; reads the whole log."""

FILES_THERE: Final = f"""
    SELECT f.unified_file_id AS file, coalesce(f.storage_url, '') AS url, coalesce(f.storage_backend, '') AS backend,
        cardinality(f.flat_model_file_ids) > 0 AS elsewhere
    FROM "{FILES}" f WHERE f.unified_file_id = ANY(:files)
"""
CONTENTS_THERE: Final = f'SELECT c.id FROM "{CONTENTS}" c WHERE c.id = ANY(:contents)'
DROP_CONTENTS: Final = f'DELETE FROM "{CONTENTS}" c WHERE c.id = ANY(:contents)'
DROP_FILES: Final = f'DELETE FROM "{FILES}" f WHERE f.unified_file_id = ANY(:files)'

COLD: Final = f"""
    SELECT {KEY}, count(*) FROM "{SPEND}" s WHERE {_MINE}
    AND coalesce(s.metadata ->> 'cold_storage_object_key', '') <> '' GROUP BY 1
"""
