"""Rules for keys, tokens and passwords: known prefixes, private keys, credentials in addresses, assignments."""

# ruff: noqa: E501, PLR0911 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
from typing import Final

from assent.pipeline.redact.rule import Rule, always


def _mixed(match: re.Match[str]) -> int:
    """Refuse what only looks like a key because words are joined by hyphens, and rows of one sign."""
    value = match[0]
    if not any(one.isdigit() for one in value) and "-" in value and not value.startswith(("xox", "glpat")):
        return 0
    return 0 if re.search(r"(?i)x{6}|\*{4}|\.{3}|your[_-]", value) else 100


_PREFIXED: Final = (
    (r"(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{12,20}", r"a(?:kia|sia|bia|cca|roa|ida)[a-z0-9]{12}"),
    (r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}", r"gh[pousr]_[a-z0-9]{16}|github_pat_"),
    (r"gl(?:pat|dt|rt|ptt|ft|soat)-[\w-]{16,}", r"gl(?:pat|dt|rt|ptt|ft|soat)-"),
    (r"xox[abceoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}", r"xox[abceoprs]-|xapp-"),
    (r"(?:[srp]k|rk)_(?:live|test)_[A-Za-z0-9]{12,}|whsec_[A-Za-z0-9+/=]{16,}", r"[srp]k_(?:live|test)_|whsec_"),
    (r"AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}", r"aiza[\w-]{30}|ya29\.|gocspx-|1//0"),
    (r"sk-(?:proj-|ant-|svcacct-|or-v1-|admin-)?[A-Za-z0-9][\w-]{15,}", r"\bsk-[a-z0-9]"),
    (r"hf_[A-Za-z0-9]{20,}|api_org_[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{30,}", r"hf_|api_org_|r8_|gsk_"),
    (r"npm_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}|dckr_pat_[\w-]{16,}", r"npm_[a-z0-9]{20}|pypi-[\w-]{20}|dckr_pat_"),
    (r"SG\.[\w-]{12,}\.[\w-]{12,}|key-[0-9a-f]{32}|re_[A-Za-z0-9]{8,}_[A-Za-z0-9]{16,}", r"sg\.[\w-]{12}|key-[0-9a-f]{32}|re_[a-z0-9]{8}"),
    (r"(?:AC|SK)[0-9a-f]{32}|\d{8,10}:AA[\w-]{30,}", r"(?:ac|sk)[0-9a-f]{32}|[0-9]{8}:aa"),
    (r"do[opr]_v1_[0-9a-f]{32,}|shp(?:at|ss|ca|pa)_[0-9a-fA-F]{24,}|dapi[0-9a-f]{32}", r"do[opr]_v1_|shp(?:at|ss|ca|pa)_|dapi[0-9a-f]{32}"),
    (r"hvs\.[\w-]{20,}|hvb\.[\w-]{20,}|lin_api_[A-Za-z0-9]{20,}|sbp_[0-9a-f]{30,}|AGE-SECRET-KEY-1[A-Z0-9]{40,}", r"hv[sb]\.|lin_api_|sbp_|age-secret-key"),
    (r"(?:EAAC|EAAB|EAAG)[A-Za-z0-9]{40,}|sq0(?:atp|csp|idp)-[\w-]{20,}|AQ\.[\w-]{30,}|NRAK-[A-Z0-9]{20,}|figd_[\w-]{20,}|ntn_\w{20,}|secret_[A-Za-z0-9]{30,}", r"eaa[cbg][a-z0-9]{40}|sq0|nrak-|figd_|ntn_|secret_[a-z0-9]{30}"),
    (r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]+)?|eyJ[\w-]{14,}\.[\w-]{14,}\.[\w-]{10,}", r"eyj[\w-]{8}"),
    (r"(?<=hooks\.slack\.com/services/)[\w/]{20,}|(?<=discord\.com/api/webhooks/)\d{10,}/[\w-]{20,}|(?<=AccountKey=)[\w+/=]{20,}", r"hooks\.slack\.com/|api/webhooks/|accountkey="),
)  # fmt: skip
PREFIXED: Final = tuple(
    Rule("secret", (trigger,), re.compile(r"(?<![A-Za-z0-9_])(?:" + pattern + r")(?![A-Za-z0-9])"), _mixed)
    for pattern, trigger in _PREFIXED
)  # fmt: skip


