"""What layers of look-up tables are worth by what they read, by their number, and by the last one.

Every row is the recipe (`mnist-serial-1000`, unless said) with other layers: 300 tables of six
inputs, each way of wiring; several such layers, from a random and from a residual start; and layers
that end in fewer tables, which a smaller head counts.
"""

import sys

from bench.trained_rows import compare

__all__ = ["ROWS", "main"]


def layer(width, wiring, **more):
    """A layer of a recipe, as TOML."""
    values = {"kind": "lut", "width": width, "fan_in": 6, "wiring": wiring} | more
    return "{" + ",".join(f"{key}={value!r}" for key, value in values.items()) + "}"


def near(width, **more):
    """Tables whose wiring learns among the nearest sites."""
    return layer(width, "learnable", window=196, **more)


def after(width, **more):
    """Tables whose wiring learns among all tables of the layer in front of them."""
    return layer(width, "learnable", **more)


def of(*layers):
    """Settings of a row."""
    return [f"layers=[{','.join(layers)}]"]


ROWS = {
    "300, learned among the nearest": of(near(300)),
    "300, learned among the nearest, 64 at a time": of(near(300, offered=64)),
    "300, learned among all, 64 at a time": of(after(300)),
    "300, window": of(layer(300, "window", window=196)),
    "300, random": of(layer(300, "random")),
    "300, depthwise": of(layer(300, "depthwise")),
    "300, serial": of(layer(300, "serial")),
    "300, butterfly": of(layer(300, "butterfly")),
    **{f"{count} layers of 300, {start} start": of(
        near(300, start=start), *(after(300, start=start) for _ in range(count - 1)))
        for count in (2, 4) for start in ("random", "residual")},
    "300, then 150": of(near(300), after(150, start="residual")),
    "400, then 50": of(near(400), after(50, start="residual")),
    "450": of(near(450)),
}


def main(argv=None):
    """Run the bench. Returns the exit status."""
    return compare(ROWS, argv, program="python -m bench.lut_layers", description=__doc__,
                   recipe="mnist-serial-1000", epochs=10)


if __name__ == "__main__":
    sys.exit(main())
