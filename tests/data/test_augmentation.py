import numpy as np
import pytest
import torch

from mnist_core.data import augmentation
from mnist_core.data.augmentation import augmented, generator_for, redrawn
from mnist_core.data.inputs import to_input
from tests.small_data import digits, global_generators_untouched, random_images


def images(n=16, seed=0):
    return to_input(random_images(n, seed))


@pytest.fixture
def drawn(monkeypatch):
    """Set the random numbers of every image: angle, zoom, right, down, where 1 is the bound."""

    def draw(*values):
        def rand(rows, n, generator):
            return ((torch.tensor(values) + 1) / 2)[:, None].expand(rows, n)

        monkeypatch.setattr(augmentation.torch, "rand", rand)

    return draw


def test_the_same_seed_and_step_give_the_same_changes():
    x = images()
    one, other = (augmented(x, generator_for(3, 7)) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, x)


def test_another_seed_or_step_gives_other_changes():
    x = images()
    results = {
        augmented(x, generator_for(seed, step)).numpy().tobytes()
        for seed in range(4)
        for step in range(4)
    }
    assert len(results) == 16


def test_no_seed_and_step_of_a_run_share_their_random_numbers():
    seeds, steps = (0, 1, 2, 2**31 - 1), (0, 1, 2, 999_999)  # a run has at most 1,000,000 steps
    drawn = {generator_for(a, b).initial_seed() for a in seeds for b in steps}
    assert len(drawn) == 16
    assert generator_for(0, 999_999).initial_seed() < generator_for(1, 0).initial_seed()


def test_every_image_of_a_batch_is_changed_differently():
    x = images(1).expand(8, 1, 28, 28)
    results = {image.numpy().tobytes() for image in augmented(x, generator_for(0, 0))}
    assert len(results) == 8


def test_augmenting_does_not_use_the_global_generators():
    with global_generators_untouched():
        augmented(images(), generator_for(0, 0))


@pytest.mark.parametrize("n", [1, 2, 33])
def test_shape_and_type_do_not_change(n):
    result = augmented(images(n), generator_for(0, 0))
    assert result.shape == (n, 1, 28, 28)
    assert result.dtype == torch.float32


def test_the_images_given_are_not_changed():
    x = images()
    before = x.clone()
    augmented(x, generator_for(0, 0))
    assert torch.equal(x, before)


@pytest.mark.parametrize("x", [torch.ones(500, 1, 28, 28), images(500).round()], ids=["1", "0, 1"])
def test_the_range_does_not_change(x):
    result = augmented(x, generator_for(0, 0))
    assert result.min() >= 0
    assert result.max() <= 1 + 1e-6
    assert result.max() > 0.9


def test_changes_of_zero_change_nothing(drawn):
    drawn(0.0, 0.0, 0.0, 0.0)
    x = images()
    torch.testing.assert_close(augmented(x, None), x, rtol=0, atol=1e-5)


def test_a_shift_of_one_pixel_is_exact(drawn):
    pixel = 1 / 28 / 0.08  # the largest shift is 8 % of the side
    drawn(0.0, 0.0, pixel, 0.0)
    x = images(3)
    expected = torch.zeros_like(x)
    expected[..., :-1] = x[..., 1:]
    torch.testing.assert_close(augmented(x, None), expected, rtol=0, atol=1e-5)
    drawn(0.0, 0.0, 0.0, -pixel)
    expected = torch.zeros_like(x)
    expected[:, :, 1:] = x[:, :, :-1]
    torch.testing.assert_close(augmented(x, None), expected, rtol=0, atol=1e-5)


def test_a_quarter_turn_is_exact(drawn):
    drawn(90 / 12, 0.0, 0.0, 0.0)
    x = images(3)
    expected = torch.rot90(x, 1, (2, 3))
    torch.testing.assert_close(augmented(x, None), expected, rtol=0, atol=1e-4)


def test_a_zoom_by_two_averages_four_pixels_into_one(drawn):
    drawn(0.0, 1 / 0.12, 0.0, 0.0)
    x = images(3)
    expected = torch.zeros_like(x)
    expected[:, :, 7:21, 7:21] = torch.nn.functional.avg_pool2d(x, 2)
    torch.testing.assert_close(augmented(x, None), expected, rtol=0, atol=1e-5)


def centres(x):
    """Return the centre of mass of each image from its middle: (N, 2) in pixels."""
    x = x[:, 0].double()
    place = torch.arange(28) - 13.5
    total = x.sum((1, 2))
    right = (x.sum(1) * place).sum(1) / total
    down = (x.sum(2) * place).sum(1) / total
    return torch.stack([right, down], dim=1).numpy()


def test_a_blob_in_the_middle_moves_by_up_to_the_shift():
    x = torch.zeros(1_000, 1, 28, 28)
    x[:, :, 12:16, 12:16] = 1
    moved = centres(augmented(x, generator_for(0, 0)))
    farthest = 0.08 * 28 * (np.cos(np.radians(12)) + np.sin(np.radians(12))) / 0.88
    assert np.abs(moved).max() <= farthest + 0.05
    for side in (moved.min(axis=0), moved.max(axis=0)):
        assert (np.abs(side) > 2).all()
    assert np.abs(moved.mean(axis=0)).max() < 0.2  # equally to all sides


def test_a_digit_s_ink_hardly_changes():
    x = to_input(digits().train_images[:500])
    ratio = augmented(x, generator_for(0, 0)).sum((1, 2, 3)) / x.sum((1, 2, 3))
    assert 0.9 < ratio.median() < 1.1
    assert ratio.max() < 1.05 / 0.88**2
    assert ratio.min() < 0.9


# --- redrawn


