"""Layers in processes of their own: the same bytes as in one process, and nothing left behind."""

import copy
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright.model.rules.forward_forward.pipeline import PipelineError, shares
from tests.model.test_forward_forward import BITS, REALS, epochs, state, trainer

ROOT = Path(__file__).parents[2]


def test_shares_are_as_even_as_can_be():
    rng = np.random.default_rng(0)
    for links in range(1, 7):
        for count in range(1, links + 1):
            sizes = rng.integers(1, 20, size=links).tolist()
            parts = shares(sizes, count)
            assert [index for part in parts for index in range(links)[part]] == list(range(links))
            largest = max(sum(sizes[part]) for part in parts)
            cuts = itertools.combinations(range(1, links), count - 1)
            assert len(parts) == count
            assert largest == min(max(sum(sizes[a:b]) for a, b in
                                      itertools.pairwise((0, *cut, links))) for cut in cuts)


@pytest.mark.parametrize("settings", [
    BITS, pytest.param(REALS, marks=pytest.mark.slow)], ids=["bits", "reals"])
def test_pipeline_gives_the_bytes_of_one_process(settings):
    alone = trainer(*settings)
    after = [state(epochs(alone, 1)) for _ in range(3)]
    piped = trainer(*settings, "forward-forward.processes=2")
    assert state(epochs(piped, 1)) == after[0] != after[1]
    # A worker takes what it is given at the start of an epoch: a checkpoint, for example.
    kept = copy.deepcopy([piped.network.state_dict(), piped.rule.state_dict()])
    for value in piped.network.state_dict().values():
        value.zero_()
    piped.network.load_state_dict(kept[0])
    piped.rule.load_state_dict(kept[1])
    assert [state(epochs(piped, 1)) for _ in range(2)] == after[1:]
    figures = [{key: value for key, value in entry.items() if "train" not in key}
               for entry in alone.curve]
    assert [{key: entry[key] for key in figures[0]} for entry in piped.curve] == figures
    piped.rule.close()
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_is_named_and_takes_the_others_along():
    piped = trainer(*BITS, "forward-forward.processes=2")
    piped.rule.begin_epoch(0)
    workers = piped.rule._pipeline._chain.processes
    os.kill(workers[1].pid, signal.SIGKILL)
    workers[1].join()

    def steps():
        for _ in range(50):
            piped.rule.step(piped._features[:8], piped._labels[:8])

    with pytest.raises(PipelineError, match=r"^The process of layers 2 to 2 has ended with exit "
                                            r"code -9$"):
        steps()
    assert not any(worker.is_alive() for worker in workers)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_leaves_no_process(tmp_path):
    command = [sys.executable, "-m", "model.train", "digits-ff", "--out", str(tmp_path / "run"),
               "--set", "forward-forward.processes=2", "--set", "forward-forward.candidates=1",
               "--set", "epochs=2000", "--set", "patience=2000"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, workers included
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.decode().splitlines()[-1].endswith(
        "stopped; the same command with --resume goes on from the last whole epoch")
    assert "Traceback" not in errors.decode()
    deadline = time.monotonic() + 20
    while _group_alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _group_alive(process.pid)


def _group_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
