"""What sentences of existing pages are about, and what the policy answers to each: fixed rules for English.

A rule looks for words, never for meaning. A sentence that no rule knows is reported as not
judged; a sentence that denies a denial, irony, and what stands only in a picture are beyond it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.domain.durations import Duration
from assent.policy.build import build
from assent.policy.model import Membership
from assent.services.notice.asked import purposes_asked
from assent.services.notice.facts import about_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.policy.document import Document
    from assent.policy.model import Grant, Policy
    from assent.services.notice.facts import PolicyFacts

LENGTH_TOPICS: Final = {
    "score": r"\bscores?\b|\bclassif",
    "flagged": r"\bflag|\bviolat|\babus|\bharmful\b|trust (?:and|&) safety",
    "feedback": r"\bfeedback\b|\bthumbs?\b|\bratings?\b|bug reports?",
    "reviewed": r"human review|\breviewers?\b|\breviewed\b",
    "account": r"(?:clos|delet|end)\w* (?:of )?(?:your|the|an) account"
    r"|account (?:is|was|has been) (?:closed|deleted|ended)",
    "private": r"\bincognito\b|\btemporary\b|private (?:chat|mode|conversation)",
    "withdrawal": r"\bwithdr[ae]w|taken? (?:it |this |the permission )?back|taking it back"
    r"|chang\w+ (?:your|their) mind|turn\w* (?:it |this )?off (?:later|again)",
    "declined": r"(?:\bnot|n't|\bnever) (?:to )?(?:\w+ ){0,2}?(?:allow|share|opt in|agree|consent|participate)"
    r"|\bopt(?:s|ed|ing)?[ -]out|\bdeclin|\brefus|\botherwise\b|\bif you don't\b"
    r"|without (?:your )?(?:permission|consent)|\bdo(?:es)? not train\b",
    "deletion": r"\bdelet|\beras",
    "allowed": r"\ballow|\bopt(?:s|ed|ing)?[ -]in|\bagree|\bconsent|\bpermi[ts]|\btrain|\bimprov",
    "kept": r"\bkeep|\bkept|\bretain|\bretention|\bstor(?:e|ed|age)",
}
"""Topics of a length, the most particular first: the first that a clause speaks of counts."""

_TRAINS: Final = r"\btrain"
_NEGATED: Final = r"\bnot\b|n't\b|\bnever\b|\bno\b|\bexclud|\bexempt|\bwithout\b|\bout of reach\b|\bcannot\b"


@dataclass(frozen=True, slots=True)
class PolicyAnswers:
    """What one policy says about every topic; `lengths` are the lengths that it has for each topic of lengths."""

    document: Document
    policy: Policy
    facts: dict[str, PolicyFacts]

    @property
    def by_default(self) -> bool:
        """Whether some training happens unless the person says no."""
        return any(fact.by_default for fact in self.facts.values())

    @property
    def trains(self) -> bool:
        """Whether any plain grant lets parts train models."""
        return any("train" in grant.purpose and grant.kind == "grant" for grant in self.policy.grants)

    def lengths(self, topic: str) -> tuple[set[Duration], bool]:
        """Return the lengths of a topic, and whether something of it has no set end."""
        found = [length for fact in self.facts.values() for length in _lengths(fact, topic)]
        found += self._of_rules(topic)
        return {length for length in found if isinstance(length, Duration)}, None in found

    def all_lengths(self) -> set[Duration]:
        """List every length of the policy."""
        found = {length for topic in LENGTH_TOPICS for length in self.lengths(topic)[0]}
        for grant in self.policy.grants:
            found |= {length for length in (grant.use_for.default, *grant.use_for.picks.values()) if length}
        return found

    def _of_rules(self, topic: str) -> list[Duration | None]:
        if topic in ("flagged", "score", "feedback", "reviewed"):
            return [g.use_for.default for g in self.policy.grants if g.kind == "exception" and about_of(g) == topic]
        if topic == "account":
            return [cap.erase_after for cap in self.policy.caps if cap.key == "account_closed_at" and cap.erase_after]
        if topic == "deletion":
            return [cap.erase_after for cap in self.policy.caps if cap.key == "deleted_at" and cap.erase_after]
        if topic == "private":
            return [g.use_for.default for g in self.policy.grants if _in_private(g)]
        plain = [g for g in self.policy.grants if g.kind == "grant" and g.anchor not in ("flagged", "feedback")]
        if topic in ("kept", "declined") and not self.facts:
            return [g.use_for.default for g in plain]
        return [length for g in plain for length in g.use_for.picks.values()] if topic == "kept" else []

    def vetoed(self, key: str, value: str) -> bool:
        """Tell whether a veto keeps parts with this fact out of training."""
        return any(
            any("train" in purpose for purpose in veto.removes)
            and any(isinstance(t, Membership) and t.key == key and value in t.values for t in veto.when.tests)
            for veto in self.policy.vetoes
        )


def answers_of(document: Document) -> PolicyAnswers:
    """Gather what a policy says about the topics, purpose by purpose."""
    policy = build(document)
    return PolicyAnswers(document, policy, {name: facts_of(document, name) for name in purposes_asked([policy])})


def _lengths(fact: PolicyFacts, topic: str) -> Sequence[Duration | str | None]:
    if topic in ("flagged", "score", "feedback", "reviewed"):
        return [survivor.kept.length for survivor in fact.survivors if survivor.about == topic]
    declined = [fact.declined.length] if fact.declined else []
    lengths: dict[str, list[Duration | str | None]] = {
        "withdrawal": [fact.withdrawal_retention, *declined],
        "declined": [*declined],
        # "chats are deleted within 30 days" may speak of the end of keeping as well as of deleting
        "deletion": [fact.deletion, *declined],
        "allowed": [fact.allowed.length],
        "kept": [fact.allowed.length, *declined],
    }
    return lengths.get(topic, [])


def _in_private(grant: Grant) -> bool:
    """Tell whether a plain grant speaks of private chats, by name or by keeping silent about the mode."""
    if grant.kind != "grant" or grant.choices:
        return False
    modes = [test for test in grant.when.tests if isinstance(test, Membership) and test.key == "mode"]
    return all("private" in test.values for test in modes)


@dataclass(frozen=True, slots=True)
class Claim:
    """A kind of statement without a length: what it looks like, what it says, what the policy answers.

    `answer` gives True where the policy agrees, False where it does not, None where it is silent.
    """

    about: str
    looks_like: str
    answer: Callable[[PolicyAnswers, str], bool | None]
    policy_says: Callable[[PolicyAnswers], str]


def _says_no(text: str) -> bool:
    return re.search(_NEGATED, text) is not None


def _agree(fact: bool, text: str) -> bool:  # noqa: FBT001 - the fact is what is compared
    """Compare a policy's `yes, it trains` with a sentence that says so or denies it."""
    return fact is not _says_no(text)


