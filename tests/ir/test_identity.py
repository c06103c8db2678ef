import dataclasses

import numpy as np

from bitwright import ir
from tests.networks import features, network
from tests.stored import contents, digests


def subject():
    """A network with tensors of its own in every node but the head."""
    thresholds = np.array([[[1], [2], [3]]])
    return ir.Network((
        ir.Entry("m", ir.Modulate(thresholds, 2), ("input",)),
        ir.Entry("a", ir.Lut(3, np.array([[0], [1], [2]]), np.eye(3, 2, dtype=bool)), ("m",)),
        ir.Entry("x", ir.Xnor(np.eye(2, 3, dtype=bool), np.array([[1], [2]])), ("a",)),
        ir.Entry("head", ir.GroupSum(2, 2), ("x",))))


def with_node(net, name, node):
    return ir.Network(tuple(dataclasses.replace(entry, node=node) if entry.name == name else entry
                            for entry in net.entries), net.provenance, net.golden)


def test_it_is_the_digest_of_the_page(tmp_path):
    """docs/format.md a second time, in tests/stored.py."""
    net = network(3)
    x = features(net, 4, 0)
    net = ir.Network(net.entries, {"a": "ü"}, ir.Golden(x, net.evaluate(x).scores))
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    assert digests(*contents(path)) == {"digest": ir.digest(net),
                                        "record_digest": ir.record_digest(net)}


def test_two_trainings_of_one_network_are_one_network():
    net = subject()
    x = features(net, 4, 0)
    golden = ir.Golden(x, net.evaluate(x).scores)
    others = [ir.Network(net.entries, {"seed": 1}), ir.Network(net.entries, {"classes": ["a"]}),
              ir.Network(net.entries, {}, golden)]
    assert {ir.digest(other) for other in others} == {ir.digest(net)}
    assert len({ir.record_digest(other) for other in (net, *others)}) == 4


AFFINE = ir.Affine(1, 2, False, True, *(np.float32([1, 2, 3]) for _ in range(3)))
ANSWER = ir.Answer(np.float32([1, 2]), np.float32([3, 4]))


def surrounded(**changes):
    return dataclasses.replace(subject(), **{"preparation": AFFINE, "answer": ANSWER} | changes)


def test_the_digest_of_the_page_with_all_that_a_file_may_hold(tmp_path):
    net = surrounded(names=ir.Names((), ("a", "b", "ü"), ("x", "y")), provenance={"a": 1})
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    assert digests(*contents(path)) == {"digest": ir.digest(net),
                                        "record_digest": ir.record_digest(net)}


def test_what_is_before_and_after_the_nodes_counts():
    other = np.float32([1, 2, 4])
    others = [subject(), surrounded(answer=None), surrounded(preparation=None),
              surrounded(answer=ir.Answer(ANSWER.scale, ANSWER.offset)),
              surrounded(preparation=ir.Picture(1, 3, False, False, 3)),
              surrounded(preparation=ir.Picture(1, 3, False, True, 3)),
              surrounded(preparation=ir.Picture(3, 1, False, False, 3)),
              surrounded(preparation=ir.Picture(1, 1, True, False, 3)),
              surrounded(preparation=ir.Picture(1, 3, False, False, 2)),
              *(surrounded(preparation=dataclasses.replace(AFFINE, **{name: other}))
                for name in ("offset", "scale", "fill")),
              surrounded(preparation=dataclasses.replace(AFFINE, bits=1))]
    assert len({ir.digest(net) for net in (surrounded(), *others)}) == 1 + len(others)
    assert len({ir.record_digest(net) for net in (surrounded(), *others)}) == 1


def test_names_are_for_people():
    named = [dataclasses.replace(subject(), names=ir.Names(names))
             for names in ((), ("a", "b"), ("b", "a"))]
    named += [surrounded(names=ir.Names((), ("a", "b", "c"))),
              surrounded(names=ir.Names((), (), ("a", "b")))]
    assert len({ir.digest(net) for net in named}) == 2
    assert len({ir.record_digest(net) for net in named}) == 5


def test_every_part_of_a_node_counts():
    net = subject()
    modulate, lut, xnor = (net.entry(name).node for name in "max")
    others = [
        with_node(net, "m", ir.Modulate(modulate.thresholds, 3)),
        with_node(net, "m", ir.Modulate(modulate.thresholds - 1, 2)),
        with_node(net, "a", dataclasses.replace(lut, tables=~lut.tables)),
        with_node(net, "a", dataclasses.replace(lut, sources=lut.sources[::-1])),
        with_node(net, "x", dataclasses.replace(xnor, weights=~xnor.weights)),
        ir.Network((*net.entries[:1], dataclasses.replace(net.entries[1], name="b"),
                    dataclasses.replace(net.entries[2], inputs=("b",)), net.entries[3])),
        ir.Network((*net.entries[:2], dataclasses.replace(net.entries[2], inputs=("m",)),
                    net.entries[3])),
    ]
    assert len({ir.digest(other) for other in (net, *others)}) == 8


def test_every_part_of_a_window_counts():
    """All of the same widths; a border that is never seen is a part of it, too."""
    window = ir.Window(5, 5, 2, (3, 3), (2, 2), (1, 1, 1, 1))
    windows = [window, dataclasses.replace(window, border="one"),
               dataclasses.replace(window, border="reflect"),
               dataclasses.replace(window, padding=(2, 0, 1, 1)),
               dataclasses.replace(window, padding=(1, 1, 0, 2)),
               dataclasses.replace(window, dilation=(2, 1)),
               dataclasses.replace(window, dilation=(1, 2))]
    tables = tuple(ir.Lut(width, np.array([[0]]), np.array([[False, True]])) for width in (9, 18))
    nodes = [ir.Pool(one, function) for one in windows for function in ("or", "majority")]
    nodes += [ir.Convolution((tables[1],), one) for one in windows]
    nodes += [ir.Convolution((tables[0],) * 2, window, 2),
              ir.Join(5, 5, (1, 1)), ir.Join(1, 25, (1, 1)), ir.Join(5, 1, (3, 7)),
              ir.Join(5, 1, (7, 3)), ir.Join(5, 1, (3, 3, 4))]
    found = set()
    for node in nodes:
        pick = ir.Lut(node.out_width, np.array([[0], [1]]), np.array([[False, True]] * 2))
        found.add(ir.digest(ir.Network((
            ir.Entry("m", ir.Modulate(np.ones((1, 50, 1), int), 2), ("input",)),
            ir.Entry("n", node, ("m",)), ir.Entry("p", pick, ("n",)),
            ir.Entry("head", ir.GroupSum(2, 2), ("p",))))))
    assert len(found) == len(nodes) == 27
