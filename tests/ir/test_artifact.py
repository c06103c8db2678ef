import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from bitwright import ir
from tests.networks import features, network


@pytest.fixture
def saved(tmp_path):
    net = with_golden(network(1))
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    return path, net


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


def rewrite(path, change, *, sign=True):
    """Write the file again with its header changed, digest corrected."""
    with safetensors.safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["network"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    header.pop("digest")
    change(header, tensors)
    header["digest"] = ir.artifact._digest(header, tensors) if sign else "0"
    path.write_bytes(safetensors.numpy.save(tensors, {"network": json.dumps(header)}))


def test_other_version(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: header.update(format=99))
    refused(path, "format must be 1, not 99")


def test_wrong_digest(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: None, sign=False)
    refused(path, "digest must be [0-9a-f]{64}, not 0: the file was altered")


def test_unknown_kind(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: header["nodes"][1].update(kind="conv"))
    refused(path, r"node '.*': kind must be one of \['convolution', .*\], not 'conv'")


def test_missing_tensor(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: tensors.pop("modulate.thresholds"))
    refused(path, "node 'modulate': field 'thresholds' is missing")


def test_missing_attribute(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: header["nodes"][0]["attributes"].pop("bits"))
    refused(path, "node 'modulate': field 'bits' is missing")


def test_source_out_of_range(tmp_path):
    path = tmp_path / "network.safetensors"
    net = next(net for net in map(network, range(20))
               if any(isinstance(entry.node, ir.Lut) for entry in net.entries))
    ir.save(path, net)
    name = next(e.name for e in net.entries if isinstance(e.node, ir.Lut))

    def change(header, tensors):
        tensors[f"{name}.sources"] = tensors[f"{name}.sources"] + np.int32(1000)

    rewrite(path, change)
    refused(path, rf"node '{name}': Sources must be between -1 and \d+, not between \d+ and \d+")


def test_wrong_type(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: header["nodes"][0]["attributes"].update(bits="8"))
    refused(path, "node 'modulate': .*")


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
    (lambda own, tensors: own.pop("body1.kind"), r"field 'body1\.kind' is missing"),
    (lambda own, tensors: own.pop("body0.fan_in"), r"field 'body0\.fan_in' is missing"),
    (lambda own, tensors: tensors.pop("c.body1.weights"), r"field 'body1\.weights' is missing"),
    (lambda own, tensors: own.update({"body1.kind": "scores"}),
     r"Body node 1 must be one of \['lut', 'xnor'\], not 'scores'"),
    (lambda own, tensors: own.update({"body1.kind": ["xnor"]}),
     r"Body node 1 must be one of \['lut', 'xnor'\], not \['xnor'\]"),
    (lambda own, tensors: own.update(nodes="2"), "Nodes must be an integer, not '2'"),
    (lambda own, tensors: own.update(nodes=0), "Body must have at least one node, not 0"),
    (lambda own, tensors: own.update(nodes=3), r"field 'body2\.kind' is missing"),
    (lambda own, tensors: own.update(kernel_width=3),
     "Kernel must fit an image of 2 by 2 pixels, not have 1 by 3"),
    (lambda own, tensors: own.update(kernel_height=2),
     "Body node 0 reads 2 bits, but the window shows 4"),
    (lambda own, tensors: tensors.update(
        {"c.body1.thresholds": np.array([[5]], np.int32)}),
     "Body node 1: Thresholds must be between 0 and 4, not between 5 and 5"),
    (lambda own, tensors: own.update({"body1.width": "3"}), "Body node 1: .*"),
])
def test_malformed_convolution(convolution, change, message):
    rewrite(convolution, lambda header, tensors: change(header["nodes"][1]["attributes"], tensors))
    refused(convolution, f"node 'c': {message}")


def test_wrong_graph(saved):
    path, _ = saved
    rewrite(path, lambda header, tensors: header["nodes"][-1].update(inputs=["nothing"]))
    refused(path, "Node 'head' reads 'nothing', which is no earlier node")


def test_not_ours(tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(safetensors.numpy.save({"x": np.zeros(3)}))
    refused(path, "metadata must have the key 'network'")
    path.write_bytes(safetensors.numpy.save({"x": np.zeros(3)}, {"network": "{"}))
    refused(path, r"metadata 'network' is not JSON \(.*\)")
    path.write_bytes(safetensors.numpy.save({"x": np.zeros(3)}, {"network": "[]"}))
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
