"""The pads in a real browser: with the mouse, a finger, a pen and the keyboard alone."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.browser.conftest import draw, go_to, handle, settled

SEVEN = [(80, 60), (200, 60), (130, 230)]
BAR = [(90, 150), (190, 150)]
DIGIT = re.compile(r"^\s*\d\s*$")


@pytest.fixture
def pad_page(server, visit) -> Callable[..., Page]:
    def open_it(**options) -> Page:
        page = visit(f"{server.url}/drawing", **options)
        expect(sheet(page)).to_be_visible()
        return page

    return open_it


def sheet(page: Page) -> Locator:
    return handle(page, "drawing_canvas").locator("canvas").last


def paper(page: Page) -> Locator:
    """Return what holds the ink: of streamlit-drawable-canvas's three the middle one."""
    canvases = handle(page, "drawing_canvas").locator("canvas")
    return canvases.nth(canvases.count() // 2)


def status(page: Page) -> Locator:
    return handle(page, "drawing_canvas").get_by_role("status")


def tool(page: Page, name: str) -> Locator:
    return handle(page, "drawing_canvas").get_by_role("button", name=name, exact=True)


def answered(page: Page) -> int:
    """Return the number of the report that the shown answer belongs to."""
    return int(
        re.search(r"\d+", page.locator("[class=prediction-note]:last-child").inner_text()).group()
    )


def answers_beyond(page: Page, number: int) -> None:
    page.wait_for_function(
        """number => Number(document.querySelector('[class=prediction-note]:last-child')
            ?.innerText.match(/\\d+/)) > number""",
        arg=number,
    )


def picture(page: Page) -> str:
    return sheet(page).evaluate("canvas => canvas.toDataURL()")


def ink_at(page: Page, x: int, y: int) -> bool:
    """Return whether there is ink at a place of the pad, in its own pixels, 0 to 280."""
    read = """(canvas, [x, y]) => {
        const scale = canvas.width / 280;
        const [red, , , alpha] = canvas.getContext('2d')
            .getImageData(x * scale, y * scale, 1, 1).data;
        return alpha > 128 && red < 128;
    }"""
    return paper(page).evaluate(read, [x, y])


def choose_pad(page: Page, name: str) -> None:
    handle(page, "drawing_pad").get_by_text(name, exact=True).click()
    settled(page)
    expect(handle(page, "drawing_canvas").locator("canvas, [role=grid]").last).to_be_visible()
    page.wait_for_timeout(500)  # the whole page follows the pad's first answer
    settled(page)


def test_mouse_strokes_are_read(pad_page):
    page = pad_page()
    draw(page, SEVEN)
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    expect(handle(page, "drawing_confidence").get_by_role("img")).to_be_visible()
    expect(handle(page, "drawing_canvas").locator("canvas")).to_have_count(1)


def test_the_answer_changes_while_the_pen_is_down_and_the_pad_stays(pad_page):
    page = pad_page()
    box = sheet(page).bounding_box()
    sheet(page).evaluate("canvas => { window.first = canvas; }")
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    before = answered(page)
    for i in range(1000):  # down the pad in waves, until 20 live answers have come
        x = 60 + abs(i % 160 - 80) * 2
        page.mouse.move(box["x"] + x, box["y"] + 60 + i // 12)
        if answered(page) >= before + 20:
            break
    assert answered(page) >= before + 20
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    expect(status(page)).to_have_text("Nothing drawn yet")  # no stroke is finished
    assert sheet(page).evaluate("canvas => canvas === window.first && canvas.isConnected")
    page.mouse.up()
    expect(status(page)).to_have_text("1 stroke")


def test_undo_redo_and_clear_by_button_and_key(pad_page):
    page = pad_page()
    empty = picture(page)
    draw(page, SEVEN)
    one = picture(page)
    draw(page, BAR)
    two = picture(page)
    assert len({empty, one, two}) == 3
    for press, left, drawn in (
        (lambda: tool(page, "Undo").click(), "1 stroke", one),
        (lambda: tool(page, "Undo").click(), "Nothing drawn yet", empty),
        (lambda: tool(page, "Redo").click(), "1 stroke", one),
        (lambda: tool(page, "Redo").click(), "2 strokes", two),
        (lambda: tool(page, "Clear").click(), "Nothing drawn yet", empty),
        (lambda: sheet(page).press("Control+z"), "2 strokes", two),
        (lambda: sheet(page).press("Control+z"), "1 stroke", one),
        (lambda: sheet(page).press("Control+Shift+z"), "2 strokes", two),
        (lambda: sheet(page).press("Delete"), "Nothing drawn yet", empty),
    ):
        before = answered(page)
        press()
        expect(status(page)).to_have_text(left)
        assert picture(page) == drawn  # to the pixel, however it came about
        answers_beyond(page, before)
    expect(handle(page, "drawing_prediction")).to_have_count(0)


def test_buttons_have_names_a_visible_focus_and_room_for_a_finger(pad_page):
    page = pad_page(width=390)
    draw(page, SEVEN)
    for name in ("Undo", "Redo", "Clear"):
        assert tool(page, name).bounding_box()["height"] >= 40
    sheet(page).press("Tab")
    expect(tool(page, "Undo")).to_be_focused()
    assert tool(page, "Undo").evaluate("b => getComputedStyle(b).outlineStyle") == "solid"
    slider = handle(page, "drawing_canvas").get_by_role("slider", name="Pen width")
    slider.fill("40")
    draw(page, [(40, 250), (240, 250)])
    assert ink_at(page, 220, 234)
    assert not ink_at(page, 220, 226)
    slider.fill("6")
    draw(page, [(40, 20), (240, 20)])
    assert ink_at(page, 140, 18)
    assert not ink_at(page, 140, 26)


def test_the_drawing_and_its_undo_outlast_a_visit_elsewhere(pad_page):
    page = pad_page()
    draw(page, SEVEN)
    one = picture(page)
    before = answered(page)
    draw(page, BAR)
    two = picture(page)
    answers_beyond(page, before)
    expect(status(page)).to_have_text("2 strokes")
    go_to(page, "Home")
    go_to(page, "Drawing")
    expect(status(page)).to_have_text("2 strokes")
    assert picture(page) == two
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    tool(page, "Undo").click()
    expect(status(page)).to_have_text("1 stroke")
    assert picture(page) == one


def test_each_pad_keeps_its_own_drawing(pad_page):
    page = pad_page()
    draw(page, SEVEN)
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    live = picture(page)
    choose_pad(page, "With tools")
    expect(handle(page, "drawing_canvas").locator("canvas")).to_have_count(3)
    expect(handle(page, "drawing_prediction")).to_have_count(0)
    draw(page, SEVEN, BAR)
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    choose_pad(page, "Live pad")
    expect(handle(page, "drawing_canvas").locator("canvas")).to_have_count(1)
    expect(status(page)).to_have_text("1 stroke")
    assert picture(page) == live
    choose_pad(page, "With tools")
    expect(handle(page, "drawing_undo").locator("button")).to_be_enabled()
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)


def test_a_finger_reaches_all_tools_of_the_canvas(pad_page):
    page = pad_page(width=390)
    choose_pad(page, "With tools")
    tools = handle(page, "drawing_tools").get_by_role("button")
    draw(page, SEVEN)
    for name in ("Undo", "Redo", "Edit", "Reset canvas & history"):
        box = tools.and_(page.get_by_role("button", name=name, exact=True)).bounding_box()
        assert min(box["width"], box["height"]) >= 40
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    edit = tools.and_(page.get_by_role("button", name="Edit", exact=True))
    edit.tap()
    expect(edit).to_have_attribute("aria-pressed", "true")
    before = answered(page)
    draw(page, [(140, 60), (140, 90)])  # takes the seven and moves it down
    answers_beyond(page, before)
    assert ink_at(page, 140, 90)
    assert not ink_at(page, 140, 60)
    for name in ("Undo", "Redo", "Clear"):
        button = handle(page, f"drawing_{name.lower()}").locator("button")
        assert button.bounding_box()["height"] >= 40


def touch(cdp: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    spots = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})


