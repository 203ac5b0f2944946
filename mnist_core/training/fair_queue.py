"""A queue that serves its owners in turn: many entries of one do not delay another's."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar

__all__ = ["FairQueue"]


class Owned(Protocol):
    owner: str


T = TypeVar("T", bound=Owned)
MOST_OWNERS = 1_000  # remembered; an owner not served for longer counts as new


class FairQueue(Generic[T]):
    """Entries wait in order, but the owner who was served longest ago is next. Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._served: dict[str, int] = {}  # owner: number of the last turn
        self._turns = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, entry: object) -> bool:
        return entry in self._waiting

    def add(self, entry: T) -> None:
        self._waiting.append(entry)

    def remove(self, entry: T) -> None:
        """Remove an entry if it waits."""
        if entry in self._waiting:
            self._waiting.remove(entry)

    def take(self) -> T:
        """Remove and return the next entry; IndexError if none waits."""
        entry = self.order()[0]
        self._waiting.remove(entry)
        self._turns += 1
        self._served[entry.owner] = self._turns
        if len(self._served) > MOST_OWNERS:
            del self._served[min(self._served, key=self._served.__getitem__)]
        return entry

    def order(self) -> list[T]:
        """Return all entries in the order in which they will be served."""
        waiting, served, turns = list(self._waiting), dict(self._served), self._turns
        order: list[T] = []
        while waiting:
            entry = min(waiting, key=lambda e: served.get(e.owner, 0))  # the first of equals
            waiting.remove(entry)
            order.append(entry)
            turns += 1
            served[entry.owner] = turns
        return order
