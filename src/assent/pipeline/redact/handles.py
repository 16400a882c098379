"""Rules for the names of accounts: in fields, sentences, mentions, addresses of machines, and the logs of programs."""

# ruff: noqa: E501, ISC004, SIM905 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from assent.pipeline.redact.names import COMMON, FAMILY, GIVEN, load
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
        "null string true false undefined required password email login daemon sshd syslog staff wheel nogroup "
        "github-actions dependabot renovate bot ci"
    ).split()
)
"""Accounts that are nobody's: they stand in manuals, images and runners."""

_OBJECT: Final = re.compile(
    r"(?i)(?:self|this|req|request|args|data|form|os|settings|config|props|user|params|event|state|options|input|response|result|get|set|validate)(?:[._\[(]|$)|.*\.(?:value|text|get|name|id|length|data|username|password|email)$|(?:the|a|an|and|is|for|to|in|with|your|my|their|der|die|das|le|la|el|il)$"
)
_PIECES: Final = re.compile(r"[._\-\d]+")
_NO_ACCOUNT: Final = re.compile(
    r"(?i).*\.(?:com|org|net|edu|gov|io|ai|app|dev|info|py|js|ts|tsx|jsx|json|ya?ml|toml|txt|md|csv|sql|html?|css|sh|go|rs|java|cpp|hpp|xml|pdf|png|jpe?g|exe|dll|so|log|conf|ini|cfg|env|[a-z]{2})"
)
"""A host, a file: an account has no such ending, or it says so by a figure or a stroke."""
_VALUE: Final = r"(?P<v>[A-Za-z0-9][\w.-]{1,38}[A-Za-z0-9_])"
_END: Final = r"(?![\w@]|\.\w|\()"
_NEAR: Final = (100, 100)
"""An account stands close to what says so."""


@cache
def _folded() -> tuple[frozenset[str], frozenset[str]]:
    """Return given and family names as accounts write them: without accents."""
    kinds = load().kinds

    def plain(bit: int) -> frozenset[str]:
        found = [word for word, kind in kinds.items() if kind & bit and not kind & COMMON and len(word) > 2]
        return frozenset(
            form
            for word in found
            for form in (
                unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode(),
                word.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"),
            )
        )

    return plain(GIVEN), plain(FAMILY)


def like_a_person(account: str) -> bool:
    """Tell whether an account is made of a person's name: `jana.k`, `jkowalczyk`, `kowalczyk92`, `JanaK`."""
    given, family = _folded()
    kinds = load().kinds
    for piece in _PIECES.split(account.lower()):
        if kinds.get(piece, 0) & COMMON:
            continue
        if len(piece) > 3 and (piece in given or piece in family):
            return True
        if len(piece) > 5 and (piece[1:] in family or piece[:-1] in given):
            return True
    return False


_EXAMPLE: Final = re.compile(
    r"(?i)(?:your|my|the|some|example|sample|demo|test|dummy|new|current|default)[_-]?(?:[a-z]*user|[a-z]*name|[a-z]*login|[a-z]*account|[a-z_]*token|[a-z_]*key|[a-z_]*id).*|[0-9a-f]{8}-[0-9a-f-]{20,}|[0-9a-f]{16,}"
)


def _free(value: str) -> bool:
    """Tell whether a word stands for no account of anybody: a shared one, code, an example, a number."""
    if value.lower() in SHARED or value.isdigit() or re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", value):
        return True
    return _OBJECT.match(value) is not None or _EXAMPLE.fullmatch(value) is not None


def _marked(value: str) -> bool:
    """Tell whether a word is written as only accounts are: with a figure, a low line, a dot or capitals inside."""
    if _NO_ACCOUNT.fullmatch(value):
        return False
    return re.search(r"[A-Za-z]\d|[a-z0-9][._-][a-z0-9]|_[A-Za-z]|[a-z][A-Z]", value) is not None


def _handle(match: re.Match[str]) -> int:
    value, lead = match["v"], match[0].lower()
    if _free(value):
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
        rf"{_VALUE}{_END}"
    ),
    _handle,
    *_NEAR,
)  # fmt: skip


