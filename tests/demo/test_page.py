"""The page in a headless Chromium, by mouse, by keys and by files."""

import contextlib

import numpy as np
import pytest

from bitwright import ir
from bitwright.demo.backends import Evaluator
from tests.demo import browser
from tests.demo.served import digits, flowers, png, serving
from tests.demo.test_server import Silent, Wrong

pytest.importorskip("playwright")
if browser.found() is None:
    pytest.skip("no Chromium is installed (Debian: apt-get install chromium-headless-shell)",
                allow_module_level=True)


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as opened:
        yield opened


@contextlib.contextmanager
def opened(chromium, network, backends=None, **options):
    """The page, which must end without an error or a request to anybody else."""
    wrong = []
    with serving(network, backends) as server:
        context = chromium.new_context(viewport={"width": 1240, "height": 900}, **options)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text)
                if line.type == "error" and "400 (Bad Request)" not in line.text else None)
        page.on("request", lambda request: None
                if request.url.startswith((server.url, "data:")) else wrong.append(request.url))
        page.goto(server.url)
        page.wait_for_selector("body[data-ready]")
        settled(page)
        yield page
        context.close()
    assert wrong == []


THREE = [(.3, .25), (.45, .15), (.62, .2), (.66, .35), (.48, .47), (.66, .58), (.66, .78),
         (.48, .88), (.28, .8)]


def settled(page):
    page.wait_for_selector("body[data-busy=false]")


def scores(page):
    return [int(text) for text in page.locator("#scores li span:last-child").all_inner_texts()]


def draw(page, points):
    box = page.locator("#canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()
    settled(page)
    assert page.locator("#alert").is_hidden()


def test_an_example_by_its_picture(chromium):
    network = digits()
    answer = network.evaluate(network.golden.features)
    with opened(chromium, network) as page:
        for button in page.locator("#examples button").all()[:10]:
            button.click()
            settled(page)
            index = int(button.get_attribute("value"))
            assert scores(page) == answer.scores[index].tolist()
            assert page.locator("#decision b").inner_text() == str(answer.decision[index])
            assert button.get_attribute("aria-pressed") == "true"
            assert page.locator("#scores .best .name").inner_text() == str(answer.decision[index])


def test_bits_are_painted_where_they_belong(chromium):
    network = digits()
    bits = network.evaluate(network.golden.features, ["modulate"]).taps["modulate"][0]
    with opened(chromium, network) as page:
        index = int(page.locator("#examples [aria-pressed=true]").get_attribute("value"))
        painted = page.evaluate("""() => [...document.querySelectorAll("#layer-0 canvas")].map(
            canvas => [...canvas.getContext("2d").getImageData(0, 0, 8, 8).data])""")
    planes = np.array(painted).reshape(2, 8, 8, 4)[..., 0] == 0x31  # the colour of a 1
    assert (planes == bits[index].reshape(8, 8, 2).transpose(2, 0, 1)).all()


def test_a_digit_is_drawn(chromium):
    with opened(chromium, digits()) as page:
        assert page.locator("#decision b").inner_text() == "0"  # the first example
        draw(page, THREE)
        assert page.locator("#decision b").inner_text() == "3"
        large = scores(page)
        page.locator("#clear").click()
        settled(page)
        # The same in a corner, a third of the size, is put where the examples are.
        draw(page, [(x / 3, y / 3) for x, y in THREE])
        assert page.locator("#decision b").inner_text() == "3"
        assert sum(abs(a - b) for a, b in zip(scores(page), large, strict=True)) < 20
        page.locator("#fit").uncheck()
        settled(page)
        assert page.locator("#decision b").inner_text() != "3"
        page.locator("#undo").click()
        settled(page)
        assert page.locator("#undo").is_disabled()
        assert page.locator("#hint").is_visible()


def test_one_request_at_a_time_while_drawing(chromium):
    under_way, most = 0, 0

    def begins(request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)

    def ends(request):
        nonlocal under_way
        under_way -= 1

    with opened(chromium, digits()) as page:
        page.on("request", begins)
        page.on("requestfinished", ends)
        draw(page, THREE * 4)
        assert page.locator("#place").inner_text() == ""  # the drawing, not the example
        starts = page.evaluate("""() => performance.getEntriesByType("resource")
            .filter(entry => entry.name.includes("drawing.png")).map(entry => entry.startTime)""")
    assert most == 1
    assert starts
    assert min(np.diff(starts), default=60) >= 59  # a timer may be a little early


def test_a_digit_is_drawn_with_keys(chromium):
    with opened(chromium, digits()) as page:
        page.locator("#canvas").focus()
        for key, times in (("ArrowUp", 9), (" ", 1), ("ArrowDown", 18), (" ", 1)):
            for _ in range(times):
                page.keyboard.press(key)
        settled(page)
        assert page.locator("#decision b").inner_text() == "1"
        page.keyboard.press("Delete")
        settled(page)
        assert page.locator("#hint").is_visible()


def test_every_control_is_reached_with_tab(chromium):
    with opened(chromium, digits(), {"board": Wrong(digits()), "evaluator": Evaluator(digits())}
                ) as page:
        reached = set()
        for _ in range(12):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.id || "
                                      "document.activeElement.parentElement.id"))
    assert {"source", "canvas", "clear", "open-picture", "fit", "examples"} <= reached


