"""Accuracy over LUTs: trainings that are kept and gone on with, the choice, table and picture."""

import json
from pathlib import Path

import pytest

from bench import frontier
from bench.frontier_rows import ROWS, Row
from bitwright.errors import UsageError, UserError
from bitwright.model.recipe import load_recipe, recipe_names

IRIS = Row("small-iris", "iris", "MNIST", "serial", ("--target", "xilinx"), "LUT6", 500, 90.0)

BUILT = {"resources": {"total": {"luts": 62, "memories": 0},
                       "parts": {"encoder": {"luts": 10}, "core": {"luts": 20},
                                 "head": {"luts": 30}, "other": {"luts": 2}}},
         "device": {"logic_cells": 80, "utilisation": {"ICESTORM_SPRAM": {"used": 2}}},
         "timing": {"fmax_hz": 31_440_000.0},
         "throughput": {"ip": {"interval_cycles": 4, "per_second_at_fmax": 7_860_000.2}}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two seeds of iris, trained as the bench trains."""
    folder = tmp_path_factory.mktemp("frontier")
    args = frontier.parser().parse_args(
        ["run", "--out", str(folder), "--kept", str(folder / "kept.jsonl")])
    for seed in (0, 1):
        frontier._train("iris", seed, args)
    return folder


@pytest.fixture
def bench(trained, tmp_path, monkeypatch):
    """Run the bench on iris; what it calls for builds and simulations is listed."""
    called = []

    def run(*command):
        called.append(command)
        return json.dumps(BUILT if command[0] == "hw.build" else
                          {"vectors": 38, "source": "test set of iris", "mismatches": 0,
                           "cycles": 900, "level": "rtl"})

    monkeypatch.setattr(frontier, "ROWS", (IRIS,))
    monkeypatch.setattr(frontier, "run", run)
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes((trained / "kept.jsonl").read_bytes())

    def bench(what, *more):
        return frontier.work(frontier.parser().parse_args(
            [what, "--out", str(trained), "--kept", str(kept), *more]))

    bench.called, bench.kept = called, kept
    return bench


def test_rows_are_recipes_of_data_that_are_there():
    names = {"MNIST": "mnist", "Fashion-MNIST": "fashion-mnist",
             "CIFAR-10 (JPEG)": "cifar10-jpeg"}
    for row in ROWS:
        assert row.recipe in recipe_names()
        assert load_recipe(row.recipe).data == names[row.data]
        level, samples = row.proofs[0]
        assert level == "rtl"
        assert samples == (1_000 if row.data.startswith("CIFAR") else 10_000)
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_lines_that_are_kept_are_of_rows():
    known = frontier._kept(frontier.KEPT)
    rows = [row for row in ROWS if row.name in known]
    found = [known[row.name] for row in rows]
    seeds = [name for name in known if name.split(" seed ")[0] in {row.recipe for row in ROWS}
             and " seed " in name]
    assert found
    assert len(found) + len(seeds) == len(known)
    for row, one in zip(rows, found, strict=True):
        devices = {known[name]["device"] for name in seeds
                   if name.startswith(f"{row.recipe} seed ")}
        assert (one["device"] == "cpu") == (devices == {"cpu"})
        assert one["test"]["least"] <= one["test"]["mean"] <= one["test"]["largest"]
        assert one["seeds"] >= 4
        assert all(proof["mismatches"] == 0 < proof["vectors"]
                   for proof in one["proofs"].values())


def test_results_are_what_is_kept(capsys):
    results = Path(__file__).parents[2] / "docs" / "results.md"
    frontier.main(["table"])
    assert capsys.readouterr().out in results.read_text(encoding="utf-8")


def test_seeds_differ_and_are_kept(trained, bench):
    first, second = frontier.trainings(IRIS, bench.kept)
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["network"] != second["network"]
    assert first["seconds"] > 0
    before = bench.kept.read_bytes()
    bench("run", "--seeds", "2", "--out", str(trained / "other"))
    assert bench.kept.read_bytes() == before
    assert not (trained / "other").exists()


def test_what_is_trained_but_not_kept_is_kept(trained, bench):
    lines = bench.kept.read_text(encoding="utf-8")
    bench.kept.unlink()
    bench("run", "--seeds", "2")
    assert bench.kept.read_text(encoding="utf-8") == lines


def test_validation_chooses(tmp_path):
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(json.dumps({
        "name": f"iris seed {seed}", "seed": seed, "validation": validation, "test": test}) + "\n"
        for seed, validation, test in ((0, 90.0, 100.0), (1, 95.0, 50.0))), encoding="utf-8")
    assert frontier.chosen(IRIS, kept)["seed"] == 1


def test_what_is_built_and_proven_is_kept(trained, bench, capsys):
    bench("build")
    bench("build")
    bench("prove")
    bench("prove")
    one = frontier.chosen(IRIS, bench.kept)
    folder = str(trained / f"iris-seed{one['seed']}")
    plan = str(trained / "small-iris-build" / "plan.toml")
    assert [command[:2] for command in bench.called] == [("hw.build", folder), ("sim.run", folder)]
    assert "--stop-after" in bench.called[0]
    assert bench.called[1][2:] == ("--plan", plan, "--level", "rtl", "--vectors", "10000", "--json",
                                   "--out", str(trained / "small-iris-rtl"))
    bench("table")
    line = capsys.readouterr().out.splitlines()[2]
    assert line.startswith("| `small-iris` | serial | 2 | ")
    assert (" | 90 | 10 / 20 / 30 / 0 / 2 | 62 LUT6 | 500 | 0 / 0 | 31.4 | 4 | 7,860,000 | "
            "rtl 38, 0 | ") in line
    test = [one["test"] for one in frontier.trainings(IRIS, bench.kept)]
    assert f" | {sum(test) / 2:.2f} ± " in line


def test_the_network_must_be_the_one_that_is_kept(trained, bench):
    lines = [json.loads(line) for line in bench.kept.read_text(encoding="utf-8").splitlines()]
    for one in lines:
        one["network"] = "0" * 64
    bench.kept.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    with pytest.raises(UserError, match="is not the one that"):
        bench("build")
    with pytest.raises(UserError, match=r"is not there; python -m model.train iris --seed"):
        bench("build", "--out", str(trained / "other"))


def test_on_a_board_what_is_placed_is_counted(bench, capsys, monkeypatch):
    row = IRIS._replace(build=("--board", "icebreaker"), unit="LC")
    monkeypatch.setattr(frontier, "ROWS", (row,))
    bench("build")
    assert "--stop-after" not in bench.called[0]
    bench("table")
    assert " | 80 LC | 500 | 0 / 2 | " in capsys.readouterr().out


def test_what_is_estimated_is_beside_what_is_built(trained, bench, capsys, monkeypatch):
    bench("build")
    told = {"luts": {"encoder": 10, "core": 30, "head": 26, "other": 2}, "luts_total": 68,
            "memories": 1, "fmax_mhz": 30.0}
    monkeypatch.setattr(frontier, "run", lambda *command: (
        bench.called.append(command), json.dumps(told))[1])
    bench("estimate")
    one = frontier.chosen(IRIS, bench.kept)
    assert bench.called[-1] == ("hw.build", str(trained / f"iris-seed{one['seed']}"), "--target",
                                "xilinx", "--estimate", "--json")
    *_, line, _, mean = capsys.readouterr().out.splitlines()
    assert line == ("| `small-iris` | 62 / 68 | +9.7 | 10 / 10 | 20 / 30 | 30 / 26 | 0 / 0 | 2 / 2 "
                    "| 0 / 1 | 31.4 / 30.0 |")
    assert mean == "LUTs off by 9.7 % on average, 9.7 % at most; 1 rows."


def test_an_estimate_asks_for_no_clock():
    asked = {row.name: row.asked for row in ROWS}
    assert asked["mnist-ulx3s-unrolled"] == ("--board", "ulx3s-25f", "--serial-head", "10")
    assert all("--freq" not in build for build in asked.values())


def test_what_no_training_told_is_not_known(bench, capsys):
    lines = [json.loads(line) for line in bench.kept.read_text(encoding="utf-8").splitlines()]
    bench.kept.write_text("".join(json.dumps(one | {"seconds": None, "peak_mib": None}) + "\n"
                                  for one in lines), encoding="utf-8")
    bench("build")
    bench("table")
    assert capsys.readouterr().out.splitlines()[2].endswith(" | - | ? | ? |")


def test_a_killed_training_goes_on_and_what_it_took_is_not_known(tmp_path):
    """Of what was not told before, nothing is made up."""
    args = frontier.parser().parse_args(
        ["run", "--out", str(tmp_path), "--kept", str(tmp_path / "kept.jsonl")])
    frontier._go_on("iris", 0, tmp_path / "iris-seed0", args)
    (tmp_path / "iris-seed0" / "cost.json").unlink()
    frontier._train("iris", 0, args)
    (one,) = frontier._kept(args.kept).values()
    assert (one["seconds"], one["peak_mib"], one["device"]) == (None, None, "cpu")


def test_other_vectors_than_those_of_the_test_set_prove_nothing(bench, monkeypatch):
    bench("build")
    before = bench.kept.read_bytes()
    monkeypatch.setattr(frontier, "run", lambda *command: json.dumps(
        {"vectors": 38, "source": "random", "mismatches": 0, "cycles": 900}))
    with pytest.raises(UserError, match="vectors of random, not the test set"):
        bench("prove")
    assert bench.kept.read_bytes() == before


def test_nothing_is_proven_that_is_not_built(bench):
    with pytest.raises(UserError, match="is not built; build it first"):
        bench("prove")


def test_picture(bench, tmp_path):
    bench("build")
    picture = tmp_path / "frontier.png"
    bench("draw", "--picture", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_row_that_is_not_there_is_named():
    args = frontier.parser().parse_args(["table", "--rows", "mnist-serial-1000,what"])
    with pytest.raises(UsageError) as error:
        frontier.work(args)
    assert str(error.value) == ("--rows must name rows of "
                                f"{', '.join(row.name for row in ROWS)}, not 'what'")
