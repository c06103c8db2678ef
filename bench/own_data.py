"""Small tables as a stranger brings them: CSV files, trained by rules of thumb, beside floats.

``accuracy`` trains each table over splits of its rows, on which scikit-learn's perceptron (scaled
inputs; its hidden layers and its weight decay are tuned for each table by cross-validation of the
first split's training part) and a random forest are measured, too. ``regression`` does the same
with numbers as targets, beside a linear model. ``hardware`` proves the network of split 0 at RTL
on the split's test part, and builds it. What is done already is kept.
"""

import argparse
import csv
import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np

from bench.kept import mean, result
from bench.pipeline import run
from bitwright import files, ir

__all__ = ["SETS", "main", "recipe", "sensor"]

SHARE = 0.25
"""Of the rows of a table, those of the test part."""

REGRESSION = "diabetes"
SETS = ("wine", "breast-cancer", "sensor")
TITLES = {"wine": "wine", "breast-cancer": "breast cancer", "sensor": "sensor"}
WIDTH = {"wine": 720, "breast-cancer": 720, "sensor": 960}
"""Of the layer of each table."""


def sensor():
    """A made file: three movements that overlap, six axes in units of their own, 900 readings."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=900)
    units = np.array([1, 1, 100, 1, 1, 1])
    centres = rng.normal(0, 1.3, (3, 6)) * units + np.array([0, 0, 50, -20, 0, 0])
    values = (centres[labels] + rng.normal(0, 1, (900, 6)) * units).round(4)
    return (("ax", "ay", "az", "gx", "gy", "gz"), values,
            np.array(["fall", "idle", "walk"])[labels])


def table(name):
    """Names of the columns, values, and labels (names of classes, or numbers)."""
    from sklearn import datasets

    if name == "sensor":
        return sensor()
    if name == REGRESSION:
        bunch = datasets.load_diabetes(scaled=False)
        return tuple(bunch.feature_names), bunch.data, bunch.target
    load = datasets.load_wine if name == "wine" else datasets.load_breast_cancer
    bunch = load()
    return tuple(map(str, bunch.feature_names)), bunch.data, bunch.target_names[bunch.target]


def split(name, number):
    """Rows of a split: training and test values, training and test labels."""
    from sklearn.model_selection import train_test_split

    _, values, labels = table(name)
    return train_test_split(values, labels, test_size=SHARE, random_state=number,
                            stratify=None if name == REGRESSION else labels)


def written(name, number, out):
    """Write a split as two CSV files. Returns the path of the training part."""
    columns = (*table(name)[0], "progression" if name == REGRESSION else "label")
    train, test, train_labels, test_labels = split(name, number)
    paths = [out / "data" / f"{name}-{number}-{part}.csv" for part in ("train", "test")]
    for path, values, labels in zip(paths, (train, test), (train_labels, test_labels),
                                    strict=True):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([*row.tolist(), label] for row, label in
                         zip(values, labels.tolist(), strict=True))
        if not path.exists() or path.read_text(encoding="utf-8") != text.getvalue():
            files.write_atomic(path, text.getvalue())
    return paths[0]


def recipe(name, number, out):
    """Recipe of a split: of a table of few rows, of one of more, or of numbers."""
    from bitwright.model.recipe import Recipe

    path = written(name, number, out)
    common = {"name": f"{name}-{number}", "data": str(path), "seed": number,
              "source": {"test": path.name.replace("-train", "-test")}}
    if name == REGRESSION:
        return Recipe.of({
            **common, "source": {**common["source"], "task": "regression"},
            "epochs": 120, "patience": 120, "batch": 16, "validation": 0.1,
            "backprop": {"learning_rate": 0.01},
            "modulate": {"levels": "quantile", "depth": 32}, "layers": [],
            "head": {"kind": "scores", "temperature": 80.0, "scale": 2}})
    rows, features = table(name)[1].shape
    few, width = rows < 100 * features, WIDTH[name]
    # High temperatures, and no epoch that is picked by luck; for few rows, small tables.
    return Recipe.of({
        **common, "epochs": 40, "keep": "last", "patience": 40, "validation": 0.1,
        "batch": 16 if rows < 300 else 32,
        "backprop": {"learning_rate": 0.02, "label_smoothing": 0.1},
        "modulate": {"levels": "quantile", "depth": 16},
        "layers": [{"kind": "lut", "width": width, "fan_in": 2 if few else 4,
                    "wiring": "random"}],
        "head": {"kind": "group_sum", "temperature": width / 12}})


def baselines(name, splits, out):
    """Figures of scikit-learn's models on each split: accuracies, or root mean squared errors."""
    path = out / f"{name}-baselines.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    models = _numbers() if name == REGRESSION else _classes(name, kept)
    for number in range(splits):
        if str(number) in kept:
            continue
        train, test, train_labels, test_labels = split(name, number)
        kept[str(number)] = {}
        for title, model in models.items():
            model.fit(train, train_labels)
            kept[str(number)][title] = float(
                model.score(test, test_labels) if name != REGRESSION else
                np.sqrt(np.mean((model.predict(test) - test_labels) ** 2)))
        files.write_atomic(path, json.dumps(kept))
    return {title: [kept[str(number)][title] for number in range(splits)] for title in models}


def _numbers():
    from sklearn.dummy import DummyRegressor
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LinearRegression

    return {"linear": LinearRegression(), "forest": RandomForestRegressor(300, random_state=0),
            "mean": DummyRegressor()}


