import base64
import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from mnist_core.concepts.activations import ACTIVATIONS, collapse, curve
from mnist_core.figures import classes, compare, concepts, pictures, style, timeline, training
from mnist_core.figures.training import MOST_POINTS, loss_figure, loss_stream, thinned
from mnist_core.lesson.milestones import LANES, Milestone
from mnist_core.training.history import running_mean

NAMES = tuple("0123456789")
RNG = np.random.default_rng(0)
P = np.array([0.02, 0.03, 0.6, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05], dtype=np.float32)
ROWS_P = RNG.dirichlet(np.ones(10), 4).astype(np.float32)
CONFUSION = RNG.integers(0, 50, (10, 10)) + 900 * np.eye(10, dtype=np.int64)
CONFUSION[6] = 0  # a class without an image
LOSSES = RNG.uniform(0.1, 3, 5_000).astype(np.float32)
MEAN = running_mean(LOSSES)
ACCURACIES = [(2_500, 0.5), (5_000, 0.9)]
W = np.array([[1.0, -2.0, 0.5], [0.0, 4.0, -0.25]], dtype=np.float32)
B, X = np.array([0.5, -1], dtype=np.float32), np.array([1, 2, 3], dtype=np.float32)
Y = W @ X + B
TANH = ACTIVATIONS["tanh"]
Z = np.linspace(-6, 6, 101)
CURVES = [
    compare.RunCurve(f"Run {n}", np.arange(1, n + 1), np.arange(1, n + 1) / 1e3, MEAN[:n])
    for n in (5_000, 700)
]
MILESTONES = [
    Milestone(1943 + 10 * i, f"Title {i}", "Who", lane, "Sentence.", "Source", "")
    for i, lane in enumerate(LANES)
]

CALLS = {
    "confidence_bars": lambda: classes.confidence_bars(P, NAMES, right=3),
    "softmax_figure": lambda: classes.softmax_figure(ROWS_P, NAMES, np.array([1, 0, 9, 4])),
    "confusion_figure": lambda: classes.confusion_figure(CONFUSION, NAMES),
    "counts_figure": lambda: classes.counts_figure(np.arange(10), np.arange(10, 20), NAMES),
    "gradient_figure": lambda: classes.gradient_figure(P - np.eye(10)[3], P - np.eye(10)[3], NAMES),
    "layer_figure": lambda: concepts.layer_figure(W, B, X, Y),
    "activation_figure": lambda: concepts.activation_figure(curve(TANH, Z), (0.0, 0.0, 1.0)),
    "collapse_figure": lambda: concepts.collapse_figure(collapse(TANH, 0), "tanh"),
    "pre_activation_figure": lambda: concepts.pre_activation_figure(curve(TANH, Z), Z, "tanh"),
    "loss_curves_figure": lambda: concepts.loss_curves_figure(0.25),
    "timeline_chart": lambda: timeline.timeline_chart(MILESTONES, 2),
    "loss_stream": lambda: loss_stream(MEAN, 9_375, log_axis=True, new_rates=[(100, 0.1)]),
    "loss_figure": lambda: loss_figure(
        LOSSES, MEAN, ACCURACIES, log_axis=True, new_rates=[(100, 0.1)]
    ),
    "compare_figure": lambda: compare.compare_figure(CURVES, by_time=True, log_axis=True),
    "race_stream": lambda: compare.race_stream(MEAN[:3_000], MEAN, 9_375, log_axis=True),
    "race_figure": lambda: compare.race_figure(LOSSES * 1e-7),
    "confidence_figure": lambda: compare.confidence_figure([0, 1, 10, 99], ROWS_P, NAMES, now=10),
}


def as_json(figure):
    """Return what the browser gets: Plotly's own JSON, or strict JSON, as Streamlit demands it."""
    text = json.dumps(figure, allow_nan=False) if isinstance(figure, dict) else figure.to_json()
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in the JSON"))


def decoded(part):
    """Replace Plotly's base64 arrays by lists."""
    if isinstance(part, dict) and "bdata" in part:
        array = np.frombuffer(base64.b64decode(part["bdata"]), dtype=part["dtype"])
        if "shape" in part:
            array = array.reshape([int(n) for n in part["shape"].split(",")])
        return array.tolist()
    if isinstance(part, dict):
        return {key: decoded(value) for key, value in part.items()}
    return [decoded(value) for value in part] if isinstance(part, list) else part


def traces(figure):
    return decoded(as_json(figure))["data"]


