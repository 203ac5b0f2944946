import streamlit as st

from mnist_core.pretrained import bundled
from pages.parts.evaluation import outcome_panel
from pages.parts.shell import frame, texts
from pages.parts.widgets import glossary

FIGURES = ("test_accuracy", "parameters")

frame.header("conclusions")
outcome_panel.show()

st.header("What you know now", anchor=False)
texts.show("conclusions", "learnt")
texts.show("conclusions", "why")

card = bundled.pretrained_card()
texts.show(
    "conclusions",
    "convolutions",
    **{f"{name}_{what}": card[name][what] for name in ("mlp", "cnn") for what in FIGURES},
)
st.page_link(
    "pages/training.py",
    label="Train the small CNN",
    icon=":material/model_training:",
    query_params={"model": "cnn"},
)
texts.show("conclusions", "fashion")
st.page_link(
    "pages/dataset.py",
    label="Look at FashionMNIST",
    icon=":material/checkroom:",
    query_params={"dataset": "fashion"},
)
texts.show("conclusions", "torch")
glossary.show_all()
frame.footer("conclusions")
