import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from mnist_core.drawing.photo_decoding import PhotoError, ink_from_photo
from mnist_core.drawing.preprocessing import DrawingError, check_ink, prepare_as_mnist
from tests.photo_files import agreement, file_of, gradient, grey_image, ink, on_paper
from tests.small_data import digits

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of the damaged files

STROKES = ink()
PHOTO = grey_image(on_paper(STROKES))
ROOT = Path(__file__).parents[2]


def last(data):
    return ink_from_photo(data)[-1].image


def refusal(data):
    with pytest.raises(PhotoError) as caught:
        ink_from_photo(data)
    return str(caught.value)


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width, height):
    """Return a PNG whose header claims a size, without any pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")


def test_stages_are_the_photo_the_evened_paper_and_the_ink():
    stages = ink_from_photo(file_of(PHOTO))
    assert [stage.title for stage in stages] == ["The photo", "Paper evened out", "Ink"]
    for stage in stages:
        assert stage.image.shape == (360, 480)
        assert stage.image.dtype == np.float32
        assert stage.image.min() >= 0
        assert stage.image.max() <= 1


def test_the_first_stage_is_the_picture_with_1_for_black():
    photo = ink_from_photo(file_of(PHOTO))[0].image
    np.testing.assert_allclose(photo, 1 - np.asarray(PHOTO) / 255, atol=1e-6)


def test_the_ink_can_be_prepared_as_a_drawing():
    dark = on_paper(STROKES, gradient(), noise=0.01)
    result = last(file_of(grey_image(dark), "JPEG"))
    check_ink(result)
    photographed = prepare_as_mnist(result).pixels.astype(float)
    drawn = prepare_as_mnist(STROKES).pixels.astype(float)
    assert np.abs(photographed - drawn).mean() < 6  # of 255


@pytest.mark.parametrize("light_on_dark", [False, True])
@pytest.mark.parametrize("index", range(0, 40, 4))
def test_bundled_digits_come_back_from_paper_and_blackboard(index, light_on_dark):
    stored = digits().test_images[index]
    large = grey_image(stored / 255).resize((300, 300), Image.Resampling.BICUBIC)
    strokes = np.asarray(large, np.float32) / 255
    grey = on_paper(np.pad(strokes, 40), noise=0.01)
    result = last(file_of(grey_image(1 - grey if light_on_dark else grey)))
    found = prepare_as_mnist(result).pixels.astype(float)
    drawn = prepare_as_mnist(strokes).pixels.astype(float)
    assert np.corrcoef(found.ravel(), drawn.ravel())[0, 1] > 0.8  # bold ones are thinned


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 80}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 70}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
        ("MPO", {}),
    ],
    ids=str,
)
def test_every_format_is_read(kind, options):
    assert agreement(last(file_of(PHOTO, kind, **options)), STROKES) > 0.9


def test_of_an_animation_the_first_frame_is_read():
    other = grey_image(on_paper(ink("7")))
    data = file_of(PHOTO, "GIF", save_all=True, append_images=[other])
    assert Image.open(io.BytesIO(data)).n_frames == 2
    assert agreement(last(data), STROKES) > 0.9


def lab(image):
    grey = np.asarray(image.convert("L"))
    neutral = np.full_like(grey, 128)
    return Image.frombytes("LAB", image.size, np.stack([grey, neutral, neutral], -1).tobytes())


def alpha_palette(image):
    return Image.merge("LA", (image, image.point(lambda _: 255))).convert("PA")


GREY16 = np.asarray(PHOTO).astype(np.uint16)
MODES = {
    "1": (lambda: PHOTO.point(lambda v: 255 * (v > 128)).convert("1"), "PNG"),
    "L": (lambda: PHOTO, "PNG"),
    "LA": (lambda: PHOTO.convert("LA"), "PNG"),
    "P": (lambda: PHOTO.convert("RGB").quantize(16), "PNG"),
    "PA": (lambda: alpha_palette(PHOTO), "TIFF"),
    "RGB": (lambda: PHOTO.convert("RGB"), "PNG"),
    "RGBA": (lambda: PHOTO.convert("RGBA"), "PNG"),
    "RGBX": (lambda: PHOTO.convert("RGB").convert("RGBX"), "TIFF"),
    "CMYK": (lambda: PHOTO.convert("RGB").convert("CMYK"), "TIFF"),
    "CMYK JPEG": (lambda: PHOTO.convert("RGB").convert("CMYK"), "JPEG"),
    "YCbCr": (lambda: PHOTO.convert("RGB").convert("YCbCr"), "TIFF"),
    "LAB": (lambda: lab(PHOTO), "TIFF"),
    "I;16": (lambda: Image.fromarray(GREY16 * 257), "PNG"),
    "I;16 of 12 bits": (lambda: Image.fromarray(GREY16 * 16), "TIFF"),
    "I;16B": (
        lambda: Image.frombytes("I;16B", PHOTO.size, (GREY16 * 257).astype(">u2").tobytes()),
        "TIFF",
    ),
    "I": (lambda: Image.fromarray(GREY16.astype(np.int32) * 2**20), "TIFF"),
    "I below 0": (lambda: Image.fromarray(GREY16.astype(np.int32) - 1000), "TIFF"),
    "F": (lambda: Image.fromarray(GREY16.astype(np.float32) / 255), "TIFF"),
    "F of 8 bits": (lambda: Image.fromarray(GREY16.astype(np.float32)), "TIFF"),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_depth_is_read(mode):
    make, kind = MODES[mode]
    image = make()
    if " " not in mode:
        assert image.mode == mode
    assert agreement(last(file_of(image, kind)), STROKES) > 0.85


@pytest.mark.parametrize("scale", [1, 16, 257])
def test_sixteen_bits_have_the_full_scale_that_holds_them(scale):
    photo = ink_from_photo(file_of(Image.fromarray(GREY16 * scale), "TIFF"))[0].image
    full = {1: 255, 16: 4095, 257: 65535}[scale]
    np.testing.assert_allclose(photo, 1 - GREY16 * (scale / full), atol=1e-5)


def test_nan_and_infinity_are_black():
    values = np.asarray(PHOTO).astype(np.float32) / 255
    values[5, 5], values[6, 6], values[7, 7] = np.nan, np.inf, -np.inf
    photo = ink_from_photo(file_of(Image.fromarray(values), "TIFF"))[0].image
    assert photo[[5, 6, 7], [5, 6, 7]].tolist() == [1, 1, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_rotation_is_applied(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    data = file_of(PHOTO, kind, exif=exif, **options)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L"))
    assert upright.shape == ((360, 480) if orientation < 5 else (480, 360))
    stages = ink_from_photo(data)
    np.testing.assert_allclose(stages[0].image, 1 - upright / 255, atol=0.02)
    turned = {
        1: STROKES,
        2: STROKES[:, ::-1],
        3: STROKES[::-1, ::-1],
        4: STROKES[::-1],
        5: STROKES.T,
        6: STROKES[::-1].T,
        7: STROKES[::-1, ::-1].T,
        8: STROKES[:, ::-1].T,
    }[orientation]
    assert agreement(stages[-1].image, turned) > 0.9


@pytest.mark.parametrize("colour", [0, 90, 160, 255])
@pytest.mark.parametrize("hidden", [0, 255])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_digit_on_transparent_ground_is_found_whatever_its_colour(colour, hidden, mode):
    alpha = grey_image(STROKES)
    grey = Image.composite(alpha.point(lambda _: colour), alpha.point(lambda _: hidden), alpha)
    image = Image.merge("LA", (grey.point(lambda _: colour), alpha)).convert(mode)
    assert agreement(last(file_of(image)), STROKES) > 0.9


@pytest.mark.parametrize("colours", [(0, 255), (255, 0)], ids=["black", "white"])
def test_a_transparent_palette_entry_is_transparent(colours):
    pen, hidden = colours
    image = Image.fromarray((STROKES > 0.5).astype(np.uint8)).convert("P")
    image.putpalette([hidden] * 3 + [pen] * 3)
    for kind in ("PNG", "GIF"):
        assert agreement(last(file_of(image, kind, transparency=0)), STROKES) > 0.85


def test_a_transparent_grey_is_transparent():
    image = grey_image(1 - STROKES.round())
    assert agreement(last(file_of(image, transparency=255)), STROKES) > 0.85


def test_a_sheet_that_was_cut_out_is_put_on_its_own_paper():
    alpha = Image.new("L", PHOTO.size)
    alpha.paste(255, (20, 20, 460, 340))
    photo, _, found = ink_from_photo(file_of(Image.merge("LA", (PHOTO, alpha))))
    np.testing.assert_allclose(photo.image[:15], 0.1, atol=0.01)  # the paper is 0.9
    assert agreement(found.image, STROKES) > 0.9


def test_a_fully_transparent_picture_is_refused():
    assert refusal(file_of(Image.new("LA", (90, 80)))).startswith("No ink is seen")


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((600, 450), (450, 600)),
        ((601, 450), (449, 600)),
        ((4000, 3000), (450, 600)),
        ((3000, 4000), (600, 450)),
        ((1199, 900), (450, 600)),
        ((40, 30), (30, 40)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_longer_side_is_at_most_600(size, shape, kind):
    result = last(file_of(PHOTO.resize(size, Image.Resampling.BICUBIC), kind))
    assert result.shape == shape
    wanted = grey_image(STROKES).resize(shape[::-1], Image.Resampling.BOX)
    assert agreement(result, np.asarray(wanted) / 255) > 0.8


def test_a_picture_without_ink_is_refused():
    message = refusal(file_of(grey_image(on_paper(np.zeros((300, 400)), noise=0.05))))
    assert message.startswith("No ink is seen: take the picture from nearer")


def test_photo_errors_are_drawing_errors():
    assert issubclass(PhotoError, DrawingError)


@pytest.mark.parametrize("size", [(7, 100), (100, 7), (1, 1)])
def test_a_tiny_picture_is_refused_with_its_size(size):
    message = refusal(file_of(Image.new("L", size)))
    assert "at least 8 pixels on each side" in message
    assert f"{size[0]} × {size[1]}" in message


def test_eight_pixels_are_enough():
    assert refusal(file_of(Image.new("L", (8, 8), 200))).startswith("No ink is seen")


def test_a_strip_that_vanishes_when_shrunk_is_refused():
    assert "once it is 600 pixels long" in refusal(file_of(Image.new("L", (6000, 20), 200)))


@pytest.mark.parametrize("size", [(8000, 6501), (52_000_001, 1), (9_000, 9_000)])
def test_a_huge_picture_is_refused_by_its_header(size):
    message = refusal(png_header(*size))
    assert "at most 52 million pixels" in message
    assert f"{size[0]} × {size[1]}" in message


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(10_000, 10_000), (40_000, 40_000)])
def test_a_decompression_bomb_is_refused(size):
    assert "at most 52 million pixels" in refusal(png_header(*size))


def test_the_largest_picture_is_refused_only_because_it_is_empty():
    assert "PNG picture is damaged" in refusal(png_header(8000, 6500))


def test_a_webp_has_a_lower_limit():
    data = file_of(Image.new("L", (5100, 5000)), "WEBP", method=0, quality=1)
    assert "at most 25 million pixels, got 5100 × 5000" in refusal(data)


def test_a_tiff_with_a_giant_tile_is_refused():
    lengths = {256: 100, 257: 100, 258: 8, 259: 5, 262: 1, 277: 1}  # 100 x 100, grey, LZW
    tiles = {322: 60_000, 323: 60_000, 324: 8, 325: 8}  # width, length, where, how many bytes
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in (lengths | tiles).items()]
    data = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4)
    assert "in one tile" in refusal(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04\x14\0", "ZIP or office"),
        (b"<svg xmlns='x'/>", "SVG"),
        (b"<!doctype html><html>", "XML or HTML"),
        (b"8BPS\0\x01", "Photoshop"),
        ("Пять is 5".encode(), "text"),
        (b"5", "text"),
        (b"\x05\x00\x01garbage", "unknown"),
        (file_of(Image.new("L", (32, 32)), "ICO"), "icon"),
        (file_of(Image.new("L", (32, 32)), "JPEG2000"), "JPEG 2000"),
        (file_of(Image.new("L", (32, 32)), "PPM"), "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_files_are_refused_with_their_kind(data, name):
    message = refusal(data)
    assert message.startswith("Expected a picture as PNG, JPEG, WebP, GIF, BMP or TIFF, got")
    assert f"of the kind: {name};" in message
    assert "JPEG or PNG" in message


def test_an_empty_file_is_refused():
    assert refusal(b"").startswith("The file is empty")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_file_cut_short_is_refused(kind, share):
    noisy = grey_image(on_paper(STROKES, noise=0.1))
    whole = file_of(noisy, kind)
    name = {"WEBP": "WebP"}.get(kind, kind)
    assert f"This {name} picture is damaged" in refusal(whole[: int(len(whole) * share)])


def test_reading_leaves_the_warning_filters_alone():
    before = list(warnings.filters)
    ink_from_photo(file_of(PHOTO))
    refusal(b"II*\0" + bytes(40))
    assert list(warnings.filters) == before


PEAK = """
import io, resource, sys
import numpy as np
from PIL import Image
from mnist_core.drawing.photo_decoding import ink_from_photo
data = sys.stdin.buffer.read()
small = Image.new("L", (64, 64), 230)
small.paste(20, (28, 10, 34, 54))
buffer = io.BytesIO()
small.save(buffer, "PNG")
ink_from_photo(buffer.getvalue())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert ink_from_photo(data)[-1].image.shape == (450, 600)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_fifty_megapixels_fit_into_450_mib(mode):
    large = PHOTO.resize((8160, 6120))
    image = Image.fromarray(np.asarray(large).astype(np.uint16) * 257)
    image = image if mode == "I;16" else large.convert(mode)
    command = [sys.executable, "-c", PEAK]
    data = file_of(image, compress_level=1)
    done = subprocess.run(command, input=data, cwd=ROOT, capture_output=True, check=True)
    assert int(done.stdout) < 450


