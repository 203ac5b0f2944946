from pages.parts.evaluation import evaluation_panel
from pages.parts.session import current_data
from pages.parts.shell import frame
from pages.parts.widgets import questions_panel

frame.header("evaluation")

dataset = current_data.dataset()
offer = evaluation_panel.choose_and_show(dataset)
questions_panel.ask("evaluation_always")
if offer:
    evaluation_panel.explain(offer, dataset)
questions_panel.ask("evaluation_shift")
questions_panel.ask("evaluation_luck")
frame.footer("evaluation")
