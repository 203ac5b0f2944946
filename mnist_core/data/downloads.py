"""Background downloads of the data sets, checked before they replace any file.

pooch downloads and compares checksums, torchvision lists the mirrors and the MD5 of the published
files. This module adds progress, time limits, several mirrors, and one sentence for each failure.
"""

from __future__ import annotations

import errno
import gzip
import itertools
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mnist_core.data.idx import FOLDERS, MANIFEST, inspect_folder, md5_of, raw_folder, read_manifest

__all__ = ["Download", "DownloadFailedError", "Downloads", "published_sources"]

# Size of the published .gz files in bytes: the total of the progress, known from the start.
SIZES = {
    "mnist": {
        "train-images-idx3-ubyte.gz": 9_912_422,
        "train-labels-idx1-ubyte.gz": 28_881,
        "t10k-images-idx3-ubyte.gz": 1_648_877,
        "t10k-labels-idx1-ubyte.gz": 4_542,
    },
    "fashion": {
        "train-images-idx3-ubyte.gz": 26_421_880,
        "train-labels-idx1-ubyte.gz": 29_515,
        "t10k-images-idx3-ubyte.gz": 4_422_102,
        "t10k-labels-idx1-ubyte.gz": 5_148,
    },
}
Sources = Callable[[str], tuple[list[str], dict[str, str]]]
Count = Callable[[int], None]
SILENCE_S = 15.0  # a mirror that sends nothing for this time is given up
LIMIT_S = 900.0  # a mirror that takes longer than this for a file is given up
CHUNK = 1 << 16


class DownloadFailedError(Exception):
    """A download failed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Download:
    """The state of a download. ``message`` is a full sentence when the status is "failed"."""

    name: str
    status: Literal["idle", "running", "finished", "failed"] = "idle"
    bytes_done: int = 0
    bytes_total: int = 0
    message: str = ""


def published_sources(name: str) -> tuple[list[str], dict[str, str]]:
    """Return torchvision's mirrors and {file name: MD5} of a data set."""
    from mnist_core.data.torchvision_compat import datasets as torchvision_datasets

    source = getattr(torchvision_datasets, FOLDERS[name])
    return list(source.mirrors), dict(source.resources)


class Downloads:
    """All downloads of a process, at most one at a time for each data set.

    Parameters
    ----------
    root : Path
        The data folder.
    mirror : str
        The address of a folder with ``MNIST/`` and ``FashionMNIST/``, tried before the published
        mirrors; "" for none.
    sources : callable
        Takes the name of a data set; returns its mirrors and {file: MD5}.
    """

    def __init__(self, root: Path, mirror: str = "", sources: Sources = published_sources) -> None:
        self._root, self._mirror, self._sources = root, mirror, sources
        self._lock = threading.Lock()
        self._downloads: dict[str, Download] = {}

    def status(self, name: str) -> Download:
        """Return the state of a data set's download."""
        return self._downloads.get(name, Download(name))

    def start(self, name: str, delay_s: float = 0.0) -> Download:
        """Start a download in the background, unless one is already running.

        A delay leaves the processor to a server's first page.
        """
        with self._lock:
            current = self.status(name)
            if current.status == "running":
                return current
            wanted = inspect_folder(self._root, name).wanted
            total = sum(SIZES[name][f"{file}.gz"] for file in wanted)
            self._downloads[name] = started = Download(name, "running", 0, total)
        threading.Thread(
            target=self._run, args=(name, wanted, delay_s), name=f"download-{name}", daemon=True
        ).start()
        return started

    def _run(self, name: str, wanted: tuple[str, ...], delay_s: float) -> None:
        time.sleep(delay_s)
        status: Literal["finished", "failed"] = "failed"
        message = ""
        try:
            fetch(self._root, name, wanted, self._mirror, self._sources, self._count(name))
            status = "finished"
        except DownloadFailedError as error:
            message = str(error)
        except Exception as error:  # the page shows any failure
            message = f"The download stopped: {type(error).__name__}: {error}"
        with self._lock:
            self._downloads[name] = replace(self._downloads[name], status=status, message=message)

    def _count(self, name: str) -> Count:
        def count(n_bytes: int) -> None:
            with self._lock:
                current = self._downloads[name]
                self._downloads[name] = replace(current, bytes_done=current.bytes_done + n_bytes)

        return count


