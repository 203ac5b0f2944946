"""All that a visitor's session remembers. No other file touches ``st.session_state``.

A choice (data set, architecture, model) lives in a slot of its own and not in a widget: the same
choice has a widget on several pages, and a widget's value is gone when its page is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from mnist_core.data.datasets import NAMES
from pages.parts.shell import texts

__all__ = [
    "answers",
    "applied_parameters",
    "architecture",
    "base_of",
    "choices",
    "choose",
    "choose_architecture",
    "choose_architecture_and_model",
    "choose_dataset",
    "choose_model",
    "chosen_dataset",
    "chosen_model",
    "clicked_point",
    "count_up",
    "counter",
    "done",
    "enter_workspace",
    "give_answer",
    "job_id",
    "mark_done",
    "rebase",
    "saved_choices",
    "set_applied_parameters",
    "set_job_id",
    "set_saved_choices",
    "set_widget",
    "settle_epochs",
    "settle_label",
    "store",
    "stored",
    "take_wish",
    "widget",
    "wish",
    "workspace",
    "worth_saving",
]

_SLOT = "slot_"
ARCHITECTURES = (
    "linear",
    "mlp",
    "cnn",
    "deep",
)  # a test compares these with mnist_core.nn.architectures


def _get(name: str, default: Any) -> Any:
    return st.session_state.setdefault(_SLOT + name, default)


def _set(name: str, value: Any) -> None:
    st.session_state[_SLOT + name] = value


def workspace() -> str | None:
    """Return the id of this visitor's workspace, or None before it is entered."""
    return _get("workspace", None)


def enter_workspace(value: str, remembered: Mapping[str, Any]) -> None:
    """Begin the session with what a workspace remembers; anything that cannot be is left out."""
    _set("workspace", value)
    if remembered.get("dataset") in NAMES:
        choose_dataset(remembered["dataset"])
    if remembered.get("architecture") in ARCHITECTURES:
        choose_architecture(remembered["architecture"])
    done_before = remembered.get("done")
    if isinstance(done_before, dict):
        results = {k: v for k, v in done_before.items() if isinstance(v, str)}
        _set("done", {page: results[page] for page in results if len(results[page]) < 200})
    answered = remembered.get("answers")
    if isinstance(answered, dict):
        known = [name for name in texts.sections("questions") if _is_answer(answered.get(name))]
        _set("answers", {name: answered[name] for name in known})
    set_saved_choices(choices())


def _is_answer(value: Any) -> bool:
    kinds = [type(v) for v in value] if isinstance(value, list) else []
    return kinds == [str, bool] and len(value[0]) < 40


def choices() -> dict[str, Any]:
    """Return what a workspace remembers of this session."""
    return {
        "dataset": chosen_dataset(),
        "architecture": architecture(),
        "done": dict(done()),
        "answers": dict(answers()),
    }


def saved_choices() -> dict[str, Any]:
    return _get("saved_choices", {})


def set_saved_choices(values: dict[str, Any]) -> None:
    _set("saved_choices", values)


def worth_saving() -> bool:
    """Return whether the visitor did more than open one page."""
    return len(done()) > 1 or bool(answers()) or chosen_dataset() is not None


def wish(value: str) -> None:
    """Note what a button was pressed for; the script does it once it knows all settings.

    A callback knows only what the page showed before: a number typed in and not yet sent would be
    lost if the callback itself began the run.
    """
    _set("wish", value)


def take_wish() -> str:
    """Return what was last wished for, once, or ""."""
    value = _get("wish", "")
    _set("wish", "")
    return value


def chosen_dataset() -> str | None:
    """Return the data set the visitor chose, or None to take the best there is."""
    return _get("dataset", None)


def choose_dataset(name: str) -> None:
    _set("dataset", name)


def architecture() -> str:
    return _get("architecture", "linear")


def choose_architecture(name: str) -> None:
    _set("architecture", name)


def choose_architecture_and_model(name: str) -> None:
    """Choose an architecture to build and train, and the bundled model of it to try."""
    choose_architecture(name)
    choose_model(name)


