from pages.parts.explain import subject
from pages.parts.session import current_data
from pages.parts.shell import frame

frame.header("network")
subject.open_network(current_data.dataset())
frame.footer("network")
