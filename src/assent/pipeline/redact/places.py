"""Rules for what names a person by a place in a machine: home folders, remotes, handles."""

# ruff: noqa: E501, ISC004, SIM905 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
from typing import Final

from assent.pipeline.redact.rule import Rule

SHARED: Final = frozenset(
    (
        "user users username usuario utilisateur benutzer utente you yourname your_name your-name yourusername "
        "your_username your-username name me myuser myname root admin administrator ubuntu debian centos fedora "
        "ec2-user runner runneradmin vscode node app app-user appuser www www-data public shared default guest "
        "deploy deployer jenkins git gitlab-runner postgres mysql docker vagrant pi jovyan linuxbrew circleci "
        "travis build builder codespace gitpod sandbox home nobody somebody someone foo bar baz x xxx test tester "
        "example service system developer dev airflow hadoop spark jupyter containeruser all library defaultuser "
        "coder agent claude workspace azureuser opc kali site wwwroot oracle nginx redis anonymous unknown none "
        "null string true false undefined required password email login"
    ).split()
)
"""Accounts that are nobody's: they stand in manuals, images and runners."""


def _own(match: re.Match[str]) -> int:
    name = match["name"].strip().lower().rstrip(".")
    return 0 if name in SHARED or len(name) < 2 else 100


HOME: Final = Rule(
    "path_user",
    (r"(?:home|users)(?:/|\\|%2f|%5c)", r"-(?:home|users)-[\w]", r"documents and settings"),
    re.compile(
        r"(?:(?:(?<![\w.])|(?<=file://)|(?<=:))/(?:var/|usr/|mnt/[a-z]/|[a-z]/|export/|data/)?(?:home|Users|users)/|"
        r"(?<![A-Za-z])[A-Za-z]:(?:\\{1,4}|/)(?:Users|USERS|users|Documents and Settings)(?:\\{1,4}|/)|"
        r"%2[Ff](?:home|Users)%2[Ff]|(?<![\w-])-(?:home|Users)-)"
        r"(?P<name>(?<=-)[A-Za-z0-9_.]+|(?<=[A-Za-z]s\\)[^\s\\/:*?\"'<>|,;%]+(?: [^\s\\/:*?\"'<>|,;%]+){0,2}(?=\\)|(?<!-)[^\s\\/:*?\"'<>|`$%(){}\[\],;&=]+)"
    ),
    _own,
)


def _remote(match: re.Match[str]) -> int:
    if match["org"] is None or match[0].endswith(".git"):
        return 100
    if match["org"].lower() in {
        "features",
        "topics",
        "orgs",
        "marketplace",
        "settings",
        "docs",
        "about",
        "sponsors",
        "apps",
        "actions",
    }:
        return 0
    return 70 if _REMOTE_CUE.search(match.string, max(0, match.start() - 48), match.start()) else 0


REMOTE: Final = Rule(
    "repository",
    (r"git@[\w.-]+[:/]", r"ssh://", r"\.git\b", r"(?:github|gitlab|bitbucket|codeberg)[\w.-]*/[\w.-]+/[\w.-]"),
    re.compile(
        r"(?:(?:git\+)?ssh:/{2}(?:[\w.-]+@)?[\w.-]+(?::\d+)?/[\w.~/-]+?(?:\.git)?|(?<![\w.])(?:git|hg|gitea|forgejo)@[\w.-]+[:/][\w.~-]+(?:/[\w.~-]+)*|"
        r"(?:git\+)?(?:https?|git)://(?:[^\s/@\"']+@)?[\w.-]+(?::\d+)?/[\w.~-]+(?:/[\w.~-]+)*?\.git\b|"
        r"(?:https?://)?(?:www\.)?(?:github\.com|gitlab\.[\w.]+|bitbucket\.org|codeberg\.org|dev\.azure\.com)/(?P<org>[\w.-]+)/(?P<repo>[\w.-]+))(?![\w@])"
    ),
    _remote,
)
_REMOTE_CUE: Final = re.compile(
    r"(?i)clone|remote|origin|upstream|repo\b|repos\b|repository|dep[ôo]t|repositor\w+|fork\w*|push\w*|pull\w*|checkout|\buses\b|from:|to:|fetch|submodule|url\s?=|mein|my |our |notre|mon |nuestro|mi |nostro|mio "
)


