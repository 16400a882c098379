"""Coding agents as a product: list, read, find every copy, erase, look again, watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from assent.connectors.coding_agents import fragments
from assent.connectors.coding_agents.agent import Agent, Session, Trace, id_in, shown
from assent.connectors.coding_agents.claude_code import ClaudeCode, MemoryRule
from assent.connectors.coding_agents.codex import Codex
from assent.connectors.coding_agents.erasing import IN_USE, carry_out, rewrite_databases
from assent.connectors.coding_agents.gemini_cli import GeminiCli
from assent.connectors.coding_agents.looking import strays
from assent.connectors.coding_agents.scope_file import FILE, read_scope
from assent.connectors.coding_agents.state import Erased, State
from assent.connectors.coding_agents.watching import watch
from assent.connectors.formats.port import Malformed, Record
from assent.connectors.port import Change, Copy, Listed, ProjectScope, Unlisted
from assent.connectors.table import Secret, Table
from assent.connectors.tree import Tree, held_open
from assent.domain.conversation import Conversation
from assent.domain.errors import Invalid, NotFound, Place, Refused

SUMMARY: Final = "sessions of Claude Code, Codex or Gemini CLI in their folder, with every side copy"

_UNREAD: Final = "cannot be looked into: check its permissions"
_LINK: Final = "a link is neither followed nor removed: look at what it leads to"


class Settings(Table):
    """The keys of a coding agent's file."""

    agent: Literal["claude-code", "codex", "gemini-cli"] = Field(description="whose folder it is")
    home: Path = Field(description="the agent's folder: ~/.claude, ~/.codex or ~/.gemini")
    owner: str | None = Field(None, description="the person whose sessions these are")
    plan: str = Field("", description="the plan they are written on")
    in_use_minutes: Annotated[int, Field(ge=0)] = Field(
        10, description="a session that changed within so many minutes is left alone, except in maintenance"
    )
    memory: MemoryRule = Field("keep", description="notes of a project (Claude Code): keep, or with-project")
    fragments_key_file: Path | None = Field(
        None, description="a key, so that words of an erased session are recognised later; without it only at once"
    )


def connect(settings: Settings, secret: Secret) -> CodingAgents:
    """Connect an agent's folder. Raises `NotFound` if the key's file is not there."""
    agents: dict[str, Agent] = {
        "claude-code": ClaudeCode(settings.memory),
        "codex": Codex(),
        "gemini-cli": GeminiCli(),
    }
    path = settings.fragments_key_file
    key = "" if path is None else secret(path)
    return CodingAgents(settings, agents[settings.agent], key.encode()[:64])


@dataclass(slots=True)
class _Look:
    """One look at the home: the sessions, and the traces of those that were asked for."""

    sessions: dict[str, Session]
    wanted: dict[str, Session | None]
    traces: dict[str, list[Trace]] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, Session]:
        return {key: session for key, session in self.sessions.items() if key not in self.wanted}