def _keyed(match: re.Match[str]) -> int:
    value = match["v"]
    if _free(value):
        return 0
    if match["sure"] is not None:
        if match["quote"] or match["env"]:
            return 90
        return 85 if not _PLAIN_CODE.fullmatch(value) and (_marked(value) or like_a_person(value)) else 0
    if like_a_person(value) or (_marked(value) and value.lower() == value and not any(map(str.isdigit, value))):
        return 80
    # who did something is hardly ever a word that nobody knows, unless it is an account
    return 65 if match["by"] and len(value) > 5 and value.islower() and value not in load().kinds else 0


_PLAIN_CODE: Final = re.compile(
    r"[a-z]+(?:[A-Z][a-z]+)+|[A-Z_]+|[a-z]+(?:_[a-z]+){2,}|(?:str|string|int|text|varchar|char)\b.*"
)
KEYED: Final = Rule(
    "username",
    (
        r"(?:user|user.?name|login|benutzer|utilisateur|utente|usuario|identifiant|pseudo|nick|handle)[\"'\x60\\]{0,2}[ \t]{0,12}(?:=>|[:=])",
        r"(?:[a-z]_by|[a-z]by|owner|author|assignee|reviewer|reporter|creator|user.?id|login|operator|maintainer|actor|sender)[\"'\x60\\]{1,3} {0,4}[:=]",
    ),
    re.compile(
        r"(?<![A-Za-z0-9])(?:(?P<sure>(?P<env>[A-Z][A-Z0-9]{0,20}_(?:USER|USERNAME|LOGIN))|(?:[A-Za-z]\w{0,20}[_-]|last|remote)?(?i:user(?:[_-]?name)?|login)|(?i:benutzer|utilisateur|utente|usuario|identifiant|pseudo|nick|handle))|"
        r"(?:(?P<by>[a-z]\w{1,24}(?:_by|By))|owner|author|assignee|reviewer|reporter|creator|maintainer|operator|actor|user_?[Ii]d))"
        r"(?:\\?[\"'`])?[ \t]{0,12}(?:=>|[:=])[ \t]{0,4}(?P<quote>\\?[\"'`])?@?"
        rf"{_VALUE}{_END}(?(quote)(?=\\?[\"'`])|(?=[\s,;&<]|$))"
    ),
    _keyed,
    *_NEAR,
)
"""A field that says it holds an account; one that says who did it counts where the value is made of a name."""


def _spoken(match: re.Match[str]) -> int:
    value = match["v"]
    if _free(value):
        return 0
    if match["quote"] is not None and match["sure"] is not None:
        return 0 if load().kinds.get(value.lower(), 0) & COMMON else 75
    if not _marked(value):
        return 0
    if any(one.isdigit() for one in value) or like_a_person(value):
        return 75
    close = re.search(r"(?i)^$|\b(?:is|ist|lautet|es|est|è|c)$", (match["gap"] or "").strip()) is not None
    return 65 if close and match.string[match.start("v") - 1] != "(" else 0


SPOKEN: Final = Rule(
    "username",
    (
        r"\b(?:user|log-?in|handle|nick|benutzer|nutzer|konto|utent[ei]|usuario|identifiant|pseudo|compte|account|cuenta|profil)[^\n.,;!?@]{0,48}[ :(][\w-]*(?:[a-z][0-9]|[a-z0-9][._][a-z0-9]|_[a-z])",
        r"\b(?:user ?names?|log-?in|handle|nick(?:name)?|benutzernamen?|nutzernamen?|identifiants?|pseudo|utente|usuario)[ :(]{1,2}(?:[\x60'\"]|\xc2\xab|\xe2\x80[\x9c\x9e])[a-z0-9]",
    ),
    re.compile(
        r"(?i)\b(?:(?P<sure>user ?names?|log-?in|handle|nick(?:name)?|benutzernamen?|nutzernamen?|identifiants?|pseudo|utente|usuario)|users?|benutzer|konto|utenti|usuarios|comptes?|account|cuenta|profil[eo]?)\b"
        r"(?!/)(?:[ :(]{1,2}(?P<quote>[\"'`«„“])|(?P<gap>[^\n.,;!?@\"'`«„“]{0,34}?)[ :(](?=(?-i:[\w.-]*(?:[A-Za-z]\d|[a-z0-9][._][a-z0-9]|_[A-Za-z]))))"
        rf"{_VALUE}{_END}" + r"(?!\\|/|:/)"
    ),
    _spoken,
    *_NEAR,
)
"""A sentence about an account, and a word behind it that is written as only accounts are."""


