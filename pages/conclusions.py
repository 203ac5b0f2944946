import streamlit as st

from mnist_core.pretrained import bundled
from pages.parts.session.visitor import visitor
from pages.parts.shell import frame, texts

FIGURES = ("test_accuracy", "parameters")

frame.header("conclusions")

texts.show("conclusions", "learnt")
results = {page: result for page, result in visitor().results().items() if result}
if results:
    st.markdown("**Your own results**")
    st.markdown("\n".join(f"- {page.title()}: {result}" for page, result in results.items()))

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
frame.footer("conclusions")