def scrolled(page: Page) -> float:
    return page.evaluate(
        """window.scrollY + document.querySelector('[data-testid="stMain"]').scrollTop"""
    )


def drag(cdp: CDPSession, start: tuple[float, float], end: tuple[float, float]) -> None:
    touch(cdp, "touchStart", start)
    for i in range(1, 16):
        touch(
            cdp, "touchMove", tuple(a + (b - a) * i / 15 for a, b in zip(start, end, strict=True))
        )
    touch(cdp, "touchEnd")


def test_a_finger_draws_and_does_not_scroll_the_page(pad_page):
    page = pad_page(width=390)
    sheet(page).scroll_into_view_if_needed()
    cdp = page.context.new_cdp_session(page)
    box = sheet(page).bounding_box()
    assert box["width"] == box["height"] == 280
    before = scrolled(page)
    for start, end in ((SEVEN[0], SEVEN[1]), (SEVEN[1], SEVEN[2]), ((240, 20), (240, 270))):
        drag(cdp, *((box["x"] + x, box["y"] + y) for x, y in (start, end)))
    expect(status(page)).to_have_text("3 strokes")
    assert ink_at(page, 140, 60)
    assert ink_at(page, 240, 150)
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    assert scrolled(page) == before
    drag(cdp, (4, 700), (4, 300))  # beside the pad the page scrolls as ever
    page.wait_for_function(
        "before => document.querySelector('[data-testid=\"stMain\"]').scrollTop > before",
        arg=before,
    )


