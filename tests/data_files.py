"""Tiny IDX files, and a local server that sends them correctly or wrongly."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from mnist_core.data.idx import FILE_NAMES, FOLDERS

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILE_NAMES


def image_file(n_images: int, side: int = 28, magic: int = 2051, shift: int = 0) -> bytes:
    """Return an IDX file of images with the pixels ``shift``, ``shift`` + 1, ... 255, 0, ..."""
    pixels = (np.arange(n_images * side * side) + shift).astype(np.uint8)
    return struct.pack(">4I", magic, n_images, side, side) + pixels.tobytes()


def label_file(*labels: int, magic: int = 2049) -> bytes:
    """Return an IDX file of labels."""
    return struct.pack(">2I", magic, len(labels)) + bytes(labels)


def tiny_set(shift: int = 0) -> dict[str, bytes]:
    """Return the four files of a whole set: 3 training and 2 test images."""
    return {
        TRAIN_IMAGES: image_file(3, shift=shift),
        TRAIN_LABELS: label_file(5, 0, 4),
        TEST_IMAGES: image_file(2, shift=shift + 100),
        TEST_LABELS: label_file(7, 2),
    }


def raw_dir(root: Path, name: str = "mnist") -> Path:
    return root / FOLDERS[name] / "raw"


def write_set(root: Path, files: dict[str, bytes], name: str = "mnist") -> Path:
    """Write the raw files of a data set; return their folder."""
    folder = raw_dir(root, name)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return {name: bytes} of the files in a folder, with hidden files."""
    return {path.name: path.read_bytes() if path.is_file() else b"" for path in folder.iterdir()}


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def md5_table(files: dict[str, bytes]) -> dict[str, str]:
    return {file: md5(content) for file, content in files.items()}


def packed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return {name.gz: bytes}, the same bytes each time."""
    return {f"{file}.gz": gzip.compress(content, mtime=0) for file, content in files.items()}


class Server:
    """A web server on 127.0.0.1 that serves files by name, in any folder.

    Attributes
    ----------
    files : {name: bytes}
        What it has; anything else is a 404.
    behave : callable
        Answers a request for a file that it has: one of the functions below.
    requests : list of str
        The paths that were asked for.
    """

    def __init__(self, files: dict[str, bytes], behave: Behaviour) -> None:
        self.files, self.behave, self.requests = files, behave, []
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append(self.path)
                content = server.files.get(Path(urlsplit(self.path).path).name)
                if content is None:
                    self.send_error(404)
                    return
                try:
                    server.behave(self, content, server.closing)
                except OSError:  # the client closed the connection, as most behaviours make it do
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._http.server_port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}/files/"

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


Behaviour = Callable[[BaseHTTPRequestHandler, bytes, threading.Event], None]


@contextmanager
def serving(files: dict[str, bytes], behave: Behaviour | None = None) -> Iterator[Server]:
    """Serve files until the block ends."""
    server = Server(files, behave or well)
    try:
        yield server
    finally:
        server.close()


def _head(request: BaseHTTPRequestHandler, length: int | None, **headers: str) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/gzip")
    if length is not None:
        request.send_header("Content-Length", str(length))
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()


def well(request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event) -> None:
    _head(request, len(content))
    request.wfile.write(content)


def without_length(
    request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event
) -> None:
    """Send no length, as in HTTP/1.0: the end of the connection is the end of the file."""
    _head(request, None)
    request.wfile.write(content)


def labelled_gzip(
    request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event
) -> None:
    """Declare .gz as an encoding, as Apache does with ``AddEncoding x-gzip .gz``."""
    _head(request, len(content), Content_Encoding="x-gzip")
    request.wfile.write(content)


def not_found(request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event) -> None:
    request.send_error(404)


def reset(request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event) -> None:
    """Send a TCP reset instead of a response."""
    linger_for_no_time = struct.pack("ii", 1, 0)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)
    os.close(request.connection.detach())


def other_content(
    request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event
) -> None:
    """Send a log-in page, as the network of a hotel does."""
    well(request, b"<html>Please log in</html>", closing)


def cut_off(request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event) -> None:
    _head(request, len(content))
    request.wfile.write(content[: len(content) // 2])


def silent(request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event) -> None:
    closing.wait(10)


def silent_in_the_middle(
    request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event
) -> None:
    _head(request, len(content))
    request.wfile.write(content[: len(content) // 2])
    closing.wait(10)


def dripping(request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event) -> None:
    """Send the file slowly, in about 5 s."""
    _head(request, len(content))
    drop = max(1, len(content) // 20)
    for start in range(0, len(content), drop):
        request.wfile.write(content[start : start + drop])
        if closing.wait(0.25):
            return


def gated(gate: threading.Event) -> Behaviour:
    """Return a behaviour that sends the file once the gate is open."""

    def behave(request: BaseHTTPRequestHandler, content: bytes, closing: threading.Event) -> None:
        gate.wait(10)
        well(request, content, closing)

    return behave
