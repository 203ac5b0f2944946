"""The clickable pictures of the zoom: cards, tiles or cells, as a Streamlit component (v2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.figures.network import Card, Tile
from mnist_core.figures.pictures import as_url
from pages.parts.session import state

__all__ = ["KEY", "cards", "cells", "reported", "tiles"]

KEY = "zoom_picture"
_picture = st.components.v2.component(
    "zoom_picture",
    css=Path(__file__).with_name("zoom_picture.css").read_text("utf-8"),
    js=Path(__file__).with_name("zoom_picture.js").read_text("utf-8"),
)


def cards(items: Sequence[Card], label: str, open_it: Callable[[str], None]) -> None:
    """Show a network's cards; a click on a layer calls ``open_it`` with its name."""
    rows = [asdict(item) | {"picture": _url(item.picture)} for item in items]
    names = {item.name for item in items if item.opens}
    _show({"layout": "cards", "label": label, "items": rows}, names, open_it)


def tiles(items: Sequence[Tile], label: str, open_it: Callable[[int], None]) -> None:
    """Show a layer's units; a click calls ``open_it`` with the unit's number."""
    rows = [
        asdict(item) | {"picture": _url(item.picture), "id": str(number)}
        for number, item in enumerate(items)
    ]
    ids = {row["id"] for row in rows}
    _show({"layout": "tiles", "label": label, "items": rows}, ids, lambda i: open_it(int(i)))


def cells(
    picture: np.ndarray,
    count: int,
    chosen: int,
    label: str,
    open_it: Callable[[int], None],
    vector: bool = False,
) -> None:
    """Show a picture of cells; a click calls ``open_it`` with the cell's number.

    Parameters
    ----------
    picture : (rows, columns, 3 or 4) uint8
        One pixel for each cell.
    count : int
        The number of cells; the last row can have fewer.
    chosen : int
        The cell on which the cursor starts.
    vector : bool
        Whether cells are named by their number, not by row and column.
    """
    data = {
        "layout": "cells",
        "label": label,
        "picture": _url(picture),
        "rows": picture.shape[0],
        "columns": picture.shape[1],
        "count": count,
        "chosen": chosen,
        "vector": vector,
    }
    _show(data, {str(i) for i in range(count)}, lambda i: open_it(int(i)))


def _url(picture: np.ndarray | None) -> str:
    return "" if picture is None else as_url(picture)


def _show(data: dict[str, Any], known: set[str], open_it: Callable[[str], None]) -> None:
    def opened() -> None:
        which = reported(state.widget(KEY), known)
        if which is not None:
            open_it(which)

    _picture(key=KEY, data=data, on_opened_change=opened)


def reported(widget: object, known: set[str]) -> str | None:
    """Return the clicked id if it is known; the browser sent it, so it is checked."""
    which = widget.get("opened") if isinstance(widget, dict) else None
    return which if isinstance(which, str) and which in known else None