def fetch(
    root: Path, name: str, wanted: tuple[str, ...], mirror: str, sources: Sources, count: Count
) -> None:
    """Download files of a data set to a temporary folder, check them, and move them into place.

    Parameters
    ----------
    root, name
        The data folder and the data set.
    wanted : tuple of str
        Names of the unpacked files.
    mirror, sources
        As in `Downloads`.
    count : callable
        Called with the number of bytes received (negative when a mirror's bytes are discarded).

    Raises
    ------
    DownloadFailedError
        If the folder is not writable or no mirror sends the published files. The files that were
        there before are unchanged.
    """
    folder = raw_folder(root, name)
    workplace = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        workplace = Path(tempfile.mkdtemp(prefix=".download-", dir=folder))
        mirrors, md5 = sources(name)
        if mirror:
            mirrors = [f"{mirror}{FOLDERS[name]}/", *mirrors]
        checked = {}
        for file in wanted:
            packed = _from_any_mirror(mirrors, f"{file}.gz", md5[f"{file}.gz"], workplace, count)
            checked[file] = _unpack(packed, workplace / file)
        own = {f.name for f in inspect_folder(root, name).files if f.state == "different"}
        manifest = workplace / MANIFEST
        manifest.write_text(json.dumps(read_manifest(folder) | checked, indent=1), "utf-8")
        manifest.replace(folder / MANIFEST)  # before the files, which need it
        for file in wanted:
            if file in own:  # complete, but not the published one: perhaps a teacher's. Rename it.
                (folder / file).replace(_free_name(folder / f"{file}.replaced"))
            (workplace / file).replace(folder / file)
    except OSError as error:
        raise DownloadFailedError(_explain_os_error(error, folder, name)) from error
    finally:
        if workplace is not None:
            shutil.rmtree(workplace, ignore_errors=True)


def _free_name(path: Path) -> Path:
    """Return the path, or the path with the first number behind it that is free."""
    numbered = (path.with_name(f"{path.name}-{n}") for n in itertools.count(2))
    return next(p for p in itertools.chain([path], numbered) if not p.exists())


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary folders of killed servers (a running download is younger than a day)."""
    for leftover in folder.glob(".download-*"):
        if time.time() - leftover.stat().st_mtime > 86_400:
            shutil.rmtree(leftover, ignore_errors=True)


def _from_any_mirror(
    mirrors: list[str], file: str, md5: str, workplace: Path, count: Count
) -> Path:
    problems = []
    for mirror in list(mirrors):
        meter = _Meter(count)
        try:
            packed = _from_mirror(mirror + file, md5, workplace, file, meter)
            mirrors.sort(key=lambda m: m != mirror)  # the next file starts with this mirror
            return packed
        except DownloadFailedError as problem:
            meter.take_back()
            problems.append(f"{urlsplit(mirror).netloc}: {problem}")
    raise DownloadFailedError(
        f"{file} could not be fetched ({'; '.join(problems)}). "
        "Check this machine's internet connection and try again."
    )


def _from_mirror(url: str, md5: str, workplace: Path, file: str, meter: _Meter) -> Path:
    import pooch
    import requests
    import urllib3

    def stream(url: str, target: str, _pooch: object) -> None:
        """Write and count the bytes as they arrive, still packed."""
        silence = (SILENCE_S, SILENCE_S)
        with (
            requests.get(url, stream=True, timeout=silence) as response,
            Path(target).open("wb") as f,
        ):
            response.raise_for_status()
            while part := response.raw.read1(CHUNK, decode_content=False):
                f.write(part)
                meter.update(len(part))

    try:
        return Path(
            pooch.retrieve(url, f"md5:{md5}", fname=file, path=workplace, downloader=stream)
        )
    except requests.HTTPError as error:
        code = "an error" if error.response is None else error.response.status_code
        raise DownloadFailedError(f"the server answered {code}") from error
    except (requests.Timeout, urllib3.exceptions.ReadTimeoutError) as error:
        raise DownloadFailedError(f"no answer within {SILENCE_S:.0f} s") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise DownloadFailedError("no connection, or it broke off") from error
    except ValueError as error:  # pooch found a wrong checksum
        raise DownloadFailedError("what arrived is not the published file") from error


class _Meter:
    """Counts the bytes of a mirror, can take them back, and ends a download that is too slow."""

    def __init__(self, count: Count) -> None:
        self._count, self._seen, self._start = count, 0, time.monotonic()

    def update(self, n_bytes: int) -> None:
        self._seen += n_bytes
        self._count(n_bytes)
        if time.monotonic() - self._start > LIMIT_S:
            raise DownloadFailedError(f"not finished within {LIMIT_S:.0f} s")

    def take_back(self) -> None:
        self._count(-self._seen)
        self._seen = 0


def _unpack(packed: Path, target: Path) -> str:
    with gzip.open(packed) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, CHUNK)
    packed.unlink()
    return md5_of(target)


def _explain_os_error(error: OSError, folder: Path, name: str) -> str:
    if error.errno == errno.ENOSPC:
        return (
            f"The disk of {folder} is full: {FOLDERS[name]} needs 90 MB there while it unpacks. "
            "Free some space, or set MNIST_DATA_DIR to another folder, and try again."
        )
    return (
        f"The folder {folder} cannot be written to ({error.strerror or error}). "
        "Set MNIST_DATA_DIR to another folder, and start the app again."
    )
