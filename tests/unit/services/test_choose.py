"""An act is taken if it quotes what its person was shown, and leaves nothing behind if it is refused."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from choose_world import HOUR, KEY, MINUTE, Counter
from ledger_world import holds
from provider import DAY, NEW, OLD, T0, day, provider, talk

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, NotFound
from assent.ledger.note import new_signer, open_note, sign_note
from assent.ledger.record import parse_record
from assent.services.choose.desk import Rejected
from assent.services.choose.snapshot import MAX_TOKEN_CHARACTERS, open_snapshot, token_of
from assent.store.records import DeviceLink

SECOND = timedelta(seconds=1)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with provider(tmp_path / "home", OLD, NEW) as acme:
        acme.person()
        acme.person("s2")
        acme.keep(talk("a", "s1", T0), talk("b", "s2", T0), talk("c", "s1", T0, project="thesis"))
        yield Counter(acme)


def refused(counter: Counter, reason: str, *, match: str = ".", **answer: object) -> None:
    """Expect an answer to be rejected for a reason, with a remedy, and nothing to be written."""
    before = counter.written()
    with pytest.raises(Rejected, match=match) as caught:
        counter.answer(**answer)
    assert caught.value.reason == reason
    assert caught.value.fix
    assert "s1" not in str(caught.value) + caught.value.fix
    assert counter.written() == before


# -- what is taken ------------------------------------------------------------------------------------


def test_an_act_is_recorded_with_everything_the_person_saw_and_has_a_leaf(counter: Counter) -> None:
    served = counter.serve(campaign="autumn", terms="sha256:t")
    outcome = counter.answer(served, "allow", now=T0 + MINUTE)
    choice, shown = outcome.choice, served.snapshot
    assert (choice.act, choice.at, choice.notice, choice.surface) == ("allow", T0 + MINUTE, counter.rendering, "web")
    assert (choice.locale, choice.layout, choice.options) == ("en", "wide", ("decline", "allow", "defer"))
    assert (choice.policy, choice.client, choice.prior) == (counter.policy, "browser", "unasked")
    assert (choice.campaign, choice.terms, choice.guardian) == ("autumn", "sha256:t", "")
    assert (outcome.before, outcome.after) == ("unasked", "allowed")
    assert list(counter.store.choices("s1")) == [choice]
    assert holds(outcome.appended, counter.log).size == 1
    assert parse_record(outcome.appended.record).snapshot == choice.snapshot
    assert shown.notice == "acme-training/1"
    assert shown.may_grant
    assert shown.expires_at - shown.issued_at == HOUR


def test_a_snapshot_names_nobody(counter: Counter) -> None:
    counter.acme.person("kid", age=12)
    token = counter.serve("s1").token
    text = urlsafe_b64decode(token + "==").decode()
    assert "s1" not in json.loads(text.splitlines()[0]).values()


def test_a_snapshot_is_a_signed_note_that_other_tools_can_open(counter: Counter) -> None:
    served = counter.serve()
    note = urlsafe_b64decode(served.token + "=" * (-len(served.token) % 4)).decode()
    opened = open_note(note, [KEY.verifier])
    assert opened.text == served.snapshot.text
    assert open_snapshot(served.token, counter.desk).digest == digest_bytes(note.encode())
    assert len(served.token) < 1_600 < MAX_TOKEN_CHARACTERS


@pytest.mark.parametrize("act", ["allow", "decline", "defer"])
def test_the_same_answer_again_is_the_same_answer_however_late(counter: Counter, act: str) -> None:
    served = counter.serve()
    first = counter.answer(served, act, now=T0 + MINUTE)
    again = counter.answer(served, act, now=T0 + 3 * DAY)
    assert (again.choice, again.appended.record, again.before, again.after) == (
        first.choice,
        first.appended.record,
        first.before,
        first.after,
    )
    assert counter.written() == (1, 1)
    refused(counter, "used", served=served, act="decline" if act != "decline" else "defer")


def test_two_answers_on_one_snapshot_at_once_are_one(counter: Counter) -> None:
    for number in range(6):
        served = counter.serve(now=day(number))

        def answer(n: int, served: object = served, number: int = number) -> str:
            try:
                act = ("allow", "decline")[n % 2]
                return counter.answer(served, act, now=day(number) + n * SECOND, explain=False).choice.act
            except Rejected as problem:
                return problem.reason

        with ThreadPoolExecutor(4) as pool:
            said = set(pool.map(answer, range(4)))
        assert len(said) == 2
        assert "used" in said
        assert counter.written() == (number + 1, number + 1)


def test_an_act_knows_what_stood_before_it(counter: Counter) -> None:
    said = [counter.say(act, now=day(n)) for n, act in enumerate(("defer", "allow", "withdraw", "allow", "decline"))]
    assert [one.before for one in said] == ["unasked", "deferred", "allowed", "withdrawn", "allowed"]
    assert [one.after for one in said] == ["deferred", "allowed", "withdrawn", "allowed", "declined"]


def test_only_an_allow_makes_anything_eligible_and_the_last_word_counts(counter: Counter) -> None:
    counter.acme.keep(talk("later", "s1", day(5)))
    eligible = []
    for number, act in enumerate(("defer", "decline", "allow", "defer", "withdraw", "defer", "decline")):
        counter.say(act, now=day(number))
        decided = counter.acme.decided(day(6))
        eligible.append({decision.eligible for name, decision in decided.items() if "later" in name})
    assert eligible == [{()}, {()}, {("training",)}, {("training",)}, {()}, {()}, {()}]


# -- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["allow", "decline", "defer", "withdraw"])
def test_an_act_without_a_snapshot_is_refused(counter: Counter, act: str) -> None:
    refused(counter, "no snapshot", served=counter.serve(), act=act, token="")


def with_other(served: object, **changes: object) -> str:
    """Sign a changed snapshot with our own key: for checks behind the signature."""
    return token_of(sign_note(replace(served.snapshot, **changes).text, [KEY]))


def forgeries(token: str) -> dict[str, str]:
    note = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    text, _, _ = note.partition("\n\n")

    def written(note: str) -> str:
        return urlsafe_b64encode(note.encode()).rstrip(b"=").decode()

    stranger = new_signer(KEY.name, b"x" * 32)
    return {
        "changed": written(note.replace('"may_grant":true', '"may_grant":false')),
        "no signature": written(text + "\n"),
        "another's signature": token_of(sign_note(text + "\n", [stranger])),
        "ledger's signature": token_of(sign_note(text + "\n", [new_signer("log.example/assent", bytes(32))])),
        "cut short": token[:-8],
        "longer": token + "A",
        "padded": token + "==" if len(token) % 4 == 2 else token + "=",
        "with a blank": token[:50] + " " + token[50:],
        "with a line end": token + "\n",
        "no base64": "ä" * 20,
        "half a character": urlsafe_b64encode(b"\xff\xfe").decode(),
        "not JSON": token_of(sign_note("hello\n", [KEY])),
        "a number": token_of(sign_note("17\n", [KEY])),
        "a list": token_of(sign_note("[]\n", [KEY])),
        "an object": token_of(sign_note('{"v":"assent/snapshot/v1"}\n', [KEY])),
        "another version": token_of(sign_note(text.replace("/v1", "/v2") + "\n", [KEY])),
        "another act": token_of(sign_note(text.replace('"defer"', '"maybe"') + "\n", [KEY])),
        "no instant": token_of(sign_note(text.replace("2026-01-01T12:00:00Z", "soon") + "\n", [KEY])),
        "huge": "A" * (MAX_TOKEN_CHARACTERS + 1),
    }


FORGERIES = (
    "changed", "no signature", "another's signature", "ledger's signature", "cut short", "longer", "padded",
    "with a blank", "with a line end", "no base64", "half a character", "not JSON", "a number", "a list", "an object",
    "another version", "another act", "no instant", "huge",
)  # fmt: skip


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_snapshot_that_was_not_served_here_is_refused(counter: Counter, kind: str) -> None:
    served = counter.serve()
    refused(counter, "bad snapshot", served=served, act="decline", token=forgeries(served.token)[kind])
    assert counter.answer(served, "decline").choice.act == "decline"


def test_a_snapshot_of_the_key_before_is_still_taken_if_the_desk_knows_it(counter: Counter) -> None:
    served = counter.serve()
    newer = new_signer(KEY.name, b"n" * 32)
    refused(counter.with_desk(signer=newer), "bad snapshot", served=served, act="allow")
    assert counter.with_desk(signer=newer, earlier=(KEY.verifier,)).answer(served, "allow").after == "allowed"


@pytest.mark.parametrize("act", ["allow", "decline"])
def test_a_snapshot_is_answered_within_its_time(counter: Counter, act: str) -> None:
    edge = T0 + HOUR + MINUTE
    late = counter.serve()
    refused(counter, "expired", served=late, act=act, now=edge)
    assert counter.answer(late, act, now=edge - SECOND).choice.act == act


def test_a_snapshot_from_the_future_is_refused_beyond_the_skew_of_clocks(counter: Counter) -> None:
    ahead = counter.serve(now=T0 + MINUTE)
    refused(counter, "not yet", served=ahead, act="allow", now=T0 - SECOND)
    assert counter.answer(ahead, "allow", now=T0).choice.at == T0


def test_a_snapshot_is_for_one_person_and_one_question(counter: Counter) -> None:
    served = counter.serve()
    for act in ("allow", "decline"):
        refused(counter, "another person", served=served, act=act, subject="s2")
        refused(counter, "another person", served=served, act=act, guardian="g")
        refused(counter, "another question", served=served, act=act, purpose="feedback")
        refused(counter, "another question", served=served, act=act, scope="conversation", target="test:a")
    apart = counter.serve(scope="conversation", target="test:a")
    refused(counter, "another question", served=apart, act="allow", scope="everything", target=None)
    refused(counter, "another question", served=apart, act="allow", target="test:c")


def test_only_what_was_offered_can_be_chosen(counter: Counter) -> None:
    served = counter.serve(rendering=counter.shelve(("decline", "defer")))
    assert not served.snapshot.may_grant
    refused(counter, "not offered", served=served, act="allow", match="`allow` was not among")
    refused(counter, "not offered", served=served, act="withdraw")
    assert counter.answer(served, "decline").after == "declined"


def test_a_text_that_is_on_no_shelf_was_never_shown(counter: Counter) -> None:
    with pytest.raises(NotFound, match="not on the shelf"):
        counter.serve(rendering="sha256:0")
    served = counter.serve()
    refused(counter, "unknown rendering", served=served, act="decline", token=with_other(served, rendering="sha256:0"))


def test_what_cannot_be_asked_is_not_served(counter: Counter) -> None:
    with pytest.raises(NotFound, match="no policy here"):
        counter.serve(policy="sha256:0")
    with pytest.raises(Invalid, match="asks for `dreams`"):
        counter.serve(purpose="dreams")
    for target in ("test:b", "test:nothing"):
        with pytest.raises(NotFound, match="no such conversation of this person"):
            counter.serve(scope="conversation", target=target)
    with pytest.raises(Invalid, match="needs a target"):
        counter.serve(scope="project")
    counter.store.link_device(DeviceLink("s2", "s1", T0))
    assert counter.serve(scope="conversation", target="test:b").snapshot.target == "test:b"


# -- policies ---------------------------------------------------------------------------------------------


def test_an_allow_quotes_a_policy_that_asks_what_is_asked_today(counter: Counter) -> None:
    old = next(one for one in counter.acme.versions if one.name == OLD)
    new = next(one for one in counter.acme.versions if one.name == NEW)
    text = counter.acme.texts
    served = counter.serve()
    stale = with_other(served, policy=old.digest)
    refused(counter, "stale policy", served=served, act="allow", token=stale)
    assert counter.answer(served, "decline", token=stale).after == "declined"
    # not yet in force: what binds today is still what was quoted
    early = counter.serve()
    counter.acme.texts = [(policy, words) for policy, words in text if policy.name == NEW]
    later = replace(new, name="anthropic/next", digest="sha256:next", effective=day(10), grants=new.grants[:-1])
    only_renamed = replace(new, name="anthropic/same", digest="sha256:same", effective=T0 - DAY)
    counter.acme.texts += [(later, ""), (only_renamed, "")]
    assert counter.answer(early, "allow", now=T0 + MINUTE).after == "allowed"


def test_a_version_that_binds_since_the_question_was_served_makes_it_stale(counter: Counter) -> None:
    new = next(one for one in counter.acme.versions if one.name == NEW)
    asked = [grant for grant in new.grants if grant.choices]
    others = [grant for grant in new.grants if not grant.choices]
    shorter = replace(asked[0], says="another sentence")
    served = counter.serve()
    newer = replace(new, name="anthropic/next", digest="sha256:next", effective=T0 + MINUTE)
    counter.acme.texts += [(replace(newer, grants=(shorter, *asked[1:], *others)), "")]
    refused(counter, "stale policy", served=served, act="allow", now=T0 + MINUTE)
    assert counter.answer(served, "allow", now=T0 + MINUTE - SECOND).after == "allowed"


def test_a_policy_that_is_gone_cannot_be_allowed_under(counter: Counter) -> None:
    served = counter.serve()
    counter.acme.texts = [pair for pair in counter.acme.texts if pair[0].name == OLD]
    refused(counter, "stale policy", served=served, act="allow")
    assert counter.answer(served, "decline").after == "declined"
