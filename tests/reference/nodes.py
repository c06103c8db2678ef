"""A deliberately naive evaluator: one sample, one bit at a time, straight from docs/format.md."""

from __future__ import annotations

from bitwright import ir

__all__ = ["node_output", "scores"]


def node_output(node: ir.Node, x: list[int], frame: int = 0) -> list[int]:
    """Outputs of any node for one input vector."""
    match node:
        case ir.Modulate():
            return [int(x[i] >= node.thresholds[frame][i][d])
                    for i in range(node.features) for d in range(node.depth)]
        case ir.Lut():
            y = []
            for sources, table in zip(node.sources.tolist(), node.tables.tolist(), strict=True):
                address = sum((x[s] if s >= 0 else 0) << slot for slot, s in enumerate(sources))
                y.append(int(table[address]))
            return y
        case ir.Xnor():
            counts = [sum(int(a == b) for a, b in zip(x, row, strict=True))
                      for row in node.weights.astype(int).tolist()]
            return [int(count >= threshold) for count, row in
                    zip(counts, node.thresholds.tolist(), strict=True) for threshold in row]
        case ir.Convolution():
            y = []
            size, length = node.window.channels // node.groups, len(node.body) // node.groups
            for pixels in _windows(node.window, x):
                for group in range(node.groups):
                    values = [pixel[channel] for pixel in pixels
                              for channel in range(group * size, (group + 1) * size)]
                    for place in range(group * length, (group + 1) * length):
                        values = node_output(node.body[place], values)
                    y += values
            return y
        case ir.Pool():
            y = []
            for pixels in _windows(node.window, x):
                for c in range(node.window.channels):
                    ones = sum(pixel[c] for pixel in pixels)
                    y.append(int({"or": ones > 0, "and": ones == len(pixels),
                                  "majority": 2 * ones > len(pixels)}[node.function]))
            return y
        case ir.Join():
            images, rest = [], list(x)
            for channels in node.channels:
                bits = node.height * node.width * channels
                images.append(rest[:bits])
                rest = rest[bits:]
            return [bit for pixel in range(node.height * node.width)
                    for image, channels in zip(images, node.channels, strict=True)
                    for bit in image[pixel * channels:(pixel + 1) * channels]]
        case ir.GroupSum():
            size = len(x) // node.classes
            return [sum(x[c * size:(c + 1) * size]) for c in range(node.classes)]
        case ir.Goodness():
            return [sum(x)]
        case ir.Scores():
            return [node.scale * sum(int(a == b) for a, b in zip(x, row, strict=True)) + bias
                    for row, bias in zip(node.weights.astype(int).tolist(), node.biases.tolist(),
                                         strict=True)]
        case _:
            raise TypeError(f"Reference has no rule for {type(node).__name__}")


def _windows(w, x):
    """The pixels, each a list of channels, that the window sees at each position."""
    top, bottom, left, right = w.padding

    def pixel(y, x_):
        if w.border == "replicate":
            y, x_ = min(max(y, 0), w.height - 1), min(max(x_, 0), w.width - 1)
        if w.border == "reflect":
            y, x_ = _mirrored(y, w.height), _mirrored(x_, w.width)
        if not (0 <= y < w.height and 0 <= x_ < w.width):
            return [int(w.border == "one")] * w.channels
        return [x[(y * w.width + x_) * w.channels + c] for c in range(w.channels)]

    y = -top
    while y + (w.kernel[0] - 1) * w.dilation[0] < w.height + bottom:
        x_ = -left
        while x_ + (w.kernel[1] - 1) * w.dilation[1] < w.width + right:
            yield [pixel(y + i * w.dilation[0], x_ + j * w.dilation[1])
                   for i in range(w.kernel[0]) for j in range(w.kernel[1])]
            x_ += w.stride[1]
        y += w.stride[0]


def _mirrored(place, side):
    if place < 0:
        return -place
    return place if place < side else 2 * (side - 1) - place


def scores(network: ir.Network, x: list[int]) -> list[int]:
    """Scores of a network for one sample: added over the frames, or a class a frame."""
    total = [0] * network.head.out_width
    by_frame = []
    for frame in range(network.frames):
        values = {"input": x}
        for entry in network.entries:
            inputs = [bit for name in entry.inputs for bit in values[name]]
            values[entry.name] = node_output(entry.node, inputs, frame)
        found = values[network.entries[-1].name]
        by_frame += found
        total = [a + b for a, b in zip(total, found, strict=True)]
    return by_frame if isinstance(network.head, ir.Goodness) else total
