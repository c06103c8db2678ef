"""Ours and other packages side by side: the same network, batch and data in one run.

Steps of training on one core: two layers of tables with random wiring, group sums, Adam, against
torchlogix and difflogic. Then images a second of compiled networks of gates with two inputs, whose
scores must be equal. With ``--device cuda`` steps on a GPU, also against the CUDA kernels of
difflogic and of DWN. The packages are looked for in a folder, and patched only where they do not
import there.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import io
import itertools
import statistics
import sys
import time
import types
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bench.evaluator import compiled
from bench.lookups import clock
from bitwright import ir
from bitwright.command import guarded, natural, positive
from bitwright.errors import UserError
from bitwright.model.heads import GroupSumHead
from bitwright.model.layers import LutLayer
from bitwright.model.training.device import choose
from bitwright.model.wiring import Geometry

__all__ = ["images_a_second", "main", "same_network", "steps"]

CLASSES, TEMPERATURE = 10, 10.0
INSTALL = {
    "torchlogix": "pip install --no-deps --target {0} torchlogix",
    "difflogic": "git clone https://github.com/Felix-Petersen/difflogic {0}/repository && "
                 "ln -s repository/difflogic {0}/difflogic",
    "torch_dwn": "git clone https://github.com/alanbacellar/DWN {0}/dwn && "
                 "mkdir {0}/dwn/src/torch_dwn/custom_operators/cpp && "
                 "pip install --no-deps --no-build-isolation --target {0} {0}/dwn",
}
"""How to get each package; none brings another torch with it."""

ON_CPU = ("torchlogix", "difflogic")
"""Those that run without a GPU, too."""

KERNELS = "difflogic_cuda"
"""Module of difflogic's kernels: ``pip install --no-deps --no-build-isolation --target DIR
DIR/repository`` makes it, once its ``.cu`` file asks ``x.is_cuda()`` for ``x.type().is_cuda()`` and
``x.scalar_type()`` for ``x.type()``, which today's torch knows no more."""


def module(name, folder):
    """A module of one of the packages.

    torchlogix: what its ``__init__`` imports wants Python 3.12, so that is passed by on older ones.
    difflogic: its kernels for CUDA are imported wherever it runs, so that there is an empty module.

    Raises
    ------
    UserError
        If the package is not in the folder. Says how to get it.
    """
    package = name.partition(".")[0]
    if not (folder / package).is_dir():
        raise UserError(f"{package} is not in {folder}; get it by "
                        f"`{INSTALL[package].format(folder)}`")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    if package == "torchlogix" and sys.version_info < (3, 12) and package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(folder / package)]
    if KERNELS not in sys.modules and importlib.util.find_spec(KERNELS) is None:
        sys.modules[KERNELS] = types.ModuleType(KERNELS)
    return importlib.import_module(name)


class Ours(nn.Module):
    """Layers of this project; samples are columns."""

    def __init__(self, widths, fan_in, kernels=False):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        geometry, self.layers = Geometry.line(widths[0]), nn.ModuleList()
        for width in widths[1:]:
            settings = LutLayer.Settings(width=width, fan_in=fan_in, wiring="random")
            self.layers.append(LutLayer(geometry, settings, generator=generator))
            self.layers[-1].kernels = kernels
            geometry = self.layers[-1].geometry
        self.head = GroupSumHead(widths[-1], CLASSES, temperature=TEMPERATURE)

    def forward(self, x):
        x = x.T
        for layer in self.layers:
            x = layer(x)
        return self.head(x) / TEMPERATURE

    def constrain(self):
        for layer in self.layers:
            layer.constrain()


def _torchlogix(widths, fan_in, parametrisation, folder, device="cpu"):
    layers = module("torchlogix.layers", folder)
    dense = [layers.LogicDense(before, after, lut_rank=fan_in, parametrization=parametrisation,
                               device=device)
             for before, after in itertools.pairwise(widths)]
    return nn.Sequential(*dense, layers.GroupSum(CLASSES, tau=TEMPERATURE))


def _difflogic(widths, folder, device="cpu"):
    theirs = module("difflogic.difflogic", folder)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints the types of its wiring
        layers = [theirs.LogicLayer(before, after, device=device)
                  for before, after in itertools.pairwise(widths)]
    return nn.Sequential(*layers, theirs.GroupSum(CLASSES, tau=TEMPERATURE, device=device))


def _dwn(widths, fan_in, folder):
    theirs = module("torch_dwn", folder)
    layers = [theirs.LUTLayer(before, after, n=fan_in, mapping="random")
              for before, after in itertools.pairwise(widths)]
    return nn.Sequential(*layers, theirs.GroupSum(CLASSES, tau=TEMPERATURE))


def models(fan_in, args):
    """Networks of one shape, by the name of what makes them; ours is the first."""
    widths, peers, device = args.widths, args.peers, args.device
    on_gpu = device != "cpu"
    made = {"ours": Ours(widths, fan_in)}
    if on_gpu:
        made["ours, --triton"] = Ours(widths, fan_in, kernels=True)
    for parametrisation in (("raw",) if fan_in == 2 else ()) + ("warp", "light"):
        made[f"torchlogix, {parametrisation}"] = _torchlogix(widths, fan_in, parametrisation,
                                                             peers, device)
    if fan_in == 2:
        made["difflogic" + ", CUDA" * on_gpu] = _difflogic(widths, peers, device)
    if on_gpu:
        made["DWN, CUDA"] = _dwn(widths, fan_in, peers)
    return {name: model.to(device) for name, model in made.items()}


