import streamlit as st

from mnist_core.drawing import preprocessing
from mnist_core.drawing.prediction import read_drawing
from pages.parts.drawing import handwriting_panel, prediction_panel, stages_panel
from pages.parts.explain import why_panel, zoom_panel
from pages.parts.session import caches, current_data, offers
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box, elements

VIEWS = (
    "The way to 28×28",
    "Why this answer",
    "Layer by layer",
    "Nearest digits",
    "My handwriting",
)

frame.header("drawing")
shown = prediction_panel.pad_and_answer()
view = elements.pick("Look closer", VIEWS, "drawing_view", VIEWS[0])
if view == VIEWS[4]:
    said = shown.answer.said if shown.answer and shown.offer.class_names == offers.DIGITS else None
    handwriting_panel.show(shown.pixels, said, shown.offer, list(shown.offers.values()))
elif shown.reading is None:
    st.info("Draw a digit above, and this part of the page opens it up.", icon=":material/draw:")
else:
    model, names, said = caches.model_of(shown.offer), shown.offer.class_names, shown.answer.said
    if view == VIEWS[0]:
        stages_panel.show(shown)
        code_box.code(
            preprocessing.prepare_as_mnist,
            preprocessing.prepare_as_lesson,
            read_drawing,
            folded=True,
        )
    elif view == VIEWS[1]:
        why_panel.evidence(model, shown.offer.architecture, shown.pixels, names, said)
    elif view == VIEWS[2]:
        why_panel.layers(model, shown.pixels, names)
        texts.show("zoom", "intro")
        zoom_panel.show(model, shown.offer.architecture, shown.pixels, names, "drawing")
    else:
        dataset = current_data.dataset_of(shown.offer)
        class_said = said if dataset.class_names == names else None
        why_panel.nearest(shown.offer, shown.pixels, dataset, class_said)
texts.show("drawing", "domain")
texts.show("drawing", "doubt")
texts.show("drawing", "measured")
prediction_panel.measured_table()
prediction_panel.explained(shown)
frame.footer("drawing")
