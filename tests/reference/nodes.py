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
            w = node.window
            y = []
            for top in range(0, w.height - w.kernel[0] + 1, w.stride[0]):
                for left in range(0, w.width - w.kernel[1] + 1, w.stride[1]):
                    values = [x[((top + dy) * w.width + left + dx) * w.channels + c]
                              for dy in range(w.kernel[0]) for dx in range(w.kernel[1])
                              for c in range(w.channels)]
                    for part in node.body:
                        values = node_output(part, values)
                    y += values
            return y
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
