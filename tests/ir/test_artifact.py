import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from bitwright import ir
from bitwright.errors import UserError
from bitwright.ir.fields import Array, BitArray, Size
from tests.networks import around, features, network
from tests.stored import contents, rewrite, write


@pytest.fixture
def saved(tmp_path):
    net = with_golden(network(1))
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    return path, net


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """By kind: a file with such a node, its place and its name."""
    path = tmp_path_factory.mktemp("kinds") / "network.safetensors"
    found = {}
    for kind, cls in ir.Node.kinds.items():
        net = around(cls.sample(np.random.default_rng(3)))
        ir.save(path, net)
        (place,) = (index for index, entry in enumerate(net.entries) if entry.name == "node")
        found[kind] = path.read_bytes(), place, "node"
    return found


@pytest.fixture
def every_kind(kinds, tmp_path):
    return tmp_path / "network.safetensors", kinds


def with_golden(net):
    x = features(net, 5, 0)
    return ir.Network(net.entries, {"recipe": {"name": "test"}},
                      ir.Golden(x, net.evaluate(x).scores))


@pytest.mark.parametrize("seed", range(10))
def test_round_trip(seed, tmp_path):
    net = with_golden(network(seed))
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    ir.save(first, net)
    again = ir.load(first)
    ir.save(second, again)
    assert first.read_bytes() == second.read_bytes()
    assert again.entries == net.entries
    assert again.provenance == net.provenance
    assert (again.golden.scores == net.golden.scores).all()
    assert ir.digest(again) == ir.digest(net)


def test_equal_networks_give_equal_bytes_in_another_process(tmp_path):
    """Hash randomisation and map order must not reach the file."""
    code = ("import sys; from bitwright import ir; from pathlib import Path; "
            "from tests.networks import network; "
            "ir.save(Path(sys.argv[1]), network(4))")
    for name in ("a", "b"):
        subprocess.run([sys.executable, "-c", code, tmp_path / name], check=True,
                       cwd=Path(__file__).parents[2])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def refused(path, message):
    with pytest.raises(ir.ArtifactError, match=f"^{re.escape(str(path))}: {message}$"):
        ir.load(path)


def test_missing(tmp_path):
    refused(tmp_path / "none.safetensors", "no such file")


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncated(saved, keep):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, r"not a whole safetensors file \(.*\)")


def test_every_altered_byte_is_refused(saved):
    """No byte of the file can change unnoticed."""
    path, _ = saved
    content = path.read_bytes()
    for index in range(0, len(content), 7):
        path.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1:])
        with pytest.raises(ir.ArtifactError, match=f"^{re.escape(str(path))}: "):
            ir.load(path)


def test_other_version(saved):
    path, _ = saved
    for version in (99, 0, True, 2.0, "2", None):
        rewrite(path, lambda header, tensors, version=version: header.update(format=version))
        refused(path, rf"format must be 2, or one of the older \[1\], not {version!r}")


@pytest.mark.parametrize("name", ["digest", "record_digest"])
def test_wrong_digest(saved, name):
    path, _ = saved
    rewrite(path, lambda header, tensors: header.update({name: "0"}))
    refused(path, f"{name} must be [0-9a-f]{{64}}, not '0': the file was altered")
    rewrite(path, lambda header, tensors: header.update({name: None}))
    refused(path, f"{name} must be [0-9a-f]{{64}}, not None: the file was altered")


def change_header(**values):
    return lambda header, tensors: header.update(values)


def change_node(**values):
    return lambda header, tensors: header["nodes"][1].update(values)


