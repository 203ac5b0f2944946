"""The fair queue, compared with a simple model of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.training import fair_queue
from mnist_core.training.fair_queue import FairQueue

_numbers = count()


@dataclass(frozen=True)
class Entry:
    owner: str
    number: int = field(default_factory=lambda: next(_numbers))


def queue_of(*owners):
    queue = FairQueue()
    entries = [Entry(owner) for owner in owners]
    for entry in entries:
        queue.add(entry)
    return queue, entries


def take_all(queue):
    return [queue.take() for _ in range(len(queue))]


def owners_of(entries):
    return "".join(entry.owner for entry in entries)


def test_one_owner_s_entries_come_in_order():
    queue, entries = queue_of("a", "a", "a")
    assert take_all(queue) == entries


def test_owners_are_served_in_turn():
    queue, _ = queue_of("a", "a", "a", "b", "b", "c")
    assert owners_of(take_all(queue)) == "abcaba"


def test_each_owner_s_own_entries_stay_in_order():
    queue, entries = queue_of("a", "b", "a", "b", "a")
    taken = take_all(queue)
    for owner in "ab":
        assert [e for e in taken if e.owner == owner] == [e for e in entries if e.owner == owner]


def test_the_owner_served_longest_ago_is_next_even_if_added_last():
    queue, _ = queue_of("a", "b")
    take_all(queue)
    for owner in "bba":
        queue.add(Entry(owner))
    assert owners_of(take_all(queue)) == "abb"


def test_a_new_owner_is_served_before_all_others():
    queue, _ = queue_of("a", "b")
    take_all(queue)
    for owner in "abc":
        queue.add(Entry(owner))
    assert owners_of(take_all(queue)) == "cab"


def test_an_entry_put_back_after_its_turn_waits_for_the_others():
    queue, (first, *_) = queue_of("a", "b")
    queue.add(queue.take())
    assert queue.order()[-1] is first


def test_a_removed_entry_is_not_served_and_costs_its_owner_no_turn():
    queue, (a1, a2, b) = queue_of("a", "a", "b")
    queue.remove(a1)
    assert a1 not in queue
    assert take_all(queue) == [a2, b]
    queue.remove(a1)  # it is not there any more
    assert len(queue) == 0


def test_an_empty_queue_is_false_and_has_no_next_entry():
    queue = FairQueue()
    assert not queue
    with pytest.raises(IndexError):
        queue.take()


def test_reading_the_order_changes_nothing():
    queue, _ = queue_of("a", "a", "b")
    assert queue.order() == queue.order()
    assert len(queue) == 3


def test_only_the_most_recently_served_owners_are_remembered(monkeypatch):
    monkeypatch.setattr(fair_queue, "MOST_OWNERS", 3)
    queue, _ = queue_of("a", "b", "c", "d")
    take_all(queue)
    for owner in "bae":
        queue.add(Entry(owner))
    assert queue.take().owner == "a"  # it counts as new, like e, and was added before


NO_TIME = settings(deadline=None)
OWNERS = st.sampled_from("abcd")


@NO_TIME
@given(st.lists(OWNERS, max_size=25), st.lists(OWNERS, max_size=10))
def test_entries_are_served_in_the_order_shown(before, waiting):
    queue, _ = queue_of(*before)
    take_all(queue)
    for owner in waiting:
        queue.add(Entry(owner))
    shown = queue.order()
    assert take_all(queue) == shown
    assert sorted(owners_of(shown)) == sorted(waiting)


@NO_TIME
@given(st.lists(OWNERS, min_size=1, max_size=25))
def test_no_owner_is_served_twice_before_all_waiting_owners_were_served(owners):
    queue, _ = queue_of(*owners)
    taken = owners_of(take_all(queue))
    for i, owner in enumerate(taken):
        until_next = taken.find(owner, i + 1)
        if until_next != -1:
            assert set(taken[until_next:]) <= set(taken[i:until_next])