def _handle(match: re.Match[str]) -> int:
    value, lead = match["v"], match[0].lower()
    if value.lower() in SHARED or _OBJECT.match(value) or value.isdigit():
        return 0
    plain_word = value.isalpha() and (value.islower() or value.istitle())
    spoken = re.search(
        r"(?:is|ist|lautet|est|es|è|alias|login|account)\s$|(?:login|alias|pseudo|handle|nick)\s?[:=]\s?$",
        lead[: -len(value)],
    )
    return 0 if plain_word and spoken else 90


HANDLE: Final = Rule(
    "username",
    (
        r"(?:user.?name|login(?:.?name)?|handle|nick(?:name)?|screen.name|benutzername|nutzername|utilisateur|usuario|utente|us\w*rio|pseudo|"
        r"gebruikersnaam|account.?name|alias|user.login|uname)[\"'\x60\\]{0,2} ?(?:[:=]|is |ist |lautet |est |es |\xc3\xa8 )",
        r"\buser=|user\\?[\"'] ?[:=]|(?:for|by) (?:invalid )?user |password for |[^\w/]u/[a-z0-9]",
        r"(?:twitter|telegram|instagram|insta|discord|mastodon|github|skype|slack|tiktok|threads|bluesky)[\w :=\"'\\\x80-\xff]{0,24}@",
        r"(?:follow(?: me| us)?(?: on \w+| at)?|folge?(?: mir)?|suis(?:-moi)?|s[íi]gue(?:me)?|segui(?:mi)?|dm(?: me)?|message|ping|tag|cc|ask|thanks|by|r|por|mention|an|tweet\w*|post(?:ed)?) @[a-z0-9]",
    ),
    re.compile(
        r"(?i)(?:(?<![A-Za-z])(?:user[ _-]?name|login(?:[ _-]?name)?|handle|nick(?:name)?|screen[ _-]?name|benutzername|nutzername|nom d[’']utilisateur|"
        r"(?:nombre de )?usuario|nome utente|nome de usu[áa]rio|pseudo|gebruikersnaam|account[ _-]?name|accountname|alias|user_login|uname)"
        r"(?:\\?[\"'`])?(?:\s?[:=]\s?|\s(?:is|ist|lautet|est|es|è)\s(?:now\s)?)(?:\\?[\"'`])?@?|"
        r"(?:\\?[\"'])user(?:\\?[\"'])\s?[:=]\s?(?:\\?[\"'])(?=[\w.-]+(?:\\?[\"']))|(?<![A-Za-z_.])user=(?:\\?[\"'])?|(?:for|by) (?:invalid )?user (?=\S+ (?:from|on|at|by)\b)|password for (?=\S+ from)|"
        r"(?:twitter|telegram|instagram|insta|discord|mastodon|github|skype|slack|tiktok|threads|bluesky)(?: (?:handle|account|user|name|id|ist|is|es|est|è|konto|compte|cuenta))*\s?[:=]?\s?(?:\\?[\"'])?@|"
        r"(?:follow(?: me| us)?(?: on \w+| at)?|folge?(?: mir)?|suis(?:-moi)?|s[íi]gue(?:me)?|segui(?:mi)?|dm(?: me)?|message|ping|tag|cc|ask|thanks|by|f[üu]r|por|mention|an|tweet\w*|post(?:ed)?)\s@|(?<![\w/])/?u/)"
        r"(?P<v>[A-Za-z0-9][\w.-]{1,38}[A-Za-z0-9_])(?![\w@]|\.\w|\()"
    ),
    _handle,
)  # fmt: skip


_OBJECT: Final = re.compile(
    r"(?i)(?:self|this|req|request|args|data|form|os|settings|config|props|user|params|event|state|options|input|response|result|get|set|validate)(?:[._\[(]|$)|.*\.(?:value|text|get|name|id|length|data|username)$|(?:the|a|an|and|is|for|to|in|with|your|my|their|der|die|das|le|la|el|il)$"
)

RULES: Final = (HOME, REMOTE, HANDLE)