def _classes(name, kept):
    """A perceptron, tuned once for each table, and a forest."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore", ConvergenceWarning)
    model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=400, random_state=0))
    if "chosen" not in kept:
        train, _, labels, _ = split(name, 0)
        search = GridSearchCV(model, {
            "mlpclassifier__hidden_layer_sizes": [(64,), (64, 64)],
            "mlpclassifier__alpha": [0.01, 1.0]}, cv=4)
        kept["chosen"] = search.fit(train, labels).best_params_
        print(f"{name}: {kept['chosen']}", file=sys.stderr)
    return {"mlp": model.set_params(**kept["chosen"]),
            "forest": RandomForestClassifier(300, random_state=0)}


def accuracy(names, splits, out):
    """Print the table of accuracies."""
    print("| table | rows, features, classes | bits, % | float perceptron, % | random forest, % |")
    print("|---|---|---|---|---|")
    for name in names:
        _, values, labels = table(name)
        found = [result(recipe(name, number, out), out)["test"] for number in range(splits)]
        other = baselines(name, splits, out)
        cells = [mean(100 * np.array(figures)) for figures in
                 (found, other["mlp"], other["forest"])]
        print(f"| {TITLES[name]} | {len(values)}, {values.shape[1]}, {len(np.unique(labels))} | "
              f"{' | '.join(cells)} |", flush=True)


def regression(splits, out):
    """Print the table of errors."""
    found = [result(recipe(REGRESSION, number, out), out)["figures"]["rmse"]
             for number in range(splits)]
    other = baselines(REGRESSION, splits, out)
    print("| table | bits, RMSE | linear model | random forest | mean of the targets | "
          "bits above linear, % |")
    print("|---|---|---|---|---|---|")
    above = 100 * (np.mean(found) / np.mean(other["linear"]) - 1)
    cells = [mean(figures) for figures in (found, other["linear"], other["forest"],
                                           other["mean"])]
    print(f"| {REGRESSION} | {' | '.join(cells)} | {above:.1f} |")


def hardware(names, out, board, stop):
    """Print the table of what was proven and built."""
    print("| table | RTL vectors | mismatches | LUTs: encoder / core / head / link | LUTs, total | "
          "FFs | logic cells | MHz reached | MHz used | cycles a sample, IP | samples/s |")
    print("|---" * 11 + "|")
    for name in names:
        result(recipe(name, 0, out), out)
        print(_line(name, *_built(name, out, board, stop)), flush=True)


def _built(name, out, board, stop):
    """Figures of simulation and build of a table's network, unless it is another by now."""
    network = out / f"{name}-0-seed0.safetensors"
    digest = ir.digest(ir.load(network))
    path = out / f"{name}-{board}-{stop}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if kept.get("digest") != digest:
        kept = {"digest": digest, "simulated": json.loads(
            run("sim.run", str(network), "--level", "rtl", "--json")), "built": json.loads(
            run("hw.build", str(network), "--board", board, "--stop-after", stop, "--json",
                "--out", str(out / f"{name}-build")))}
        files.write_atomic(path, json.dumps(kept))
    return kept["simulated"], kept["built"]


def _line(name, simulated, built):
    parts, total = built["resources"]["parts"], built["resources"]["total"]
    luts = " / ".join(f"{parts[part]['luts']:,}" if part in parts else "-"
                      for part in ("encoder", "core", "head", "link"))
    fmax, rate = built["timing"]["fmax_hz"], built["throughput"]["ip"]
    cells = built["device"]["logic_cells"]
    samples = rate["per_second_at_clock"]
    return (f"| {name} | {simulated['vectors']:,} | {simulated['mismatches']} | {luts} | "
            f"{total['luts']:,} | {total['flip_flops']:,} | {f'{cells:,}' if cells else '-'} | "
            f"{f'{fmax / 1e6:.1f}' if fmax else '-'} | {built['timing']['clock_hz'] / 1e6:g} | "
            f"{rate['interval_cycles']:,} | {f'{samples:,.0f}' if samples else '-'} |")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.own_data", description=__doc__)
    parser.add_argument("what", metavar="WHAT",
                        choices=["accuracy", "regression", "hardware"],
                        help="accuracy, regression or hardware")
    parser.add_argument("--only", metavar="TABLE", choices=[*SETS, REGRESSION],
                        help="of accuracy and hardware, one row: "
                             f"{', '.join(SETS)}, or of hardware {REGRESSION} (default: all)")
    parser.add_argument("--splits", metavar="N", type=int, default=20,
                        help="(default: %(default)s)")
    parser.add_argument("--board", metavar="NAME", default="icebreaker",
                        help="board to build for (default: %(default)s)")
    parser.add_argument("--stop-after", metavar="STAGE", default="route",
                        help="of the build (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/own-data"),
                        help="keep tables, results and builds in DIR (default: %(default)s)")
    args = parser.parse_args(argv)
    if args.only == REGRESSION and args.what == "accuracy":
        parser.error(f"{REGRESSION} has no accuracy; regression measures it")
    if args.what == "accuracy":
        accuracy([args.only] if args.only else SETS, args.splits, args.out)
    elif args.what == "regression":
        regression(args.splits, args.out)
    else:
        hardware([args.only] if args.only else [*SETS, REGRESSION], args.out, args.board,
                 args.stop_after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
