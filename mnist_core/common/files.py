"""Atomic writes, JSON from untrusted files, and ids that are safe in a path."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["is_id", "new_id", "read_json", "write_atomically"]

_ID = re.compile(r"[A-Za-z0-9_-]{22}")  # 16 random bytes in base 64
_MOST_JSON = 4_000_000  # bytes; the epoch metrics of 10,000 epochs take 2.5 MB
_DEEPEST_JSON, _LONGEST_INT = 20, 18  # levels (ours have 3); digits (longer ones overflow int64)


def new_id() -> str:
    """Return a random id of 128 bits."""
    return secrets.token_urlsafe(16)


def is_id(text: object) -> bool:
    """Return whether a value has the form of an id, and so is safe in a path."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file; after a crash it is the old file or the new one, never a part of either."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_json(data: bytes) -> dict[str, Any]:
    """Return the table in a JSON text.

    Raises
    ------
    ValueError
        If it is larger than 4 MB, not JSON, not a table, or nested more than 20 levels deep.
    """
    if len(data) > _MOST_JSON:
        raise ValueError(f"a JSON text of at most 4 MB was expected, got {len(data):,} bytes.")
    try:
        values = json.loads(data, parse_int=_small_int)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({type(error).__name__}).") from error
    if not isinstance(values, dict):
        raise ValueError("a JSON table was expected.")
    if _is_deeper(values, _DEEPEST_JSON):
        raise ValueError("its tables are nested too deeply.")
    return values


def _small_int(digits: str) -> int:
    if len(digits) > _LONGEST_INT:
        raise ValueError("an integer is too large")
    return int(digits)


def _is_deeper(value: object, levels: int) -> bool:
    """Return whether tables and lists are nested more than a number of levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(v, levels - 1) for v in inner)
