"""Zip archives within limits."""

import io
import zipfile

import pytest

from mnist_core.common.zips import DAMAGED, reason, wanted_files


def zip_of(*entries, method=zipfile.ZIP_STORED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return data.getvalue()


def texts_in(data, most_files=3, most_bytes=100):
    return wanted_files(
        data, lambda name: name if name.endswith(".txt") else None, most_files, most_bytes
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_only_the_wanted_files_are_unpacked(method):
    data = zip_of(("a.txt", b"A" * 60), ("../b.png", b"B"), ("c/d.txt", b""), method=method)
    assert texts_in(data) == {"a.txt": b"A" * 60, "c/d.txt": b""}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zip_of(*[(f"{i}.png", b"") for i in range(4)]), "at most 3 files"),
        (zip_of(("a.txt", b"A" * 60), ("b.png", b"B" * 41)), "2 files of 101 bytes"),
        (zip_of(("a.txt", b"A" * 90), method=zipfile.ZIP_BZIP2), "packed in an unusual way"),
        (zip_of(("a.txt", b"A" * 90))[:80], "not a zip file"),
        (zip_of(("a.txt", b"A" * 90)).replace(b"A" * 90, b"A" * 89 + b"B"), "Bad CRC-32"),
    ],
)
def test_other_archives_are_refused(data, why):
    with pytest.raises(DAMAGED, match=why):
        texts_in(data)


def test_two_files_of_one_role_are_refused():
    data = zip_of(("a.txt", b"A"), ("b.txt", b"B"))
    with pytest.raises(ValueError, match="the same file twice"):
        wanted_files(data, lambda _: "text", 3, 100)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("two\nlines  here."), "two lines here"),
        (ValueError("x" * 200), "x" * 150),
        (EOFError(), "EOFError"),
    ],
)
def test_the_reason_is_one_short_line(error, words):
    assert reason(error) == words
