"""What a privacy signal does to each answer a person may have given, told as a table and as a law."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.services.signals.rule import Effect, Sighting, effect_of
from assent.store.records import Choice, Signal

START = datetime(2026, 1, 1, tzinfo=UTC)
SEEN, GONE = Sighting(present=True), Sighting(present=False)


def act(word: str, day: int, **more: str) -> Choice:
    at = START + timedelta(days=day)
    return Choice(f"c{day}", "s", "training", word, at, "n", "web", "web", at, **more)


def signal(value: str, day: int) -> Signal:
    return Signal("s", "gpc", value, "recorded", "web", START + timedelta(days=day))


@pytest.mark.parametrize(
    ("sighting", "rule", "before", "acts", "expected"),
    [
        (SEEN, "record", [], [], Effect("recorded", new=True)),
        (SEEN, "decline", [], [], Effect("declined", new=True, refuses=True)),
        (SEEN, "decline", [], [act("defer", 0)], Effect("declined", new=True, refuses=True)),
        (SEEN, "decline", [], [act("decline", 0)], Effect("already refused", new=True)),
        (SEEN, "record", [], [act("allow", 0)], Effect("grant stands", new=True)),
        (SEEN, "decline", [], [act("allow", 0)], Effect("grant overruled", new=True, refuses=True)),
        (SEEN, "decline", [signal("1", 0)], [act("allow", 1)], Effect("grant stands", new=False)),
        (SEEN, "decline", [signal("1", 0), signal("0", 2)], [act("allow", 1)],
         Effect("grant overruled", new=True, refuses=True)),
        (SEEN, "decline", [], [act("allow", 0, scope="conversation", target="k")],
         Effect("declined", new=True, refuses=True)),
        (GONE, "decline", [], [], Effect("ended", new=False)),
        (GONE, "decline", [signal("1", 0)], [act("decline", 1)], Effect("ended", new=True)),
    ],
)  # fmt: skip
def test_a_sighting_comes_to(
    sighting: Sighting, rule: str, before: list[Signal], acts: list[Choice], expected: Effect
) -> None:
    assert effect_of(sighting, rule=rule, before=before, acts=acts) == expected


@given(
    st.lists(st.booleans(), max_size=4),
    st.lists(st.sampled_from(["allow", "decline", "withdraw", "defer"]), max_size=4),
    st.booleans(),
)
def test_a_signal_refuses_at_most_once_while_it_lasts_and_never_by_the_rule_record(
    history: list[bool], words: list[str], present: bool
) -> None:
    before = [signal("1" if seen else "0", day) for day, seen in enumerate(history)]
    acts = [act(word, day) for day, word in enumerate(words)]
    assert not effect_of(Sighting(present), rule="record", before=before, acts=acts).refuses
    effect = effect_of(Sighting(present), rule="decline", before=before, acts=acts)
    if effect.refuses:
        assert present
        assert effect.new
        assert not (history and history[-1])