def test_only_the_first_finger_draws(pad_page):
    page = pad_page(width=390)
    sheet(page).scroll_into_view_if_needed()
    cdp = page.context.new_cdp_session(page)
    box = sheet(page).bounding_box()
    left, right = box["x"] + 60, box["x"] + 220
    touch(cdp, "touchStart", (left, box["y"] + 40))
    for y in range(40, 200, 10):
        touch(cdp, "touchMove", (left, box["y"] + y), (right, box["y"] + y))
    touch(cdp, "touchEnd")
    expect(status(page)).to_have_text("1 stroke")
    assert ink_at(page, 60, 120)
    assert not ink_at(page, 220, 120)


def test_a_pen_draws_wider_the_harder_it_presses(pad_page):
    page = pad_page()
    sheet(page).scroll_into_view_if_needed()
    cdp = page.context.new_cdp_session(page)
    box = sheet(page).bounding_box()
    for y, force in ((60, 0.1), (160, 1.0)):
        kinds = ["mousePressed", *["mouseMoved"] * 10, "mouseReleased"]
        for i, kind in enumerate(kinds):
            cdp.send(
                "Input.dispatchMouseEvent",
                {
                    "type": kind,
                    "x": box["x"] + 40 + 15 * i,
                    "y": box["y"] + y,
                    "button": "left",
                    "buttons": 1,
                    "clickCount": 1,
                    "pointerType": "pen",
                    "force": force,
                },
            )
    expect(status(page)).to_have_text("2 strokes")
    assert ink_at(page, 100, 60)
    assert not ink_at(page, 100, 60 + 8)  # 18 x 0.52 pixels wide
    assert ink_at(page, 100, 160 + 12)  # 18 x 1.6 pixels wide
    assert not ink_at(page, 100, 160 + 17)


def test_the_keyboard_alone_draws_a_digit_on_the_grid(pad_page):
    page = pad_page()
    choose_pad(page, "Keyboard")
    grid = handle(page, "drawing_canvas").get_by_role("grid")
    expect(grid).to_be_visible()
    expect(grid.get_by_role("gridcell")).to_have_count(784)
    for _ in range(5):  # an answer on its way may draw the choice anew, and the focus is gone
        handle(page, "drawing_pad").get_by_text("Keyboard", exact=True).press("Tab")
        with contextlib.suppress(AssertionError):
            expect(grid).to_be_focused(timeout=2_000)
            break
    expect(grid).to_be_focused()
    for key in ["ArrowRight"] * 7 + ["ArrowDown"] * 5:
        page.keyboard.press(key)
    expect(status(page)).to_have_text("row 6, column 8, paper")
    page.keyboard.press("Space")
    expect(status(page)).to_have_text("row 6, column 8, ink")
    page.keyboard.press("Delete")
    expect(status(page)).to_have_text("row 6, column 8, paper")
    page.keyboard.press("Control+z")
    expect(status(page)).to_have_text("Undone: row 6, column 8, ink")
    for _ in range(11):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(7):
        for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
            page.keyboard.press(f"Shift+{key}")
    expect(status(page)).to_have_text("row 20, column 12, ink")
    expect(handle(page, "drawing_prediction")).to_have_text(DIGIT)
    inked = grid.get_by_role("gridcell", name="ink")
    expect(inked).to_have_count(12 + 21)
    page.wait_for_timeout(1000)  # what was inked last is reported up to 400 ms later
    settled(page)
    go_to(page, "Home")
    go_to(page, "Drawing")
    expect(inked).to_have_count(12 + 21)
    tool(page, "Undo").click()
    expect(inked).to_have_count(12 + 20)
    page.keyboard.press("Tab")  # from Undo over Redo to Clear
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(inked).to_have_count(0)
    expect(handle(page, "drawing_prediction")).to_have_count(0)


def test_the_mouse_draws_on_the_grid_and_rubs_out(pad_page):
    page = pad_page()
    choose_pad(page, "Keyboard")
    grid = handle(page, "drawing_canvas").get_by_role("grid")
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    inked = grid.get_by_role("gridcell", name="ink")
    for count in (10, 0):  # the second drag begins on ink: it rubs out
        page.mouse.move(box["x"] + 45, box["y"] + 45)
        page.mouse.down()
        page.mouse.move(box["x"] + 135, box["y"] + 45, steps=20)
        page.mouse.up()
        expect(inked).to_have_count(count)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pad_is_white_paper_with_black_ink_in_both_themes(pad_page, scheme):
    page = pad_page(scheme=scheme)
    draw(page, SEVEN)
    assert ink_at(page, 140, 60)
    assert not ink_at(page, 140, 5)
