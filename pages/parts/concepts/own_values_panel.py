"""The pre-activations of a real network for one image, under the curve of its activation."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.concepts.activations import ACTIVATIONS, curve
from mnist_core.explain.layer_outputs import DivergedModelError, layer_outputs, pre_activations
from mnist_core.figures.concepts import pre_activation_figure
from mnist_core.figures.pictures import as_url, enlarged
from pages.parts.session import caches, current_data, offers, state
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["show"]


@st.fragment
def show() -> None:
    """Show the pre-activations of a network's hidden layers under the curve of ReLU."""
    texts.show("activation", "values")
    dataset = current_data.dataset()
    left, right = st.columns([3, 1], gap="large")
    with left:
        offer = offers.model_choice("activation_model", dataset=dataset)
        elements.again("Another image", "activation_another", "activation_image")
        if offer.bundled:
            st.caption("Train a network on the Training page, and you can choose yours here.")
    index = state.counter("activation_image") * 7919 % len(dataset.test_images)  # no pattern
    image = dataset.test_images[index]
    right.image(as_url(enlarged(image, 112)), caption=f"test image {index}", width=112)
    try:
        layers = pre_activations(layer_outputs(caches.model_of(offer), image))
    except DivergedModelError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    if layers:
        _hidden(layers)
    else:
        texts.show("activation", "no_hidden")
    st.page_link(
        "pages/network.py", label="Open the network and see each sum", icon=":material/zoom_in:"
    )


def _hidden(layers: dict[str, np.ndarray]) -> None:
    name = next(iter(layers))
    if len(layers) > 1:
        name = elements.pick("Hidden layer", layers, f"activation_layer_{len(layers)}", name)
    z = layers[name]
    reach = max(6.0, float(np.abs(z).max()))
    drawn = curve(ACTIVATIONS["ReLU"], np.linspace(-reach, reach, 241))
    st.plotly_chart(
        pre_activation_figure(drawn, z, "ReLU"),
        key="activation_own_values",
        config=elements.STILL,
        alt=f"{len(z)} pre-activations of {name} below the curve of ReLU",
    )
    above = int((z > 0).sum())
    with st.container(key="activation_own_count"):
        st.markdown(
            f"**{above:,} of the {len(z):,}** numbers of {name} are above zero. ReLU leaves "
            f"these as they are and makes the other {len(z) - above:,} zero."
        )