def _survivor_trains(answers: PolicyAnswers, about: str) -> bool | None:
    anchor = {"flagged": "flagged", "feedback": "feedback"}[about]
    rules = [g for g in answers.policy.grants if g.anchor == anchor]
    return any(rule.purpose in answers.policy.cut_purposes for rule in rules) if rules else None


def _survivor_agrees(answers: PolicyAnswers, text: str, about: str) -> bool | None:
    trains = _survivor_trains(answers, about)
    return None if trains is None else _agree(trains, re.sub(r"opt\w*[ -]out|(?:n't|not) (?:allow|share)", "", text))


def _resumes(answers: PolicyAnswers, text: str) -> bool:
    only_new = re.search(r"only (?:the )?new|new \w+ only", text) is not None
    return only_new is (answers.document.parameters.resume_scope == "new turns")


def _withdrawal(answers: PolicyAnswers) -> str:
    return answers.document.withdrawal.finished_models or "unchanged"


CLAIMS: Final = (
    Claim(
        "business plans",
        rf"(?=.*\b(?:business|enterprise|commercial|team plans?|workspace|api)\b)(?=.*(?:{_TRAINS}|\bappl|\baffect))",
        lambda a, text: _agree(not a.vetoed("plan", "business") and not _no_business(a), text) if _sells(a) else None,
        lambda a: f"business plans are {'out of' if _no_business(a) else 'within'} reach of training",
    ),
    Claim(
        "private chats",
        rf"(?=.*(?:{LENGTH_TOPICS['private']}))(?=.*{_TRAINS})",
        lambda a, text: _agree(not a.vetoed("mode", "private"), text) if a.trains else None,
        lambda a: "private chats " + ("never train" if a.vetoed("mode", "private") else "are not kept out of training"),
    ),
    Claim(
        "silence",
        r"(?=.*\b(?:clos(?:e|es|ing)|ignor\w+|silence|no answer|not answer\w*|do(?:es)? nothing|do(?:es)? not respond"
        r"|dismiss\w*))"
        r"(?=.*\b(?:accept\w*|consent\w*|agree\w*|allow\w*|permit\w*|opt\w* in|opted in|a yes)\b)",
        lambda a, text: _agree(a.by_default, text),
        lambda a: "data is used until the person says no" if a.by_default else "not answering never permits anything",
    ),
    Claim(
        "training by default",
        rf"(?=.*{_TRAINS})(?=.*(?:by default|\bunless\b.*(?:opt|declin|object|turn|switch|say no)|automatically"
        r"|pre-?(?:ticked|selected|checked)))",
        lambda a, text: _agree(a.by_default, re.sub(r"\bunless\b.*", "", text)),
        lambda a: "training happens until the person says no" if a.by_default else "nothing trains without an answer",
    ),
    Claim(
        "training with permission only",
        rf"(?=.*{_TRAINS})(?=.*\bonly\b.*\b(?:if|when|with|after)\b.*(?:allow|permission|consent|agree|opt))",
        lambda a, _: not a.by_default if a.trains else None,
        lambda a: "training happens until the person says no" if a.by_default else "nothing trains without an answer",
    ),
    Claim(
        "finished models",
        r"(?=.*\b(?:remov|delet|eras|untrain|unlearn|retrain|take)\w*\b.*\bfrom\b"
        r".*\b(?:trained|finished|existing)\b.*\bmodels?\b)",
        lambda a, text: _agree(_withdrawal(a) == "retrained", text),
        lambda a: f"finished models are {_withdrawal(a)} when a permission is taken back",
    ),
    Claim(
        "stored data after withdrawal",
        r"(?=.*(?:withdr[ae]w|opt\w*[ -]out|chang\w+ your mind|turn\w* (?:it |this )?off))"
        r"(?=.*\b(?:stored|earlier|previous|existing|past|already)\b)(?=.*\bus(?:e|ed|ing)\b)(?!.*\bmodels?\b)",
        lambda a, text: _agree(a.document.withdrawal.stored_data == "still used", text) if a.facts else None,
        lambda a: f"stored data is {a.document.withdrawal.stored_data} after that",
    ),
    Claim(
        "resumed chats",
        r"(?=.*\b(?:resum|continu|reopen|go(?:es)? on with|pick up)\w*)"
        r"(?=.*\b(?:whole|entire|full|all of|only (?:the )?new|new (?:turns|messages) only))",
        lambda a, text: _resumes(a, text) if a.facts else None,
        lambda a: f"a resumed chat counts: {a.document.parameters.resume_scope}",
    ),
    Claim(
        "flagged chats",
        rf"(?=.*(?:{LENGTH_TOPICS['flagged']}))(?=.*{_TRAINS})",
        lambda a, text: _survivor_agrees(a, text, "flagged"),
        lambda a: f"flagged chats {'may' if _survivor_trains(a, 'flagged') else 'do not'} train models",
    ),
    Claim(
        "feedback",
        rf"(?=.*(?:{LENGTH_TOPICS['feedback']}))(?=.*{_TRAINS})",
        lambda a, text: _survivor_agrees(a, text, "feedback"),
        lambda a: f"feedback {'may' if _survivor_trains(a, 'feedback') else 'does not'} train models",
    ),
)
"""Statements that can be judged without a number, the most particular first."""


def _sells(answers: PolicyAnswers) -> bool:
    return bool(answers.policy.business_plans)


def _no_business(answers: PolicyAnswers) -> bool:
    """Tell whether no grant for training reaches a business plan, whatever vetoes there are."""
    plans = answers.policy.business_plans
    for grant in answers.policy.grants:
        if "train" not in grant.purpose or grant.kind != "grant":
            continue
        tests = [test for test in grant.when.tests if isinstance(test, Membership) and test.key == "plan"]
        reached = {plan for plan in plans if all((plan in test.values) is not test.negated for test in tests)}
        vetoed = {
            plan
            for plan in reached
            for veto in grant.vetoes
            if any(isinstance(t, Membership) and t.key == "plan" and plan in t.values for t in veto.when.tests)
        }
        if reached - vetoed:
            return False
    return True