PRIVATE_KEY: Final = Rule(
    "secret",
    (r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY", r"putty-user-key"),
    re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr])*(?P<v>(?:(?!-----)[\s\S]){8,20000}?)"
        r"(?=(?:\\r|\\n|\s)*-----END [A-Z0-9 ]*PRIVATE KEY)|-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:\s|\\n)+(?P<w>[A-Za-z0-9+/=]{8,})"
    ),
    always,
)

CREDENTIALS: Final = Rule(
    "secret",
    (r"://[^ /@:\n]{0,64}:[^ /@\n]+@",),
    re.compile(r"(?<=://)[^\s:/@\"'<>]{0,64}:(?P<v>[^\s/@\"'<>]{1,128})(?=@[\w.\[$-])"),
    lambda match: 0 if _placeholder(match["v"]) else 95,
)

_HOLLOW: Final = re.compile(
    r"(?i)^(?:x{3,}|\*+|\.{2,}|-+|_+|<.*|\[.*|\{.*|\$.*|%.*|#.*|@.*|your.*|my[-_].*|the[-_].*|insert.*|replace.*|enter.*|"
    r"placeholder.*|dummy|redacted.*|none|null|nil|undefined|true|false|yes|no|str|string|int|bool|bytes|optional.*|any|required|"
    r"hidden|empty|todo|tbd|n/?a|self|this|input|field|text|password|passwd|secret|token|value|key|user|username|"
    r"process\.env.*|os\.(?:environ|getenv).*|getenv.*|env[.(\[].*|config[.\[(].*|settings[.\[(].*|secrets?[.\[(].*|vault[.:].*|"
    r"(?:self|this|args|req|request|params|data|options|opts|app|user|ctx|props|form|body|session)[.\[].*|.*\$\{.*|.*\(\)?|.*=>.*)$"
)


def _placeholder(value: str) -> bool:
    return not value or _HOLLOW.match(value) is not None


_KEYS: Final = (
    r"pass(?:wor[dt]|wd|phrase|code)?|pwd|mot[ _]de[ _]passe|contrase[ñn]a|wachtwoord|(?<![A-Za-z])(?:kennwort|clave|senha|parola|mdp|salt|has[łl]o)(?![A-Za-z])|"
    r"secret|token|api[_ -]?key|apikey|access[_ -]?key|auth[_-]?key|private[_-]?key|secret[_-]?key|encryption[_-]?key|"
    r"signing[_-]?key|account[_-]?key|client[_-]?secret|credentials?|bearer"
)
_KEY_TRIGGER: Final = (
    r"pass|pwd|kennwort|mot.de.passe|mdp|contrase|clave|senha|parola|wachtwoord|secret|token|api.?key|access.?key|auth.?key|"
    r"private.?key|encryption.?key|signing.?key|account.?key|credential|bearer|\bsalt\b|has.{1,2}o\b"
)
_ENVIRONMENT: Final = re.compile(r"[A-Z][A-Z0-9_]{3,}")
"""A variable of the environment: what it is set to is a value, never an expression."""
_PLAIN_WORD: Final = re.compile(r"[^\W\d_]+|[a-z]+(?:_[a-z]+)+|[a-z]+(?:[A-Z][a-z]+)+|[A-Z_]+")


