"""Reading untrusted zip archives: in memory, within limits, without using their paths."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Hashable
from typing import TypeVar

__all__ = ["DAMAGED", "reason", "wanted_files"]

Role = TypeVar("Role", bound=Hashable)
_PACKED_AS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others can need gigabytes
DAMAGED = (  # the errors that a damaged archive raises
    zipfile.BadZipFile,
    NotImplementedError,  # a compression or encryption that zipfile does not know
    RuntimeError,  # encrypted
    EOFError,
    OSError,
    ValueError,
    zlib.error,
)


def wanted_files(
    data: bytes, role_of: Callable[[str], Role | None], most_files: int, most_bytes: int
) -> dict[Role, bytes]:
    """Unpack the files of an archive that have a role.

    Parameters
    ----------
    role_of : callable
        Takes a file's name; returns its role, or None for a file that is not wanted.
    most_files, most_bytes : int
        Limits for the whole archive by its directory; no file is unpacked beyond its size there.

    Raises
    ------
    One of `DAMAGED`
        If it cannot be read, is too large, or has two files of one role; see `reason`.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if len(entries) > most_files or size > most_bytes:
            raise ValueError(
                f"at most {most_files:,} files of {most_bytes // 10**6} MB together are allowed, "
                f"it has {len(entries):,} files of {size:,} bytes"
            )
        found: dict[Role, bytes] = {}
        for entry in entries:
            role = role_of(entry.filename)
            if role is None:
                continue
            if role in found:
                raise ValueError("it holds the same file twice")
            if entry.compress_type not in _PACKED_AS:
                raise ValueError("it is packed in an unusual way")
            with archive.open(entry) as file:  # ``archive.read`` unpacks a zip bomb to its end
                found[role] = file.read(entry.file_size)
        return found


def reason(error: Exception) -> str:
    """Return an error's message in one short line, because it can quote the file."""
    return " ".join(str(error).split()).rstrip(".")[:150] or type(error).__name__
