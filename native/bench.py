"""A C program that tries the C file of a network."""

from __future__ import annotations

import numpy as np

from bitwright import ir

__all__ = ["bench"]

_TEXT = """\
/* Compares scores with those of the evaluator. Ends with 1 if one differs. */
#include <stdio.h>
#include <stdlib.h>
#include "{name}.h"

#define VECTORS {vectors}
#define FEATURES {features}
#define CLASSES {classes}

static const int32_t features[VECTORS * FEATURES] = {{
{inputs}
}};

static const int64_t expected[VECTORS * CLASSES] = {{
{outputs}
}};

int main(void)
{{
    static int64_t scores[VECTORS * CLASSES];
    int wrong = 0;
    void *work = malloc({name}_work_size());
    if (!work)
        return 1;
    {name}_evaluate(features, VECTORS, scores, work);
    free(work);
    for (int v = 0; v < VECTORS; v++)
        for (int c = 0; c < CLASSES; c++)
            if (scores[v * CLASSES + c] != expected[v * CLASSES + c]) {{
                wrong++;
                break;
            }}
    printf("%d vectors, %d wrong\\n", VECTORS, wrong);
    return wrong != 0;
}}
"""


def bench(network: ir.Network, name: str, vectors: int) -> str:
    """Write the program, with the golden vectors of the network, and others if they are too few."""
    golden = network.golden
    features = np.zeros((0, network.features), np.int32) if golden is None else golden.features
    features = np.vstack([features, ir.draw(network, vectors, 0)])[:vectors]
    scores = network.evaluate(features).scores
    return _TEXT.format(name=name, vectors=vectors, features=network.features,
                        classes=network.classes, inputs=_rows(features), outputs=_rows(scores))


def _rows(values: np.ndarray) -> str:
    return ",\n".join("    " + ", ".join(map(str, row)) for row in values.tolist())