def steps(models, x, labels, rounds, count):
    """Milliseconds of a step of each model: the median of rounds, in which all take turns.

    Of the processor; on a GPU, of the clock, until all that was asked of it is done.
    """
    optimizers = {name: torch.optim.Adam(model.parameters(), 0.01)
                  for name, model in models.items()}
    times = {name: [] for name in models}
    timer = clock(x.device)
    for turn in range(rounds + 1):
        for name, model in models.items():
            start = timer()
            for _ in range(count if turn else 1):  # the first round compiles what is compiled
                with contextlib.redirect_stdout(io.StringIO()):
                    loss = nn.functional.cross_entropy(model(x), labels)
                optimizers[name].zero_grad()
                loss.backward()
                optimizers[name].step()
                if isinstance(model, Ours):
                    model.constrain()
            times[name].append((timer() - start) * 1e3 / count)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def same_network(model):
    """A network of difflogic as a frozen one: features of one bit, and the gates as tables.

    Gate ``i`` of two inputs has the outputs of 00, 01, 10 and 11 as the bits of ``i``, the highest
    first; slot 0 is the lower bit of an address here.
    """
    entries = [ir.Entry("modulate", ir.Modulate(np.ones((1, model[0].in_dim, 1), np.int32), 1),
                        ("input",))]
    for index, layer in enumerate(model[:-1]):
        gates = layer.weights.argmax(1).numpy()
        tables = np.stack([gates >> shift & 1 for shift in (3, 1, 2, 0)], axis=1).astype(bool)
        sources = np.stack([slot.numpy() for slot in layer.indices], axis=1).astype(np.int32)
        entries.append(ir.Entry(f"lut{index}", ir.Lut(layer.in_dim, sources, tables),
                                (entries[-1].name,)))
    width = model[-2].out_dim
    return ir.Network((*entries, ir.Entry("head", ir.GroupSum(width, CLASSES),
                                          (entries[-1].name,))))


def images_a_second(evaluate, x, rounds):
    """Of several runs, the median; and what they answer."""
    times, found = [], None
    for _ in range(rounds):
        start = time.process_time()
        found = evaluate(x)
        times.append(time.process_time() - start)
    return len(x) / statistics.median(times), np.asarray(found)


def _training(args):
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(2, size=(args.batch, args.widths[0]))).float()
    labels = torch.from_numpy(rng.integers(CLASSES, size=args.batch))
    print("| inputs of a node | implementation | ms a step | as fast as ours |\n|---|---|---|---|")
    for fan_in in args.fan_in:
        times = steps(models(fan_in, args), x.to(args.device), labels.to(args.device), args.rounds,
                      args.steps)
        for name, milliseconds in times.items():
            print(f"| {fan_in} | {name} | {milliseconds:.2f} | 1/"
                  f"{milliseconds / times['ours']:.1f} |", flush=True)


def _compiled(args):
    theirs = module("difflogic.compiled_model", args.peers)
    model = _difflogic(args.widths, args.peers)
    x = np.random.default_rng(1).integers(2, size=(args.images, args.widths[0])).astype(bool)
    network = same_network(model)
    evaluator, made = compiled(network)
    ours, expected = images_a_second(lambda x: evaluator.evaluate(x).scores, x.view(np.uint8),
                                     args.rounds)
    print("\n| compiled network | made in, s | images/s | as fast as ours |\n|---|---|---|---|\n"
          f"| ours | {made:.1f} | {ours:,.0f} | 1 |")
    for level in (1, 3):
        net = theirs.CompiledLogicNet(model, num_bits=64, cpu_compiler="gcc")
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            net.compile(opt_level=level)
        made = time.perf_counter() - start
        rate, found = images_a_second(net, x, args.rounds)
        if (found != expected).any():
            raise UserError("The two compiled networks must have equal scores, but differ")
        print(f"| difflogic, -O{level} | {made:.1f} | {rate:,.0f} | 1/{ours / rate:.1f} |",
              flush=True)


def main(argv=None):
    """Run the bench. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.side_by_side", description=__doc__)
    parser.add_argument("--peers", metavar="DIR", type=Path, default=Path("build/peers"),
                        help="folder of the packages (default: build/peers)")
    parser.add_argument("--widths", metavar="N", type=positive, nargs="+",
                        default=[1570, 2000, 1000],
                        help="input bits, and nodes of each layer (default: 1570 2000 1000)")
    parser.add_argument("--fan-in", metavar="K", type=positive, nargs="+", default=[2, 4, 6],
                        help="inputs of a node (default: 2 4 6)")
    parser.add_argument("--batch", metavar="N", type=positive, default=128)
    parser.add_argument("--steps", metavar="N", type=positive, default=5,
                        help="of a turn (default: 5)")
    parser.add_argument("--rounds", metavar="N", type=positive, default=3)
    parser.add_argument("--images", metavar="N", type=positive, default=64_000,
                        help="that compiled networks run (default: 64000)")
    parser.add_argument("--device", metavar="NAME", default="cpu",
                        help="cpu or cuda (default: cpu)")
    parser.add_argument("--seed", metavar="N", type=natural, default=0)
    args = parser.parse_args(argv)

    def work():
        torch.set_num_threads(1)
        torch.manual_seed(args.seed)
        choose(args.device)
        for name in ON_CPU:
            module(f"{name}.functional", args.peers)
        _training(args)
        if args.device == "cpu":
            _compiled(args)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
