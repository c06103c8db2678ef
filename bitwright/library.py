"""The whole chain as functions, for a notebook or a program of one's own.

They are there as ``bitwright.train`` and so on; see docs/library.md. What they need is imported
when they are called: a missing package is a :class:`bitwright.extras.MissingError`, and whatever
else a user can put right a :class:`bitwright.errors.UserError` of one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from bitwright.extras import named, need

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.answers.predictions import Predictions
    from bitwright.data import DataSet
    from bitwright.form import Form
    from bitwright.hw.plan import Plan
    from bitwright.model.recipe import Recipe
    from bitwright.sim.verdict import Verdict

__all__ = ["build", "estimate", "evaluate", "load", "load_data", "measure", "predict", "save",
           "simulate", "train", "verilog"]

P = ParamSpec("P")
R = TypeVar("R")


def _names_missing(function: Callable[P, R]) -> Callable[P, R]:
    """Have a function say which extra brings a package that is missing."""
    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with named():
            return function(*args, **kwargs)

    return wrapper


@_names_missing
def load_data(name: str | Path, data_dir: Path | None = None, **source: Any) -> DataSet:
    """Load a data set.

    Parameters
    ----------
    name : str or Path
        Of a data set, or a file or folder of one's own, see :func:`bitwright.data.load`.
    data_dir : Path, optional
        Folder to look in first, for those data sets that are files.
    **source
        How a file of one's own is read: the fields of :class:`bitwright.data.Source`, such as
        ``label="state"``.

    Raises
    ------
    DataError
        If there is no such data set, or something in it is wrong. Names file, row and column.
    """
    from bitwright import data

    return data.load(str(name), data_dir, data.Source(**source) if source else None)


@_names_missing
def train(data: DataSet | str | Path | None = None, recipe: str | None = None, *,
          settings: Mapping[str, Any] | None = None) -> ir.Network:
    """Train a network and freeze it.

    Parameters
    ----------
    data : DataSet, str or Path, optional
        Left out: what the recipe names.
    recipe : str, optional
        Name of a recipe, or path of a ``.toml`` file. Left out: a first recipe for the data.
    settings : mapping, optional
        Settings of the recipe by dotted path, such as ``{"epochs": 20, "layers.0.width": 200}``.

    Returns
    -------
    ir.Network
        Of the best epoch. Its ``provenance`` has recipe, curve and figures.

    Raises
    ------
    RecipeError
        If a setting is wrong, or does not fit the data.
    DataError
        As of :func:`load_data`.
    """
    need("torch")
    import torch

    from bitwright.model.training.progress import Progress
    from bitwright.model.training.trainer import Trainer

    found = _recipe(data, recipe, settings or {})
    if data is None or isinstance(data, str | Path):
        data = load_data(found.data, **vars(found.source))
    trainer = Trainer.of(found, data)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the command: the fastest, and sums are rounded alike
    try:
        with Progress(trainer) as progress:
            while not trainer.finished:
                progress.epoch(trainer.run_epoch(progress.step))
        return trainer.freeze()
    finally:
        torch.set_num_threads(threads)


def _recipe(data: DataSet | str | Path | None, recipe: str | None,
            settings: Mapping[str, Any]) -> Recipe:
    """The recipe that is meant, for the data at hand."""
    from bitwright.model.proposal import propose
    from bitwright.model.recipe import Recipe, RecipeError, load_recipe, override
    from bitwright.model.settings import plain

    overrides = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
    if data is None:
        return load_recipe(recipe or "digits", overrides)
    if isinstance(data, str | Path):
        if recipe is not None:
            return load_recipe(recipe, [f"data={json.dumps(str(data))}", *overrides])
        data = load_data(data, **{key.removeprefix("source."): value
                                  for key, value in settings.items() if key.startswith("source.")})
    elif late := next((key for key in settings if key.startswith(("source.", "data"))), None):
        raise RecipeError(f"{late} must be given to load_data: the data set is made already")
    values = (propose(data, data.source) if recipe is None
              else load_recipe(recipe).plain() | {"data": data.name, "source": plain(data.source)})
    for text in overrides:
        override(values, text)
    return Recipe.of(values)


@_names_missing
def evaluate(network: ir.Network, data: DataSet) -> dict[str, Any]:
    """Run the test part of a data set through the golden evaluator.

    Returns
    -------
    dict
        Figures of :mod:`bitwright.model.figures`: ``accuracy``, ``balanced_accuracy`` and more of
        classes, ``rmse``, ``mae`` and more of numbers.

    Raises
    ------
    DataError
        If the data set does not fit the network.
    """
    from bitwright.model.figures import confusion, of_classes, of_numbers

    data.check_fits(network)
    found = network.evaluate(data.x_test)
    if network.answer is not None:
        return dict(of_numbers(data.y_test, network.answer.apply(found.scores)[:, 0]))
    return dict(of_classes(confusion(data.y_test, found.decision, network.classes)))


@_names_missing
def predict(network: ir.Network, file: str | Path, *, integers: bool = False) -> Predictions:
    """Say what a network answers to the samples of a file, to the bit as the hardware does.

    Parameters
    ----------
    file : str or Path
        A table, an array, a picture, or a folder or zip file of pictures: raw values where the
        network says how they become features.
    integers : bool
        Whether the file has features in place of raw values.

    Raises
    ------
    DataError
        If the file does not hold samples of the network. Names the row.
    """
    from bitwright import data
    from bitwright.answers.predictions import Predictions

    inputs = data.read_inputs(Path(file), network, integers=integers)
    scores = network.evaluate(inputs.features).scores
    return Predictions.of(network, scores, inputs.places, inputs.labels)


@_names_missing
def verilog(network: ir.Network, plan: Plan | None = None, *, module: str = "network",
            reset: str = "rst") -> str:
    """Write the network as Verilog, behind AXI4-Stream ports: the block that a build delivers.

    Parameters
    ----------
    plan : Plan, optional
    module : str
        Name of the top module.
    reset : str
        ``"rst"``, active high, beside ``clk``; or ``"aresetn"``, active low, beside ``aclk``.

    Raises
    ------
    NamingError
        If the name of the module does not do.
    ToolError
        If there is no Yosys, which writes the text.
    """
    need("amaranth")
    from bitwright.hw.contents import as_built
    from bitwright.hw.flow.verilog import to_verilog
    from bitwright.hw.naming import Naming
    from bitwright.hw.plan import Plan
    from bitwright.hw.rtl.axi import AxiIp

    plan, naming = plan or Plan(), Naming(module, reset)
    block = AxiIp(as_built(network, plan), plan)
    return to_verilog(block, naming, interface=block.interface(naming))


@_names_missing
def simulate(network: ir.Network, vectors: int = 200, *, file: str | Path | None = None,
             name: str = "network", **options: Any) -> Verdict:
    """Prove the hardware equal to the network.

    Parameters
    ----------
    vectors : int
        How many: of the test set that the network was trained on, else at random.
    file : str or Path, optional
        Take the samples of a file instead.
    name : str
        Of the folder for the files of this run.
    **options
        Fields of :class:`bitwright.sim.options.Options`, such as ``level="netlist"``.

    Returns
    -------
    Verdict
        It passed if its ``failure`` is None; ``summary`` is one line.
    """
    need("amaranth")
    from bitwright.hw.contents import as_built
    from bitwright.sim import vectors as source
    from bitwright.sim.options import Options
    from bitwright.sim.run import simulate

    settings = Options(frozen=network, **options)
    found = (source.choose(network, count=vectors, seed=settings.seed) if file is None
             else source.from_file(network, Path(file)))
    return simulate(as_built(network, settings.plan), found, settings, name)


@_names_missing
def build(network: ir.Network, board: str = "icebreaker", *, out: str | Path | None = None,
          name: str = "network", plan: Plan | None = None, **options: Any) -> dict[str, Any]:
    """Build a network for a board: Verilog, netlist, bitstream and report.

    Parameters
    ----------
    board : str
    out : str or Path, optional
        The build folder; left out, ``build/NAME-BOARD``.
    name : str
        Of the network in the report.
    plan : Plan, optional
    **options
        Fields of :class:`bitwright.hw.flow.options.Options`, such as ``stop_after="synth"``.

    Returns
    -------
    dict
        The report, as in ``report.json``.

    Raises
    ------
    UserError
        If a tool is missing, or the network does not fit.
    """
    need("amaranth", "amaranth_boards", "matplotlib")
    from bitwright import boards
    from bitwright.hw.flow import builder
    from bitwright.hw.flow.options import Options
    from bitwright.hw.plan import Plan

    target = boards.get(board)
    settings: dict[str, Any] = {"baud": target.baud, **options}
    folder = Path("build", f"{name}-{target.name}") if out is None else Path(out)
    report, _ = builder.build(name, network, Options(
        board=target, family=target.family, plan=plan or Plan(lut_size=target.family.lut_size),
        out=folder, **settings))
    return report


@_names_missing
def load(network: str | Path | None = None) -> ir.Network:
    """Read a frozen network: a file, a run, or one of the zoo; left out, the newest run.

    Raises
    ------
    LocateError, ArtifactError
        If there is none, or the file is damaged.
    """
    from bitwright import ir
    from bitwright.locate import locate

    return ir.load(locate(None if network is None else str(network)))


@_names_missing
def save(path: str | Path, network: ir.Network) -> None:
    """Write a frozen network. Equal networks give equal bytes."""
    from bitwright import ir

    ir.save(Path(path), network)


@_names_missing
def estimate(network: ir.Network, target: str = "icebreaker", rate: float | None = None,
             form: Form | None = None) -> dict[str, float]:
    """Say what a build would take and reach, without building.

    Parameters
    ----------
    target : str
        Family, board or part.
    rate : float, optional
        Samples a second: the estimate is of the smallest design of a device that takes so many.
    form : Form, optional
        How nodes are built, where no rate chooses it. Left out: as by a build without options.

    Returns
    -------
    dict
        ``luts``, and ``fmax_mhz`` where there is a device; with a rate ``per_second`` and
        ``fits``. How far off: docs/results.md.

    Raises
    ------
    UserError
        If there is no such target, or the network cannot be built so.
    """
    need("amaranth", "amaranth_boards")
    from bitwright.hw.flow.measure import expect

    return expect(network, target, rate, form)


@_names_missing
def measure(network: ir.Network, target: str = "icebreaker", rate: float | None = None, *,
            form: Form | None = None, out: str | Path) -> dict[str, float]:
    """Build for a target, and say what :func:`estimate` says of the real thing.

    Parameters
    ----------
    target : str
        Family (as far as synthesis), board or part.
    rate : float, optional
        Samples a second, by which the plan is chosen.
    form : Form, optional
        As of :func:`estimate`.
    out : str or Path
        The build folder.

    Returns
    -------
    dict
        ``luts``, and of a device ``fmax_mhz`` and ``per_second``.

    Raises
    ------
    UserError
        If it cannot be built.
    """
    need("amaranth", "amaranth_boards", "matplotlib")
    from bitwright.hw.flow.measure import measure

    return measure(network, target, rate, form=form, out=Path(out))


def option(target: str, rate: float | None = None) -> str | None:
    """The option of ``bitwright build`` that names a target, for a command that tells of one.

    None for a family that is built for boards and parts only.

    Raises
    ------
    UserError
        If there is no such target, or a rate without a device.
    """
    need("amaranth", "amaranth_boards")
    from bitwright.hw.flow.measure import option

    return option(target, rate)
