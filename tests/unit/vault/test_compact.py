"""Which segments are worth writing anew."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from assent.vault.compact import FEWEST_SMALL, SMALL_BYTES, Compaction, Rewrite, Usage, plan_compaction

DAY = date(2026, 11, 20)
TODAY = date(2026, 11, 22)
BIG = 10 * SMALL_BYTES


def plan(*usages: Usage, promised: tuple[str, ...] = ()) -> Compaction:
    return plan_compaction(usages, today=TODAY, promised=promised)


def test_a_segment_without_a_live_record_is_empty_whatever_its_name() -> None:
    found = plan(Usage("2026-11-20/long/1-9", BIG, 0), Usage("2026-11-20/long/9-9.part", 3, 0), Usage("stray", 1, 0))
    assert found == Compaction(("2026-11-20/long/1-9", "2026-11-20/long/9-9.part", "stray"), ())


def test_a_segment_is_written_anew_when_more_than_half_is_dead_and_not_at_half() -> None:
    at, beyond = (
        Usage("2026-11-20/long/1-9", BIG, BIG // 2),
        Usage("2026-11-20/long/10-19-2", BIG, BIG // 2 - 1),
    )
    assert plan(at, beyond).rewrites == (Rewrite(DAY, "long", ("2026-11-20/long/10-19-2",)),)


def test_a_promise_moves_even_one_dead_byte_and_no_live_segment() -> None:
    usages = [Usage("2026-11-20/long/1-9", BIG, BIG - 1), Usage("2026-11-20/long/10-19", BIG, BIG)]
    assert plan(*usages) == Compaction((), ())
    moved = plan(*usages, promised=tuple(usage.segment for usage in usages))
    assert moved.rewrites == (Rewrite(DAY, "long", ("2026-11-20/long/1-9",)),)


def test_small_segments_of_a_past_day_come_together_lane_by_lane() -> None:
    many = [Usage(f"2026-11-20/long/{n}-{n}", 100, 100) for n in range(FEWEST_SMALL)]
    other = [Usage(f"2026-11-20/short/{n}-{n}", 100, 100) for n in range(FEWEST_SMALL - 1)]
    today = [Usage(f"2026-11-22/long/{n}-{n}", 100, 100) for n in range(FEWEST_SMALL)]
    found = plan(*many, *other, *today)
    assert found.rewrites == (Rewrite(DAY, "long", tuple(sorted(usage.segment for usage in many))),)


def test_small_segments_join_one_that_is_written_anew_anyway() -> None:
    dead = Usage("2026-11-20/long/900-999", BIG, 1)
    small = [Usage(f"2026-11-20/long/{n}-{n}", 100, 100) for n in range(FEWEST_SMALL - 1)]
    assert len(plan(dead, *small).rewrites[0].segments) == FEWEST_SMALL


USAGES = st.lists(
    st.builds(
        lambda day, lane, first, size, dead: Usage(f"2026-11-{day}/{lane}/{first}-{first}", size, max(size - dead, 0)),
        st.integers(20, 22),
        st.sampled_from(["long", "short"]),
        st.integers(1, 200),
        st.sampled_from([100, BIG]),
        st.integers(0, BIG),
    ),
    unique_by=lambda usage: usage.segment,
)


@given(USAGES)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(usages: list[Usage]) -> None:
    found = plan(*usages)
    live = {usage.segment: usage.live for usage in usages}
    moved = {segment for rewrite in found.rewrites for segment in rewrite.segments}
    assert not moved & set(found.empty)
    after = [usage for usage in usages if usage.segment not in moved | set(found.empty)]
    for number, rewrite in enumerate(found.rewrites):
        size = sum(live[segment] for segment in rewrite.segments)
        after.append(Usage(f"{rewrite.day}/{rewrite.lane}/{number + 1_000}-{number + 1_000}", size, size))
    again = plan(*after)
    assert again.empty == ()
    assert all(len(rewrite.segments) >= FEWEST_SMALL for rewrite in again.rewrites)