@pytest.mark.parametrize(("change", "message"), [
    (change_header(nodes=5), "field 'nodes' must be a list, not 5"),
    (change_header(nodes={}), r"field 'nodes' must be a list, not {}"),
    (change_header(nodes=[5]), "node 0 must be an object, not 5"),
    (change_header(nodes=[]), "tensors of '.*' belong to no node"),
    (change_header(provenance=5), "field 'provenance' must be an object, not 5"),
    (change_header(provenance=[]), r"field 'provenance' must be an object, not \[\]"),
    (change_header(more=5), "header: field 'more' is unknown"),
    (lambda header, tensors: header.pop("nodes"), "header: field 'nodes' is missing"),
    (lambda header, tensors: header.pop("provenance"), "header: field 'provenance' is missing"),
    (lambda header, tensors: header["nodes"][1].pop("kind"), "node 1: field 'kind' is missing"),
    (change_node(more=1), "node 1: field 'more' is unknown"),
    (change_node(kind="conv"),
     r"node 'xnor0': kind must be one of \['convolution', .*\], not 'conv'"),
    (change_node(kind=["lut"]),
     r"node 'xnor0': kind must be one of \['convolution', .*\], not \['lut'\]"),
    (change_node(inputs={"modulate": 0}),
     r"node 'xnor0': inputs must be a list of names, not {'modulate': 0}"),
    (change_node(inputs="modulate"),
     "node 'xnor0': inputs must be a list of names, not 'modulate'"),
    (change_node(inputs=[0]), r"node 'xnor0': inputs must be a list of names, not \[0\]"),
    (change_node(attributes=[]), r"node 'xnor0': attributes must be an object, not \[\]"),
    (change_node(name=["a"]), r"Node name must match .* and not be 'input', not \['a'\]"),
    (change_node(name="modulate"), "Node name 'modulate' is taken twice"),
    (change_node(name="a.b"), r"Node name must match .* and not be 'input', not 'a\.b'"),
    (change_node(name="lone \ud800"), "metadata 'network': .* must be Unicode text, not .*"),
])
def test_malformed_header(saved, change, message):
    path, _ = saved
    rewrite(path, change)
    refused(path, message)


ATTRIBUTES = [
    ("width", "3", "Width must be an integer, not '3'"),
    ("width", 3.0, r"Width must be an integer, not 3\.0"),
    ("width", True, "Width must be an integer, not True"),
    ("width", None, "Width must be an integer, not None"),
    ("width", 0, "Width must be between 1 and 16777215, not 0"),
    ("width", 1 << 63, "Width must be between 1 and 16777215, not 9223372036854775808"),
    ("more", 1, "field 'more' is unknown"),
    ("bits", 17, "Bits must be between 1 and 16, not 17"),
    ("signed", [], r"Signed must be true or false, not \[\]"),
    ("signed", 1, "Signed must be true or false, not 1"),
    ("fan_in", 10**12, "Fan-in must be between 1 and 8, not 1000000000000"),
    ("classes", 10.0, r"Classes must be an integer, not 10\.0"),
    ("classes", 0, "Classes must be between 1 and 16777215, not 0"),
    ("scale", 1.5, r"Scale must be an integer, not 1\.5"),
    ("scale", 32769, "Scale must be between 1 and 32768, not 32769"),
    ("height", 1 << 24, "Height must be between 1 and 16777215, not 16777216"),
    ("stride_down", 0, "Stride-down must be between 1 and 16777215, not 0"),
]


def attributes_of_every_kind():
    for kind, cls in sorted(ir.Node.kinds.items()):
        fields = {field.name for field in cls.fields if not isinstance(field, Size)} | {"more"}
        yield from ((kind, *row) for row in ATTRIBUTES if row[0] in fields)


@pytest.mark.parametrize(("kind", "field", "value", "message"), list(attributes_of_every_kind()))
def test_attribute(kind, field, value, message, every_kind):
    path, places = every_kind
    file, index, name = places[kind]
    path.write_bytes(file)
    rewrite(path, lambda header, tensors: header["nodes"][index]["attributes"].update(
        {field: value}))
    refused(path, f"node '{name}': {message}")


def tensors_of_every_kind():
    for kind, cls in sorted(ir.Node.kinds.items()):
        for field in cls.fields:
            if isinstance(field, Array | BitArray):
                yield kind, field


@pytest.mark.parametrize(("kind", "field"), list(tensors_of_every_kind()),
                         ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int64", "bool", "uint8",
                                   "int32", "uint32"])
def test_type_of_a_tensor(kind, field, dtype, every_kind):
    """A tensor of any other type than the one on file is refused, whatever it holds."""
    path, places = every_kind
    file, _, name = places[kind]
    path.write_bytes(file)
    right = "uint8" if isinstance(field, BitArray) else "int32"

    def change(header, tensors):
        key = f"{name}.{field.name}"
        tensors[key] = tensors[key].astype(dtype)

    rewrite(path, change)
    if dtype == right:
        ir.load(path)
        return
    stored = {"float64": "F64", "int16": "I16", "bool": "BOOL",
              "uint32": "U32"}.get(dtype)
    refused(path, f"tensor '{name}.{field.name}' must be one of U8, I32, I64, F32, not {stored}"
            if stored else f"node '{name}': {field.name.capitalize()} must hold {right} on file, "
                           f"not {dtype}")


