"""The raw files of MNIST on disk: whether they exist, are complete, and are the published ones.

torchvision reads raw files without comparing checksums, so they are checked here first. This module
does not import torch: the home page needs it before torch is loaded.

The IDX format is described at the end of http://yann.lecun.com/exdb/mnist/: a magic number whose
last byte counts the dimensions, each dimension as a big-endian 32-bit integer, then the bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

__all__ = [
    "FOLDERS",
    "FileReport",
    "FolderReport",
    "inspect_folder",
    "md5_of",
    "raw_folder",
    "read_manifest",
]

FileState = Literal["published", "different", "damaged", "missing"]

FOLDERS = {"mnist": "MNIST", "fashion": "FashionMNIST"}
MANIFEST = "checked.json"  # written by our downloads: the MD5 of each unpacked file

SPLITS = {"train": 60_000, "t10k": 10_000}
_IMAGES, _LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
FILE_NAMES = tuple(f"{split}-{kind}" for split in SPLITS for kind in (_IMAGES, _LABELS))

# MD5 of the unpacked files. torchvision only lists those of the .gz files.
PUBLISHED_MD5 = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
}


@dataclass(frozen=True, slots=True)
class FileReport:
    """The state of one file. ``count`` is its number of images or labels, 0 if it is damaged."""

    name: str
    state: FileState
    detail: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class FolderReport:
    """The state of a data set's four files.

    ``state`` is "published" (all four have the published checksum), "different" (complete and
    usable, but not the published ones), "damaged" or "missing" (not usable).
    """

    name: str
    state: FileState
    files: tuple[FileReport, ...]
    detail: str

    @property
    def usable(self) -> bool:
        return self.state in ("published", "different")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of the files to download."""
        if self.state == "damaged" and all(f.state == "different" for f in self.files):
            return FILE_NAMES  # each is complete, but they do not belong together
        return tuple(f.name for f in self.files if f.state != "published")


def raw_folder(root: Path, name: str) -> Path:
    """Return the folder where torchvision expects the raw files of a data set."""
    return root / FOLDERS[name] / "raw"


def md5_of(path: Path) -> str:
    """Return the MD5 of a file as 32 hexadecimal digits, to detect damage."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def inspect_folder(root: Path, name: str) -> FolderReport:
    """Check the four raw files of a data set. The result is cached until a file changes.

    Parameters
    ----------
    root : Path
        The data folder (``Settings.data_dir``).
    name : str
        A key of `FOLDERS`.
    """
    folder = raw_folder(root, name)
    return _inspect(folder, name, tuple(_signature(folder / f) for f in (*FILE_NAMES, MANIFEST)))


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=16)
def _inspect(folder: Path, name: str, signature: tuple[object, ...]) -> FolderReport:
    del signature  # part of the cache's key
    known = {**read_manifest(folder), **PUBLISHED_MD5.get(name, {})}
    files = tuple(_inspect_file(folder / f, known.get(f)) for f in FILE_NAMES)
    bad = [f for f in files if f.state in ("missing", "damaged")]
    if bad:
        worst: FileState = "missing" if all(f.state == "missing" for f in files) else "damaged"
        return FolderReport(name, worst, files, " ".join(f.detail for f in bad))
    counts = {f.name: f.count for f in files}
    for split in SPLITS:
        n_images, n_labels = counts[f"{split}-{_IMAGES}"], counts[f"{split}-{_LABELS}"]
        if n_images != n_labels:
            detail = (
                f"{split}-{_IMAGES} holds {n_images:,} images but {split}-{_LABELS} "
                f"{n_labels:,} labels: they do not belong together."
            )
            return FolderReport(name, "damaged", files, detail)
    different = [f for f in files if f.state == "different"]
    if different:
        return FolderReport(name, "different", files, " ".join(f.detail for f in different))
    return FolderReport(name, "published", files, "All four files carry the published checksum.")


def read_manifest(folder: Path) -> dict[str, str]:
    """Return {file name: MD5} of the files that our downloads unpacked."""
    try:
        entries = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {k: v for k, v in entries.items() if isinstance(k, str) and isinstance(v, str)}


def _inspect_file(path: Path, published_md5: str | None) -> FileReport:
    name, is_images = path.name, path.name.endswith(_IMAGES)
    n_dimensions = 3 if is_images else 1
    header_size = 4 + 4 * n_dimensions
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(header_size)
            labels = b"" if is_images else file.read()
    except (FileNotFoundError, NotADirectoryError):
        return FileReport(name, "missing", f"{name} is not there.")
    except OSError as error:
        return FileReport(name, "damaged", f"{name} cannot be read ({error.strerror}).")
    problem, count = _header_problem(header, size, n_dimensions)
    if not problem and labels and max(labels) > 9:
        problem = f"expected labels from 0 to 9, found {max(labels)}"
    if problem:
        return FileReport(name, "damaged", f"{name} is damaged: {problem}.")
    if published_md5 is None:
        difference = "has no published checksum to compare with"
    elif md5_of(path) == published_md5:
        return FileReport(name, "published", f"{name} carries the published checksum.", count)
    else:
        difference = "is whole, but its checksum is not the published one"
    expected = SPLITS[name.split("-", 1)[0]]
    if count != expected:
        difference = (
            f"holds {count:,} {'images' if is_images else 'labels'} instead of {expected:,}"
        )
    return FileReport(name, "different", f"{name} {difference}.", count)


def _header_problem(header: bytes, size: int, n_dimensions: int) -> tuple[str, int]:
    """Return what is wrong with a header and size ("" if nothing), and the count in the header."""
    if len(header) < 4 + 4 * n_dimensions:
        return f"it is cut short, {size:,} bytes are too few for its header", 0
    magic = 0x0800 + n_dimensions
    found = int.from_bytes(header[:4], "big")
    if found != magic:
        return f"expected the magic number {magic}, found {found}", 0
    count, *side = (int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4))
    if side not in ([28, 28], []):
        return f"expected images of 28x28 pixels, found {side[0]}x{side[1]}", 0
    expected = len(header) + count * (28 * 28 if side else 1)
    if count < 1:
        return "it holds nothing", 0
    if size != expected:
        word = "cut short" if size < expected else "too long"
        return f"it is {word}, expected {expected:,} bytes, found {size:,}", 0
    return "", count


def version(root: Path, name: str) -> str:
    """Return a string that changes when a data set's files on disk change."""
    if name not in FOLDERS:
        return name
    folder = raw_folder(root, name)
    return f"{name} {[_signature(folder / file) for file in (*FILE_NAMES, MANIFEST)]}"