def numbers_in(part):
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        return [number for value in part for number in numbers_in(value)]
    return [part] if isinstance(part, float) else []


def test_every_figure_is_tested_here():
    makers = {
        name
        for module in (classes, compare, concepts, timeline, training)
        for name in module.__all__
        if name.endswith(("_figure", "_bars", "_chart", "_stream"))
    }
    assert makers == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_figure_goes_to_the_browser_as_json_without_a_nan(name):
    content = decoded(as_json(CALLS[name]()))
    assert content["data" if "data" in content else "series"]
    assert all(math.isfinite(number) for number in numbers_in(content))


@pytest.mark.parametrize("name", [n for n in CALLS if n.endswith("_figure")])
def test_a_plotly_figure_lets_the_page_s_ground_and_font_colour_through(name):
    layout = as_json(CALLS[name]())["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "color" not in layout.get("font", {})
    assert layout["height"] > 0


def test_confidence_bars_show_percents_and_mark_the_right_class():
    options = classes.confidence_bars(P, NAMES, right=3)
    bars = options["series"][0]["data"]
    assert [bar["value"] for bar in bars] == pytest.approx(list(100 * P), abs=0.005)
    assert options["yAxis"]["data"] == ["0", "1", "2", "3 ✓", "4", "5", "6", "7", "8", "9"]
    colours = [bar["itemStyle"]["color"] for bar in bars]
    assert colours[2] == style.CLASS_COLOURS[2]  # the predicted class has the full colour
    assert [c for i, c in enumerate(colours) if i != 2] == [
        f"{c}66" for i, c in enumerate(style.CLASS_COLOURS) if i != 2
    ]
    assert options["animation"] is False


@pytest.mark.parametrize("right", range(10))
def test_each_class_can_be_the_right_one(right):
    names = classes.confidence_bars(P, NAMES, right)["yAxis"]["data"]
    assert [i for i, name in enumerate(names) if "✓" in name] == [right]


def test_no_class_is_marked_when_the_right_one_is_not_known():
    assert classes.confidence_bars(P, NAMES)["yAxis"]["data"] == list(NAMES)


def test_confidence_bars_of_a_broken_model_still_go_to_the_browser():
    as_json(classes.confidence_bars(np.full(10, np.nan, dtype=np.float32), NAMES))


def test_the_softmax_figure_holds_the_probabilities_and_frames_the_true_classes():
    labels = np.array([1, 0, 9, 4])
    figure = classes.softmax_figure(ROWS_P, NAMES, labels)
    (heat,) = traces(figure)
    np.testing.assert_array_equal(heat["z"], ROWS_P)
    assert heat["x"] == list(NAMES)
    assert (heat["zmin"], heat["zmax"]) == (0, 1)
    frames = as_json(figure)["layout"]["shapes"]
    assert [(f["x0"] + 0.5, f["y0"] + 0.5) for f in frames] == [(1, 0), (0, 1), (9, 2), (4, 3)]
    assert {(f["x1"] - f["x0"], f["y1"] - f["y0"]) for f in frames} == {(1, 1)}


@pytest.mark.parametrize(("dark", "colour"), [(True, "#eceff4"), (False, "#1d2430")])
def test_text_on_cells_follows_the_theme(dark, colour):
    for figure in (
        classes.softmax_figure(ROWS_P, NAMES, np.array([0]), dark),
        classes.confusion_figure(CONFUSION, NAMES, dark=dark),
    ):
        assert traces(figure)[0]["textfont"]["color"] == colour


def test_the_confusion_figure_writes_counts_and_colours_by_share():
    confusion = np.diag(np.full(10, 8)).astype(np.int64)
    confusion[3, 5], confusion[4, 9] = 8, 2
    (heat,) = traces(classes.confusion_figure(confusion, NAMES))
    np.testing.assert_array_equal(heat["text"], confusion)
    np.testing.assert_array_equal(
        np.array(heat["customdata"])[3], [0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0]
    )
    z = np.array(heat["z"])
    assert (z[0, 0], z[3, 3], z[4, 4]) == (1, 0.5, 0.8)
    assert z[3, 5] == -1  # the commonest mistake has the full colour
    assert z[4, 9] == pytest.approx(-0.4)
    assert np.count_nonzero(z) == 12


def test_the_confusion_of_a_faultless_model_has_no_mistakes_to_colour():
    (heat,) = traces(classes.confusion_figure(np.diag(np.full(10, 7)), NAMES))
    np.testing.assert_array_equal(np.array(heat["z"]), np.eye(10))


def test_the_counts_figure_has_both_splits():
    train, test = traces(CALLS["counts_figure"]())
    assert (train["name"], test["name"]) == ("training", "test")
    assert train["y"] == list(range(10))
    assert test["y"] == list(range(10, 20))
    assert train["x"] == test["x"] == list(NAMES)


def test_the_gradient_figure_has_bars_by_hand_and_points_by_autograd():
    by_hand = np.array([0.5, -0.5, 0.0])
    bars, points = traces(classes.gradient_figure(by_hand, by_hand + 1, NAMES))
    assert bars["type"] == "bar"
    assert bars["y"] == [0.5, -0.5, 0]
    assert bars["marker"]["color"] == [style.POSITIVE, style.NEGATIVE, style.POSITIVE]
    assert points["mode"] == "markers"
    assert points["y"] == [1.5, 0.5, 1]


def test_the_layer_figure_has_an_edge_for_each_weight_and_a_node_for_each_number():
    figure = concepts.layer_figure(W, B, X, Y)
    *edges, inputs, outputs = traces(figure)
    assert len(edges) == W.size
    widths = [edge["line"]["width"] for edge in edges]
    assert widths == pytest.approx(list(1 + 5 * np.abs(W.ravel()) / 4))
    colours = [edge["line"]["color"] for edge in edges]
    assert colours == [style.signed_colour(float(w), 4.0) for w in W.ravel()]
    assert [text.strip() for text in inputs["text"]] == ["x1 = 1", "x2 = 2", "x3 = 3"]
    assert [text.strip() for text in outputs["text"]] == ["y1 = -1", "y2 = 6.25"]
    assert outputs["hovertext"] == ["b = 0.5000, y = -1.0000", "b = -1.0000, y = 6.2500"]
    labels = [a["text"] for a in as_json(figure)["layout"]["annotations"]]
    assert labels == ["1.000", "-2.000", "0.500", "0.000", "4.000", "-0.250"]


def test_the_edges_of_the_layer_figure_join_their_nodes():
    *edges, inputs, outputs = traces(concepts.layer_figure(W, B, X, Y))
    ends = [(inputs["y"][i], outputs["y"][o]) for o in range(2) for i in range(3)]
    assert [tuple(edge["y"]) for edge in edges] == ends


def test_the_layer_figure_without_bias_with_zeros_and_with_many_weights():
    without = traces(concepts.layer_figure(W, None, X, W @ X))
    assert without[-1]["hovertext"][0].startswith("b = 0.0000")
    zeros = traces(concepts.layer_figure(0 * W, B, X, B))
    assert {edge["line"]["width"] for edge in zeros[:-2]} == {1}
    many = concepts.layer_figure(np.ones((5, 5)), None, np.ones(5), np.full(5, 5.0))
    assert "annotations" not in as_json(many)["layout"]
    one = traces(concepts.layer_figure(np.ones((1, 1)), None, np.ones(1), np.ones(1)))
    assert one[0]["y"] == [0, 0]


def test_the_activation_figure_has_the_curve_its_slope_and_the_tangent():
    result = curve(TANH, Z)
    value, slope, tangent, point = traces(concepts.activation_figure(result, (2.0, 0.5, 0.25)))
    assert value["x"] == slope["x"] == Z.tolist()
    assert value["y"] == result.value.tolist()
    assert slope["y"] == result.slope.tolist()
    assert slope["line"]["dash"] == "dash"
    (x0, x1), (y0, y1) = tangent["x"], tangent["y"]
    assert (x0 + x1) / 2 == pytest.approx(2)
    assert (y0 + y1) / 2 == pytest.approx(0.5)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(0.25)
    assert (point["x"], point["y"]) == ([2], [0.5])


def test_the_collapse_figure_has_both_curves():
    result = collapse(TANH, 0)
    two, one = traces(concepts.collapse_figure(result, "tanh"))
    assert (two["y"], one["y"]) == (result.two_layers.tolist(), result.one_layer.tolist())
    assert two["x"] == one["x"] == result.x.tolist()
    assert two["name"] == "two layers, tanh"


def test_pre_activations_are_counted_below_the_curve():
    z = np.array([-2.0, 1, 1, 3], dtype=np.float32)
    drawn = curve(ACTIVATIONS["ReLU"], np.linspace(-3, 3, 7))
    figure = concepts.pre_activation_figure(drawn, z, "ReLU")
    assert list(figure.data[0].y) == [0, 0, 0, 0, 1, 2, 3]
    assert list(figure.data[1].x) == z.tolist()
    assert figure.layout.xaxis.matches == "x2"  # both on the same z
    assert list(figure.layout.xaxis2.range) == [-3, 3]


@pytest.mark.parametrize(
    ("p", "x", "y"),
    [
        (0.5, 0.5, [math.log(2), 0.25]),
        (1.0, 1.0, [0, 0]),
        (0.0, 1e-9, [-math.log(1e-9), (1 - 1e-9) ** 2]),  # log 0 has no place on the axis
    ],
)
def test_the_loss_curves_carry_the_marker(p, x, y):
    entropy, squared, marker = traces(concepts.loss_curves_figure(p))
    assert marker["x"] == [x, x]
    assert marker["y"] == pytest.approx(y)
    np.testing.assert_allclose(entropy["y"], -np.log(entropy["x"]))
    np.testing.assert_allclose(squared["y"], (1 - np.array(squared["x"])) ** 2)


def test_the_timeline_has_a_point_for_each_milestone_in_its_row():
    options = timeline.timeline_chart(MILESTONES, chosen=2)
    points = options["series"][0]["data"]
    assert [point["name"] for point in points] == [m.title for m in MILESTONES]
    assert [point["value"] for point in points] == [
        ["1943", 0],
        ["1953", 1],
        ["1963", 2],
        ["1973", 3],
    ]
    assert all(point["value"][0] in options["xAxis"]["data"] for point in points)
    assert options["yAxis"]["data"] == list(LANES.values())
    colours = [point["itemStyle"]["color"] for point in points]
    assert colours == list(timeline.LANE_COLOURS.values())
    sizes = [point["symbolSize"] for point in points]
    assert sizes.index(max(sizes)) == 2
    assert sizes.count(max(sizes)) == 1


@pytest.mark.parametrize("n", [0, 1, 2, 499, 500, 501, 502, 750, 999, 9_375, 1_000_000])
def test_thinned_keeps_both_ends_and_at_most_500(n):
    chosen = thinned(n)
    assert len(chosen) == min(n, MOST_POINTS) or n > MOST_POINTS
    assert len(chosen) <= 500
    assert chosen.dtype == np.int64
    if n:
        assert (chosen[0], chosen[-1]) == (0, n - 1)
        assert (np.diff(chosen) > 0).all()
        assert np.diff(chosen).max(initial=0) <= math.ceil(n / 499)


def test_thinned_to_another_number():
    np.testing.assert_array_equal(thinned(9, most=3), [0, 4, 8])
    np.testing.assert_array_equal(thinned(3, most=3), [0, 1, 2])


def test_the_stream_of_a_short_run_has_every_step():
    options = loss_stream(np.array([2.5, 2.0, 1.23456789]), 10, log_axis=False)
    assert options["series"][0]["data"] == [[1, 2.5], [2, 2.0], [3, 1.2346]]
    assert (options["xAxis"]["min"], options["xAxis"]["max"]) == (0, 10)
    assert options["yAxis"]["type"] == "value"
    assert "min" not in options["yAxis"]
    assert options["animation"] is False


def test_the_stream_of_a_long_run_has_500_points_at_most_and_both_ends():
    points = loss_stream(MEAN, 9_375, log_axis=True)["series"][0]["data"]
    assert len(points) == 500
    assert points[0] == [1, pytest.approx(MEAN[0], rel=1e-4)]
    assert points[-1] == [5_000, pytest.approx(MEAN[-1], rel=1e-4)]
    for step, value in points:
        assert value == pytest.approx(MEAN[step - 1], rel=1e-4)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([2.3, 0.41], 0.4, 3), ([0.0234, 0.0101], 0.01, 0.03), ([150.0, 0.9], 0.9, 200)],
)
def test_the_log_axis_of_the_stream_ends_at_one_digit_around_the_curve(values, low, high):
    axis = loss_stream(np.array(values), 10, log_axis=True)["yAxis"]
    assert axis["type"] == "log"
    assert (axis["min"], axis["max"]) == (pytest.approx(low), pytest.approx(high))