class CodingAgents:
    """The folder of one coding agent."""

    def __init__(self, settings: Settings, agent: Agent, key: bytes = b"") -> None:
        self.name = settings.name
        self.format = agent.format
        self.reach = agent.reach
        self._settings = settings
        self._agent = agent
        self._key = key
        self._state = State(settings.folder)
        self._home = Tree(settings.home)
        self._scopes: dict[str, ProjectScope | None] = {}
        self._found: dict[str, Session] = {}

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        for session in self._sessions().values():
            # files are written at or after the turns in them, copied ones too
            if since is not None and session.changed_ns < since.timestamp() * 1e9:
                continue
            dates = self._agent.dates(self._home, session)
            if dates is None:
                yield Unlisted(Place(shown(session.files[0].name)), "no line of the session can be read")
                continue
            yield Listed(
                session.id,
                self._settings.owner,
                dates.created_at,
                dates.last_turn_at,
                self._settings.plan,
                dates.project,
            )

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        wanted = dict.fromkeys(ids)
        # who reads all that was listed, some hundred a call, has the folder walked once
        sessions = self._found if all(self._is_there(key) for key in wanted) else self._sessions()
        for key in wanted:
            if key in sessions:
                for record in self._agent.read(self._home, sessions[key]):
                    yield self._owned(record) if isinstance(record, Conversation) else record

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        """Find every copy; this is the plan that has to be looked at once before anything is erased."""
        found = self._look(ids)
        self._state.note_plan()
        return {key: self._told(_copies(found.traces[key]), found.links[key]) for key in found.wanted}

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        found = self._look(ids)
        if not self._state.plan_was_shown():
            fix = f"see `assent connector copies {self.name}` first: nothing is erased that nobody was shown"
            raise Refused("no plan was shown for this folder yet", fix)
        busy = self._in_use(found, maintenance=maintenance)
        going = {key: session for key, session in found.wanted.items() if key not in busy}
        remembered = {
            key: Erased(tuple(traces), self._fragments(session))
            for key, session in going.items()
            if (traces := found.traces[key])
        }
        self._state.note_erased(remembered)
        traces = [trace for one in remembered.values() for trace in one.traces]
        problems = carry_out(self._home, self._agent, going, traces)
        if maintenance:
            known = [trace for one in self._state.erased(going).values() for trace in one.traces]
            problems |= rewrite_databases(self._home, known)
        self._state.forget_projects(going)
        answers = dict(self._verify(list(going), remembered, problems))
        for key in busy:
            told = _copies(found.traces[key])
            answers[key] = [replace(copy, state="not reachable", note=IN_USE) for copy in told]
        return {key: answers[key] for key in found.wanted}

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._verify(ids, {}, {})

    def watch(self, cursor: str = "") -> Iterator[Change]:
        yield from watch(self._state, self._sessions().values(), cursor)

    def scopes(self) -> Iterator[ProjectScope | Unlisted]:
        """Read the `.assent.toml` of every project that has sessions; each can only narrow what a person chose."""
        for project in sorted(set(self._projects().values()) - {""}):
            try:
                scope = self._scope(project)
            except Invalid as problem:
                yield Unlisted(problem.place or Place(FILE), f"{problem.message}: {problem.fix}")
                continue
            if scope is not None:
                yield scope

    # -- looking --------------------------------------------------------------------------

    def _sessions(self) -> dict[str, Session]:
        if not self._home.root.is_dir():
            raise NotFound("there is no folder of the agent where its connector file says", "check `home` in the file")
        self._home.check()
        self._found = {session.id: session for session in self._agent.sessions(self._home)}
        return self._found

    def _is_there(self, key: str) -> bool:
        """Tell whether a session still begins with the file that was found before."""
        if key not in self._found:
            return False
        before = self._found[key].files[0]
        now = self._home.look(before.path)
        return now is not None and (now.device, now.inode) == (before.device, before.inode)

    def _look(self, ids: Sequence[str]) -> _Look:
        sessions = self._sessions()
        look = _Look(sessions, {key: sessions.get(key) for key in ids})
        look.traces = {key: [] for key in look.wanted}
        for trace in dict.fromkeys(self._agent.traces(self._home, look.wanted, look.kept)) if look.wanted else ():
            look.traces[trace.id].append(trace)
        look.links = {key: [] for key in look.wanted}
        known = sessions.keys() | look.wanted.keys()
        for path in self._home.links:
            owner = next((key for part in path.split("/") if (key := id_in(part, known))), "")
            if owner in look.wanted:
                look.links[owner].append(path)
        return look

    def _verify(
        self, ids: Sequence[str], remembered: Mapping[str, Erased], problems: Mapping[str, str]
    ) -> Mapping[str, Sequence[Copy]]:
        found = self._look(ids)
        before = {**self._state.erased(found.wanted), **remembered}
        searched = {key: one.fragments for key, one in before.items()}
        elsewhere = strays(self._home, self._agent, found.sessions, found.wanted, searched, self._key)
        answers = {}
        for key in found.wanted:
            erased = before.get(key, Erased(()))
            there = list(found.traces[key])
            known = {trace.path for trace in there}
            there += [
                one
                for one in erased.traces
                if one.how == "file" and one.path not in known and self._home.look(one.path) is not None
            ]
            copies = _copies(there, problems) + elsewhere.get(key, [])
            named = {(copy.kind, copy.place) for copy in copies}
            gone = [copy for copy in _copies(erased.traces) if (copy.kind, copy.place) not in named]
            answers[key] = self._told(
                [*copies, *(replace(copy, state="removed", note="") for copy in gone)], found.links[key]
            )
        return answers

    def _told(self, copies: Sequence[Copy], links: Sequence[str]) -> Sequence[Copy]:
        """Add what was not looked into: folders that could not be read, links that are named after the session."""
        unread = [Copy("folder", shown(path), "not reachable", _UNREAD) for path in sorted(self._home.unreadable)]
        return [*copies, *(Copy("link", shown(path), "not reachable", _LINK) for path in sorted(links)), *unread]

    def _in_use(self, found: _Look, *, maintenance: bool) -> set[str]:
        """Find the sessions that a program writes to: open somewhere, or changed a moment ago."""
        files = {
            (file.device, file.inode): key
            for key, session in found.wanted.items()
            for file in (session.files if session is not None else ())
        }
        if maintenance:
            everything = {(file.device, file.inode) for file in self._home.files()}
            if held_open(everything):
                raise Refused("a program has files of this folder open", "end the agent, then ask again")
            return set()
        held = {files[one] for one in held_open(set(files))}
        since = self._state.now_ns() - self._settings.in_use_minutes * 60 * 10**9
        return held | {
            key for key, session in found.wanted.items() if session is not None and session.changed_ns > since
        }

    def _fragments(self, session: Session | None) -> frozenset[str]:
        if session is None:
            return frozenset()
        return fragments.of_session((self._home.content(file.path) for file in session.files), self._key)

    # -- scopes ---------------------------------------------------------------------------

    def _scope(self, project: str) -> ProjectScope | None:
        if project not in self._scopes:
            self._scopes[project] = read_scope(project)
        return self._scopes[project]

    def _projects(self) -> dict[str, str]:
        """Name the project of each session; only those that changed since the last time are read for it."""
        known = self._state.projects()
        found = {}
        for key, session in self._sessions().items():
            mark = f"{session.size} {session.changed_ns}"
            before = known.get(key)
            if before is None or before[0] != mark:
                dates = self._agent.dates(self._home, session)
                before = (mark, "" if dates is None else dates.project)
            found[key] = before
        if found != known:
            self._state.note_projects(found)
        return {key: project for key, (_, project) in found.items()}

    def _owned(self, conversation: Conversation) -> Record:
        """Say whose it is. One whose project says something that cannot be read is not brought in."""
        try:
            self._scope(conversation.project)
        except Invalid as problem:
            return Malformed(problem.place or Place(FILE), problem.message, conversation.records)
        return replace(conversation, subject=self._settings.owner)


def _copies(traces: Sequence[Trace], problems: Mapping[str, str] | None = None) -> list[Copy]:
    """Name traces as copies, those of one kind and place together."""
    found: dict[tuple[str, str], list[Trace]] = {}
    for trace in traces:
        found.setdefault((trace.kind, trace.place), []).append(trace)
    copies = []
    for (kind, place), together in found.items():
        problem = next((problems[one.path] for one in together if one.path in problems), "") if problems else ""
        note = problem or (f"{len(together)} files" if len(together) > 1 and together[0].how == "file" else "")
        copies.append(Copy(kind, shown(place), "not reachable" if problem else "present", note))
    return copies
