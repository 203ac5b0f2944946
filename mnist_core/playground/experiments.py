"""Eight ready experiments: a setup, and a question to answer before it runs.

The questions and answers are in the page's texts. The tests run every setup and check that the
answer is true.
"""

from __future__ import annotations

from dataclasses import dataclass

from mnist_core.playground.setups import FEATURES, Setup

__all__ = ["EXPERIMENTS", "Experiment"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A setup with a question about it.

    Attributes
    ----------
    name : str
        The key of its question and answer in the page's texts.
    title : str
    setup : Setup
    epochs : int
        The number of epochs after which the outcome is visible.
    """

    name: str
    title: str
    setup: Setup
    epochs: int


EXPERIMENTS = {
    row.name: row
    for row in (
        Experiment("line", "One straight line", Setup(data="gauss", layers=()), 20),
        Experiment("xor_line", "Exclusive or, no hidden layer", Setup(data="xor", layers=()), 40),
        Experiment(
            "xor_hidden",
            "Exclusive or, one hidden layer",
            Setup(data="xor", layers=(8,), learning_rate=0.1),
            40,
        ),
        Experiment(
            "linear_layers",
            "Three layers without activation",
            Setup(data="circle", layers=(8, 8, 8), activation="linear"),
            40,
        ),
        Experiment(
            "features",
            "Which features are needed?",
            Setup(
                data="circle",
                layers=(),
                features=tuple(FEATURES),
                regularisation="L1",
                regularisation_rate=0.01,
            ),
            60,
        ),
        Experiment(
            "learning_rate",
            "Too large a learning rate",
            Setup(data="plane", layers=(), learning_rate=0.1),
            10,
        ),
        Experiment(
            "overfitting",
            "Learnt by heart",
            Setup(
                data="xor",
                noise=30,
                train_share=10,
                layers=(8, 8),
                learning_rate=0.1,
                show_test=True,
            ),
            300,
        ),
        Experiment(
            "spiral",
            "The spiral",
            Setup(
                data="spiral",
                features=("x1", "x2", "sinx1", "sinx2"),
                layers=(8, 8),
                learning_rate=0.1,
            ),
            120,
        ),
    )
}
