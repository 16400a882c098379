"""Rules for what names a person by a place: home folders, source repositories."""

# ruff: noqa: E501 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
from typing import Final

from assent.pipeline.redact.handles import SHARED, like_a_person
from assent.pipeline.redact.rule import Rule


def _own(match: re.Match[str]) -> int:
    name = match["name"].strip().lower().rstrip(".")
    return 0 if name in SHARED or len(name) < 2 else 100


HOME: Final = Rule(
    "path_user",
    (r"(?:home|users)(?:/|\\|%2f|%5c)", r"-(?:home|users)-[\w]", r"documents and settings"),
    re.compile(
        r"(?:(?:(?<![\w.])|(?<=file://)|(?<=:))/(?:var/|usr/|[a-z]/|export/|data/|(?:mnt|media|Volumes|srv|net|nas)/(?:[\w.-]{1,32}/){0,3})?(?:home|Users|users)/|"
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
    if like_a_person(match["org"]):
        return 80
    return 70 if _REMOTE_CUE.search(match.string, max(0, match.start() - 48), match.start()) else 0


REMOTE: Final = Rule(
    "repository",
    (
        r"git@[\w.-]+[:/]",
        r"ssh://",
        r"\.git\b",
        r"(?:github|gitlab|bitbucket|codeberg|\bgit\.|\bgitea\.)[\w.-]*/~?[\w.-]+/[\w.-]",
    ),
    re.compile(
        r"(?:(?:git\+)?ssh:/{2}(?:[\w.-]+@)?[\w.-]+(?::\d+)?/[\w.~/-]+?(?:\.git)?|(?<![\w.])(?:git|hg|gitea|forgejo)@[\w.-]+[:/][\w.~-]+(?:/[\w.~-]+)*|"
        r"(?:git\+)?(?:https?|git)://(?:[^\s/@\"']+@)?[\w.-]+(?::\d+)?/[\w.~-]+(?:/[\w.~-]+)*?\.git\b|"
        r"(?:https?://)?(?:www\.)?(?:github\.com|[\w.-]*gitlab\.[\w.]+|gite?a?\.[\w-]+\.[\w.]+|bitbucket\.org|codeberg\.org|dev\.azure\.com)/(?P<org>~?[\w.-]+)/(?P<repo>[\w.-]+))(?![\w@])"
    ),
    _remote,
)
_REMOTE_CUE: Final = re.compile(
    r"(?i)clone|remote|origin|upstream|repo\b|repos\b|repository|dep[ôo]t|repositor\w+|fork\w*|push\w*|pull\w*|checkout|\buses\b|from:|to:|fetch|submodule|url\s?[=:]|url>|git\s?=\s?|source\"|mein|my |our |notre|mon |nuestro|mi |nostro|mio "
)


RULES: Final = (HOME, REMOTE)