def _mentioned(match: re.Match[str]) -> int:
    value = match["v"]
    if _free(value):
        return 0
    line = match.string.rfind("\n", 0, match.start()) + 1
    if not match.string[line : match.start()].strip():  # a decorator, unless it is somebody's name
        return 75 if like_a_person(value) and "." not in value else 0
    return 75 if match["beside"] is not None or like_a_person(value) or _marked(value) else 0


MENTION: Final = Rule(
    "username",
    (r"(?:^|[\s(,;:>*])@[a-z]",),
    re.compile(
        r"(?:(?P<beside>(?<=[a-zà-ÿ] \()|(?<=[a-zà-ÿ] – )|(?<=[a-zà-ÿ] - ))|(?<![\w@./\"'`=-]))@(?P<v>[A-Za-z][\w.-]{1,36}[A-Za-z0-9_])(?![\w@/({:\[]|\.\w)"
    ),
    _mentioned,
    *_NEAR,
)

AT_A_MACHINE: Final = Rule(
    "username",
    (r"[a-z0-9_]@(?:[0-9]{1,3}\.|\[?[0-9a-f]{1,4}:)", r"[a-z0-9_]@[\w.-]{1,40}:[~/]", r"ssh [^\n]{0,60}@"),
    re.compile(
        r"(?<![\w.@/+-])(?:(?P<v>[A-Za-z_][\w.-]{1,31})@(?=\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|\[?(?:[0-9A-Fa-f]{1,4}:){2,7}|[\w-]+(?:\.[\w-]+)*:[~/])|(?<=ssh )(?P<w>[a-z_][\w.-]{1,31})@(?=[\w-]+(?![\w.-]*@)))"
    ),
    lambda match: 0 if _free(match["v"] or match["w"]) else 90,
    *_NEAR,
)
"""`ssh ana@10.1.2.3`, `ana@host:~$`; where a host has a domain it is a mail address, too."""

IN_A_LOG: Final = Rule(
    "username",
    (
        r"(?:user|accepted \w+ for|failed \w+ for|signed in as|logged in as|log(?:ged)? ?in as|authenticating to [^ ]{1,60} as|angemeldet als|en tant que|conectado como|connesso come|autenticato come) ",
        r"[-bcdlps][-rwxst]{9}[.+@]? ",
        r"[a-z0-9] +(?:pts/|tty)[0-9]",
        r"/user:|-user(?:name)?[= ]|-login ",
    ),
    re.compile(
        r"(?m)(?:(?:invalid user|(?:opened|closed) for user|[Aa]ccepted \S+ for|[Ff]ailed \S+ for(?: invalid user)?|[Ss]igned in as|[Ll]ogg?ed in as|[Ll]og ?in as|[Aa]uthenticating to \S+ as|angemeldet als|en tant que|conectado como|connesso come|autenticato come)[ :]+[\"'`]?|"
        r"^[-bcdlps][-rwxsStT]{9}[.+@]?[ ]+\d+[ ]+|/user:(?:[\w.-]+\\)?|\s--user[= ]|\s-(?i:user(?:name)?|login) [\"']?|^(?=[a-z_][\w.-]+[ ]+(?:pts/|tty)\d))"
        r"(?P<v>[A-Za-z_][\w.-]{1,31})(?![\w@:]|\.\w|/)"
    ),
    lambda match: 0 if _free(match["v"]) else 85,
    *_NEAR,
)
"""What programs write about who came: sshd, npm, gh, `ls -l`, `who`, `net use`."""

WITH_A_PASSWORD: Final = Rule(
    "username",
    (r"://[^ /@:\n]{2,64}:[^ /@\n]+@", r"[\"'\x60][\w.-]{2,40}:[^\s@\"']{2,80}@(?:tcp|unix)?\("),
    re.compile(
        r"(?:(?<=://)(?P<v>[^\s:/@\"'<>${}%]{2,64})(?=:[^\s/@\"'<>]{1,128}@[\w.\[$-])|(?<=[\"'`])(?P<w>[\w.-]{2,40})(?=:[^\s@\"']{2,80}@(?:tcp|unix)?\())"
    ),
    lambda match: 0 if _free(match["v"] or match["w"]) else 90,
)