def test_a_row_is_typed(chromium):
    network = flowers()
    with opened(chromium, network) as page:
        fields = page.locator("#fields input")
        for index, text in enumerate(("6.3", "3.3", "6", "2.5")):
            fields.nth(index).fill(text)
        settled(page)
        assert page.locator("#decision b").inner_text() == "virginica"
        assert scores(page) == network.evaluate(np.array([[63, 33, 60, 25]])).scores[0].tolist()
        fields.nth(2).fill("six")
        settled(page)
        assert page.locator("#alert").inner_text() == (
            "what was typed: line 1, column 3 must be a number, not 'six'")
        fields.nth(2).fill("")
        assert page.locator("#alert").is_hidden()
        assert page.locator("#place").inner_text() == "1 value to come"


def test_rows_of_a_file(chromium):
    with opened(chromium, flowers()) as page:
        page.locator("#open-table").set_input_files({
            "name": "two.csv", "mimeType": "text/csv",
            "buffer": b"5.1,3.5,1.4,0.2,setosa\n6.3,3.3,6.0,2.5,virginica\n"})
        settled(page)
        assert page.locator("#decision b").inner_text() == "setosa"
        page.locator("#next").click()
        settled(page)
        assert page.locator("#decision b").inner_text() == "virginica"
        assert page.locator("#position").inner_text() == "2 of 2"
        assert page.locator("#label").inner_text() == "the file says: virginica"
        assert page.locator("#fields input").nth(2).input_value() == "6"
        assert page.locator("#next").is_disabled()


DROP = """([name, content]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(content)], name));
    for (const type of ["dragenter", "drop"])
        document.body.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true,
                                                         dataTransfer: data}));
}"""


def test_a_picture_is_dropped(chromium):
    network = digits()
    pixels = np.full((8, 8), 40, np.uint8)
    pixels[:, 3:5] = 250
    with opened(chromium, network) as page:
        page.evaluate(DROP, ["one.png", list(png(pixels))])
        settled(page)
        features = network.preparation.apply(pixels[None])
        assert scores(page) == network.evaluate(features).scores[0].tolist()
        page.evaluate(DROP, ["torn.png", list(png(pixels)[:50])])
        settled(page)
        assert page.locator("#alert").inner_text() == (
            "torn.png: the picture cannot be read (image file is truncated)")
        assert page.locator("body.stale").count() == 1
        page.locator("#examples button").first.click()
        settled(page)
        assert page.locator("#alert").is_hidden()
        assert page.locator("body.stale").count() == 0


def test_a_large_file_is_not_even_sent(chromium):
    with opened(chromium, digits()) as page:
        page.evaluate(DROP.replace("Uint8Array.from(content)", "new Uint8Array(content)"),
                      ["large.png", 17 << 20])
        assert page.locator("#alert").inner_text() == (
            "large.png: must have at most 16 MiB, not 17.0 MiB")


def test_a_wrong_board_is_red(chromium):
    with opened(chromium, digits(), {"board": Wrong(digits()), "evaluator": Evaluator(digits())}
                ) as page:
        assert page.locator("#source").input_value() == "board"
        assert page.locator("#verdict .bad").inner_text() in (
            "✗ scores differ from the model's", "✗ differs from the model, which says 0")
        assert page.locator("#scores .differs .name").all_inner_texts() == ["9"]
        colour = page.locator("#scores .differs").evaluate("one => getComputedStyle(one).color")
        assert colour == "rgb(192, 31, 55)"


def test_a_silent_board_is_said(chromium):
    with opened(chromium, digits(), {"board": Silent(digits())}) as page:
        assert page.locator("#verdict").inner_text() == (
            "no answer from the board on /dev/null: no reply to INFER within 1.0 s; this is the "
            "golden evaluator's")


def test_frames(chromium):
    rng = np.random.default_rng(3)
    thresholds = rng.integers(1, 16, size=(3, 64, 1)).astype(np.int32)
    network = ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 5), ("input",)),
                          ir.Entry("head", ir.GroupSum(64, 2), ("modulate",))),
                         golden=ir.Golden(digits().golden.features[:1], np.zeros((1, 2), int)))
    ones = network.evaluate(network.golden.features, ["modulate"]).taps["modulate"].sum(axis=2)
    with opened(chromium, network) as page:
        for frame in (0, 2, 1):
            page.locator("#frame").fill(str(frame))
            settled(page)
            assert page.locator("#frame-name").inner_text() == f"Frame {frame + 1} of 3"
            assert page.locator("#layer-0 h3 + span").inner_text() == (
                f"{ones[frame, 0]} ones of 64 bits")


def test_nothing_is_wider_than_a_phone(chromium):
    for network in (digits(), flowers()):
        with opened(chromium, network, color_scheme="dark") as page:
            page.set_viewport_size({"width": 340, "height": 700})
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") == 340
