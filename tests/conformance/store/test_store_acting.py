"""The contract of links, guardians, contracts and signals."""

from dataclasses import replace

import pytest
from tests.conformance.store.samples import ALL, T0, choice, day

from assent.domain.digests import digest
from assent.domain.errors import Invalid, NotFound, Refused
from assent.store.port import Store
from assent.store.records import Account, Contract, DeviceLink, Guardian, Page, Signal


def test_a_device_has_one_account_and_no_devices_of_its_own(store: Store) -> None:
    first = DeviceLink("phone", "ann", T0)
    for link in (first, replace(first, at=day(1)), DeviceLink("laptop", "ann", T0), DeviceLink("tablet", "ben", T0)):
        store.link_device(link)
    assert store.device_link("phone") == first
    assert store.device_link("ann") is None
    assert store.devices_of("ann") == [DeviceLink("laptop", "ann", T0), first]
    for device, subject in (("phone", "ben"), ("ann", "ben"), ("watch", "phone"), ("cid", "cid")):
        with pytest.raises(Refused) as caught:
            store.link_device(DeviceLink(device, subject, T0))
        assert device not in str(caught.value)
    assert store.devices_of("ben") == [DeviceLink("tablet", "ben", T0)]


def test_a_guardian_stands_until_it_ends_and_may_be_verified_again(store: Store) -> None:
    mum = Guardian("kid", "mum", "card check", "support", day(1))
    dad = Guardian("kid", "dad", "signed form", "support", day(2))
    for one in (dad, mum, mum, replace(mum, method="older", verified_at=T0)):
        store.add_guardian(one)
    assert store.guardians_of("kid") == [mum, dad]
    store.end_guardian("kid", "mum", day(3))
    store.end_guardian("kid", "mum", day(9))
    assert store.guardians_of("kid") == [replace(mum, ended_at=day(3)), dad]
    again = replace(mum, method="signed form", verified_at=day(5))
    store.add_guardian(again)
    assert store.guardians_of("kid") == [dad, again]
    assert store.guardians_of("nobody") == []
    with pytest.raises(NotFound):
        store.end_guardian("kid", "uncle", day(1))


def test_contracts_are_added_ended_and_listed(store: Store) -> None:
    made = [
        Contract(f"k{n}", "acme" if n % 2 else "other", ("training", "feedback"), digest(n), "ceo", day(n), day(n))
        for n in range(5)
    ]
    for one in made:
        store.add_contract(one)
        store.add_contract(one)
    first = store.contracts(Page(limit=2))
    assert (first.total, first.items) == (5, (made[4], made[3]))
    assert store.contracts(ALL, "acme").items == (made[3], made[1])
    store.end_contract("k1", day(8))
    store.end_contract("k1", day(9))
    store.end_contract("k1", day(4))
    assert store.contracts(ALL, "acme").items[-1] == replace(made[1], ends_at=day(4))
    store.add_contract(made[1])
    with pytest.raises(Refused, match="contract `k1`"):
        store.add_contract(replace(made[1], purposes=("training",)))
    with pytest.raises(Invalid, match="`k3` starts after"):
        store.end_contract("k3", day(2))
    with pytest.raises(NotFound):
        store.end_contract("k9", day(2))


def test_signals_are_kept_once_and_listed_newest_first(store: Store) -> None:
    made = [Signal("ann", "gpc", value, "recorded", "web", day(n)) for n, value in enumerate("101")]
    for one in [*made, made[0], replace(made[0], subject="ben")]:
        store.add_signal(one)
    listed = store.signals("ann", Page(limit=2))
    assert (listed.total, listed.items) == (3, (made[2], made[1]))
    assert store.signals("ann", Page(limit=2, after=listed.after)).items == (made[0],)
    assert store.signals("nobody", ALL).total == 0


def test_what_is_known_of_a_person_is_read_at_one_instant(store: Store) -> None:
    nobody = store.known_of("ann")
    assert (nobody.account, nobody.link, nobody.acts, nobody.of_account) == (None, None, (), ())
    account = Account("ann", plan="pro", age=30, signed_in=True, opened_at=T0)
    store.put_accounts([account])
    acts = [choice("c2", "decline", day(1), subject="ann"), choice("c1", "allow", T0, subject="ann")]
    for act in (*acts, choice("c3", "allow", T0, subject="phone")):
        store.add_choice(act)
    store.link_device(DeviceLink("phone", "ann", day(2)))
    known = store.known_of("ann")
    assert (known.account, known.link, list(known.acts)) == (account, None, list(store.choices("ann")))
    device = store.known_of("phone")
    assert (device.account, device.link) == (None, DeviceLink("phone", "ann", day(2)))
    assert [act.id for act in device.acts + device.of_account] == ["c3", "c1", "c2"]


def test_acts_are_listed_newest_first_a_page_at_a_time(store: Store) -> None:
    for number in range(5):
        store.add_choice(choice(f"c{number}", "decline", day(number), subject="ann"))
    store.add_choice(choice("other", "allow", day(9)))
    first = store.newest_choices("ann", Page(3))
    rest = store.newest_choices("ann", Page(3, first.after))
    assert [act.id for act in first.items + rest.items] == ["c4", "c3", "c2", "c1", "c0"]
    assert (first.total, rest.after) == (5, None)
