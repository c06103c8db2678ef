"""What a simulation found."""

from dataclasses import dataclass, field

__all__ = ["Difference", "Verdict"]


@dataclass(frozen=True)
class Difference:
    """The first bit that is not as the golden evaluator has it.

    Parameters
    ----------
    sample : int
        Number of the vector.
    node : str
        Name of the node, or a part of the design that comes after the last one.
    frame : int, optional
    bit : int, optional
        Bit of the node's output; of a head, the class.
    got, expected : int
        Values of that bit, or of that class's score.
    """

    sample: int
    node: str
    frame: int | None
    bit: int | None
    got: int
    expected: int

    def __str__(self) -> str:
        where = f"sample {self.sample}"
        if self.frame is not None:
            where += f", frame {self.frame}"
        where += f", node {self.node}"
        if self.bit is not None:
            where += f", bit {self.bit}"
        return f"{where}: got {self.got}, expected {self.expected}"


@dataclass
class Verdict:
    """Counts of a run. It passed if ``failure`` is None.

    Parameters
    ----------
    level : str
    vectors, mismatches, missing : int
        Samples, those whose answer differs, and those without one.
    source : str
        Where the samples come from.
    cycles : int
        Clock cycles simulated.
    netlist : str, optional
        SHA-256 of the netlist that was placed, in hexadecimal.
    failure : str, optional
        What went wrong, in one line.
    """

    level: str
    vectors: int
    source: str
    simulator: str
    version: str
    seed: int
    stall: float
    mismatches: int = 0
    missing: int = 0
    cycles: int = 0
    resets: int = 0
    malformed: int = 0
    damaged: int = 0
    loaded: int = 0
    run_seconds: float = 0.0
    compile_seconds: float = 0.0
    cached: bool = False
    family: str | None = None
    board: str | None = None
    netlist: str | None = None
    waves: str | None = None
    difference: Difference | None = None
    failure: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """One line for people."""
        target = self.family or self.board
        if self.netlist is not None:
            target = f"{target}, netlist {self.netlist[:16]}"
        level = self.level if target is None else f"{self.level} ({target})"
        parts = [f"{self.vectors:,} vectors ({self.source})", f"{self.mismatches:,} mismatches"]
        if self.missing:
            parts.append(f"{self.missing:,} missing")
        parts += [f"{self.cycles:,} cycles", f"stalls {self.stall:g}", f"{self.resets} resets"]
        if self.malformed:
            parts.append(f"{self.malformed} malformed packets")
        if self.damaged:
            parts.append(f"{self.damaged} damaged requests")
        if self.loaded:
            parts.append(f"{self.loaded:,} bytes written first")
        rate = self.cycles / self.run_seconds / 1000 if self.run_seconds else 0.0
        return (f"{level}: {', '.join(parts)}, seed {self.seed} "
                f"({self.simulator} {self.version}, {rate:.1f} kcycles/s)")
