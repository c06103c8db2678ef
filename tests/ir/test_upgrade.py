"""Files of format 1, as they were written when it was the format."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors

from bitwright import ir
from tests.networks import network
from tests.stored import contents, digests, rewrite, version_1, write

OLD = sorted((Path(__file__).parent / "format1").glob("*.safetensors"))


def claimed(path):
    with safetensors.safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["network"])["digest"]


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_a_file_of_format_1(path, tmp_path):
    header, tensors = contents(path)
    assert header["format"] == 1
    assert claimed(path) == digests(header, tensors)["digest"]
    net = ir.load(path)
    assert net.provenance == header["provenance"]
    assert (net.golden.features == tensors["GOLDEN.features"]).all()
    assert (net.golden.scores == tensors["GOLDEN.scores"]).all()
    assert (net.evaluate(net.golden.features).scores == net.golden.scores).all()
    new = tmp_path / "network.safetensors"
    ir.save(new, net)
    again, arrays = contents(new)
    assert again["format"] == 2
    # Nothing was lost on the way: it goes back to the very same file.
    back, old_tensors = version_1(again, arrays)
    assert digests(back, old_tensors)["digest"] == claimed(path)


@pytest.mark.parametrize(("name", "digest"), [
    ("digits", "74d1fc2022f91ec5"), ("mnist", "bc306c19f57ce22a"),
    ("mnist-icebreaker", "6686676f7a26d486"), ("convolution", "1ae6d0ff812c3b34"),
])
def test_the_identity_of_what_has_nothing_around_it_stays(name, digest):
    """As it was before there were preparations, answers and names."""
    assert ir.digest(ir.load(OLD[0].with_name(f"{name}.safetensors"))).startswith(digest)


def test_the_body_of_a_convolution():
    """The one part of a network that format 1 wrote another way."""
    node = ir.load(OLD[0].with_name("convolution.safetensors")).entry("c").node
    first, second = node.body
    assert first == ir.Lut(2, np.array([[0, 1]] * 3), np.array(
        [[0, 1, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]], bool))
    assert second == ir.Xnor(np.array([[1, 0, 1], [1, 1, 1]], bool), np.array([[2], [3]]))


@pytest.mark.parametrize("seed", range(20))
def test_random_networks(seed, tmp_path):
    net = network(seed)
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    header, tensors = version_1(*contents(path))
    write(path, header, tensors)
    assert ir.load(path).entries == net.entries


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "network.safetensors"
    path.write_bytes(OLD[0].with_name("convolution.safetensors").read_bytes())
    return path


def test_the_digest_of_format_1_is_checked(old):
    rewrite(old, lambda header, tensors: header.update(digest="0"))
    with pytest.raises(ir.ArtifactError,
                       match=r": digest must be [0-9a-f]{64}, not '0': the file was altered$"):
        ir.load(old)


@pytest.mark.parametrize(("change", "message"), [
    (lambda header, own, tensors: own.pop("nodes"),
     "node 'c': Body must be a list of nodes, not None"),
    (lambda header, own, tensors: own.update(nodes=1),
     "node 'c': Body must be a list of nodes, not None"),
    (lambda header, own, tensors: own.update(nodes=3),
     "node 'c': Body must be a list of nodes, not None"),
    (lambda header, own, tensors: own.update(nodes="2"),
     "node 'c': Body must be a list of nodes, not None"),
    (lambda header, own, tensors: own.update({"body1.kind": ["lut"]}),
     "node 'c': Body node 1 must be one of ['lut', 'xnor'], not ['lut']"),
    (lambda header, own, tensors: own.pop("body1.kind"),
     ("node 'c': Body node 1 must have the fields 'kind' and 'attributes', not {'attributes': "
      "{'width': 3}}")),
    (lambda header, own, tensors: own.pop("body0.fan_in"),
     "node 'c': Body node 0: field 'fan_in' is missing"),
    (lambda header, own, tensors: tensors.pop("c.body1.weights"),
     "node 'c': Body node 1: field 'weights' is missing"),
    (lambda header, own, tensors: tensors.update({"c.body1.thresholds": np.ones((2, 1))}),
     "tensor 'c.body1.thresholds' must be one of U8, I32, I64, F32, not F64"),
    (lambda header, own, tensors: header.update(nodes=5), "field 'nodes' must be a list, not 5"),
    (lambda header, own, tensors: header.update(nodes=[5, {"kind": "convolution"}]),
     "node 0 must be an object, not 5"),
    (lambda header, own, tensors: header.pop("nodes"), "field 'nodes' must be a list, not None"),
    (lambda header, own, tensors: header.pop("provenance"),
     "header: field 'provenance' is missing"),
])
def test_what_is_wrong_is_left_for_the_reader(old, change, message):
    rewrite(old, lambda header, tensors: change(header, header["nodes"][1]["attributes"], tensors))
    with pytest.raises(ir.ArtifactError) as error:
        ir.load(old)
    assert str(error.value) == f"{old}: {message}"