def _assigned(match: re.Match[str]) -> int:
    value, key, quoted = match["v"] or match["w"], match["k"].lower(), match["q"] is not None
    if _placeholder(value) or len(value) < (4 if quoted or "pass" in key or "pwd" in key else 8):
        return 0
    passwordlike = any(
        word in key for word in ("pass", "pwd", "kenn", "contra", "clave", "senha", "parola", "mdp", "wacht", "has")
    )
    if value.isdigit() and not (
        passwordlike and len(value) >= 4 and not re.search(r"(?i)len|min|max|length|age|id$|count|try|tries", key)
    ):
        return 0
    if re.search(
        r"(?i)(?:url|uri|path|file|dir|name|type|field|header|endpoint|expir\w*|ttl|length|len|count|limit|id|policy|regex|"
        r"pattern|hint|label|method|algorithm|prefix|env|var|ids|manager|reset|_at|sent|usage|index|hash_?func\w*)[\"']?$",
        key,
    ):
        return 0
    if " " in value and not (passwordlike and quoted):
        return 0
    if _PLAIN_WORD.fullmatch(value):
        if passwordlike and match.string[max(0, match.start() - 1) : match.start()] in {"&", "?"}:
            return 75  # a form that was sent
        return 70 if quoted and passwordlike and len(value) >= 5 and match["o"].strip() in {"=", ":"} else 0
    if (
        not quoted
        and re.search(r"[()\[\]{}<>]|^[\w.]+\.[a-z_]+$|^[a-z_]+(?:\.[a-zA-Z_]+)+", value)
        and not re.search(r"\d.*[!@#$%^&*]|[!@#$%^&*].*\d", value)
    ):
        return 0
    if re.match(r"(?:https?://|/|\./|~/|-\w+ |[\"']? ?\+)", value) or re.search(r"\s(?:for|in|is|the)\s", value):
        return 0
    return (
        90
        if any(one.isdigit() for one in value) or re.search(r"[^\w\s.,;:'\"-]", value)
        else (60 if passwordlike and (quoted or _ENVIRONMENT.fullmatch(match["k"])) else 0)
    )


ASSIGNED: Final = Rule(
    "secret",
    (rf"(?:{_KEY_TRIGGER})[\w.-]{{0,24}}[\"'\x60\]]{{0,2}} {{0,12}}(?:=|:|,)",),
    re.compile(
        rf"(?i)(?P<k>(?<![A-Za-z0-9])[\w.-]{{0,40}}?(?:{_KEYS})[\w.-]{{0,24}})(?:\\?[\"'`])?\]?[ \t]{{0,12}}(?P<o>=>|:=|==|!=|=|:|,(?=[ ]?[\"']))[ \t]{{0,4}}"
        r"(?:(?:Bearer|Basic|Token)[ ])?(?:[rbuf]?(?P<q>\\?[\"'`])(?P<v>(?:(?!(?P=q))[^\n\\]){4,256})(?P=q)|(?P<w>[^\s\"'`,;<>\\]{4,256}))"
    ),
    _assigned,
)


def _said(match: re.Match[str]) -> int:
    value = match["v"].rstrip(".)!?")
    if _placeholder(value) or re.match(r"(?:https?://|/|\./)", value):
        return 0
    digit = any(one.isdigit() for one in value)
    strong = digit and (any(one.isalpha() for one in value) or "pass" in match[0].lower())
    symbol = re.search(r"[a-z].*[!@#$%^&*+=].*|[!@#$%^&*+=].*[a-z]", value) is not None
    return 85 if strong or symbol else 0


SAID: Final = Rule(
    "secret",
    (
        rf"(?:{_KEY_TRIGGER})[^\n]{{0,40}} (?:is|was|to|lautet|ist|est|es|era|\xc3\xa8|e|:|sono|fue|on|auf|con)[: ]",
        r"authorization|bearer |--?(?:pass|pwd|token|secret|api-?key)[\w-]* |-u ?[^ ]{1,40}:",
        r"mysql[^\n]{0,120} -p",
    ),
    re.compile(
        rf"(?i)(?:(?<![A-Za-z0-9])(?:{_KEYS})\b[^\n.;=\"'`]{{0,30}}?\s(?:is|was|to|lautet|ist|est|es|era|è|fue|sono|auf)(?:\snow|\sjetzt)?\s?:?\s[\"'`]?|"
        r"authorization[\"']?\s?[:=]\s?[\"']?(?:bearer|basic|token)\s|\bbearer\s|"
        r"\bmysql(?:dump|admin)?\s[^\n]{0,120}?\s-p(?=[^\s\"'-])|"
        r"\s--?(?:password|passwd|pass|pwd|token|secret|api-?key)[\w-]*[ =][\"']?|\s(?:-u|--user)[ =]?[\"']?[\w.@-]{1,40}:)"
        r"(?P<v>[^\s\"'`<>,;]{6,256})"
    ),
    _said,
)


