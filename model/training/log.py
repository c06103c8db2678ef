"""The TensorBoard log of a training: settings, figures, and what rules know of their layers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from bitwright.model.rules.flip.telemetry import EDGES, Telemetry
from bitwright.model.settings import flat
from bitwright.model.training.trainer import Trainer

__all__ = ["Log"]

_WATCHED = 16
"""Of so many steps one is watched by the telemetry: histograms cost about as much as a step."""


class Log:
    """Log of one training.

    Parameters
    ----------
    folder : Path
    trainer : Trainer
        Where its rule can tell of its layers, it is asked to.
    """

    def __init__(self, folder: Path, trainer: Trainer) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._trainer = trainer
        self._writer = SummaryWriter(str(folder), purge_step=trainer.epoch + 1)
        if trainer.rule.observes:
            trainer.rule.telemetry = Telemetry(every=_WATCHED)
        if not trainer.epoch:
            self._settings()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._writer.close()

    def epoch(self, entry: Mapping[str, Any]) -> None:
        """Take the end of an epoch: what the metrics log says about it."""
        step = self._trainer.epoch
        for name, value in entry.items():
            self._writer.add_scalar(name, value, step)
        telemetry = self._trainer.rule.telemetry
        if telemetry is not None:
            for (layer, figure), value in telemetry.epochs.pop().items():
                self._observed(f"{layer}.{figure}", figure, value, step)

    def _settings(self) -> None:
        """The recipe: as text, and as hyperparameters by which runs are compared."""
        from torch.utils.tensorboard.summary import hparams

        recipe = self._trainer.recipe
        self._writer.add_text("recipe", f"```toml\n{recipe.toml()}```", 0)
        metric = f"validation_{self._trainer.task.metric_name}"
        file: Any = self._writer.file_writer
        for summary in hparams(flat(recipe.plain()), {metric: 0}):  # type: ignore[no-untyped-call]
            file.add_summary(summary)

    def _observed(self, tag: str, figure: str, value: Any, step: int) -> None:
        """A figure of a layer: a histogram where there is more than one number."""
        if figure == "histogram":  # shares of what was counted, already between edges
            middles = (EDGES[1:] + EDGES[:-1]) / 2
            self._writer.add_histogram_raw(
                tag, EDGES[0], EDGES[-1], 1.0, float(value @ middles), float(value @ middles**2),
                EDGES[1:].tolist(), value.tolist(), step)
        elif np.ndim(value):
            self._writer.add_histogram(tag, value, step)
        else:
            self._writer.add_scalar(tag, float(value), step)
