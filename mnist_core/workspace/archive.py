"""A run's folder as one file to download, and such files, or weights alone, taken apart again.

What is uploaded comes from anywhere: it is read in memory, within limits, and nothing in it names a
path or is run.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from mnist_core.common.zips import DAMAGED, reason, wanted_files
from mnist_core.nn import architectures
from mnist_core.workspace.checkpoints import CHECKPOINT, MOMENTS, safe_tensors

__all__ = ["Parcel", "architecture_of", "pack", "unpack"]

# in an archive, unpacked; a run of ours has 43 files (twice, if packed again by a Mac) of 17 MB
MOST_FILES, MOST_BYTES = 128, 64_000_000
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # two letters would not do: a safetensors file may have them


@dataclass(frozen=True, slots=True)
class Parcel:
    """What an upload holds: a run's checkpoint with moments, or weights alone.

    Attributes
    ----------
    checkpoint : bytes
        Of a run, or b"".
    moments : dict of int to bytes
        Safetensors of earlier steps.
    weights : dict of str to Tensor
        Of a model, if there is no checkpoint.
    """

    checkpoint: bytes = b""
    moments: dict[int, bytes] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)


def pack(folder: Path) -> bytes:
    """Return a run's folder as a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                archive.write(path, f"run/{path.relative_to(folder).as_posix()}")
    return out.getvalue()


def unpack(data: bytes) -> Parcel:
    """Look at an uploaded file and take it apart.

    Raises
    ------
    ValueError
        If it is neither a run's folder, nor a run's checkpoint, nor weights; the message says what
        was expected and what came.
    """
    if data[:4] in _ZIP:
        return _unpack_archive(data)
    tensors, metadata = safe_tensors(data)
    return Parcel(checkpoint=data) if "run" in metadata else Parcel(weights=tensors)


def _unpack_archive(data: bytes) -> Parcel:
    try:
        files = wanted_files(data, _role, MOST_FILES, MOST_BYTES)
    except DAMAGED as error:
        raise ValueError(
            f"Expected a run's folder as a zip file, got one that cannot be read ({reason(error)}):"
            " take one that was downloaded here."
        ) from error
    checkpoint = files.pop(-1, None)
    if checkpoint is None:
        raise ValueError(
            f"Expected a run's folder as a zip file, got one without {CHECKPOINT}: take one that "
            "was downloaded here."
        )
    return Parcel(checkpoint, files)


def _role(name: str) -> int | None:
    """Return -1 for the checkpoint, the step for a moment, and None for what is not needed."""
    path = PurePosixPath(name)
    if path.name == CHECKPOINT and len(path.parts) <= 2:
        return -1
    stem = path.stem
    plain = path.parent.name == MOMENTS and path.suffix == ".safetensors" and len(path.parts) <= 3
    return int(stem) if plain and len(stem) == 8 and stem.isascii() and stem.isdecimal() else None


def architecture_of(weights: dict[str, Tensor]) -> str:
    """Return the name of the architecture that has tensors of these names and shapes.

    Raises
    ------
    ValueError
        If there is none, or they are not finite float32 numbers.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in architectures.ARCHITECTURES:
        if shapes == architectures.tensor_shapes(name):
            break
    else:
        raise ValueError(
            f"Expected the weights of one of {', '.join(architectures.ARCHITECTURES)}, got "
            f"{len(shapes)} tensors of other names or shapes: take a file that was downloaded here."
        )
    if not all(t.dtype == torch.float32 and bool(t.isfinite().all()) for t in weights.values()):
        raise ValueError("Expected weights that are finite numbers of type float32, got others.")
    return name
