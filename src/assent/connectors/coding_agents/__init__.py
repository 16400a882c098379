"""Coding agents that keep sessions in a folder of their own: Claude Code, Codex, Gemini CLI.

A session is a transcript and a dozen other traces: prompt history, what subagents said, files
before an edit, plans, pasted text, logs, indexes, state databases. `claude_code`, `codex` and
`gemini_cli` know where they are; `home` walks the folder and never leaves it; `rewriting` takes
single lines out of files that sessions share; `erasing` does it in the order that a crash cannot
harm; `looking` searches the bytes afterwards; `watching` says what became of sessions; `scope_file`
reads what a repository wants; `product` is all of it behind the port of connectors.
"""
