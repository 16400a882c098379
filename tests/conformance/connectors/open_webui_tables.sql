-- Tables of Open WebUI 0.12.4, the same on SQLite and PostgreSQL; those in which no chat leaves anything are left out.
CREATE TABLE chat (
    id VARCHAR PRIMARY KEY, user_id VARCHAR, title TEXT, created_at BIGINT, updated_at BIGINT, share_id TEXT UNIQUE,
    archived BOOLEAN, chat JSON, pinned BOOLEAN, meta JSON DEFAULT '{}' NOT NULL, folder_id TEXT, tasks JSON,
    summary TEXT, last_read_at BIGINT, current_message_id TEXT, variables JSON, timer_at BIGINT
);
CREATE INDEX updated_at_user_id_idx ON chat (updated_at, user_id);
CREATE INDEX user_id_updated_at_id_idx ON chat (user_id, updated_at DESC, id);
CREATE TABLE chat_message (
    id TEXT PRIMARY KEY, chat_id TEXT NOT NULL, user_id TEXT, role TEXT NOT NULL, parent_id TEXT, content JSON,
    output JSON, model_id TEXT, files JSON, sources JSON, embeds JSON, done BOOLEAN, status_history JSON, error JSON,
    usage JSON, created_at BIGINT, updated_at BIGINT, context_summary TEXT, meta JSON
);
CREATE INDEX ix_chat_message_chat_id ON chat_message (chat_id);
CREATE INDEX chat_message_chat_role_done_idx ON chat_message (chat_id, role, done);
CREATE TABLE chat_file (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, chat_id TEXT NOT NULL, file_id TEXT NOT NULL, message_id TEXT,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, UNIQUE (chat_id, file_id)
);
CREATE INDEX ix_chat_file_file_id ON chat_file (file_id);
CREATE TABLE shared_chat (
    id TEXT PRIMARY KEY, chat_id TEXT NOT NULL, user_id TEXT NOT NULL, title TEXT, chat JSON, created_at BIGINT,
    updated_at BIGINT
);
CREATE TABLE chatidtag (id VARCHAR PRIMARY KEY, tag_name VARCHAR, chat_id VARCHAR, user_id VARCHAR, timestamp BIGINT);
CREATE TABLE tag (id VARCHAR, name VARCHAR, user_id VARCHAR, meta JSON, PRIMARY KEY (id, user_id));
CREATE TABLE feedback (
    id TEXT PRIMARY KEY, user_id TEXT, version BIGINT, type TEXT, data JSON, meta JSON, snapshot JSON,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE TABLE file (
    id VARCHAR PRIMARY KEY, user_id VARCHAR, filename TEXT, meta JSON, created_at BIGINT, hash TEXT, data JSON,
    updated_at BIGINT, path TEXT
);
CREATE TABLE memory (
    id VARCHAR PRIMARY KEY, user_id VARCHAR, content TEXT, updated_at BIGINT, created_at BIGINT,
    type VARCHAR DEFAULT 'context' NOT NULL, path TEXT, meta JSON
);
CREATE INDEX ix_memory_id_user_id ON memory (id, user_id);
CREATE TABLE access_grant (
    id TEXT PRIMARY KEY, resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, principal_type TEXT NOT NULL,
    principal_id TEXT NOT NULL, permission TEXT NOT NULL, created_at BIGINT NOT NULL
);
CREATE TABLE "group" (id TEXT PRIMARY KEY, user_id TEXT, name TEXT, description TEXT);
CREATE TABLE group_member (id TEXT PRIMARY KEY, group_id TEXT NOT NULL, user_id TEXT NOT NULL);
CREATE TABLE knowledge_file (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, knowledge_id TEXT NOT NULL, file_id TEXT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE TABLE message (
    id TEXT PRIMARY KEY, user_id TEXT, channel_id TEXT, content TEXT, data JSON, meta JSON, created_at BIGINT
);
CREATE TABLE automation_run (
    id TEXT PRIMARY KEY, automation_id TEXT NOT NULL, chat_id TEXT, status TEXT NOT NULL, error TEXT,
    created_at BIGINT NOT NULL
);
