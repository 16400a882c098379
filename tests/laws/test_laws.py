"""Laws of decisions: sentences that hold for all facts, under every shipped policy and under made-up ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assent.domain.decision import Decision
from assent.domain.facts import ChoiceAct, HoldSpan, choice_order, facts_from_record, facts_to_record
from assent.domain.instants import LATEST
from assent.policy.decide import decide
from assent.policy.model import Policy
from assent.policy.versions import decide_versions, governing, by_date, stricter
from tests.laws.random_facts import INSTANTS, POLICIES
from tests.laws.strategies import Scene, any_scene, shipped_scenes

NO_END = LATEST

def erased_at(decision):
    return decision.erase_by or NO_END

def newest_clock(facts):
    return max((c for c in (facts.created_at, facts.last_turn_at, facts.recorded_at) if c), default=None)

def retained_until(decision, facts):
    """when bytes must be gone, never before the part was there"""
    clock = newest_clock(facts)
    if decision.held or decision.erase_by is None:
        return NO_END
    return max(decision.erase_by, clock) if clock else decision.erase_by

def opened_by(policy, event, anchor):
    """Purposes that an event may open"""
    return {g.purpose for g in policy.grants if g.anchor == anchor or event in g.when.happened
            or any(event in v.when.absent for v in g.vetoes)}

def run(s): return decide(s.facts, s.policy, s.at)

def with_act(s, act, data):
    purpose = data.draw(s.pools.purposes)
    when = data.draw(s.pools.until_now)
    assume(all(c.at <= when for c in s.facts.choices if c.purpose == purpose and c.at <= s.at))
    return replace(s.facts, choices=tuple(sorted((*s.facts.choices, ChoiceAct(purpose, act, when)), key=choice_order)))

def check_standing_hold(s, data):
    span = HoldSpan(data.draw(s.pools.until_now), data.draw(st.one_of(st.none(), s.pools.instants)))
    assume(span.released_at is None or span.released_at > s.at)
    before, after = run(s), decide(replace(s.facts, holds=(*s.facts.holds, span)), s.policy, s.at)
    assert after.held and after.erase_by is None and not after.due() and after.eligible == ()
    assert {p: e for p, e in after.use_until.items() if p != 'legal'} == {p: e for p, e in before.use_until.items() if p != 'legal'}
    assert after.use_until['legal'] is None

def check_released_hold(s, data):
    a, b = sorted([data.draw(s.pools.until_now), data.draw(s.pools.until_now)])
    before, after = run(s), decide(replace(s.facts, holds=(*s.facts.holds, HoldSpan(a, b))), s.policy, s.at)
    assert after.held is before.held
    assert after.held or erased_at(after) >= b
    cc = opened_by(s.policy, None, "case closed")
    assert set(after.eligible) - cc <= set(before.eligible)
    assert {p: e for p, e in after.use_until.items() if p not in cc} == {p: e for p, e in before.use_until.items() if p not in cc}

def check_flag(s, data):
    off = replace(s.facts, flagged_at=None)
    on = replace(s.facts, flagged_at=data.draw(s.pools.instants))
    new = set(decide(on, s.policy, s.at).eligible) - set(decide(off, s.policy, s.at).eligible)
    assert new <= opened_by(s.policy, 'flagged_at', 'flagged')

def check_veto(s, data):
    from tests.laws.strategies import all_shipped
    veto = data.draw(st.sampled_from([v for p in all_shipped() for v in p.vetoes]))
    removes = data.draw(st.sets(st.sampled_from([g.purpose for g in s.policy.grants]), min_size=1))
    veto = replace(veto, id='new', removes=frozenset(removes))
    grants = tuple(replace(g, vetoes=(*g.vetoes, veto)) if g.purpose in removes else g for g in s.policy.grants)
    policy = replace(s.policy, grants=grants, vetoes=(*s.policy.vetoes, veto))
    a, b = decide(s.facts, policy, s.at), run(s)
    assert set(a.eligible) <= set(b.eligible)
    for p in a.use_until: assert (a.use_until[p] or NO_END) <= (b.use_until[p] or NO_END)

def check_decline(s, data):
    after = with_act(s, data.draw(st.sampled_from(['decline', 'withdraw'])), data)
    a, b = decide(after, s.policy, s.at), run(s)
    assume(newest_clock(s.facts))
    cw = {g.purpose for g in s.policy.grants if g.anchor == 'choice withdrawn'}
    assert set(a.eligible) - cw <= set(b.eligible)
    assert cw or retained_until(a, after) <= retained_until(b, after)

def check_delete(s, data):
    off = replace(s.facts, deleted_at=None)
    on = replace(s.facts, deleted_at=data.draw(s.pools.instants))
    a, b = decide(on, s.policy, s.at), decide(off, s.policy, s.at)
    opened = opened_by(s.policy, 'deleted_at', 'deletion request')
    assert set(a.eligible) - opened <= set(b.eligible)
    for p in set(a.use_until) - opened: assert (a.use_until[p] or NO_END) <= (b.use_until[p] or NO_END)
    assert opened or retained_until(a, on) <= retained_until(b, on)

def check_commute(s, data):
    def sh(xs): return tuple(data.draw(st.permutations(xs)))
    grants = tuple(replace(g, vetoes=sh(g.vetoes), caps=sh(g.caps), choices=sh(g.choices)) for g in sh(s.policy.grants))
    policy = replace(s.policy, grants=grants, vetoes=sh(s.policy.vetoes), caps=sh(s.policy.caps))
    a, b = decide(s.facts, policy, s.at), run(s)
    for k in ('eligible', 'erase_by', 'held', 'gap', 'use_until'): assert getattr(a, k) == getattr(b, k), k

def check_order(s, data):
    d = run(s)
    if not d.held:
        for e in d.use_until.values(): assert (e or NO_END) <= erased_at(d)

def check_later(s, data):
    from tests.laws.strategies import EVENT_KEYS
    at = s.at
    later = [i for i in s.pools.all if i > at]
    ch = {}
    for k in EVENT_KEYS:
        v = getattr(s.facts, k)
        if v is None or v > at: ch[k] = data.draw(st.sampled_from([None, *later]))
    known = tuple(c for c in s.facts.choices if c.at <= at)
    more = data.draw(st.lists(st.builds(ChoiceAct, s.pools.purposes, st.sampled_from(['allow', 'decline', 'withdraw', 'defer']), st.sampled_from(later)), max_size=3))
    ch['choices'] = tuple(sorted((*known, *more), key=choice_order))
    holds = [replace(h, released_at=data.draw(st.sampled_from([None, *later]))) if h.released_at is None or h.released_at > at else h for h in s.facts.holds if h.start <= at]
    if data.draw(st.booleans()): holds.append(HoldSpan(max(later)))
    ch['holds'] = tuple(holds)
    assert decide(replace(s.facts, **ch), s.policy, at) == run(s)

STATE = ("plan", "region", "age", "signed_in", "role", "surface", "mode", "data", "origin", "created_at", "last_turn_at", "recorded_at")
def check_unknown_elig(s, data):
    keys = [k for k in STATE if getattr(s.facts, k) is not None]
    assume(keys)
    gone = replace(s.facts, **{data.draw(st.sampled_from(keys)): None})
    a, b = decide(gone, s.policy, s.at), run(s)
    assert set(a.eligible) <= set(b.eligible)
    for p in a.use_until: assert p in b.use_until

def check_unknown_erase(s, data):
    keys = [k for k in STATE if getattr(s.facts, k) is not None]
    assume(keys)
    key = data.draw(st.sampled_from(keys))
    assume(key != s.policy.part_clock or not any(c.act in ('decline','withdraw') and c.at <= s.at for c in s.facts.choices))
    gone = replace(s.facts, **{key: None})
    a, b = decide(gone, s.policy, s.at), run(s)
    nc = newest_clock(s.facts)
    assert max(erased_at(a), nc or erased_at(a)) >= erased_at(b)

def check_time_alone(s, data):
    f = s.facts
    later = data.draw(st.sampled_from([i for i in s.pools.all if i > s.at]))
    import itertools
    from tests.laws.strategies import EVENT_KEYS, CLOCK_KEYS
    moments = [getattr(f, k) for k in (*EVENT_KEYS, *CLOCK_KEYS)] + [c.at for c in f.choices] + [h.start for h in f.holds] + [h.released_at for h in f.holds] + [s.policy.silence_refuses_from]
    assume(not any(m and s.at < m <= later for m in moments))
    a, b = run(s), decide(f, s.policy, later)
    assert set(b.eligible) <= set(a.eligible)
    assert (a.use_until, a.erase_by, a.held, a.gap) == (b.use_until, b.erase_by, b.held, b.gap)

def check_silence(s, data):
    purposes = {p for p in s.policy.cut_purposes if all(any(not c.by_default for c in g.choices) for g in s.policy.grants if g.purpose == p)}
    f = replace(s.facts, choices=tuple(c for c in s.facts.choices if c.act != 'allow'))
    assert not purposes & set(decide(f, s.policy, s.at).eligible)

def check_business(s, data):
    pass
