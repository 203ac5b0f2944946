"""The visitor's own drawings with their true labels: a small test set, saved in the workspace.

    <workspace>/handwriting.zip      index.json, 0001_label3.png, 0002_label7.png, ...

The file on disk and the download are the same, and any program can open it. 500 drawings, the most
there can be, take about 250 kB, so they do not count towards the disk limit of runs. Uploaded files
are read in memory, within limits, and no name in them is used as a path.

Half of the drawings of each digit are left out of tuning (`mnist_core.training.finetuning`). The
half of a drawing is fixed when it is saved, so no drawing is used both to tune a model and to test
one.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from mnist_core.common.files import read_json
from mnist_core.common.formatting import quoted
from mnist_core.common.zips import DAMAGED, reason, wanted_files

__all__ = ["MOST", "Handwriting", "Sample", "from_zip", "to_zip"]

MOST = 500  # drawings
INDEX = "index.json"
MOST_BYTES, MOST_ENTRIES = 3_000_000, 1_100
_NAME = re.compile(r"\d{4,6}_label([0-9])\.png", re.ASCII)
_UNUSABLE = (*DAMAGED, SyntaxError, TypeError, KeyError, struct.error)  # also from Pillow


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A drawing as the model sees it, and its true label.

    Attributes
    ----------
    pixels : (28, 28) uint8, 0 to 255
        0 is empty paper, 255 full ink. Read-only.
    label : int
        The true digit, 0 to 9.
    created : float
        Seconds since 1970.
    left_out : bool
        Whether it is in the test half: no model is tuned on it.
    id : str
        16 characters computed from the pixels.
    """

    pixels: np.ndarray
    label: int
    created: float = 0.0
    left_out: bool = False
    id: str = field(init=False)

    def __post_init__(self) -> None:
        if self.pixels.shape != (28, 28) or self.pixels.dtype != np.uint8:
            raise ValueError(
                "expected a drawing of shape (28, 28) and type uint8, got "
                f"{self.pixels.shape} and {self.pixels.dtype}."
            )
        if type(self.label) is not int or not 0 <= self.label <= 9:
            raise ValueError(f"expected a label from 0 to 9, got {quoted(self.label)}.")
        if type(self.created) is not float or not math.isfinite(self.created):
            raise ValueError(f"expected a time in seconds, got {quoted(self.created)}.")
        if type(self.left_out) is not bool:
            raise ValueError(f"“left_out” must be true or false, got {quoted(self.left_out)}.")
        own = self.pixels.copy()
        own.setflags(write=False)
        object.__setattr__(self, "pixels", own)
        picture = hashlib.blake2b(own.tobytes(), digest_size=8).hexdigest()
        object.__setattr__(self, "id", picture)


