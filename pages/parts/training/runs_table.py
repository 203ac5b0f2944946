"""All of the visitor's runs in a table, and the ticked ones in one chart."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.common.formatting import duration
from mnist_core.common.settings import settings
from mnist_core.data.datasets import TITLES
from mnist_core.figures.compare import RunCurve, compare_figure
from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.training.configs import ENGINES, TrainingConfig, differences
from mnist_core.training.history import running_mean
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.run_registry import RunUnavailableError
from pages.parts.session import caches
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["disk", "show", "titles_of"]

MOST_CURVES = 8


def titles_of(runs: list[RunRecord]) -> dict[str, str]:
    """Return {id: "Run 3 · MLP"}; the oldest of the runs is number 1."""
    return {
        run.id: f"Run {len(runs) - i} · {ARCHITECTURES[_config(run).architecture].title}"
        for i, run in enumerate(runs)
    }


def _config(run: RunRecord) -> TrainingConfig:
    return TrainingConfig.from_json(run.config)


def show(runs: list[RunRecord]) -> None:
    """Show the table, and the loss curves and differences of the ticked runs."""
    titles = titles_of(runs)
    with st.container(key="runs_table"):
        event = st.dataframe(
            pd.DataFrame([_row(run, titles[run.id]) for run in runs]),
            hide_index=True,
            key="runs_ticks",
            on_select="rerun",
            selection_mode="multi-row",
        )
    ticked = [runs[i] for i in event.selection.rows if i < len(runs)][:MOST_CURVES]
    st.caption(
        f"Tick runs on the left to compare them, at most {MOST_CURVES}."
        + ("" if ticked else " None is ticked, so these are the newest.")
    )
    _compare(ticked or runs[:3], titles)


def _row(run: RunRecord, title: str) -> dict[str, object]:
    config, last = _config(run), run.epoch_metrics[-1] if run.epoch_metrics else None
    rates = [config.learning_rate, *(rate for _, rate in run.learning_rates[1:])]
    return {
        "Run": title,
        "State": run.status,
        "Test accuracy": last.test_accuracy if last else None,
        "Train accuracy (2,000 images)": last.train_accuracy if last else None,
        "Time": duration(run.training_s),
        "Steps": f"{run.step:,} of {run.total_steps:,}",
        "Data": TITLES[config.dataset],
        "Optimiser": config.optimiser,
        "Learning rate": ", then ".join(f"{rate:g}" for rate in rates),
        "Schedule": config.schedule,
        "Batch": config.batch_size,
        "Epochs": config.epochs,
        "Seed": config.seed,
        "Images changed": "yes" if config.augment else "no",
        "Engine": ENGINES[config.engine].split(",")[0],
        "Begun (UTC)": datetime.fromtimestamp(run.created, UTC).strftime("%d %b %H:%M"),
    }


def _curve(run: RunRecord, title: str) -> RunCurve | None:
    try:
        history = visitor().runs.open(run.id).run.history
    except RunUnavailableError as error:
        st.warning(f"{title}: {error}", icon=":material/error:")
        return None
    n = history.step
    return RunCurve(
        title, np.arange(1, n + 1), history.seconds[:n], running_mean(history.losses[:n])
    )


def _compare(runs: list[RunRecord], titles: dict[str, str]) -> None:
    curves = [c for run in runs if (c := _curve(run, titles[run.id])) and len(c.loss)]
    if not curves:
        return
    by = elements.pick("Against", ("step", "time"), "runs_by", "step")
    log_axis = st.toggle("Logarithmic loss axis", True, key="runs_log", persist_state="session")
    with st.container(key="runs_curves"):
        st.plotly_chart(
            compare_figure(curves, by == "time", log_axis),
            config={"displaylogo": False},
            alt=f"The loss of {len(curves)} runs",
        )
    if len(runs) > 1:
        with st.container(key="runs_differences"):
            _differences(runs, titles)


def _differences(runs: list[RunRecord], titles: dict[str, str]) -> None:
    """List the settings in which runs differ, with each run's value."""
    different = differences([_config(run) for run in runs])
    changed = [tuple(tuple(c) for c in run.learning_rates[1:]) for run in runs]
    if len(set(changed)) > 1:
        different["learning rate changed in mid-run"] = [
            "; ".join(f"{rate:g} from step {step:,}" for step, rate in changes) or "no"
            for changes in changed
        ]
    if not different:
        st.info("These runs have the same settings and seed, so their curves are the same.")
        return
    n_settings = "one setting" if len(different) == 1 else f"{len(different)} settings"
    st.markdown(f"**They differ in {n_settings}:** {', '.join(different)}.")
    columns = {title: [str(v) for v in values] for title, values in different.items()}
    elements.table(run=[titles[run.id] for run in runs], **columns)


def disk() -> None:
    """Show how much disk space the runs take, and how many of the visitor's were deleted for it."""
    limit, minutes = settings().work_limit_mb, settings().unwatched_min
    with st.container(key="runs_disk"):
        st.caption(
            f"All visitors' runs take {caches.used_mb():,.0f} of at most {limit:,} MB on this "
            "server; the oldest are deleted first. "
            f"A run that nobody looks at for {minutes} minutes is paused."
        )
        removed = visitor().remembered().get("removed", 0)
        if removed:
            st.info(
                f"{removed} of your older runs had to be deleted to stay within this limit.",
                icon=":material/hard_drive:",
            )
    texts.show("runs", "share")