@pytest.mark.parametrize(("kind", "field"), list(tensors_of_every_kind()),
                         ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("change", [
    lambda value: value[None], lambda value: value[..., None], lambda value: value[:0],
    lambda value: value[..., :0], lambda value: np.concatenate([value, value], axis=-1),
    lambda value: value.reshape(-1)[:1], lambda value: value[0, ...],
], ids=range(7))
def test_shape_of_a_tensor(kind, field, change, every_kind):
    path, places = every_kind
    file, _, name = places[kind]
    path.write_bytes(file)
    key = f"{name}.{field.name}"
    rewrite(path, lambda header, tensors: tensors.update({key: np.ascontiguousarray(
        change(tensors[key]))}))
    refused(path, r"node '.*': .*|Node '.*' reads \d+ bits, but its inputs .* drive \d+")


@pytest.mark.parametrize(("kind", "field"), list(tensors_of_every_kind()),
                         ids=lambda value: getattr(value, "name", value))
def test_missing_and_unknown_tensors(kind, field, every_kind):
    path, places = every_kind
    file, _, name = places[kind]
    path.write_bytes(file)
    rewrite(path, lambda header, tensors: tensors.pop(f"{name}.{field.name}"))
    refused(path, f"node '{name}': field '{field.name}' is missing")
    path.write_bytes(file)
    rewrite(path, lambda header, tensors: tensors.update(
        {f"{name}.more": np.zeros(1, np.int32)}))
    refused(path, f"node '{name}': field 'more' is unknown")


@pytest.mark.parametrize("kind", sorted(ir.Node.kinds))
def test_range_of_a_tensor(kind, every_kind):
    path, places = every_kind
    file, _, name = places[kind]
    for field in (known for known in ir.Node.kinds[kind].fields if isinstance(known, Array)):
        for value in (-2**31, 2**31 - 1):
            path.write_bytes(file)

            def change(header, tensors, key=f"{name}.{field.name}", value=value):
                tensors[key].flat[-1] = value

            rewrite(path, change)
            low, high = r"-?\d+", r"-?\d+"
            refused(path, f"node '{name}': {field.name.capitalize()} must be between {low} and "
                          f"{high}, not between (-2147483648 and {high}|{low} and 2147483647)")


def test_tensors_of_nobody(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: tensors.update({"other.x": np.zeros(1, np.int32)}))
    refused(path, "tensors of 'other' belong to no node")


@pytest.mark.parametrize(("key", "value", "message"), [
    ("features", np.zeros((5, 1), np.float64),
     "tensor 'GOLDEN.features' must be one of U8, I32, I64, F32, not F64"),
    ("features", np.zeros((5, 1), np.float32),
     "Golden vectors: Features must hold int32 on file, not float32"),
    ("features", np.zeros((5, 3), np.int64),
     "Golden vectors: Features must hold int32 on file, not int64"),
    ("scores", np.zeros((5, 3), np.int32),
     "Golden vectors: Scores must hold int64 on file, not int32"),
    ("scores", np.zeros((4, 3), np.int64),
     r"Golden vectors: Scores must have shape \(5, classes\), not \(4, 3\)"),
    ("scores", None, "Golden vectors: field 'scores' is missing"),
    ("features", None, "Golden vectors: field 'features' is missing"),
    ("more", np.zeros(1, np.int32), "Golden vectors: field 'more' is unknown"),
])
def test_malformed_golden_vectors(saved, key, value, message):
    path, _ = saved

    def change(header, tensors):
        tensors[f"GOLDEN.{key}"] = value
        if value is None:
            del tensors[f"GOLDEN.{key}"]

    rewrite(path, change)
    refused(path, message)


@pytest.mark.parametrize(("token", "message"), [
    ("NaN", r"header\['provenance'\]\['x'\] must be a finite number, not nan"),
    ("-Infinity", r"header\['provenance'\]\['x'\] must be a finite number, not -inf"),
    ("1e999", r"header\['provenance'\]\['x'\] must be a finite number, not inf"),
    ("1" * 5000, "an integer must have 64 bits, not 5000 digits"),
    (str(2**64), r"header\['provenance'\]\['x'\] must be an integer of 64 bits, not of 65"),
    ('"\\ud800"', r"header\['provenance'\]\['x'\] must be Unicode text, not '\\ud800'"),
    ('{"\\ud800": 1}', r"header\['provenance'\]\['x'\] must have keys of Unicode text, not .*"),
    ('{"a": 1, "a": 2}', "key 'a' occurs twice"),
    ("[" * 64 + "]" * 64, "lists and objects must lie at most 64 deep"),
    ("[" * 100_000 + "]" * 100_000, "lists and objects must lie at most 64 deep"),
    ("{", r"not JSON \(.*\)"),
])
def test_odd_json(saved, token, message):
    path, _ = saved
    header, tensors = contents(path)
    header["provenance"] = {"x": "HERE"}
    write(path, header, tensors, edit=lambda text: text.replace('"HERE"', token))
    refused(path, f"metadata 'network': {message}")


def test_the_largest_numbers_of_the_provenance(saved):
    path, net = saved
    provenance = {"x": [2**64 - 1, -2**63, 1.7e308, None, True, {"ü": "\U0001d518"}]}
    ir.save(path, ir.Network(net.entries, provenance))
    assert ir.load(path).provenance == provenance


@pytest.mark.parametrize(("value", "message"), [
    (float("nan"), r"provenance\['x'\] must be a finite number, not nan"),
    (2**64, r"provenance\['x'\] must be an integer of 64 bits, not of 65"),
    ({1: 2}, r"provenance\['x'\] must have keys of Unicode text, not 1"),
    (np.int64(1), r"provenance\['x'\] must be a JSON value, not np\.int64\(1\)"),
    ([Path("a")], r"provenance\['x'\]\[0\] must be a JSON value, not PosixPath\('a'\)"),
])
def test_provenance_that_is_no_json_is_not_saved(tmp_path, value, message):
    net = ir.Network(network(1).entries, {"x": value})
    with pytest.raises(ValueError, match=f"^{message}$"):
        ir.save(tmp_path / "network.safetensors", net)
    assert list(tmp_path.iterdir()) == []


def test_text_for_a_path(saved):
    path, net = saved
    assert ir.load(str(path)).entries == net.entries
    ir.save(str(path), net)
    with pytest.raises(ir.ArtifactError, match=r"^none: no such file$"):
        ir.load("none")


def test_an_artifact_error_is_a_user_error(tmp_path):
    with pytest.raises(UserError):
        ir.load(tmp_path)


def test_too_large_a_file(saved, monkeypatch):
    path, _ = saved
    monkeypatch.setattr("bitwright.ir.artifact.MAX_BYTES", 100)
    refused(path, rf"must have at most 100 bytes, not {path.stat().st_size}")


def test_too_large_a_tensor(saved, monkeypatch):
    path, _ = saved
    monkeypatch.setattr("bitwright.ir.artifact.MAX_ELEMENTS", 2)
    refused(path, r"tensor '.*' must have at most 2 elements, not \d+")


def test_bits_are_counted_before_they_are_unpacked(tmp_path, monkeypatch):
    """Two bytes of the file are ten bits, more than the eight numbers that are allowed."""
    path = tmp_path / "network.safetensors"
    head = ir.Scores(np.ones((2, 5), bool), 1, np.zeros(2, int))
    ir.save(path, ir.Network((ir.Entry("m", ir.Modulate(np.ones((1, 5, 1), int), 1), ("input",)),
                              ir.Entry("head", head, ("m",)))))
    monkeypatch.setattr("bitwright.ir.fields.MAX_ELEMENTS", 8)
    monkeypatch.setattr("bitwright.ir.fields.unpack_rows", lambda packed, columns: 1 / 0)
    refused(path, "node 'head': Weights must have at most 8 elements, not 10")


def test_more_metadata(saved):
    path, _ = saved
    write(path, *contents(path), metadata={"more": "x"})
    refused(path, r"metadata must have the key 'network' and no other, not \['more', 'network'\]")


@pytest.mark.parametrize("nodes", [2000, 4000])
def test_loading_takes_a_time_that_grows_with_the_nodes(nodes, tmp_path):
    """2,000 nodes took 4.6 s and 4,000 24 s when every node looked through every tensor."""
    lut = ir.Lut(4, np.zeros((4, 2), np.int32), np.zeros((4, 4), bool))
    entries = [network(1).entries[0]]
    width = entries[0].node.out_width
    first = ir.Lut(width, np.zeros((4, 1), np.int32), np.zeros((4, 2), bool))
    entries.append(ir.Entry("n0", first, (entries[0].name,)))
    entries += [ir.Entry(f"n{index}", lut, (f"n{index - 1}",)) for index in range(1, nodes)]
    entries.append(ir.Entry("head", ir.GroupSum(4, 2), (f"n{nodes - 1}",)))
    path = tmp_path / "network.safetensors"
    ir.save(path, ir.Network(tuple(entries)))
    start = time.process_time()
    ir.load(path)
    assert time.process_time() - start < nodes / 1000


@pytest.fixture
def convolution(tmp_path):
    """File of a network with a convolution called `c`, of a body of tables and neurons."""
    body = (ir.Lut(2, np.array([[0, 1]] * 3, np.int32), np.array([[0, 1, 1, 0]] * 3, bool)),
            ir.Xnor(np.ones((1, 3), bool), np.array([[2]], np.int32)))
    net = ir.Network((
        ir.Entry("m", ir.Modulate(np.ones((1, 4, 1), np.int32), 1), ("input",)),
        ir.Entry("c", ir.Convolution(body, ir.Window(2, 2, 1, (1, 2))), ("m",)),
        ir.Entry("head", ir.GroupSum(2, 2), ("c",))))
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    assert ir.load(path).entries == net.entries
    return path


@pytest.mark.parametrize(("change", "message"), [
    (lambda own, tensors: own.pop("stride_down"), "field 'stride_down' is missing"),
    (lambda own, tensors: own.pop("body"), "Body must be a list of nodes, not None"),
    (lambda own, tensors: own.update(body=2), "Body must be a list of nodes, not 2"),
    (lambda own, tensors: own.update(body=[]), "Body must have 1 to 65535 nodes, not 0"),
    (lambda own, tensors: own["body"].extend(65534 * [own["body"][0]]),
     "Body must have 1 to 65535 nodes, not 65536"),
    (lambda own, tensors: own.update(padding_top=0),
     "field 'padding_top' must be left out where it is 0"),
    (lambda own, tensors: own.update(border="zero"),
     "field 'border' must be left out where it is 'zero'"),
    (lambda own, tensors: own.update(groups=1), "field 'groups' must be left out where it is 1"),
    (lambda own, tensors: own.update(groups=True), "Groups must be an integer, not True"),
    (lambda own, tensors: own.update(padding_left=-1),
     "Padding-left must be between 0 and 16777215, not -1"),
    (lambda own, tensors: own.update(dilation_down=0),
     "Dilation-down must be between 1 and 16777215, not 0"),
    (lambda own, tensors: own.update(border=["one"]),
     r"Border must be one of \('zero', 'one', 'replicate', 'reflect'\), not \['one'\]"),
    (lambda own, tensors: own.update(groups=2),
     "Groups must divide the 1 channels of a pixel, not be 2"),
    (lambda own, tensors: own.update(padding_top=1 << 23),
     "Image with its padding must have at most 16777215 bits, not 16777220"),
    (lambda own, tensors: own["body"].append(5),
     "Body node 2 must have the fields 'kind' and 'attributes', not 5"),
    (lambda own, tensors: own["body"][1].pop("kind"),
     r"Body node 1 must have the fields 'kind' and 'attributes', not {.*}"),
    (lambda own, tensors: own["body"][1].update(more=1),
     r"Body node 1 must have the fields 'kind' and 'attributes', not {.*}"),
    (lambda own, tensors: own["body"][0]["attributes"].pop("fan_in"),
     "Body node 0: field 'fan_in' is missing"),
    (lambda own, tensors: own["body"][0].update(attributes=[]),
     r"Body node 0: attributes must be an object, not \[\]"),
    (lambda own, tensors: tensors.pop("c.body.1.weights"),
     "Body node 1: field 'weights' is missing"),
    (lambda own, tensors: tensors.update({"c.body.2.weights": np.ones((1, 1), np.uint8)}),
     r"field 'body\.2\.weights' is unknown"),
    (lambda own, tensors: tensors.update({"c.body.01.weights": np.ones((1, 1), np.uint8)}),
     r"field 'body\.01\.weights' is unknown"),
    (lambda own, tensors: own["body"][1].update(kind="scores"),
     r"Body node 1 must be one of \['lut', 'xnor'\], not 'scores'"),
    (lambda own, tensors: own["body"][1].update(kind=["xnor"]),
     r"Body node 1 must be one of \['lut', 'xnor'\], not \['xnor'\]"),
    (lambda own, tensors: own.update(kernel_width=3),
     "Kernel must fit an image of 2 by 2 pixels, not have 1 by 3"),
    (lambda own, tensors: own.update(kernel_height=2),
     "Body node 0 reads 2 bits, but the window shows 4"),
    (lambda own, tensors: tensors.update(
        {"c.body.1.thresholds": np.array([[5]], np.int32)}),
     "Body node 1: Thresholds must be between 0 and 4, not between 5 and 5"),
    (lambda own, tensors: own["body"][1]["attributes"].update(width="3"),
     "Body node 1: Width must be an integer, not '3'"),
    (lambda own, tensors: own.update(width=1 << 20, height=1 << 20),
     "Node must read at most 16777215 values, not 1099511627776"),
])
def test_malformed_convolution(convolution, change, message):
    rewrite(convolution, lambda header, tensors: change(header["nodes"][1]["attributes"], tensors))
    refused(convolution, f"node 'c': {message}")


@pytest.mark.parametrize(("node", "change", "message"), [
    (ir.Pool(ir.Window(2, 2, 1, (1, 2)), "or"), {"function": "max"},
     r"Function must be one of \('or', 'and', 'majority'\), not 'max'"),
    (ir.Pool(ir.Window(2, 2, 1, (1, 2)), "or"), {"more": 1}, "field 'more' is unknown"),
    (ir.Join(2, 1, (1, 1)), {"channels": 2}, "Channels must be a list of integers, not 2"),
    (ir.Join(2, 1, (1, 1)), {"channels": [1, "1"]},
     r"Channels must be a tuple of integers, not \(1, '1'\)"),
    (ir.Join(2, 1, (1, 1)), {"channels": [2]}, "Channels must be 2 to 255 numbers, not 1"),
])
def test_malformed_pool_or_join(node, change, message, tmp_path):
    path = tmp_path / "network.safetensors"
    ir.save(path, ir.Network((
        ir.Entry("m", ir.Modulate(np.ones((1, 4, 1), np.int32), 1), ("input",)),
        ir.Entry("n", node, ("m",)),
        ir.Entry("head", ir.GroupSum(node.out_width, 2), ("n",)))))
    rewrite(path, lambda header, tensors: header["nodes"][1]["attributes"].update(change))
    refused(path, f"node 'n': {message}")


def test_what_is_as_ever_is_not_in_the_file():
    """Files that were written before there were borders and groups are those of today."""
    body = (ir.Lut(1, np.zeros((1, 1), int), np.zeros((1, 2), bool)),)
    plain = ir.Convolution(body, ir.Window(2, 3, 1, (1, 1)))
    assert set(plain.parts()[0]) == {"height", "width", "channels", "kernel_height", "kernel_width",
                                     "stride_down", "stride_across", "body"}
    window = ir.Window(2, 3, 2, (1, 1), (1, 1), (0, 1, 0, 0), "one", (1, 2))
    more = ir.Convolution(body * 2, window, 2).parts()[0]
    assert {name: more[name] for name in set(more) - set(plain.parts()[0])} == {
        "padding_bottom": 1, "border": "one", "dilation_across": 2, "groups": 2}


def test_wrong_graph(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: header["nodes"][-1].update(inputs=["nothing"]))
    refused(path, "Node 'head' reads 'nothing', which is no earlier node")


def test_not_ours(tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(safetensors.numpy.save({"x": np.zeros(3, np.int32)}))
    refused(path, r"metadata must have the key 'network' and no other, not \[\]")
    path.write_bytes(safetensors.numpy.save({"x": np.zeros(3, np.int32)}, {"network": "{"}))
    refused(path, r"metadata 'network': not JSON \(.*\)")
    path.write_bytes(safetensors.numpy.save({"x": np.zeros(3, np.int32)}, {"network": "[]"}))
    refused(path, "metadata 'network' has no field 'format'")


def test_full_disk_keeps_the_old_file(saved, tmp_path):
    """A limit on file size fails in `write`, as a full disk does."""
    path, _ = saved
    before = path.read_bytes()
    code = ("import resource, signal, sys; from bitwright import ir; from pathlib import Path; "
            "from tests.networks import network; "
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)); "
            "ir.save(Path(sys.argv[1]), network(2))")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True,
                          cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 1
    assert "OSError: [Errno 27] File too large" in done.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