@dataclass(frozen=True, slots=True, eq=False)
class Handwriting:
    """A set of drawings, each picture once, in the order they were saved. Immutable."""

    samples: tuple[Sample, ...] = ()
    _by_id: dict[str, Sample] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.samples) > MOST:
            raise ValueError(
                f"A set holds at most {MOST} drawings, this would make {len(self.samples)}: remove "
                "some first."
            )
        object.__setattr__(self, "_by_id", {sample.id: sample for sample in self.samples})
        if len(self._by_id) < len(self.samples):
            raise ValueError("A set holds each drawing once, got one twice.")

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def images(self) -> np.ndarray:
        """The drawings: (N, 28, 28) uint8."""
        empty = np.empty((0, 28, 28), dtype=np.uint8)
        return np.stack([sample.pixels for sample in self.samples]) if self.samples else empty

    @property
    def labels(self) -> np.ndarray:
        """The true labels: (N,) int64."""
        return np.array([sample.label for sample in self.samples], dtype=np.int64)

    @property
    def left_out(self) -> np.ndarray:
        """Which are left out of tuning: (N,) bool."""
        return np.array([sample.left_out for sample in self.samples], dtype=bool)

    def part(self, left_out: bool) -> Handwriting:
        """Return the drawings left out of tuning, or those to tune on."""
        return Handwriting(tuple(s for s in self.samples if s.left_out == left_out))

    def labelled(self, left_out: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of a part: (N, 28, 28) uint8 and (N,) int64, see `part`."""
        part = self.part(left_out)
        return part.images, part.labels

    def label_of(self, pixels: np.ndarray) -> int | None:
        """Return the label under which a picture is saved, or None if it is not saved."""
        sample = self._by_id.get(Sample(pixels, 0).id)
        return sample.label if sample else None

    def plus(self, pixels: np.ndarray, label: int, created: float = 0.0) -> Handwriting:
        """Return the set with one more drawing; a drawing of the set gets the new label instead.

        The first drawing of a digit is for tuning, the second is left out, and so on in turn.

        Raises
        ------
        ValueError
            If the set is full, or the drawing or the label is not as `Sample` expects.
        """
        new = Sample(pixels, label, created)
        if new.id in self._by_id:
            return Handwriting(
                tuple(replace(s, label=label) if s.id == new.id else s for s in self.samples)
            )
        alike = [s.left_out for s in self.samples if s.label == label]
        new = replace(new, left_out=2 * sum(alike) < len(alike))
        return Handwriting((*self.samples, new))

    def without(self, sample_id: str) -> Handwriting:
        """Return the set without the drawing of this id, if it has one."""
        return Handwriting(tuple(s for s in self.samples if s.id != sample_id))

    def merged(self, others: Iterable[Sample]) -> Handwriting:
        """Return the set with those of others added that it does not have yet.

        Raises
        ------
        ValueError
            If that makes more than 500.
        """
        new = tuple(s for s in others if s.id not in self._by_id)
        if len(self) + len(new) > MOST:
            raise ValueError(
                f"A set holds at most {MOST} drawings: yours has {len(self)}, and this file brings "
                f"{len(new)} new ones. Remove some first."
            )
        return Handwriting(self.samples + new)


def to_zip(handwriting: Handwriting) -> bytes:
    """Pack a set: one PNG for each drawing, 28x28 with 8 bits of grey, and an index."""
    rows, out = [], io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # a PNG is compressed already
        for number, sample in enumerate(handwriting.samples, 1):
            name = f"{number:04d}_label{sample.label}.png"
            picture = io.BytesIO()
            Image.fromarray(sample.pixels).save(picture, "PNG")
            archive.writestr(name, picture.getvalue())
            row = {"label": sample.label, "created": sample.created, "left_out": sample.left_out}
            rows.append({"file": name} | row)
        archive.writestr(INDEX, json.dumps({"drawings": rows}, indent=1) + "\n")
    return out.getvalue()


def from_zip(data: bytes) -> Handwriting:
    """Read a set that `to_zip` packed; the index can be missing.

    Raises
    ------
    ValueError
        If it is no such file; the message says what is wrong and what was expected.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"A set of drawings is at most {MOST_BYTES // 10**6} MB, got {len(data):,} bytes."
        )
    try:
        pictures, known = _entries(data)
        made = Handwriting()
        for name, png in sorted(pictures.items()):
            pixels, label, row = _pixels(name, png), int(name[-5]), known.get(name, {})
            if row.get("label", label) != label:
                raise ValueError(f"{name} has another label in {INDEX}")
            created = float(row.get("created", 0.0))
            if "left_out" in row:
                made = made.merged([Sample(pixels, label, created, row["left_out"])])
            elif made.label_of(pixels) is None:
                made = made.plus(pixels, label, created)
        return made
    except _UNUSABLE as error:
        raise ValueError(
            "Expected a set of drawings as a zip file, got one that cannot be used "
            f"({reason(error)}): take one that was downloaded here."
        ) from error


def _entries(data: bytes) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Return {name: PNG} and {name: row of the index} of an archive."""
    found = wanted_files(data, _role, MOST_ENTRIES, MOST_BYTES)
    rows = read_json(found.pop(INDEX, b"{}")).get("drawings", [])
    if not found:
        raise ValueError("it holds no file with a name like 0001_label3.png")
    if len(found) > MOST:
        raise ValueError(f"it holds {len(found)} drawings, at most {MOST} are taken")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{INDEX} must list the drawings")
    return found, {row["file"]: row for row in rows if isinstance(row.get("file"), str)}


def _role(path: str) -> str | None:
    """Return a file's name without its folder if it belongs to a set, else None."""
    name = path.rpartition("/")[2]
    return name if name == INDEX or _NAME.fullmatch(name) else None


def _pixels(name: str, png: bytes) -> np.ndarray:
    """Decode a 28x28 PNG in 8-bit grey: (28, 28) uint8."""
    try:
        picture = Image.open(io.BytesIO(png), formats=["PNG"])
    except UnidentifiedImageError:
        raise ValueError(f"{name} is no PNG picture") from None
    if picture.size != (28, 28) or picture.mode != "L":  # both are known before it is decoded
        width, height = picture.size
        raise ValueError(
            f"{name} is {width}x{height} of mode {picture.mode}, expected 28x28 in 8-bit grey"
        )
    return np.asarray(picture)
