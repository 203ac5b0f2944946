"""The lesson's pages in order, and the menu made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

__all__ = [
    "BY_NAME",
    "LESSON",
    "PAGES",
    "PAGE_CONFIG",
    "Page",
    "after",
    "ensure_navigation",
    "extras_of",
    "navigation",
]

PAGE_CONFIG: dict[str, Any] = {"page_icon": "docs/icon.png", "layout": "wide"}
EXTRAS = "Extras"  # the section of pages that the lesson does without
_declared = False  # whether this process has called st.navigation


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``name`` is its file in ``pages/`` and its path in the URL.

    An extra names the page of the lesson that it belongs to: its last link leads back there.
    """

    name: str
    title: str
    icon: str
    section: str
    about: str
    extra_of: str = ""

    @property
    def file(self) -> str:
        return f"pages/{self.name}.py"


PAGES = (
    Page("home", "Home", ":material/home:", "", "What a network is"),
    Page("layer", "Layer", ":material/linear_scale:", "Concepts", "Wx + b, the part that learns"),
    Page(
        "activation",
        "Activation",
        ":material/show_chart:",
        "Concepts",
        "A curve between layers",
    ),
    Page("loss", "Loss", ":material/trending_down:", "Concepts", "How wrong, as one number"),
    Page("playground", "Playground", ":material/bubble_chart:", "Concepts", "See a boundary bend"),
    Page("dataset", "Dataset", ":material/grid_view:", "The network", "Look at the examples first"),
    Page("model", "Model", ":material/hub:", "The network", "From 784 pixels to 10 numbers"),
    Page(
        "convolution",
        "Convolution",
        ":material/filter_center_focus:",
        "The network",
        "A window that slides over the image",
    ),
    Page("training", "Training", ":material/model_training:", "The network", "Watch it learn"),
    Page("evaluation", "Evaluation", ":material/fact_check:", "Try it", "How good is it really?"),
    Page("drawing", "Drawing", ":material/draw:", "Try it", "It reads your handwriting"),
    Page("conclusions", "Conclusions", ":material/flag:", "Try it", "What you made, what is next"),
    Page(
        "network",
        "Look inside",
        ":material/account_tree:",
        EXTRAS,
        "From the network to one sum",
        "model",
    ),
    Page("race", "Race", ":material/sports_score:", EXTRAS, "PyTorch against NumPy", "training"),
    Page("runs", "Runs", ":material/table_rows:", EXTRAS, "Compare what you trained", "training"),
    Page("replay", "Replay", ":material/history:", EXTRAS, "Watch it learn again", "training"),
)
LESSON = tuple(page for page in PAGES if not page.extra_of)
BY_NAME = {page.name: page for page in PAGES}


def navigation() -> Any:
    """Declare the pages to Streamlit; return the open one, an ``st.Page``."""
    global _declared
    _declared = True
    sections: dict[str, list[Any]] = {}
    for page in PAGES:
        sections.setdefault(page.section, []).append(
            st.Page(page.file, title=page.title, icon=page.icon, default=page.name == "home")
        )
    return st.navigation(sections, expanded=True)


def ensure_navigation() -> None:
    """Rerun through ``app.py`` if Streamlit ran a page's file directly.

    Until ``st.navigation`` is called for the first time, Streamlit makes its own menu from the
    files in a folder called ``pages``. A deep link opened on a fresh server would show that menu
    and never run ``app.py``.
    """
    if not _declared:
        st.set_page_config(**PAGE_CONFIG)
        navigation()
        st.rerun()


def after(name: str) -> Page | None:
    """Return the page to go to next: in the lesson's order, or from an extra back to the lesson."""
    page = BY_NAME[name]
    if page.extra_of:
        return BY_NAME[page.extra_of]
    position = LESSON.index(page) + 1
    return LESSON[position] if position < len(LESSON) else None


def extras_of(name: str) -> list[Page]:
    """Return the extras that belong to a page of the lesson."""
    return [page for page in PAGES if page.extra_of == name]
