"""The playground in a real browser: training, redrawing, and every control of the picture."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from mnist_core.playground.experiments import EXPERIMENTS
from tests.browser.conftest import handle, select, settled

SOLVED_BY = {"circle": "features", "xor": "xor_hidden", "gauss": "line", "spiral": "spiral"}
ERROR = r"test error\s+([\d.]+)\s*%"


@pytest.fixture
def playground(server, visit) -> Callable[..., Page]:
    def open_it(query: str = "", **options) -> Page:
        page = visit(f"{server.url}/playground{query}", **options)
        expect(net(page)).to_be_visible()
        drawn(page, 1)
        return page

    return open_it


def net(page: Page) -> Locator:
    return handle(page, "playground_boundary").locator(".playground")


def plane(page: Page) -> Locator:
    return net(page).locator(".plane")


def status(page: Page) -> Locator:
    return handle(page, "playground_status")


def button(page: Page, name: str) -> Locator:
    return handle(page, f"playground_{name}").get_by_role("button")


def named(page: Page, name: str) -> Locator:
    return net(page).get_by_role("button", name=name, exact=True)


def frames(page: Page) -> int:
    return int(net(page).get_attribute("data-frames"))


def drawn(page: Page, count: int) -> None:
    """Wait until the picture has been drawn with new data ``count`` times."""
    expect(net(page)).not_to_have_attribute("data-frames", "0")
    net(page).evaluate(
        """(net, count) => new Promise((done) => {
            const look = () => Number(net.dataset.frames) >= count
                ? done()
                : setTimeout(look, 20);
            look();
        })""",
        count,
    )


def play_to(page: Page, epoch: int) -> None:
    """Play up to an epoch. The same setup and epoch always give the same numbers."""
    page.get_by_role("button", name="Run to …").click()
    field = handle(page, "playground_run_to_epoch").locator("input")
    field.fill(str(epoch))
    field.press("Enter")
    settled(page)
    button(page, "run_to").click()
    expect(status(page)).to_contain_text(re.compile(rf"paused\s+epoch {epoch}\b"), timeout=60_000)


@pytest.mark.parametrize("data", SOLVED_BY)
def test_an_experiment_solves_each_classic_data_set(playground, data):
    page = playground()
    experiment = EXPERIMENTS[SOLVED_BY[data]]
    assert experiment.setup.data == data
    select(page, "playground_experiment", re.escape(experiment.title))
    expect(status(page)).to_contain_text(re.compile(r"paused\s+epoch 0"))
    play_to(page, experiment.epochs)
    assert float(re.search(ERROR, status(page).inner_text()).group(1)) < 5
    handle(page, "playground_answer").get_by_role("button").click()
    expect(handle(page, "playground_question")).to_contain_text(re.compile("Yes|bends|Those"))


def test_it_is_drawn_five_times_a_second_without_replacing_elements(playground):
    page = playground("?layers=8,8,8")
    net(page).evaluate(
        """net => {
            window.first = [...net.querySelectorAll('canvas, path, button')];
            window.pictures = new Set();
        }"""
    )
    button(page, "start").click()
    expect(status(page)).to_contain_text("running")
    drawn(page, frames(page) + 5)
    rate = net(page).evaluate(
        """net => new Promise((done) => {
            let best = 0;
            let [since, from, left] = [performance.now(), Number(net.dataset.frames), 4];
            const look = () => {
                const seconds = (performance.now() - since) / 1000;
                if (seconds < 3) return setTimeout(look, 20);
                window.pictures.add(net.querySelector('.plane').toDataURL());
                best = Math.max(best, (Number(net.dataset.frames) - from) / seconds);
                [since, from, left] = [performance.now(), Number(net.dataset.frames), left - 1];
                return left ? look() : done(best);
            };
            look();
        })"""
    )
    assert rate >= 5  # in the best 3 of 12 seconds: the machine may be busy
    assert page.evaluate("window.pictures.size") == 4
    replaced = net(page).evaluate(
        """net => [...net.querySelectorAll('canvas, path, button')]
            .filter((e, i) => e !== window.first[i]).map((e) => e.outerHTML)"""
    )
    assert replaced == []
    assert net(page).locator("canvas").count() == 7 + 24 + 1 + 1


def test_play_pause_rewind_and_a_step(playground):
    page = playground()
    start = status(page).inner_text()
    button(page, "step").click()
    expect(status(page)).not_to_have_text(start)
    button(page, "reset").click()
    expect(status(page)).to_have_text(re.compile(re.escape(start.split("test")[0].strip()[-6:])))
    button(page, "start").click()
    expect(status(page)).to_contain_text("running")
    expect(button(page, "start")).to_be_disabled()
    button(page, "pause").click()
    expect(status(page)).to_contain_text("paused")
    expect(button(page, "pause")).to_be_disabled()
    settled(page)
    before, picture = status(page).inner_text(), plane(page).evaluate("c => c.toDataURL()")
    handle(page, "playground_show_test").get_by_text("Show test points").click()
    settled(page)
    page.wait_for_function("() => location.search.includes('show_test=yes')")
    assert status(page).inner_text() == before
    assert plane(page).evaluate("c => c.toDataURL()") != picture


def test_neurons_layers_and_features_are_changed_in_place(playground):
    page = playground()
    depth = net(page).locator(".depth")
    expect(depth).to_contain_text("2 hidden layers")
    named(page, "Add a hidden layer").click()
    expect(depth).to_contain_text("3 hidden layers")
    more = named(page, "Add a neuron to layer 3")
    more.click()
    more.click()
    expect(net(page).get_by_role("group", name="Layer 3")).to_contain_text("4 neurons")
    named(page, "Remove a neuron from layer 1").click()
    expect(net(page).get_by_role("group", name="Layer 1")).to_contain_text("3 neurons")
    page.wait_for_function("() => location.search.includes('layers=3%2C2%2C4')")
    product = named(page, "feature x₁x₂")
    expect(product).to_have_attribute("aria-pressed", "false")
    product.press("Enter")
    expect(product).to_have_attribute("aria-pressed", "true")
    expect(product).to_be_focused()
    page.reload()
    settled(page)
    expect(net(page).locator(".depth")).to_contain_text("3 hidden layers")
    expect(named(page, "feature x₁x₂")).to_have_attribute("aria-pressed", "true")


def test_the_last_feature_and_a_full_layer_cannot_change(playground):
    page = playground("?features=x1&layers=8")
    named(page, "feature x₁").click()
    expect(net(page).locator(".hint")).to_contain_text("At least one feature")
    more = named(page, "Add a neuron to layer 1")
    expect(more).to_have_attribute("aria-disabled", "true")
    more.press("Enter")
    expect(net(page).locator(".hint")).to_contain_text("1 to 8 neurons")


def test_a_hovered_or_focused_neuron_is_shown_large(playground):
    page = playground()
    caption = net(page).locator("figcaption")
    expect(caption).to_have_text("What the network says")
    output = plane(page).evaluate("c => c.toDataURL()")
    named(page, "layer 1, neuron 2: its weights").hover()
    expect(caption).to_have_text("Layer 1, neuron 2")
    assert plane(page).evaluate("c => c.toDataURL()") != output
    page.mouse.move(5, 5)
    expect(caption).to_have_text("What the network says")
    named(page, "layer 2, neuron 1: its weights").focus()
    expect(caption).to_have_text("Layer 2, neuron 1")


def test_a_weight_is_edited_by_keyboard_and_a_line_by_mouse(playground):
    page = playground()
    before = plane(page).evaluate("c => c.toDataURL()")
    neuron = named(page, "output: its weights")
    neuron.press("Enter")
    form = net(page).locator(".editor")
    value = form.get_by_role("spinbutton", name="Value")
    expect(value).to_be_focused()
    form.get_by_role("combobox").select_option(label="bias")
    value.fill("9")
    value.press("Enter")
    expect(plane(page)).to_be_visible()
    page.wait_for_function(
        """before => {
            const roots = [...document.querySelectorAll('.st-key-playground_boundary *')];
            const host = roots.find((e) => e.shadowRoot)?.shadowRoot ?? document;
            return host.querySelector('.plane').toDataURL() !== before;
        }""",
        arg=before,
    )
    red, _, blue = plane(page).evaluate(
        "c => [...c.getContext('2d').getImageData(c.width / 2, 4, 1, 1).data.slice(0, 3)]"
    )
    assert blue > red  # a bias of 9 predicts class 1 everywhere
    value.press("Escape")
    expect(form).to_be_hidden()
    expect(neuron).to_be_focused()
    neuron.press("Enter")
    form.get_by_role("combobox").select_option(label="bias")
    expect(value).to_have_value("9")
    value.press("Escape")
    net(page).locator(".targets path").first.dispatch_event("click")
    expect(form).to_contain_text(re.compile("layer 1, neuron 1", re.IGNORECASE))
    expect(form.get_by_role("combobox")).to_have_value("0")


def test_a_diverged_loss_is_undone_with_one_button(playground):
    page = playground()
    select(page, "playground_experiment", EXPERIMENTS["learning_rate"].title)
    button(page, "start").click()
    expect(status(page)).to_contain_text("diverged")
    expect(status(page)).to_contain_text("Undo")
    expect(button(page, "start")).to_be_disabled()
    button(page, "undo").click()
    expect(status(page)).to_contain_text("paused")
    assert "nan" not in status(page).inner_text().lower()
    expect(button(page, "undo")).to_have_count(0)
    select(page, "playground_learning_rate", r"^0\.03$")
    button(page, "start").click()
    expect(status(page)).to_contain_text(re.compile(r"training loss\s+0\.0"))


def test_own_points_by_mouse_and_by_keyboard(playground):
    page = playground("?data=own")
    expect(status(page)).to_contain_text("no points")
    plane(page).click(position={"x": 60, "y": 60})
    net(page).get_by_role("radio", name="1").check()
    plane(page).click(position={"x": 200, "y": 200})
    page.wait_for_function("() => new URLSearchParams(location.search).get('points')?.length === 8")
    plane(page).press("ArrowUp")
    plane(page).press("Shift+ArrowRight")
    plane(page).press("Enter")
    page.wait_for_function(
        "() => new URLSearchParams(location.search).get('points')?.length === 12"
    )
    named(page, "Remove the last").click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('points')?.length === 8")


def test_a_teachers_link_hides_controls_and_shows_its_task(playground):
    page = playground("?data=xor&hide=layers,features,edit,noise&task=Why%20<b>not</b>%3F")
    expect(handle(page, "playground_task")).to_contain_text("Why <b>not</b>?")
    expect(handle(page, "playground_noise")).to_have_count(0)
    expect(named(page, "Add a hidden layer")).to_have_count(0)
    expect(net(page).locator(".head button")).to_have_count(0)
    named(page, "feature x₁").click()
    named(page, "output: its weights").click()
    expect(net(page).locator(".editor")).to_be_hidden()
    expect(named(page, "feature x₁")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_page_does_not_scroll_sideways(playground, scheme):
    page = playground("?layers=8,8,8,8,8,8", width=390, scheme=scheme)
    wide = "e => e.scrollWidth - e.clientWidth"
    assert page.locator('[data-testid="stMain"]').evaluate(wide) <= 0
    assert net(page).locator(".scroll").evaluate(wide) > 0  # the network, in its own box
    for one in (named(page, "Add a hidden layer"), named(page, "Add a neuron to layer 1")):
        box = one.bounding_box()
        assert min(box["width"], box["height"]) >= 40
    button(page, "start").tap()
    expect(status(page)).to_contain_text("running")
    drawn(page, frames(page) + 3)
    ground = plane(page).evaluate(
        "c => getComputedStyle(c).getPropertyValue('--st-background-color')"
    )
    assert ground == {"light": "#fffefb", "dark": "#12161c"}[scheme]
