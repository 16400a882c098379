"""The same text as other people would write it: in dialects, as learners, in a hurry.

Labels stay, so a detector that learns from both forms of harmful and of harmless texts learns that how somebody writes
says nothing of what is wanted. Rules are rough on purpose: spelling and small words carry a dialect into a classifier.
The bias probes of the package (`assent/learn/harm/probes`) were written apart from these rules and are never respelled.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD: Final = re.compile(r"[A-Za-z']+")


def _rules(block: str) -> dict[str, str]:
    """Read `word=spelling` pairs; an underscore in a spelling is a blank, an empty spelling leaves the word out."""
    return {word: spelling.replace("_", " ") for word, _, spelling in (pair.partition("=") for pair in block.split())}


_INFORMAL: Final = _rules(
    "going=gonna want=wanna isn't=ain't aren't=ain't haven't=ain't doesn't=don't about=bout them=em because=cause "
    "you=ya your=yo anything=nothin nothing=nothin something=sumthin everybody=errbody friend=homie friends=homies "
    "the=the those=them brother=bro really=hella very=hella would=woulda should=shoulda could=coulda"
)
_SCOTS: Final = _rules(
    "not=no don't=dinna doesn't=disnae can't=cannae cannot=cannae won't=willnae isn't=isnae my=ma to=tae you=ye "
    "your=yer what=whit of=o do=dae out=oot about=aboot house=hoose down=doon and=an all=aw was=wis small=wee "
    "little=wee who=wha from=fae with=wi one=yin more=mair so=sae know=ken home=hame old=auld good=guid give=gie "
    "have=hae boy=lad girl=lassie child=bairn children=bairns"
)
_IRISH: Final = _rules("you=ye my=me very=fierce old=aul think=reckon child=young_fella yes=aye is=does_be good=grand")
_PATOIS: Final = _rules(
    "the=di this=dis that=dat them=dem they=dem you=yuh your=yuh my=mi me=mi i=mi with=wid what=weh to=fi want=waan "
    "don't=nuh not=nuh is=a are=a of=a and=an can=cyan little=likkle child=pickney children=pickney something=supm "
    "have=ave there=deh go=guh for=fi"
)
_PIDGIN: Final = _rules(
    "please=abeg what=wetin want=wan can=fit is=dey are=dey don't=no not=no the= them=dem they=dem this=dis that=dat "
    "very=well_well child=pikin children=pikin_dem know=sabi food=chop has=don have=get there=dey"
)
_INDIAN: Final = _rules("please=kindly a=one the= only=only_only very=too_much know=am_knowing want=am_wanting")
_LEARNER: Final = _rules("the= a= an= are=is has=have does=do was=were in=on on=in of=from much=many say=tell")
_HURRIED: Final = _rules(
    "you=u your=ur are=r please=pls to=2 for=4 because=cuz tomorrow=tmrw and=n with=w what=wat have=hav know=kno "
    "people=ppl about=abt be=b see=c before=b4 without=w/o though=tho right=rite going=goin something=smth "
    "someone=sum1 explain=xplain tonight=2nite thanks=thx really=rly i'm=im don't=dont can't=cant it's=its how=hw"
)
_ENDINGS: Final = {
    "informal": ("", "", " fr", " tho", ", ya feel me", " no cap"),
    "scots": ("", "", " like", ", ken", " pal"),
    "irish": ("", "", " at all", ", so it is", " would ye"),
    "patois": ("", "", " nuh", " ya", " seh"),
    "pidgin": ("", "", " o", " abeg", " na"),
    "indian": ("", "", " only", " na", " itself", " yaar"),
    "singlish": (" lah", " leh", " can or not", " ah", " lor", ""),
    "learner": ("", ""),
    "hurried": ("", "", " lol", " lmao", " plz", " asap", "??"),
}


def _by(rules: dict[str, str], share: float) -> Callable[[str, random.Random], str]:
    def respelled(text: str, chance: random.Random) -> str:
        def one(word: re.Match[str]) -> str:
            plain = word[0].lower()
            return rules[plain] if plain in rules and chance.random() < share else word[0]

        return _WORD.sub(one, text)

    return respelled


_CLIPPED: Final = re.compile(r"(?<=[a-z]{2})ing\b")
_SPELLED: Final = {
    "informal": _by(_INFORMAL, 0.9),
    "scots": _by(_SCOTS, 0.9),
    "irish": _by(_IRISH, 0.9),
    "patois": _by(_PATOIS, 0.9),
    "pidgin": _by(_PIDGIN, 0.9),
    "indian": _by(_INDIAN, 0.6),
    "singlish": _by(_rules("the= a= is= are= very=damn"), 0.8),
    "learner": _by(_LEARNER, 0.6),
    "hurried": _by(_HURRIED, 0.9),
}
VARIETIES: Final = tuple(_SPELLED)


def varied(text: str, variety: str) -> str:
    """Write a text in a variety; the same text and variety always give the same."""
    chance = random.Random(crc32(f"{variety} {text}".encode()))
    spelled = _SPELLED[variety](text, chance)
    if variety in {"informal", "scots", "patois", "irish"}:
        spelled = _CLIPPED.sub("in'" if chance.random() < 0.5 else "in", spelled)
    if variety == "hurried":
        spelled = spelled.lower().rstrip(".?")
    spelled = re.sub(r"\s+", " ", spelled).strip()
    said = spelled.rstrip(".?!")
    return f"{said}{chance.choice(_ENDINGS[variety])}{spelled[len(said) :]}"
