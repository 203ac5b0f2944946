"""Figures of the concept pages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_core.concepts.activations import ACTIVATIONS, collapse, curve
from mnist_core.figures import concepts, style
from tests.figures.samples import TANH, B, W, X, Y, Z, as_json, traces


def test_the_layer_figure_has_an_edge_for_each_weight_and_bias_and_a_node_for_each_number():
    figure = concepts.layer_figure(W, B, X, Y)
    *edges, inputs, outputs = traces(figure)
    weights = np.column_stack([W, B])
    assert len(edges) == weights.size
    widths = [edge["line"]["width"] for edge in edges]
    assert widths == pytest.approx(list(1 + 5 * np.abs(weights.ravel()) / 4))
    colours = [edge["line"]["color"] for edge in edges]
    assert colours == [style.signed_colour(float(w), 4.0) for w in weights.ravel()]
    assert [text.strip() for text in inputs["text"]] == ["x₁ = 1", "x₂ = 2", "x₃ = 3", "1 (for b)"]
    assert [text.strip() for text in outputs["text"]] == ["y₁ = −1", "y₂ = 6.25"]
    labels = [a["text"] for a in as_json(figure)["layout"]["annotations"]]
    first, second = ["1.000", "−2.000", "0.500", "0.500"], ["0.000", "4.000", "−0.250", "−1.000"]
    assert labels == first + second


def test_the_edges_of_the_layer_figure_join_their_nodes():
    *edges, inputs, outputs = traces(concepts.layer_figure(W, B, X, Y))
    ends = [(inputs["y"][i], outputs["y"][o]) for o in range(2) for i in range(4)]
    assert [tuple(edge["y"]) for edge in edges] == ends


def test_the_layer_figure_without_bias_with_zeros_and_with_many_weights():
    *edges, inputs, _ = traces(concepts.layer_figure(W, None, X, W @ X))
    assert (len(edges), len(inputs["text"])) == (W.size, len(X))
    zeros = traces(concepts.layer_figure(0 * W, 0 * B, X, B))
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
def test_the_loss_curves_have_a_marker_on_each_curve(p, x, y):
    entropy, squared, marker = traces(concepts.loss_curves_figure(p))
    assert marker["x"] == [x, x]
    assert marker["y"] == pytest.approx(y)
    np.testing.assert_allclose(entropy["y"], -np.log(entropy["x"]))
    np.testing.assert_allclose(squared["y"], (1 - np.array(squared["x"])) ** 2)
