"""What a session remembers between runs of the script. No other file touches ``st.session_state``.

Values live in named slots rather than in widgets: one choice has a widget on several pages, and
Streamlit drops a widget's value when its page is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

import streamlit as st

__all__ = [
    "Slot",
    "base_of",
    "choose",
    "clicked_point",
    "count_up",
    "counter",
    "press",
    "rebase",
    "set_widget",
    "settle",
    "store",
    "stored",
    "take_press",
    "widget",
]

_PREFIX = "slot_"
T = TypeVar("T")


def store(name: str, value: Any) -> None:
    """Store a value in a slot until the session ends."""
    st.session_state[_PREFIX + name] = value


def stored(name: str, default: Any) -> Any:
    """Return the value of a slot, or the default if nothing was stored."""
    return st.session_state.get(_PREFIX + name, default)


class Slot(Generic[T]):
    """A typed attribute of a class whose value lives in the session, not in the instance.

    On the class itself the attribute is the slot, so ``Choices.dataset.set`` serves as a callback.
    """

    def __init__(self, name: str, default: T) -> None:
        self.name, self.default = name, default

    @overload
    def __get__(self, instance: None, owner: type) -> Slot[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object, owner: type) -> Slot[T] | T:
        return self if instance is None else stored(self.name, self.default)

    def __set__(self, instance: object, value: T) -> None:
        self.set(value)

    def set(self, value: T) -> None:
        store(self.name, value)


def press(key: str) -> None:
    """Note which button was pressed; the script acts on it once it has read all settings.

    A callback sees the settings as they were before the click. It would lose a number that was
    typed but not yet sent.
    """
    store("pressed", key)


def take_press() -> str:
    """Return the key given to `press` since the last call, or ""."""
    key = stored("pressed", "")
    store("pressed", "")
    return key


def counter(name: str) -> int:
    """Return how often `count_up` was called for this name."""
    return stored(f"counter_{name}", 0)


def count_up(name: str) -> None:
    store(f"counter_{name}", counter(name) + 1)


def clicked_point(chart_key: str) -> int | None:
    """Return the index of the point that was clicked on an ECharts chart, if any."""
    selected = st.session_state[chart_key]["selection"]["selected"]
    indices = [i for group in selected for i in group["data_indices"]]
    return indices[0] if indices else None


def set_widget(key: str, value: Any) -> None:
    """Set a widget's value; only from a callback, or before the widget is shown."""
    st.session_state[key] = value


def widget(key: str) -> Any:
    """Return a widget's value, or None if the widget is not on the page."""
    return st.session_state.get(key)


def base_of(key: str, default: Any) -> Any:
    """Return the value an editor or canvas starts from; it stays the same during a visit.

    Streamlit drops such a widget's value when its page is left. The next visit starts from the
    value last given to `store` under the widget's key.
    """
    if key not in st.session_state:
        rebase(key, stored(key, default))
    return stored(f"base_{key}", default)


def rebase(key: str, value: Any) -> None:
    """Let an editor or canvas start again from a value."""
    store(f"base_{key}", value)


def settle(key: str, value: Any, cause: str) -> Any:
    """Set a widget's value if the widget is new or the cause has changed; return its value."""
    if key not in st.session_state or stored(f"cause_of_{key}", None) != cause:
        st.session_state[key] = value
    store(f"cause_of_{key}", cause)
    return st.session_state[key]


def choose(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[str],
    current: T,
    set_current: Callable[[T], None],
    key: str,
    **arguments: Any,
) -> T:
    """Show a widget for a choice whose value lives in a slot; return the value.

    Parameters
    ----------
    widget : callable
        ``st.selectbox`` or ``st.segmented_control``.
    current, set_current
        The slot's value, and the function that stores a new one.
    """
    shown = f"shown_{key}"
    if st.session_state.get(key) not in options or stored(shown, current) != current:
        st.session_state[key] = current
    store(shown, current)

    def follow() -> None:
        value = st.session_state[key]
        set_current(value)
        store(shown, value)

    widget(label, options, key=key, on_change=follow, **arguments)
    return current
