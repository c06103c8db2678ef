"""Which layers a head reads, where it may read several."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Reading"]


@dataclass(frozen=True)
class Reading:
    """What a recipe says about the layers that a head reads."""

    first_layer: int = 1
    """First layer that counts, from 1."""
    last_layer: int = 0
    """Last such layer; 0 is the last one that there is. Layers past it are not run."""

    def __post_init__(self) -> None:
        if self.first_layer < 1:
            raise ValueError(f"first_layer must be at least 1, not {self.first_layer}")
        if self.last_layer and self.last_layer < self.first_layer:
            raise ValueError(f"last_layer must be 0 or at least first_layer, "
                             f"not {self.last_layer}")

    def reads(self, layers: int) -> slice:
        """Places in the list of the modulator's and all layers' values.

        Raises
        ------
        ValueError
            If the network has fewer layers.
        """
        last = self.last_layer or layers
        if not self.first_layer <= last <= layers:
            raise ValueError(f"layers {self.first_layer} to {last} are not among the {layers} of "
                             "the network")
        return slice(self.first_layer, last + 1)