def chosen_model() -> str | None:
    """Return the key of the model to evaluate and draw for, or None for the first on offer."""
    return _get("model", None)


def choose_model(key: str | None) -> None:
    _set("model", key)


def job_id() -> str | None:
    """Return the id of the training run this session works with, or None for the newest."""
    return _get("job", None)


def set_job_id(value: str | None) -> None:
    _set("job", value)


def applied_parameters() -> dict[str, str]:
    """Return the URL parameters that were acted on last."""
    return _get("parameters", {})


def set_applied_parameters(parameters: dict[str, str]) -> None:
    _set("parameters", parameters)


def done() -> dict[str, str]:
    """Return {page: what came out of it} for the pages this visitor has been through."""
    return _get("done", {})


def mark_done(page: str, result: str = "") -> None:
    """Note that a page has been gone through; a result replaces an earlier one."""
    if result or page not in done():
        done()[page] = result


def answers() -> dict[str, list[Any]]:
    """Return {question: [the option first chosen, whether it was right]}."""
    return _get("answers", {})


def give_answer(question: str, option: str, right: bool) -> None:
    """Note a prediction; the first one counts."""
    answers().setdefault(question, [option, right])


def counter(name: str) -> int:
    """Return how often `count_up` was called for this name."""
    return _get(f"counter_{name}", 0)


def count_up(name: str) -> None:
    _set(f"counter_{name}", counter(name) + 1)


def clicked_point(chart_key: str) -> int | None:
    """Return the index of the point that was clicked on an ECharts chart, if any."""
    selected = st.session_state[chart_key]["selection"]["selected"]
    indices = [i for group in selected for i in group["data_indices"]]
    return indices[0] if indices else None


def set_widget(key: str, value: Any) -> None:
    """Give a widget a value; only from a callback, before the widget is made."""
    st.session_state[key] = value


def widget(key: str) -> Any:
    """Return what a widget holds, or None if it is not there."""
    return st.session_state.get(key)


def base_of(key: str, default: Any) -> Any:
    """Return what an editor or canvas of this key starts from, the same during a visit.

    Streamlit forgets what such a widget holds when its page is left; a later visit starts from
    what was last given to `store`.
    """
    if key not in st.session_state:
        _set(f"base_{key}", _get(f"stored_{key}", default))
    return _get(f"base_{key}", default)


def rebase(key: str, value: Any) -> None:
    """Let an editor or canvas begin again from a value."""
    _set(f"base_{key}", value)


def store(key: str, value: Any) -> None:
    """Remember what an editor or canvas holds, for the next visit to its page."""
    _set(f"stored_{key}", value)


def stored(key: str, default: Any) -> Any:
    """Return what was last given to `store`."""
    return _get(f"stored_{key}", default)


def settle_epochs(dataset: str, epochs: int) -> None:
    """Give the epochs' widget the data set's default whenever the data set changes."""
    if _get("epochs_for", None) != dataset:
        _set("epochs_for", dataset)
        st.session_state["training_epochs"] = epochs


def choose(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[str],
    current: str,
    choose_it: Callable[[str], None],
    key: str,
    **arguments: Any,
) -> str:
    """Show a widget for a choice that lives in a slot; return the value.

    Parameters
    ----------
    widget : callable
        ``st.selectbox`` or ``st.segmented_control``.
    current, choose_it
        The slot's value, and what stores a new one.
    """
    if st.session_state.get(key) not in options or _get(f"shown_{key}", current) != current:
        st.session_state[key] = current
    _set(f"shown_{key}", current)

    def store() -> None:
        value = st.session_state[key]
        choose_it(value)
        _set(f"shown_{key}", value)

    widget(label, options, key=key, on_change=store, **arguments)
    return current


def settle_label(key: str, drawing: str, said: int | None) -> int | None:
    """Give the true label's widget what the model said whenever the drawing changes; return it."""
    if key not in st.session_state or _get("label_for", None) != drawing:
        st.session_state[key] = said
    _set("label_for", drawing)
    return st.session_state[key]
