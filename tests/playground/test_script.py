"""The script under "Show the code" is executed and compared with the run."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from mnist_core.playground.own_points import own_point
from mnist_core.playground.run import PlaygroundRun
from mnist_core.playground.script import playground_script
from mnist_core.playground.setups import DATA, FEATURES, Setup

OWN = tuple(own_point(x1, x2 / 3, int(x1 > x2)) for x1 in range(-5, 6) for x2 in range(-9, 9))
EVERYTHING = Setup(
    features=tuple(FEATURES),
    layers=(8,) * 6,
    activation="leaky_relu",
    regularisation="L1",
    regularisation_rate=0.001,
    stop_below=0.00001,
    points=OWN,
)
LINE = re.compile(r"epoch (\d+): training loss (\S+), test loss (\S+)")


def printed(code, tmp_path):
    path = tmp_path / "playground.py"
    path.write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", path], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return [(int(e), float(a), float(b)) for e, a, b in LINE.findall(done.stdout)]


@pytest.mark.parametrize(
    "setup",
    [
        Setup(noise=20, seed=7),
        Setup(data="xor", loss="squared", layers=(8,), learning_rate=0.1, batch_size=7),
        Setup(data="spiral", features=tuple(FEATURES), layers=(8, 8), train_share=30),
        Setup(data="four", activation="gelu", regularisation="L2", regularisation_rate=0.01),
        Setup(data="three", loss="squared", activation="linear"),
        Setup(data="gaussian", layers=(), regularisation="L1", regularisation_rate=0.01),
        Setup(data="own", points=OWN, activation="silu"),
        replace(EVERYTHING, data="moons", noise=33),
    ],
    ids=lambda setup: f"{setup.data}-{setup.loss}",
)
def test_the_script_gives_the_same_curves(setup, tmp_path):
    run = PlaygroundRun(setup)
    run.run_to(12)
    curves = run.curves
    lines = printed(playground_script(setup, epochs=12), tmp_path)
    assert [epoch for epoch, *_ in lines] == list(range(1, 13))
    for i, (_, train_loss, test_loss) in enumerate(lines, start=1):
        assert train_loss == pytest.approx(curves.train_loss[i], abs=1e-4)
        assert test_loss == pytest.approx(curves.test_loss[i], abs=1e-4)
    assert abs(curves.train_loss[-1] - curves.train_loss[0]) > 1e-3


def test_the_script_stops_at_the_epoch_where_the_run_stops(tmp_path):
    setup = Setup(data="gauss", stop_below=0.1)
    run = PlaygroundRun(setup)
    run.run_to(100)
    assert run.stopped
    assert printed(playground_script(setup), tmp_path)[-1][0] == run.epoch_count < 100


@pytest.mark.parametrize("data", DATA)
def test_the_script_is_short_and_compiles(data):
    code = playground_script(replace(EVERYTHING, data=data))
    compile(code, "playground.py", "exec")
    lines = code.splitlines()
    assert len(lines) < 40
    assert all(len(line) <= 100 for line in lines if not line.startswith("points = "))
    assert "mnist_core" not in code


def test_the_script_leaves_out_what_a_visitor_typed():
    assert "secret" not in playground_script(Setup(task="secret"))


@pytest.mark.parametrize(
    ("setup", "epochs", "message"),
    [(Setup(data="own"), 10, "points"), (Setup(), 0, "epochs"), (Setup(), 1.5, "epochs")],
)
def test_invalid_input_gives_no_script(setup, epochs, message):
    with pytest.raises(ValueError, match=message):
        playground_script(setup, epochs)
