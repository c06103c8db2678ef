"""Make the pictures of the documentation: the demo page, data sets, and what commands print.

    python -m bench.screenshots [NAME ...]

Needs a Chromium (Debian: apt-get install chromium-headless-shell). Each picture is written to
docs/pictures/NAME.png, in few colours, so that it stays small.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import io
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.demo.browser import chromium

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "pictures"
COLOURS = 128

FLOWERS = """\
sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)
5.1,3.5,1.4,0.2
7.0,3.2,4.7,1.4
6.3,3.3,6.0,2.5
5.9,3.0,5.1,1.8
"""

TERMINAL = """\
<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; display: inline-block; background: #fff; }}
pre {{ margin: 0; padding: 18px 24px; border-radius: 10px; background: #14181f; color: #dfe4ec;
      font: 14px/1.55 ui-monospace, "DejaVu Sans Mono", monospace; }}
b {{ color: #86a6ff; font-weight: 400; }}
</style><pre>{}</pre>
"""


def arc(x: float, y: float, radius: float, start: float, end: float) -> list[tuple[float, float]]:
    """Points of an arc, from one angle to another, in degrees from the right, clockwise."""
    steps = 24
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


THREE = [*arc(0.47, 0.33, 0.16, -165, 80), *arc(0.47, 0.67, 0.19, -80, 155)]


@contextlib.contextmanager
def page(browser: Browser, network: str, *, height: int = 900, **options: object
         ) -> Iterator[Page]:
    """The demo page of a network, as its command serves it."""
    command = [sys.executable, "-m", "bitwright", "demo", network, "--emulate", "--listen",
               "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[1]
            context = browser.new_context(viewport={"width": 1240, "height": height}, **options)
            opened = context.new_page()
            opened.goto(address)
            opened.wait_for_selector("body[data-ready]")
            settled(opened)
            yield opened
            context.close()
        finally:
            process.terminate()


def settled(opened: Page) -> None:
    opened.wait_for_selector("body[data-busy=false]")


def draw(opened: Page, points: list[tuple[float, float]]) -> None:
    box = opened.locator("#canvas").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    opened.mouse.move(*places[0])
    opened.mouse.down()
    for place in places[1:]:
        opened.mouse.move(*place)
    opened.mouse.up()
    settled(opened)


def demo(browser: Browser) -> bytes:
    with page(browser, "zoo/mnist") as opened:
        draw(opened, THREE)
        return opened.screenshot(full_page=True)


def demo_row(browser: Browser) -> bytes:
    with page(browser, "zoo/iris", height=640, color_scheme="dark") as opened:
        for field, text in enumerate(("6.3", "3.3", "6.0", "2.5")):
            opened.locator("#fields input").nth(field).fill(text)
        settled(opened)
        return opened.screenshot(full_page=True)


def terminal(browser: Browser, folder: Path, *commands: str) -> bytes:
    """What commands of ours print in a folder, below each of them."""
    lines = []
    for command in commands:
        done = run(command, folder)
        lines.append(f"<b>$</b> {html.escape(command)}\n{html.escape(done.rstrip())}")
    opened = browser.new_page(device_scale_factor=1.5)
    opened.set_content(TERMINAL.format("\n\n".join(lines)))
    return opened.locator("pre").screenshot()


def run(command: str, folder: Path) -> str:
    """Standard output of a command line that begins with ``bitwright`` or ``cat``."""
    program, *arguments = command.split()
    if program == "cat":
        return (folder / arguments[0]).read_text(encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", program, *arguments], cwd=folder, encoding="utf-8",
                          env=environment, stdout=subprocess.PIPE, check=True).stdout


def predict(browser: Browser) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "flowers.csv").write_text(FLOWERS, encoding="utf-8")
        return terminal(browser, Path(folder), "cat flowers.csv",
                        "bitwright predict zoo/iris flowers.csv",
                        "bitwright infer zoo/iris flowers.csv --emulate --csv")


def described(name: str) -> Callable[[Browser], bytes]:
    """The picture that describes a data set."""
    def make(browser: Browser) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            run(f"bitwright data {name} --picture data.png", Path(folder))
            return Path(folder, "data.png").read_bytes()

    return make


PICTURES: dict[str, Callable[[Browser], bytes]] = {
    "demo": demo, "demo-row": demo_row, "predict": predict, "data-digits": described("digits"),
    "data-iris": described("iris")}


def small(picture: bytes) -> bytes:
    """The same in few colours."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
            file, "png", optimize=True)
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[*PICTURES, []],
                        help=f"which (default: all): {', '.join(PICTURES)}")
    names = parser.parse_args().names or [*PICTURES]
    OUT.mkdir(exist_ok=True)
    with chromium() as browser:
        for name in names:
            content = small(PICTURES[name](browser))
            (OUT / f"{name}.png").write_bytes(content)
            print(f"docs/pictures/{name}.png: {len(content):,} bytes")


if __name__ == "__main__":
    main()
