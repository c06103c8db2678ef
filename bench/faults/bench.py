"""Faults of benches."""

from bench.faults.fault import Fault

__all__ = ["ROWS"]

BESIDE = "tests/bench/test_sweeps.py"
ESTIMATE = "tests/hw/test_estimate.py"

ROWS = [
    Fault("bench/out_of_core.py", "fewer, labels=found.labels[: len(fewer)]", "fewer",
          "tests/bench/test_out_of_core.py"),
    Fault("bench/out_of_core.py", "(\"shards\", args.memory)", "(\"shards\", 0)",
          "tests/bench/test_out_of_core.py"),
    Fault("bench/processes.py", "return LATE if epochs >= planned else None", "return LATE",
          "tests/bench/test_processes.py -k need_not"),
    Fault("bench/sweeps.py", "folder.rglob", "folder.glob", "tests/bench/test_sweeps.py -k leaves"),
    Fault("bench/sweeps.py", "spec.target, spec.rate, spec.form)", "spec.target, spec.rate)",
          f"{BESIDE} -k by_hand"),
    Fault("bench/sweeps.py", "found = [anew(point, args.sweep, spec) for point in points(trials)]",
          "found = points(trials)", f"{BESIDE} -k by_hand"),
    Fault("bench/sweeps.py", "    if there != {", "    if False and there != {",
          f"{BESIDE} -k other_trainings"),
    Fault("bench/frontier.py", 'startswith("test set")', 'startswith("")',
          "tests/bench/test_frontier.py -k prove_nothing"),
    Fault("bench/measured.py", "and parted(one[\"network\"])[1] == form", "",
          f"{ESTIMATE} -k largest"),
    Fault("bench/modulation_runs.py", "equal = digests(result.scores) == ",
          "equal = True or digests(result.scores) == ",
          "tests/bench/test_modulation.py -k not_proven"),
]
