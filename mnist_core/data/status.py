"""Which data set is in use, and why, in words. Without torch, because the home page needs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mnist_core.data.datasets import TITLES, best_available
from mnist_core.data.downloads import SIZES, Download
from mnist_core.data.idx import FolderReport, inspect_folder

__all__ = ["DataStatus", "data_status", "in_use"]


@dataclass(frozen=True, slots=True)
class DataStatus:
    """What the data panel shows.

    Attributes
    ----------
    using : str
        Name of the data set that the pages use.
    kind : {"ok", "note", "busy", "problem"}
    headline, detail : str
        Which data set is in use, and why.
    action : str
        Label of the button, or "" for no button.
    fetches : str
        Name of the data set that the button downloads.
    progress : float or None
        0 to 1 while a download runs.
    """

    using: str
    kind: Literal["ok", "note", "busy", "problem"]
    headline: str
    detail: str
    action: str = ""
    fetches: str = ""
    progress: float | None = None


def in_use(chosen: str | None, root: Path) -> str:
    """Return the data set that the pages use: the chosen one if its files are usable."""
    if chosen == "digits" or (chosen and inspect_folder(root, chosen).usable):
        return chosen
    return best_available(root)


def data_status(chosen: str | None, root: Path, download: Download) -> DataStatus:
    """Describe which data set is in use and why.

    Parameters
    ----------
    chosen : str or None
        The visitor's choice, if any.
    root : Path
        The data folder.
    download : Download
        The download of the data set that `wished_for` returns.
    """
    using = in_use(chosen, root)
    wish = wished_for(chosen)
    headline = f"In use: {TITLES[using]}"
    if download.status == "running":
        return _busy(using, headline, wish, download)
    if chosen == "digits":
        return DataStatus(using, "ok", headline, "Your choice. It comes with the app.")
    report = inspect_folder(root, wish)
    if report.state == "published":
        counts = {f.name: f.count for f in report.files}
        sizes = (
            f"{counts['train-images-idx3-ubyte']:,} training and "
            f"{counts['t10k-images-idx3-ubyte']:,} test images"
        )
        return DataStatus(using, "ok", headline, f"{sizes}, the published files, checked.")
    if report.usable:
        return _different(using, wish, report, download)
    return _fallback(using, headline, wish, report, download)


def wished_for(chosen: str | None) -> str:
    """Return the data set whose files to check and download: the chosen one, else MNIST."""
    return chosen if chosen in SIZES else "mnist"


def _busy(using: str, headline: str, wish: str, download: Download) -> DataStatus:
    done, total = download.bytes_done / 1e6, download.bytes_total / 1e6
    return DataStatus(
        using,
        "busy",
        headline,
        f"{TITLES[wish]} is on its way: {done:.1f} of {total:.1f} MB. Go on meanwhile.",
        progress=min(1.0, done / total) if total else 0.0,
    )


def _different(using: str, wish: str, report: FolderReport, download: Download) -> DataStatus:
    failed = f" {download.message}" if download.status == "failed" else ""
    return DataStatus(
        using,
        "note",
        f"In use: {TITLES[using]}, not the published files",
        f"{_differences(report)}{failed}",
        action=f"Download the published {TITLES[wish]}",
        fetches=wish,
    )


def _differences(report: FolderReport) -> str:
    """Describe what differs from the published files: the numbers of images, or the files."""
    counts = {f.name: f.count for f in report.files}
    train, test = counts["train-images-idx3-ubyte"], counts["t10k-images-idx3-ubyte"]
    if (train, test) != (60_000, 10_000):
        return f"{train:,} training and {test:,} test images instead of 60,000 and 10,000."
    return " ".join(f.detail for f in report.files if f.state == "different")


def _fallback(
    using: str, headline: str, wish: str, report: FolderReport, download: Download
) -> DataStatus:
    if download.status == "failed":
        return DataStatus(
            using, "problem", headline, download.message, action="Try again", fetches=wish
        )
    size = _size(sum(SIZES[wish][f"{name}.gz"] for name in report.wanted))
    if report.state == "missing":
        reason = f"{TITLES[wish]} is not on this machine yet."
        return DataStatus(
            using,
            "note",
            headline,
            reason,
            action=f"Download {TITLES[wish]} ({size})",
            fetches=wish,
        )
    return DataStatus(
        using,
        "problem",
        headline,
        f"The files of {TITLES[wish]} cannot be used. {report.detail}",
        action=f"Fetch again ({size})",
        fetches=wish,
    )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:.0f} kB"
