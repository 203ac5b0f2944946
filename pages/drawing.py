import streamlit as st

from mnist_core import drawing
from mnist_core.datasets import class_names
from mnist_core.figures.classes import confidence_bars
from mnist_core.figures.pictures import ink_picture
from mnist_core.reading import read_drawing
from pages.parts import canvas, current, frame, state, texts

DIGITS = class_names("mnist")

frame.header("drawing")

pad, answer = st.columns([1, 1], gap="large")
with pad:
    st.space("small")  # the canvas opens its tools above itself
    ink = canvas.ink("drawing_canvas")
with answer:
    place = st.container()  # the answer stands above the choices, on a phone right below the canvas
    offer = current.model_choice("drawing_model")
    way = frame.pick("Preparation", drawing.PREPARATIONS, "drawing_preparation", "Like MNIST")
    if offer.class_names != DIGITS:
        st.info(
            "This model knows clothes, not digits: it will call your drawing one of them.",
            icon=":material/checkroom:",
        )
    names = offer.class_names
with place:
    try:
        readings = read_drawing(offer.model, ink)
    except drawing.DrawingError as problem:
        readings = {}
        st.info(str(problem), icon=":material/draw:")
    else:
        reading = readings[way]
        said = names[reading.said]
        state.mark_done("drawing", f"a drawing read as {said}")
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(key="drawing_prediction", width="content"):
                st.title(str(reading.said), anchor=False)
            st.markdown(f"The model reads **{said}** and is {reading.confidence:.0%} sure.")
        with st.container(key="drawing_confidence"):
            st.echarts_chart(
                confidence_bars(reading.p, names),
                height=300,
                key="drawing_bars",
                alt=f"Ten confidences; the largest is {said} with {reading.confidence:.1%}.",
            )

if readings:
    with st.container(key="drawing_stages"):
        for name, reading in readings.items():
            chosen = " · *chosen*" if name == way else ""
            said = names[reading.said]
            st.markdown(f"**{name}**: read as **{said}**, {reading.confidence:.0%} sure{chosen}")
            stages = reading.preparation.stages
            frame.pictures([ink_picture(s.image) for s in stages], [s.title for s in stages], 140)
    frame.code(drawing.prepare_as_mnist, drawing.prepare_as_lesson, read_drawing, folded=True)
texts.show("drawing", "preparation")
texts.show("drawing", "domain")
texts.show("drawing", "measured")
canvas.measured_table()
frame.footer("drawing")
