import streamlit as st

from mnist_core.evaluation import evaluate, worst_mistakes
from mnist_core.figures.classes import confusion_figure
from mnist_core.figures.pictures import enlarged
from pages.parts import caches, current, frame, state, texts

MISTAKES = 24

frame.header("evaluation")

dataset = caches.current_dataset()
offer = current.model_choice("evaluation_model", dataset=dataset)
test = caches.evaluation_of(offer, dataset, "test")
train = caches.evaluation_of(offer, dataset, "train")
left, right = st.columns(2)
with left:
    with st.container(key="evaluation_test_accuracy"):
        st.metric("Accuracy on the test set", f"{test.accuracy:#.5g}")
    st.caption(f"{test.correct:,} of {test.total:,} right")
with right:
    with st.container(key="evaluation_train_accuracy"):
        st.metric("Accuracy on the training set", f"{train.accuracy:#.5g}")
    st.caption(f"{train.correct:,} of {train.total:,} right")
if offer.key == "mine":
    state.mark_done("evaluation", f"test accuracy {test.accuracy:.4f}")
texts.show("evaluation", "two")
if dataset.name == "mnist":
    texts.show("evaluation", "limit")
frame.code(evaluate)

texts.show("evaluation", "confusion")
with st.container(key="evaluation_confusion"):
    st.plotly_chart(
        confusion_figure(test.confusion, dataset.class_names, offer.class_names, frame.dark()),
        key="evaluation_confusion_figure",
        config=frame.STILL,
        alt="Confusion matrix of the test set",
    )

texts.show("evaluation", "worst")
worst = worst_mistakes(test, MISTAKES)
if len(worst):
    frame.pictures(
        [enlarged(dataset.test_images[i], 84) for i in worst],
        [
            f"is {dataset.class_names[test.labels[i]]}, "
            f"said {offer.class_names[test.predicted[i]]} "
            f"({test.confidence[i]:.0%})"
            for i in worst
        ],
        96,
        "evaluation_worst",
    )
else:
    st.success("Not a single mistake on this test set.")
frame.footer("evaluation")