def test_the_stream_of_a_run_without_a_step_is_empty():
    options = loss_stream(np.empty(0), 10, log_axis=True)
    as_json(options)
    assert options["series"][0]["data"] == []


@pytest.mark.parametrize("last", [math.nan, math.inf])
@pytest.mark.parametrize("log_axis", [True, False])
def test_the_stream_of_a_run_that_just_diverged_still_goes_to_the_browser(last, log_axis):
    mean = running_mean(np.array([2.3, 2.5, last], dtype=np.float32))
    points = as_json(loss_stream(mean, 10, log_axis))["series"][0]["data"]
    assert points[:2] == [[1, 2.3], [2, 2.4]]


def test_the_loss_figure_has_the_losses_their_mean_and_the_accuracy_in_percent():
    figure = loss_figure(LOSSES, MEAN, ACCURACIES, log_axis=True)
    each, mean, test = traces(figure)
    steps = np.array(each["x"])
    assert len(steps) == 2_000
    assert (steps[0], steps[-1]) == (1, 5_000)
    assert mean["x"] == each["x"]
    np.testing.assert_array_equal(np.array(each["y"], dtype=np.float32), LOSSES[steps - 1])
    np.testing.assert_array_equal(mean["y"], MEAN[steps - 1])
    assert (test["x"], test["y"], test["yaxis"]) == ([2_500, 5_000], [50, 90], "y2")
    layout = as_json(figure)["layout"]
    assert layout["yaxis"]["type"] == "log"
    assert layout["yaxis"]["title"]["text"] == "loss"
    assert layout["xaxis"]["title"]["text"] == "step"
    assert (
        dict(zip(layout["yaxis"]["tickvals"], layout["yaxis"]["ticktext"], strict=True))[0.5]
        == "0.5"
    )


