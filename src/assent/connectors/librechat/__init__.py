"""LibreChat: conversations in MongoDB, and every copy that it makes of them.

What becomes of each copy:

- conversation, subagent threads, messages, tool results, shared links, waiting turns, trigger deliveries, saved states
  of agents: rows go, threads with the conversation that they hang on
- files: the row with its extracted text and the upload go, unless a kept conversation, an agent, a preset or a shared
  link uses them. Of a file in S3, Azure, Firebase or at a model's provider the row is emptied and LibreChat's own
  sweeper told (`expiredAt`); its bytes are not reachable from here
- vectors of files in PostgreSQL: rows go, their bytes when the table is written anew
- search documents in MeiliSearch: go, searched for by the id; their pages when the index is made anew
- memories: no origin is stored, so they are kept, or go with their person's last conversation
- counters of tags and projects: counted anew
- freed blocks and the replication log of MongoDB: pending, until the server itself says that none are left

Left alone, because they hold no turn of it: token counts (`transactions`), schedules, presets, agents and prompts,
which store no origin. Forks and imports are conversations of their own.

`rows` knows what hangs on a conversation, `uploads` whose a file is, `search` and `vectors` ask the other two servers,
`space` what MongoDB says of freed blocks, `listing` and `watching` read, `memory` is what has to be known afterwards,
`product` is all of it behind the port of connectors. Names of collections and fields: data-schemas 0.0.71.
"""
