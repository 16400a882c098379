"""The baseline: a list of phrases. It finds what it lists, and flags whoever quotes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assent.learn.harm.categories import SCORED
from assent.learn.harm.normalise import fold
from assent.learn.harm.port import Piece, Scored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PHRASES: Final[Mapping[str, str]] = {
    "violent_crimes": "kill|murder|stab|shoot|strangle|poison|assassinate|torture|kidnap|beat up|hitman|massacre|lynch",
    "graphic_violence": "gore|dismember|behead|mutilate|guts|severed|skinned alive",
    "indiscriminate_weapons": "bomb|explosive|grenade|nerve agent|sarin|ricin|anthrax|molotov|detonator|silencer",
    "non_violent_crimes": "steal|shoplift|launder|counterfeit|forge|bribe|blackmail|meth|cocaine|heroin|traffick",
    "sex_crimes": "rape|grope|upskirt|molest",
    "child_exploitation": "child porn|underage sex|groom a child|paedophile|pedophile",
    "cybercrime": "hack|malware|ransomware|keylogger|phishing|botnet|ddos|exploit|crack a password|sql injection",
    "privacy": "dox|stalk|home address|social security number|spy on",
    "defamation": "slander|spread a rumour|smear",
    "harassment": "loser|idiot|bitch|worthless|ugly|pathetic|shut up|bully",
    "hate": "vermin|subhuman|inferior race|go back to where|nazi|master race|scum",
    "self_harm": "suicide|kill myself|cut myself|overdose|hang myself|end my life|want to die",
    "sexual_content": "porn|erotic|naked|nude|sex scene|orgasm|fuck|cock|pussy",
    "elections": "rig an election|stuff a ballot|fake votes",
    "code_abuse": "fork bomb|reverse shell|escape the sandbox",
    "misinformation": "fake news|hoax|fake study",
}
"""Phrases by category, each read from the beginning of a word."""

_STEP: Final = 0.5
"""What each phrase takes from the doubt that remains: one gives 0.5, two 0.75."""


class Keywords:
    """Scores by how many phrases of the list a text contains."""

    name = "keywords@1"

    def __init__(self) -> None:
        """Compile the list."""
        self._lists = {name: re.compile(rf"\b(?:{PHRASES[name]})") for name in SCORED}

    def score(self, pieces: Sequence[Piece]) -> list[Scored]:
        """Score pieces one by one."""
        return [self._one(fold(piece.text).text) for piece in pieces]

    def _one(self, text: str) -> Scored:
        found = {name: len(set(listed.findall(text))) for name, listed in self._lists.items()}
        scores = {name: 1.0 - _STEP**count for name, count in found.items()}
        return Scored(1.0 - _STEP ** sum(found.values()), scores)
