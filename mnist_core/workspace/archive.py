"""A run's folder as one zip file, and uploaded files unpacked again.

An uploaded file is not trusted: it is read in memory, within limits, and nothing in it becomes a
path or is executed.
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
from mnist_core.workspace.checkpoints import CHECKPOINT, SNAPSHOTS, safe_tensors

__all__ = ["Parcel", "architecture_of", "pack", "unpack"]

# of an unpacked archive; a run has 43 files (twice, if a Mac packed it again) and 17 MB
MOST_FILES, MOST_BYTES = 128, 64_000_000
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # a safetensors file may begin with the letters PK


@dataclass(frozen=True, slots=True)
class Parcel:
    """What an uploaded file holds: a run's checkpoint with snapshots, or weights alone.

    Attributes
    ----------
    checkpoint : bytes
        Of a run, or b"".
    snapshots : dict of int to bytes
        Step: weights at that step, as safetensors.
    weights : dict of str to Tensor
        Of a model, if there is no checkpoint.
    """

    checkpoint: bytes = b""
    snapshots: dict[int, bytes] = field(default_factory=dict)
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
    """Unpack an uploaded file.

    Raises
    ------
    ValueError
        If it is neither a run's folder, nor a run's checkpoint, nor weights.
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
    """Return -1 for the checkpoint, the step for a snapshot, and None for any other file."""
    path = PurePosixPath(name)
    if path.name == CHECKPOINT and len(path.parts) <= 2:
        return -1
    stem = path.stem
    plain = path.parent.name == SNAPSHOTS and path.suffix == ".safetensors" and len(path.parts) <= 3
    return int(stem) if plain and len(stem) == 8 and stem.isascii() and stem.isdecimal() else None


def architecture_of(weights: dict[str, Tensor]) -> str:
    """Return the name of the architecture with tensors of these names and shapes.

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