@pytest.fixture
def only(monkeypatch):
    """Set all changes but some to 0."""

    def leave(*names):
        for name in {"TURN", "STRETCH", "SLANT", "MOVE", "BEND", "THICKER", "THINNER"} - {*names}:
            monkeypatch.setattr(augmentation, name, 0.0)

    return leave


def ten_bundled_digits():
    return to_input(digits().test_images[:10])


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_equal_generators_redraw_equally(strength):
    x = images()
    one, other = (redrawn(x, torch.Generator().manual_seed(4), strength) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, x)
    assert not torch.equal(one, redrawn(x, torch.Generator().manual_seed(5), strength))


def test_every_image_is_redrawn_differently_each_time():
    generator, x = generator_for(0, 0), ten_bundled_digits()[:1].expand(8, 1, 28, 28)
    results = {image.numpy().tobytes() for _ in range(3) for image in redrawn(x, generator)}
    assert len(results) == 24


@pytest.mark.parametrize("x", [images(8), ten_bundled_digits()], ids=["noise", "digits"])
def test_redrawn_with_strength_0_changes_nothing(x):
    result = redrawn(x, generator_for(0, 0), 0.0)
    torch.testing.assert_close(result, x, rtol=0, atol=1e-5)


@pytest.mark.parametrize("change", ["TURN", "STRETCH", "SLANT", "MOVE", "BEND"])
def test_each_change_of_shape_grows_with_the_strength(only, change):
    only(change)
    x = ten_bundled_digits()
    weak, strong = (
        (redrawn(x, generator_for(1, 2), strength) - x).abs().mean() for strength in (0.1, 1.0)
    )
    assert 0 < weak < 0.5 * strong


def test_redrawn_without_any_change_is_the_image(only):
    only()
    x = images(8)
    torch.testing.assert_close(redrawn(x, generator_for(0, 0)), x, rtol=0, atol=1e-5)


def test_bending_moves_ink_by_a_few_pixels_and_not_flat_areas(only):
    only("BEND")
    x = torch.zeros(200, 1, 28, 28)
    x[:, :, 10:18, 10:18] = 1
    y = redrawn(x, generator_for(0, 0))
    torch.testing.assert_close(y[:, :, 13:15, 13:15], torch.ones(200, 1, 2, 2), rtol=0, atol=0.5)
    assert y[:, :, :5].max() == 0
    moved = np.abs(centres(y))
    assert 0.05 < moved.mean() < 1
    assert moved.max() < 3.5


def test_the_pen_mixes_in_a_share_of_the_dilated_or_eroded_image(only):
    only("THICKER", "THINNER")
    x = to_input(digits().test_images[:200])
    dilated = torch.nn.functional.max_pool2d(x, 3, 1, 1)
    eroded = -torch.nn.functional.max_pool2d(-x, 3, 1, 1)

    y = redrawn(x, generator_for(0, 0))

    bolder, finer = [], []
    for before, after, more, less in zip(x, y, dilated, eroded, strict=True):
        change, grown = (after - before).sum(), (after > before + 1e-5).any()
        other = more if grown else less
        share = change / (other - before).sum()
        torch.testing.assert_close(after, before + share * (other - before), rtol=0, atol=1e-4)
        (bolder if grown else finer).append(float(share))
    finer = [share for share in finer if share > 1e-4]
    assert 0.5 < max(bolder) <= 0.7  # THICKER
    assert 0.35 < max(finer) <= 0.5  # THINNER
    assert 30 < len(bolder) < 70  # a quarter of the images
    assert 30 < len(finer) < 70


def test_thickness_grows_with_strength(only):
    only("THICKER", "THINNER")
    x = ten_bundled_digits()
    whole, half = (redrawn(x, generator_for(0, 3), strength) - x for strength in (1.0, 0.5))
    torch.testing.assert_close(half, whole / 2, rtol=0, atol=1e-5)
    assert whole.abs().max() > 0.1


@pytest.mark.parametrize("strength", [0.5, 1.0, 1.4])
@pytest.mark.parametrize(
    "x",
    [torch.ones(300, 1, 28, 28), images(300).round(), torch.zeros(3, 1, 28, 28)],
    ids=["1", "0, 1", "0"],
)
def test_redrawn_preserves_the_range(x, strength):
    y = redrawn(x, generator_for(0, 0), strength)
    assert y.min() >= 0
    assert y.max() <= 1 + 1e-6


@pytest.mark.parametrize("n", [1, 2, 33])
def test_redrawn_preserves_shape_and_type_and_its_input(n):
    x = images(n)
    before = x.clone()
    y = redrawn(x, generator_for(0, 0))
    assert y.shape == (n, 1, 28, 28)
    assert y.dtype == torch.float32
    assert torch.equal(x, before)


def test_redrawing_does_not_use_the_global_generators():
    with global_generators_untouched():
        redrawn(images(), generator_for(0, 0))


def test_a_redrawn_blob_moves_by_up_to_a_pixel_and_a_half(only):
    only("MOVE")
    x = torch.zeros(1_000, 1, 28, 28)
    x[:, :, 12:16, 12:16] = 1
    moved = centres(redrawn(x, generator_for(0, 0)))
    assert np.abs(moved).max() <= 1.5 + 1e-3
    assert (np.abs([moved.min(axis=0), moved.max(axis=0)]) > 1.45).all()
    assert np.abs(moved.mean(axis=0)).max() < 0.1


def test_a_redrawn_digit_s_ink_hardly_changes():
    x = to_input(digits().test_images[:300])
    y = redrawn(x, generator_for(0, 0))
    ratio = y.sum((1, 2, 3)) / x.sum((1, 2, 3))
    assert 0.9 < ratio.median() < 1.15
    assert ratio.min() > 0.5
    assert ratio.max() < 2
