import streamlit as st

from mnist_core import drawing
from mnist_core.evaluation import probabilities
from mnist_core.figures.classes import confidence_bars
from mnist_core.figures.pictures import ink_picture
from pages.parts import canvas, current, frame, state, texts

frame.header("drawing")

pad, answer = st.columns([1, 1], gap="large")
with pad:
    st.space("small")  # the canvas opens its tools above itself
    ink = canvas.ink("drawing_canvas")
with answer:
    offer = current.model_choice("drawing_model")
    way = st.segmented_control(
        "Preparation",
        list(drawing.PREPARATIONS),
        default="Like MNIST",
        required=True,
        key="drawing_preparation",
        persist_state="session",
    )
    names = canvas.class_names(offer)
    try:
        drawing.check_ink(ink)
    except drawing.DrawingError as problem:
        st.info(str(problem), icon=":material/draw:")
        prepared = None
    else:
        prepared = {n: prepare(ink) for n, prepare in drawing.PREPARATIONS.items()}
        answers = {n: probabilities(offer.model, p.pixels[None])[0] for n, p in prepared.items()}
        p = answers[way]
        said = int(p.argmax())
        state.mark_done("drawing", f"a drawing read as {names[said]}")
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(key="drawing_prediction", width="content"):
                st.title(str(said), anchor=False)
            st.markdown(f"The model reads **{names[said]}** and is {p[said]:.0%} sure.")
        with st.container(key="drawing_confidence"):
            st.echarts_chart(
                confidence_bars(p, names),
                height=300,
                key="drawing_bars",
                alt=f"Ten confidences; the largest is {names[said]} with {p[said]:.1%}.",
            )

if prepared:
    with st.container(key="drawing_stages"):
        for name, preparation in prepared.items():
            said = int(answers[name].argmax())
            st.markdown(
                f"**{name}**: read as **{names[said]}**, {answers[name][said]:.0%} sure"
                + (" · *chosen*" if name == way else "")
            )
            stages = preparation.stages
            frame.pictures([ink_picture(s.image) for s in stages], [s.title for s in stages], 140)
    frame.code(drawing.prepare_as_mnist, drawing.prepare_as_lesson, folded=True)
texts.show("drawing", "preparation")
texts.show("drawing", "domain")
texts.show("drawing", "measured")
canvas.measured_table()
frame.footer("drawing")