def test_the_loss_figure_of_a_run_without_a_whole_epoch_has_no_accuracy():
    figure = loss_figure(LOSSES[:7], MEAN[:7], [], log_axis=False)
    each, mean = traces(figure)
    assert each["x"] == mean["x"] == list(range(1, 8))
    layout = as_json(figure)["layout"]
    assert layout["yaxis"].get("type") != "log"
    assert "yaxis2" not in layout


def test_the_loss_figure_of_a_diverged_run_goes_to_the_browser():
    losses = np.array([2.3, np.nan], dtype=np.float32)
    each, _ = traces(loss_figure(losses, running_mean(losses), [], log_axis=True))
    assert each["x"] == [1, 2]


def test_enlarged_repeats_pixels():
    image = np.array([[1, 2], [3, 4]], dtype=np.uint8)
    np.testing.assert_array_equal(
        pictures.enlarged(image, 3), [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    )
    np.testing.assert_array_equal(pictures.enlarged(image, 2), image)
    np.testing.assert_array_equal(pictures.enlarged(image, 1), image)
    assert pictures.enlarged(np.zeros((28, 28)), 84).shape == (84, 84)
    assert pictures.enlarged(np.zeros((5, 4, 3)), 8).shape == (10, 8, 3)


@pytest.mark.parametrize("shape", [(28, 28), (20, 14), (14, 20), (20, 1), (7, 100), (280, 280)])
def test_an_ink_picture_is_square_and_shows_all_the_ink(shape):
    ink = np.random.default_rng(1).uniform(0, 1, shape).astype(np.float32)
    picture = pictures.ink_picture(ink)
    side = picture.shape[0]
    assert picture.shape == (side, side)
    assert picture.dtype == np.uint8
    assert side >= 140

    times = side // max(shape)
    height, width = shape[0] * times, shape[1] * times
    top, left = (side - height) // 2, (side - width) // 2
    inside = picture[top : top + height, left : left + width]
    np.testing.assert_array_equal(inside[::times, ::times], np.rint(ink * 255))
    outside = np.ones(picture.shape, dtype=bool)
    outside[top : top + height, left : left + width] = False
    assert (picture[outside] == 110).all()


def test_an_ink_picture_is_white_on_black():
    picture = pictures.ink_picture(np.array([[0.0, 1.0], [0.2, 0.0]]), side=2)
    np.testing.assert_array_equal(picture, [[0, 255], [51, 0]])


def tile(picture, label):
    """The 28x28 pixels of a class's picture."""
    x, y = label % 5 * 124, label // 5 * 142 + 30
    return picture[y : y + 112 : 4, x : x + 112 : 4]


def test_the_weight_picture_shows_ten_tiles_on_one_scale():
    weight = np.zeros((10, 784), dtype=np.float32)
    weight[0, 0], weight[7, 29], weight[9, 783] = 2, -2, 1  # row 0, row 1 column 1, the last

    picture = pictures.weight_picture(weight)

    assert picture.shape == (284, 608, 4)
    assert picture.shape[1] == pictures.WEIGHTS_WIDTH
    assert picture.dtype == np.uint8
    for label in range(10):
        marked = {(0, 0): [47, 116, 208]} if label == 0 else {}
        marked |= {(1, 1): [224, 112, 26]} if label == 7 else {}
        marked |= {(27, 27): [151, 186, 232]} if label == 9 else {}  # half way to white
        expected = np.full((28, 28, 4), 255)
        for place, colour in marked.items():
            expected[place][:3] = colour
        assert np.abs(tile(picture, label).astype(int) - expected).max() <= 1, label
    assert (picture[:, 112:124, 3] == 0).all()  # the gaps let the page's ground through
    for top in (0, 142):
        for left in range(0, 608, 124):
            assert picture[top : top + 30, left : left + 112, 3].any()  # its number


def test_the_weight_picture_of_zeros_is_white():
    picture = pictures.weight_picture(np.zeros((10, 784), dtype=np.float32))
    assert (tile(picture, 3) == 255).all()


@pytest.mark.parametrize(
    ("value", "largest", "colour"),
    [
        (2, 2, "rgba(47,116,208,1.00)"),
        (-2, 2, "rgba(224,112,26,1.00)"),
        (0, 2, "rgba(47,116,208,0.15)"),
        (-1, 2, "rgba(224,112,26,0.57)"),
        (9, 2, "rgba(47,116,208,1.00)"),
        (0, 0, "rgba(47,116,208,0.15)"),
    ],
)
def test_signed_colour_is_blue_above_and_orange_below_zero(value, largest, colour):
    assert style.signed_colour(value, largest) == colour


def test_signed_rgb_goes_from_orange_over_white_to_blue():
    result = style.signed_rgb(np.array([[-3.0, -1.5, 0.0, 3.0, 30.0]]), 3.0)
    assert result.dtype == np.uint8
    assert result[0].tolist() == [
        [224, 112, 26],
        [240, 184, 140],
        [255, 255, 255],
        [47, 116, 208],
        [47, 116, 208],
    ]


def test_each_class_has_a_colour_of_its_own():
    assert len(set(style.CLASS_COLOURS)) == 10


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_a_picture_comes_back_from_its_url(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    kind, _, data = pictures.as_url(picture).partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
        np.testing.assert_array_equal(np.asarray(opened), picture)


def test_a_changed_learning_rate_is_marked_where_it_was_changed():
    streamed = loss_stream(MEAN, 9_375, log_axis=True, new_rates=[(100, 0.1), (200, 0.05)])
    marks = streamed["series"][0]["markLine"]["data"]
    assert marks == [{"xAxis": 100, "name": "rate 0.1"}, {"xAxis": 200, "name": "rate 0.05"}]
    figure = loss_figure(LOSSES, MEAN, [], log_axis=False, new_rates=[(100, 0.1)])
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 100
    assert figure.layout.annotations[0].text == "rate 0.1"
    assert not loss_figure(LOSSES, MEAN, [], log_axis=False).layout.shapes


def test_runs_are_compared_by_step_or_by_time():
    by_step = compare.compare_figure(CURVES, by_time=False, log_axis=False)
    by_time = compare.compare_figure(CURVES, by_time=True, log_axis=False)
    assert [t.name for t in by_step.data] == ["Run 5000", "Run 700"]
    assert by_step.data[1].x[-1] == 700
    assert by_time.data[1].x[-1] == 0.7
    assert by_step.data[0].line.dash != by_step.data[1].line.dash  # not by colour alone


def test_the_lanes_of_a_race_reach_as_far_as_they_have_come():
    series = compare.race_stream(MEAN[:3_000], MEAN, 9_375, log_axis=False)["series"]
    assert [(s["name"], s["data"][-1][0]) for s in series] == [("PyTorch", 3_000), ("NumPy", 5_000)]
    largest = compare.race_figure(np.array([1e-7, 3e-7, 2e-7], dtype=np.float32)).data[0].y
    assert list(largest) == pytest.approx([1e-7, 3e-7, 3e-7])


def test_classes_with_small_probabilities_are_left_out():
    p = np.zeros((2, 10), dtype=np.float32)
    p[:, 3], p[:, 7], p[0, 1] = (0.9, 0.5), (0.1, 0.45), 0.05
    figure = compare.confidence_figure([0, 5], p, NAMES, now=5)
    assert [t.name for t in figure.data] == ["3", "7"]
    assert figure.layout.shapes[0].x0 == 1
