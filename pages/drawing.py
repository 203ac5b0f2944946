import streamlit as st

from mnist_core.drawing import preprocessing
from mnist_core.drawing.prediction import predict_drawing
from pages.parts.drawing import handwriting_panel, prediction_panel, stages_panel
from pages.parts.explain import why_panel, zoom_panel
from pages.parts.session import caches, current_data
from pages.parts.session.drawing_session import drawing_session
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box, elements, questions_panel

VIEWS = (
    "The way to 28×28",
    "Why this answer",
    "Layer by layer",
    "Nearest digits",
    "My handwriting",
)

frame.header("drawing")
shown = prediction_panel.pad_and_predictions()
view = elements.pick("Look closer", VIEWS, "drawing_view", VIEWS[0])
if view == VIEWS[4]:
    predicted = shown.prediction.predicted if shown.prediction else None
    handwriting_panel.show(shown.pixels, predicted, shown.offer, list(shown.offers.values()))
elif shown.prediction is None or shown.pixels is None:
    st.info("Draw a digit above, and this part of the page opens it up.", icon=":material/draw:")
else:
    model, names = caches.model_of(shown.offer), shown.offer.class_names
    predicted = shown.prediction.predicted
    if view == VIEWS[0]:
        stages_panel.show(shown)
        code_box.code(
            preprocessing.prepare_as_mnist,
            preprocessing.prepare_as_lesson,
            predict_drawing,
            folded=True,
        )
    elif view == VIEWS[1]:
        why_panel.show_attribution(model, shown.offer.architecture, shown.pixels, names, predicted)
    elif view == VIEWS[2]:
        why_panel.show_layers(model, shown.pixels, names)
        texts.show("zoom", "intro")
        zoom_panel.show(model, shown.offer.architecture, shown.pixels, names, "drawing")
    else:
        dataset = current_data.dataset_of(shown.offer)
        class_predicted = predicted if dataset.class_names == names else None
        why_panel.show_nearest(shown.offer, shown.pixels, dataset, class_predicted)
prediction_panel.domain()
questions_panel.ask("drawing_corner")
questions_panel.ask("drawing_smiley")
texts.show("drawing", "doubt")
texts.show("drawing", "measured")
prediction_panel.measured_table()
drawing_session().end_page(shown)
frame.footer("drawing")
