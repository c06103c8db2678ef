"""The C file of a network."""

from __future__ import annotations

import textwrap
from importlib import resources

import numpy as np

from bitwright import ir
from bitwright.native.kinds import emit
from bitwright.native.program import Program

__all__ = ["has_bytes", "header", "source"]


def source(network: ir.Network, name: str = "network") -> str:
    """Write a network as one file of C99, which needs no other and allocates nothing.

    It defines ``NAME_evaluate``, ``NAME_work_size`` and ``NAME_digest``; :func:`header` declares
    them. Scores are those of :meth:`ir.Network.evaluate`.

    Parameters
    ----------
    network : ir.Network
    name : str
        What the functions begin with.

    Raises
    ------
    NativeError
        If a node is of a kind that is not written in C.
    """
    program = Program(network)
    first, *others = network.entries
    places = program.place(first)
    for entry in others:
        emit(entry.node, program, entry)
    read = np.flatnonzero(places >= 0)
    features, compared = np.unique(read // network.modulate.depth, return_inverse=True)
    low, _ = network.modulate.domain
    flat = network.modulate.thresholds.reshape(network.frames, -1)[:, read]
    encoder = Program(network)
    encoder.array("uint32_t", "read_features", features.tolist())
    encoder.array("uint32_t", "compared", compared.tolist())
    encoder.array("uint32_t", "thresholds", (flat.astype(np.int64) - low).ravel().tolist())
    program.function("nodes", ("struct work *w", "int frame"), ["(void)frame;", *(
        line for call in program.calls for line in call.splitlines())])
    sizes = {"FEATURES": network.features, "FRAMES": network.frames, "CLASSES": network.classes,
             "BITS": network.modulate.bits,
             "BYTES": int(has_bytes(network)), "LOWEST": low, "READ": max(1, len(features)),
             "COMPARISONS": len(read), **program.sizes}
    sizes["VALUES"] = max(1, sizes["VALUES"])
    runtime = (resources.files("bitwright.native") / "runtime.c").read_text("utf-8")
    return "\n\n".join([_head(network, name, sizes), *encoder.parts, runtime.rstrip(),
                        *program.parts]) + "\n"


def header(network: ir.Network, name: str = "network") -> str:
    """Write the declarations of :func:`source`."""
    also = (f"void {name}_evaluate_bytes(const uint8_t *features, size_t count, int64_t *scores,\n"
            f"{' ' * (len(name) + 21)}void *work);\n" if has_bytes(network) else "")
    low, high = network.modulate.domain
    guard = f"{name}_h".upper()
    return f"""\
/* A frozen network of {network.features} features and {network.classes} scores. */
#ifndef {guard}
#define {guard}

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* Bytes of working memory that a call needs, of no alignment. */
size_t {name}_work_size(void);

/* SHA-256 of the network, 64 hexadecimal digits. */
const char *{name}_digest(void);

/* Run samples, each {network.features} features between {low} and {high}, and set {network.classes}
   scores for each. */
void {name}_evaluate(const int32_t *features, size_t count, int64_t *scores, void *work);
{also}
#ifdef __cplusplus
}}
#endif
#endif
"""


def has_bytes(network: ir.Network) -> bool:
    """Whether features fit bytes without a sign."""
    low, high = network.modulate.domain
    return low == 0 and high < 1 << 8


def _head(network: ir.Network, name: str, sizes: dict[str, int]) -> str:
    about = textwrap.fill(
        f"A frozen network as C99: {network.features} features, {network.classes} scores. "
        f"Made by bitwright; it says what the network's file says, to the bit.", 96,
        initial_indent="/* ", subsequent_indent="   ")
    return "\n".join([
        f"{about} */", "#include <stddef.h>", "#include <stdint.h>", "#include <string.h>", "",
        f"#define NAME(rest) {name}_##rest", f'#define DIGEST "{ir.digest(network)}"',
        *(f"#define {key} {value}" for key, value in sizes.items())])
