"""The visitor's drawings: their halves, their file, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_core.drawing import handwriting as module
from mnist_core.drawing.handwriting import MOST, Handwriting, Sample, from_zip, to_zip
from tests.small_data import random_images


def picture(number: int) -> np.ndarray:
    """Return a picture that no other number has."""
    pixels = np.zeros((28, 28), dtype=np.uint8)
    pixels[0, 0], pixels[0, 1] = divmod(number, 256)
    return pixels


def set_of(*labels: int) -> Handwriting:
    made = Handwriting()
    for number, label in enumerate(labels):
        made = made.plus(picture(number), label, float(number))
    return made


def contents(handwriting: Handwriting) -> list[tuple]:
    return [(s.pixels.tobytes(), s.label, s.created, s.left_out) for s in handwriting.samples]


def png(mode: str = "L", size: tuple[int, int] = (28, 28), **arguments) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, "PNG", **arguments)
    return out.getvalue()


def zip_of(files: dict[str, bytes] | list[tuple[str, bytes]], how=zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return out.getvalue()


def test_the_drawings_of_a_digit_alternate_between_the_two_halves():
    made = set_of(3, 3, 7, 3, 3, 3, 7)
    assert made.left_out.tolist() == [False, True, False, False, True, False, True]
    assert made.part(left_out=True).labels.tolist() == [3, 3, 7]
    assert made.part(left_out=False).labels.tolist() == [3, 7, 3, 3]


@given(st.lists(st.integers(0, 9), max_size=60), st.data())
@settings(max_examples=50, deadline=None)
def test_no_drawing_ever_changes_its_half(labels, data):
    made = set_of(*labels)
    for label in range(10):
        halves = made.left_out[made.labels == label]
        assert halves.sum() == len(halves) // 2
    half_of = {s.id: s.left_out for s in made.samples}
    if labels:
        gone = data.draw(st.sampled_from([s.id for s in made.samples]))
        made = made.without(gone)
        assert len(made) == len(labels) - 1
    made = made.plus(picture(60_000), 5)
    assert all(half_of.get(s.id, s.left_out) == s.left_out for s in made.samples)


def test_arrays_of_a_set():
    made = set_of(4, 2)
    assert made.images.shape == (2, 28, 28)
    assert made.images.dtype == np.uint8
    assert made.images[1].tolist() == picture(1).tolist()
    assert (made.labels.dtype, made.labels.tolist()) == (np.int64, [4, 2])
    assert Handwriting().images.shape == (0, 28, 28)
    assert Handwriting().labels.shape == (0,)
    assert Handwriting().left_out.dtype == bool


def test_a_sample_is_a_copy_that_cannot_be_written_to():
    pixels = picture(1)
    sample = Sample(pixels, 3)
    pixels[5, 5] = 9
    assert sample.pixels[5, 5] == 0
    with pytest.raises(ValueError, match="read-only"):
        sample.pixels[0, 0] = 1


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"pixels": np.zeros((28, 27), np.uint8)}, r"got \(28, 27\) and uint8"),
        ({"pixels": np.zeros((28, 28), np.float32)}, r"got \(28, 28\) and float32"),
        ({"label": 10}, "a label from 0 to 9, got 10"),
        ({"label": -1}, "a label from 0 to 9, got -1"),
        ({"label": True}, "a label from 0 to 9, got True"),
        ({"label": "3"}, "a label from 0 to 9, got '3'"),
        ({"created": float("nan")}, "a time in seconds, got nan"),
        ({"created": 3}, "a time in seconds, got 3"),
        ({"left_out": 1}, "must be true or false, got 1"),
    ],
)
def test_a_sample_refuses_wrong_values(values, says):
    with pytest.raises(ValueError, match=says):
        Sample(**{"pixels": picture(0), "label": 0} | values)


def test_the_same_drawing_counts_once_and_can_get_another_label():
    made = set_of(1, 7, 7)
    assert contents(made.plus(picture(1), 7, 99.0)) == contents(made)
    corrected = made.plus(picture(2), 1)
    assert corrected.labels.tolist() == [1, 7, 1]
    assert corrected.left_out.tolist() == made.left_out.tolist()
    assert (made.label_of(picture(2)), corrected.label_of(picture(2))) == (7, 1)
    assert made.label_of(picture(77)) is None


def test_a_full_set_takes_no_more():
    full = set_of(*[i % 10 for i in range(MOST)])
    with pytest.raises(ValueError, match="at most 500 drawings, this would make 501"):
        full.plus(picture(9_999), 1)
    with pytest.raises(ValueError, match="yours has 500, and this file brings 1 new ones"):
        full.merged([full.samples[0], Sample(picture(9_999), 1)])
    assert len(full.merged(full.samples)) == MOST


def test_merging_adds_new_drawings_and_does_not_change_their_halves():
    mine = set_of(1, 2)
    theirs = [Sample(picture(1), 9), Sample(picture(50), 4, 5.0, True)]
    merged = mine.merged(theirs)
    assert merged.labels.tolist() == [1, 2, 4]
    assert merged.left_out.tolist() == [False, False, True]


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=12), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_set_survives_its_file_unchanged(rows, seed):
    images = random_images(len(rows), seed)
    made = Handwriting(
        tuple(
            Sample(image, label, 1.7e9 + i / 3, left_out)
            for i, (image, (label, left_out)) in enumerate(zip(images, rows, strict=True))
        )
    )
    if rows:
        assert contents(from_zip(to_zip(made))) == contents(made)


def test_the_file_is_a_zip_of_png_pictures():
    with zipfile.ZipFile(io.BytesIO(to_zip(set_of(3, 7)))) as archive:
        assert archive.namelist() == ["0001_label3.png", "0002_label7.png", "index.json"]
        with Image.open(archive.open("0002_label7.png")) as image:
            assert (image.format, image.size, image.mode) == ("PNG", (28, 28), "L")
            assert np.asarray(image).tolist() == picture(1).tolist()
        index = json.loads(archive.read("index.json"))
    assert index["drawings"][0] == {
        "file": "0001_label3.png",
        "label": 3,
        "created": 0.0,
        "left_out": False,
    }


def test_the_largest_set_is_small_and_can_be_read_back():
    images = random_images(MOST, seed=3)  # noise cannot be compressed: no set is larger
    made = Handwriting(tuple(Sample(image, i % 10) for i, image in enumerate(images)))
    data = to_zip(made)
    assert len(data) < 1_000_000
    assert contents(from_zip(data)) == contents(made)


def test_pictures_without_an_index_are_enough():
    files = {"0001_label4.png": png(), "notes.txt": b"mine", "__MACOSX/._0001_label4.png": b"?"}
    made = from_zip(zip_of({f"set/{n}" if n[0] != "_" else n: d for n, d in files.items()}))
    assert (made.labels.tolist(), made.left_out.tolist()) == ([4], [False])


def test_a_picture_that_comes_twice_is_added_once():
    made = from_zip(zip_of({"0001_label4.png": png(), "0002_label5.png": png()}))
    assert made.labels.tolist() == [4]


def bomb() -> bytes:
    """Return an archive whose entry claims 100 bytes and unpacks to 50 MB."""
    data = bytearray(zip_of({"0001_label3.png": bytes(50_000_000)}))
    size = (50_000_000).to_bytes(4, "little")
    assert data.count(size) == 2
    return bytes(data.replace(size, (100).to_bytes(4, "little")))


INDEX = module.INDEX
PNG = png()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "File is not a zip file"),
        (b"hello", "File is not a zip file"),
        (bytes(module.MOST_BYTES + 1), "at most 3 MB, got 3,000,001 bytes"),
        (to_zip(set_of(1, 2, 3))[:-40], "is not a zip file"),
        (zip_of({}), "no file with a name like 0001_label3.png"),
        (zip_of({"run/run.json": b"{}"}), "no file with a name like"),
        (zip_of({f"{i}.txt": b"" for i in range(1_101)}), "at most 1,100 files"),
        (zip_of({f"{i:04d}_label1.png": PNG for i in range(501)}), "holds 501 drawings"),
        (zip_of({"a/0001_label3.png": PNG, "b/0001_label3.png": PNG}), "the same file twice"),
        (zip_of({"0001_label3.png": bytes(5_001)}), "0001_label3.png is no PNG picture"),
        (zip_of({"0001_label3.png": PNG}, zipfile.ZIP_LZMA), "packed in an unusual way"),
        (bomb(), "cannot be used"),
        (zip_of({"0001_label3.png": b"GIF89a"}), "0001_label3.png is no PNG picture"),
        (zip_of({"0001_label3.png": PNG[:45]}), "cannot be used"),
        (zip_of({"0001_label3.png": png(size=(28, 29))}), "is 28x29 of mode L, expected 28x28"),
        (zip_of({"0001_label3.png": png("RGB")}), "is 28x28 of mode RGB"),
        (zip_of({"0001_label3.png": png("I;16")}), "is 28x28 of mode I;16"),
        (zip_of({"0001_label3.png": png("1")}), "is 28x28 of mode 1"),
        (zip_of({"0001_label3.png": PNG, INDEX: b"["}), "it is not JSON"),
        (zip_of({"0001_label3.png": PNG, INDEX: b'{"drawings": 3}'}), "must list the drawings"),
        (zip_of({"0001_label3.png": PNG, INDEX: b'{"drawings": [3]}'}), "must list the drawings"),
    ],
)
def test_a_file_that_is_no_set_is_refused_with_a_sentence(data, says):
    with pytest.raises(ValueError, match=says) as caught:
        from_zip(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 350


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"label": 4}, "0001_label3.png has another label in index.json"),
        ({"label": [3]}, "has another label"),
        ({"created": "x"}, "could not convert"),
        ({"created": [1]}, "float"),
        ({"created": float("inf")}, "a time in seconds, got inf"),
        ({"left_out": "yes"}, "must be true or false"),
    ],
)
def test_an_index_with_wrong_values_is_refused(row, says):
    index = json.dumps({"drawings": [{"file": "0001_label3.png"} | row]}).encode()
    with pytest.raises(ValueError, match=says):
        from_zip(zip_of({"0001_label3.png": PNG, INDEX: index}))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused(data):
    good = bytearray(to_zip(set_of(1, 7, 1)))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = from_zip(bytes(good))
    except ValueError as error:
        assert "expected" in str(error).lower()  # noqa: PT017
    else:
        assert 1 <= len(made) <= 3


def test_neither_torch_nor_streamlit_is_needed():
    code = (
        "import sys, mnist_core.workspace.handwriting_store; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'streamlit', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
