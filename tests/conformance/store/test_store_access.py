"""The contract of the API's own rows: tokens by digest, answers by caller and key."""

from dataclasses import replace

import pytest
from tests.conformance.store.samples import T0, day

from assent.domain.errors import NotFound, Refused
from assent.store.port import Store
from assent.store.records import Answered, Token

TOKEN = Token("d1", "web", "product", T0)
ANSWER = Answered("web", "k1", "r1", 201, '{"id": "é"}', T0)


def test_a_token_is_found_by_its_digest_and_listed_by_name(store: Store) -> None:
    other = Token("d2", "admin", "officer", day(1))
    for token in (TOKEN, other, TOKEN):
        store.add_token(token)
    assert store.token("d1") == TOKEN
    assert store.token("web") is None
    assert list(store.tokens()) == [other, TOKEN]


@pytest.mark.parametrize(
    "other", [replace(TOKEN, digest="d2"), replace(TOKEN, name="x"), replace(TOKEN, role="officer")]
)
def test_a_name_or_digest_that_is_taken_is_refused(store: Store, other: Token) -> None:
    store.add_token(TOKEN)
    with pytest.raises(Refused):
        store.add_token(other)
    assert list(store.tokens()) == [TOKEN]


def test_the_first_revocation_counts(store: Store) -> None:
    store.add_token(TOKEN)
    store.revoke_token("web", day(1))
    store.revoke_token("web", day(2))
    assert store.token("d1") == replace(TOKEN, revoked_at=day(1))
    with pytest.raises(NotFound):
        store.revoke_token("nobody", day(1))


def test_the_first_answer_under_a_key_stays(store: Store) -> None:
    store.add_answers([ANSWER, replace(ANSWER, body="second"), replace(ANSWER, caller="other", body="theirs")])
    store.add_answers([replace(ANSWER, body="third", request="r2"), replace(ANSWER, key="k2")])
    assert store.answered("web", "k1") == ANSWER
    assert store.answered("other", "k1") == replace(ANSWER, caller="other", body="theirs")
    assert store.answered("web", "k2") == replace(ANSWER, key="k2")
    assert store.answered("web", "k3") is None


def test_many_answers_are_kept_at_once(store: Store) -> None:
    store.add_answers([replace(ANSWER, key=f"k{n}") for n in range(6_000)])
    assert store.answered("web", "k5999") == replace(ANSWER, key="k5999")


def test_old_answers_are_forgotten(store: Store) -> None:
    store.add_answers([ANSWER, replace(ANSWER, key="k2", at=day(2))])
    assert store.forget_answers(day(1)) == 1
    assert store.forget_answers(day(1)) == 0
    assert store.answered("web", "k1") is None
    assert store.answered("web", "k2") is not None
