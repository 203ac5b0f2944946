"""One run: repeat it with a change, download it, delete it; and the upload of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from mnist_core.nn import architectures
from mnist_core.nn.optimisers import OPTIMISERS
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training.configs import ENGINES, LABELS, TrainingConfig, with_change
from mnist_core.training.job import Job
from mnist_core.training.run import TrainingRun
from mnist_core.workspace import export
from mnist_core.workspace.archive import pack
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.run_registry import RunUnavailableError
from pages.parts.session import caches, current_data, state
from pages.parts.session.choices import Choices
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.training import runs_table, training_controls
from pages.parts.training.training_panel import findings

__all__ = ["choose", "show", "upload"]

CHOICES: dict[str, list[str]] = {
    "architecture": list(architectures.ARCHITECTURES),
    "optimiser": list(OPTIMISERS),
    "schedule": list(SCHEDULES),
    "engine": list(ENGINES),
}
_TITLES = ENGINES | {name: row.title for name, row in architectures.ARCHITECTURES.items()}
CHANGEABLE = [name for name in LABELS if name != "dataset"]


def choose(records: list[RunRecord], key: str) -> Job[TrainingRun] | None:
    """Show the choice of a run and return it; if it cannot be opened, say why and return None."""
    titles, run_id = runs_table.titles_of(records), visitor().choices.run_id
    current = run_id if run_id in titles else records[0].id
    run_id = state.choose(
        st.selectbox,
        "Run",
        list(titles),
        current,
        Choices.run_id.set,
        key,
        format_func=lambda run_id: titles.get(run_id, "a run that is gone"),
    )
    try:
        return visitor().runs.open(run_id)
    except RunUnavailableError as error:
        st.error(str(error), icon=":material/error:")
        return None


def show(records: list[RunRecord]) -> None:
    """Show one run, and what can be done with it."""
    job = choose(records, "runs_run")
    if job is None:
        return
    st.caption(str(job.run.config))
    findings(job)
    with st.container(horizontal=True):
        st.page_link("pages/training.py", label="Look at it", icon=":material/model_training:")
        st.page_link("pages/replay.py", label="Replay it", icon=":material/history:")
    _repeat(job)
    _downloads(job)
    with st.popover("Delete this run", icon=":material/delete:", key="runs_delete"):
        st.markdown("It cannot be brought back, unless you have downloaded it.")
        st.button("Delete", key="runs_delete_now", on_click=_delete, args=(job.id,))


def _delete(run_id: str) -> None:
    visitor().runs.remove(run_id)
    visitor().choices.run_id = None


def _repeat(job: Job[TrainingRun]) -> None:
    texts.show("runs", "repeat")
    config = job.run.config
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Change", CHANGEABLE, format_func=LABELS.__getitem__, key="runs_change", width=200
        )
        value = _value(name, getattr(config, name), f"runs_value_{name}_{job.id}")
        if st.button("Repeat with this change", key="runs_repeat", icon=":material/replay:"):
            _begin(config, name, value)


def _begin(config: TrainingConfig, name: str, value: Any) -> None:
    try:
        changed = with_change(config, name, value)
        dataset = caches.dataset_named(config.dataset)
        training_controls.begin(changed, dataset).resume()
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.switch_page("pages/training.py")


def _value(name: str, now: Any, key: str) -> Any:
    """Show a field for a setting's new value; it starts with a value that differs from ``now``."""
    label = f"from {_TITLES.get(now, now)} to"
    if name in CHOICES:
        others = [option for option in CHOICES[name] if option != now]
        return st.selectbox(
            label, others, format_func=lambda o: _TITLES.get(o, o), key=key, width=200
        )
    if isinstance(now, bool):
        return st.selectbox(label, [not now], key=key, width=200)
    if isinstance(now, float):
        return st.number_input(label, value=2 * now, format="%.6g", step=0.001, key=key, width=200)
    other = now + 1 if name == "seed" else 2 * now
    return st.number_input(label, value=other, step=1, key=key, width=200)


def _downloads(job: Job[TrainingRun]) -> None:
    texts.show("runs", "take")
    run, name = job.run, f"{job.run.config.architecture}-{job.run.history.step}"
    folder = visitor().runs.folder(job.id).folder
    files: list[tuple[str, str, str, Callable[[], bytes]]] = [
        ("Weights", "weights", f"{name}.safetensors", lambda: export.weights(run)),
        ("History", "history", f"{name}.csv", lambda: export.history(run)),
        ("Script", "script", f"{name}.py", lambda: export.script(run).encode()),
        ("Notebook", "notebook", f"{name}.ipynb", lambda: export.notebook(run)),
        (
            "TensorBoard",
            "tensorboard",
            f"{name}-tensorboard.zip",
            lambda: export.tensorboard(run),
        ),
        ("The whole run", "folder", f"{name}-run.zip", lambda: pack(folder)),
    ]
    with st.container(horizontal=True, key="runs_take"):
        for label, key, file_name, make in files:
            st.download_button(
                label,
                make,
                file_name,
                key=f"runs_take_{key}",
                icon=":material/download:",
                on_click="ignore",
            )
    with st.expander("Look at the script"):
        st.code(export.script(run))


def upload() -> None:
    """Show the upload of a run or of weights, and add the file to the visitor's runs."""
    texts.show("runs", "bring")
    file = st.file_uploader(
        "A run's zip file, its checkpoint, or weights",
        type=["zip", "safetensors"],
        key=f"runs_upload_{state.counter('uploads')}",
    )
    if file is None:
        return
    try:
        job = visitor().runs.import_file(file.getvalue(), current_data.dataset())
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    visitor().choices.run_id = job.id
    state.count_up("uploads")  # an empty upload field again
    st.toast("The run was brought in.", icon=":material/check:")
    st.rerun()