KINDS = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "JPEG": ["L", "RGB", "CMYK"],
    "WEBP": ["RGB", "RGBA"],
    "GIF": ["1", "L", "P", "RGB"],
    "BMP": ["1", "L", "P", "RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"],
}


@st.composite
def image_files(draw):
    """Draw a file of a random kind, mode, size and content: whole, cut short, or damaged."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    mode = draw(st.sampled_from(KINDS[kind]))
    width, height = (draw(st.integers(1, 700)) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    content = draw(st.sampled_from(["digit", "noise", "flat"]))
    if content == "digit":
        image = PHOTO.resize((width, height))
    elif content == "noise":
        image = Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))
    else:
        image = Image.new("L", (width, height), draw(st.integers(0, 255)))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 200)
    else:
        image = image.convert("RGB").convert(mode) if mode in ("CMYK", "YCbCr") else image
        image = image if image.mode == mode else image.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = draw(st.integers(0, 9))
    options = {} if kind in ("BMP", "GIF") else {"exif": exif}
    data = bytearray(file_of(image, kind, **options))
    for _ in range(draw(st.sampled_from([0, 0, 1, 3, 30]))):
        place = draw(st.sampled_from([len(data), min(len(data), 100)]))  # often in the header
        data[int(rng.integers(place))] = int(rng.integers(256))
    if draw(st.booleans()) and draw(st.booleans()):
        data = data[: int(rng.integers(len(data)))]
    return bytes(data)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(image_files())
def test_any_file_gives_ink_or_a_photo_error(data):
    try:
        stages = ink_from_photo(data)
    except PhotoError:
        return
    for stage in stages:
        assert stage.image.dtype == np.float32
        assert stage.image.ndim == 2
        assert min(stage.image.shape) >= 8
        assert max(stage.image.shape) <= 600
        assert np.isfinite(stage.image).all()
        assert stage.image.min() >= 0
        assert stage.image.max() <= 1
    assert stages[-1].image.max() > 0
