"""The glossary: every term once, in few words, with a page that exists."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mnist_core.lesson.glossary import LONGEST, load_terms
from pages.parts.shell import texts
from pages.parts.shell.navigation import PAGES

LISTED = (
    "neuron|unit|layer|weight|bias|parameter|activation|hidden layer|logit|softmax|probability|"
    "loss|cross-entropy|gradient|backpropagation|chain rule|SGD|learning rate|batch|step|epoch|"
    "training set|validation set|test set|overfitting|accuracy|confusion matrix|convolution|"
    "kernel|stride|padding|pooling|feature map|composition|feature space|target space|tensor|"
    "seed|checkpoint"
)
TERMS = set(LISTED.split("|"))
SEED = '[seed]\nmeaning = "A number."\npage = "layer"\n'


def test_the_glossary_has_every_term_of_the_lesson():
    assert set(texts.glossary()) == TERMS


@pytest.mark.parametrize("name", sorted(TERMS))
def test_a_term_has_a_short_meaning_and_a_page_that_exists(name):
    term = texts.glossary()[name]
    assert len(term.meaning) < LONGEST
    assert term.meaning.endswith(".")
    assert term.page in {page.name for page in PAGES}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (SEED + SEED, "words.toml: "),
        (SEED + SEED.replace("seed", "Seed"), "Seed is there twice"),
        ('[seed]\nmeaning = "A number."', "seed: .*page"),
        (SEED + 'more = "x"', "seed: .*more"),
        (SEED.replace("A number.", " "), "seed: expected a text"),
        (SEED.replace("A number.", "x" * LONGEST), "seed: expected a meaning of fewer than 300"),
        ('seed = "A number."', "seed: "),
    ],
)
def test_a_wrong_glossary_is_refused_and_the_term_named(text, sentence, tmp_path):
    path = tmp_path / "words.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=sentence):
        load_terms(path)


def test_the_glossary_does_not_load_torch():
    code = "import sys, mnist_core.lesson.glossary; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
