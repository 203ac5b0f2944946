"""The table of pages, in the order of the lesson. A file's name is its URL path."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

__all__ = ["PAGES", "PAGE_CONFIG", "Page", "after", "enter_by_the_door", "navigation"]

PAGE_CONFIG = {
    "page_icon": "docs/icon.png",
    "layout": "wide",
}
_entered = False  # as Streamlit's own switch, it is turned once in the life of a process


@dataclass(frozen=True, slots=True)
class Page:
    """One row: ``name`` is the file in ``pages/`` and the path in the URL."""

    name: str
    title: str
    icon: str
    section: str
    about: str

    @property
    def file(self) -> str:
        return f"pages/{self.name}.py"


PAGES = (
    Page("home", "Home", ":material/home:", "", "What a network is"),
    Page("layer", "Layer", ":material/linear_scale:", "Concepts", "Wx + b, the part that learns"),
    Page(
        "activation", "Activation", ":material/show_chart:", "Concepts", "The bend between layers"
    ),
    Page("loss", "Loss", ":material/trending_down:", "Concepts", "How wrong, as one number"),
    Page("playground", "Playground", ":material/bubble_chart:", "Concepts", "Watch a network bend"),
    Page("dataset", "Dataset", ":material/grid_view:", "The network", "Look at the examples first"),
    Page("model", "Model", ":material/hub:", "The network", "From 784 pixels to 10 answers"),
    Page("training", "Training", ":material/model_training:", "The network", "Watch it learn"),
    Page("race", "Race", ":material/sports_score:", "The network", "PyTorch against NumPy"),
    Page("runs", "Runs", ":material/table_rows:", "The network", "Compare what you trained"),
    Page("replay", "Replay", ":material/history:", "The network", "Watch it learn once more"),
    Page("evaluation", "Evaluation", ":material/fact_check:", "Try it", "How good is it really?"),
    Page("drawing", "Drawing", ":material/draw:", "Try it", "It reads your handwriting"),
    Page("conclusions", "Conclusions", ":material/flag:", "Try it", "What comes next"),
)


def navigation() -> st.Page:
    """Declare the pages to Streamlit; return the one that is open."""
    global _entered
    _entered = True
    sections: dict[str, list] = {}
    for page in PAGES:
        sections.setdefault(page.section, []).append(
            st.Page(page.file, title=page.title, icon=page.icon, default=page.name == "home")
        )
    return st.navigation(sections, expanded=True)


def enter_by_the_door() -> None:
    """Begin again through ``app.py`` if Streamlit opened a page's file by itself.

    Beside a folder called ``pages`` Streamlit makes its own menu of the files in it, until
    ``st.navigation`` is called for the first time. Whoever opens a deep link on a fresh server
    would get that menu and never see ``app.py``.
    """
    if not _entered:
        st.set_page_config(**PAGE_CONFIG)
        navigation()
        st.rerun()


def after(name: str) -> Page | None:
    """Return the page that follows in the lesson, or None after the last."""
    names = [page.name for page in PAGES]
    position = names.index(name) + 1
    return PAGES[position] if position < len(PAGES) else None