IN_A_COMMAND: Final = Rule(
    "username",
    (
        r"\b(?:sudo|chown|passwd|useradd|adduser|usermod|userdel|chage|gpasswd|su -) ?[^\n]{1,60}",
        r"\b(?:mysql\w*|psql|pg_dump\w*|ftp|sftp|ssh|smbclient|ldapsearch|docker|kubectl|svn|curl) [^\n]{0,120} -{1,2}(?:u|l|username|as)[ =]?[a-z]",
        r"uid=[0-9]+\([a-z]|\blogin [^ ]+ password |^ *user [a-z]|^[a-z_][\w.-]*:[x*]:[0-9]+:",
        r"\b(?:todo|fixme|xxx|hack) ?\([a-z]|@author @?[a-z]|\([a-z][\w.-]+ +(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}",
    ),
    re.compile(
        r"(?m)(?:\b(?:sudo (?:-\w+ )*-u|su -l? ?|chown (?:-\w+ )*|passwd|useradd (?:-\S+ (?:/\S+ )?)*|adduser (?:--\S+ )*|userdel (?:-\w )*|chage -l) ?(?=[a-z_])|"
        r"\b(?:mysql\w*|psql|pg_dump\w*)\s[^\n]{0,120}?\s-[uU] ?|\bssh (?:-\w+ )*-l |\b(?:docker|podman) [^\n]{0,80}?\s(?:-u|--username)[ =]|--(?:username|as)[= ]|"
        r"\buid=\d+\(|\blogin (?=\S+ password )|^[ \t]*User (?=[a-z_][\w.-]*$)|^(?=[a-z_][\w.-]*:[x*]:\d+:\d+:)|"
        r"\b(?:TODO|FIXME|XXX|HACK) ?\(@?|@author @?(?=[a-z][\w.-]+\s*$)|\((?=[a-z][\w.-]+ +(?:19|20)\d\d-\d\d-\d\d))"
        r"(?P<v>[A-Za-z_][\w.-]{1,31})(?![\w@(]|\.\w|/)"
    ),
    lambda match: 0 if _free(match["v"]) or load().kinds.get(match["v"].lower(), 0) == COMMON else 80,
)
"""The account in a command, in what a machine keeps of accounts, and where a line of code says whose it is."""

_PAGES: Final = frozenset(
    (
        "about home search explore login signup settings help privacy terms share intent hashtag watch channel company "
        "jobs pulse feed p reel reels stories tv i features topics orgs marketplace pricing docs blog sponsors apps new "
        "trending collections events security customer-stories enterprise team contact site github user"
    ).split()
)

PROFILE: Final = Rule(
    "username",
    (
        r"(?:github|gitlab|twitter|x|instagram|facebook|tiktok|youtube|linkedin|reddit|twitch|medium|t|mastodon[\w.-]*|bsky|keybase|kaggle|huggingface|dev|behance|soundcloud|patreon)\.(?:com|org|me|social|app|io|co|to|tv)/",
        r"@[\w.-]+@[\w-]+\.[a-z]",
    ),
    re.compile(
        r"(?:\b(?:www\.)?(?:github|gitlab)\.com/(?P<v>[A-Za-z0-9][\w-]{1,38})/?(?![\w/.-])|"
        r"\b(?:www\.)?(?:(?:twitter|x|instagram|facebook|twitch\.tv|soundcloud|patreon|behance|medium)\.(?:com|net)/@?|tiktok\.com/@|youtube\.com/(?:@|user/|c/)|linkedin\.com/in/|reddit\.com/u(?:ser)?/|t\.me/|keybase\.io/|kaggle\.com/|bsky\.app/profile/)(?P<w>[A-Za-z0-9][\w.-]{1,38}[A-Za-z0-9_])/?(?![\w/-]))"
    ),
    lambda match: (
        0
        if _free(name := match["v"] or match["w"])
        or name.lower() in _PAGES
        or (match["v"] is not None and not like_a_person(name) and not _marked(name))
        else 80
    ),
)
"""The page of an account at a service that everybody knows."""

RULES: Final = (HANDLE, KEYED, SPOKEN, MENTION, AT_A_MACHINE, IN_A_LOG, IN_A_COMMAND, WITH_A_PASSWORD, PROFILE)