_WORDS: Final = r"pass(?:wor[dt]|wd|phrase|code)?s?|passw(?:ö|oe)rter|pwd|mots? de passe|contrase[ñn]as?|kennw(?:ort|örter)|clave|senha|parola|mdp|wachtwoord"
_ALGORITHM: Final = re.compile(
    r"(?i)(?:sha|md|aes|rsa|hmac|oauth|pbkdf|utf|iso|tls|ssl|https?|base|win|mac|web|api|php|python|java)[-_/]?\d"
)


def _beside(match: re.Match[str]) -> int:
    """Take a word beside the word `password` for one if it mixes signs as only passwords do."""
    value = match["v"] or match["w"]
    if (
        len(value) < 8
        or _placeholder(value)
        or _ALGORITHM.match(value)
        or re.match(r"(?:https?://|/|\./|www\.)", value)
    ):
        return 0
    kinds = sum(re.search(kind, value) is not None for kind in (r"[a-zß-ÿ]", r"[A-ZÀ-Þ]", r"\d", r"[^\w\s]|_"))
    return (
        80 if kinds >= 3 and not re.fullmatch(r"[\w.+-]+@[\w.-]+|[\d.,:/-]+|[a-z]+(?:[A-Z][a-z]+)+\(?\)?", value) else 0
    )


BESIDE: Final = Rule(
    "secret",
    (
        r"\b(?:pass|pwd|passw(?:\xc3\xb6|oe)rter|mots? de passe|contrase|kennw|clave|senha|parola|mdp|wachtwoord)[^\n]{0,48}[0-9!@#$%^&*_+=]",
        r"[0-9!@#$%^&*_+=][^\n]{0,24}(?:as|als|comme|como|come) (?:a |the |my |mein |mon |mi )?(?:pass|mot de passe|contrase|kennw)",
    ),
    re.compile(
        rf"(?i)(?:(?<![\w-])(?:{_WORDS})\b(?!\(|\.\w|_)(?:[^\n.;=\"'`:]{{0,32}}?:|[,:]?(?:[ ](?:in|a|an|en|zu|auf|is|was))?)[ ]{{1,2}}[\"'`«„“]?(?P<v>[^\s\"'`«»„“”<>,;]{{8,128}}?)(?=[)\"'`»“”,;]|[.:?!]?(?:\s|$))|"
        rf"[\"'`«„“](?P<w>[^\s\"'`«»„“”<>]{{8,64}})[\"'`»“”][ ](?:as|als|comme|como|come)[ ](?:\w+[ ])?(?:{_WORDS})\b)"
    ),
    _beside,
)

IN_COLUMNS: Final = Rule(
    "secret",
    (r"(?:secret|access|private|api)[_ ]key {2,}[a-z0-9/+]{16}",),
    re.compile(r"(?i)\b(?:secret|access|private|api)[_ ]key[ ]{2,}(?P<v>[A-Za-z0-9/+=_-]{16,128})(?=\s|$)"),
    lambda match: 90 if re.search(r"\d", match["v"]) and re.search(r"[A-Za-z]", match["v"]) else 0,
)

DRIVER: Final = Rule(
    "secret",
    (r"[\"'\x60][\w.-]{2,40}:[^\s@\"']{2,80}@(?:tcp|unix)?\(",),
    re.compile(r"(?<=[\"'`])[\w.-]{2,40}:(?P<v>[^\s@\"']{2,80})(?=@(?:tcp|unix)?\()"),
    lambda match: 0 if _placeholder(match["v"]) else 90,
)
"""A data source of a driver: `ana:secret@tcp(10.0.0.1:3306)/shop`."""

RULES: Final = (*PREFIXED, PRIVATE_KEY, CREDENTIALS, ASSIGNED, SAID, BESIDE, IN_COLUMNS, DRIVER)
