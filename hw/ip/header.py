"""A C header: samples into bytes, bytes into results."""

from __future__ import annotations

from bitwright.hw.interface import Interface
from bitwright.hw.ip.text import fill, table

__all__ = ["header"]

_TEXT = """\
/* Bytes on both sides of @name@, in C99 and C++. Nothing of it needs a library.
 *
 * A sample is @features@ features of @feature_bytes@ byte(s) each, @signed@, little endian, one
 * behind the other. On the bus @lanes@ of them are a beat of @beat_bytes@ byte(s), the first one
 * lowest; what is left over in the last beat of a sample is ignored.
 * A result is the class in @decision_bytes@ byte(s), then @classes@ score(s) of @score_bytes@
 * byte(s) each, two's complement, little endian.@regression@
 */
#ifndef @NAME@_H
#define @NAME@_H

#include <stdint.h>

@macros@

struct @name@_result {
    uint16_t decision;
    int64_t scores[@NAME@_CLASSES];
};

/* Pack the features of a sample into the bytes of its beats.
 * Returns 0, or -1 if a feature is out of its range; the bytes up to it are written then. */
static inline int @name@_pack(const int32_t features[@NAME@_FEATURES],
                           uint8_t bytes[@NAME@_SAMPLE_BYTES])
{
    int at = 0;
    for (int n = 0; n < @NAME@_FEATURES; n++) {
        if (features[n] < @NAME@_FEATURE_MIN || features[n] > @NAME@_FEATURE_MAX)
            return -1;
        for (int byte = 0; byte < @NAME@_FEATURE_BYTES; byte++)
            bytes[at++] = (uint8_t)((uint32_t)features[n] >> 8 * byte);
    }
    while (at < @NAME@_SAMPLE_BYTES)
        bytes[at++] = 0;
    return 0;
}

/* Take the bytes of a result apart. */
static inline void @name@_unpack(const uint8_t bytes[@NAME@_RESULT_BYTES],
                              struct @name@_result *result)
{
    result->decision = 0;
    for (int byte = 0; byte < @NAME@_DECISION_BYTES; byte++)
        result->decision |= (uint16_t)(bytes[byte] << 8 * byte);
    for (int n = 0; n < @NAME@_CLASSES; n++) {
        const uint8_t *score = bytes + @NAME@_DECISION_BYTES + n * @NAME@_SCORE_BYTES;
        const int top = @NAME@_SCORE_BYTES - 1;
        int64_t value = score[top] < 128 ? score[top] : (int64_t)score[top] - 256;
        for (int byte = top - 1; byte >= 0; byte--)
            value = value * 256 + score[byte];
        result->scores[n] = value;
    }
}

#endif
"""


def header(interface: Interface) -> str:
    """The file ``NAME.h``."""
    layout = interface.layout
    low = -(1 << layout.bits - 1) if layout.signed else 0
    macros = [
        ("FEATURES", layout.features, "of a sample"),
        ("FEATURE_BYTES", layout.feature_bytes, "of a feature"),
        ("FEATURE_MIN", f"({low})", "smallest feature"),
        ("FEATURE_MAX", low + (1 << layout.bits) - 1, "greatest feature"),
        ("LANES", layout.lanes, "features of a beat"),
        ("BEAT_BYTES", layout.beat_bytes, "of a beat of a sample"),
        ("BEATS", layout.beats, "of a sample"),
        ("SAMPLE_BYTES", layout.beats // layout.copies * layout.beat_bytes,
         "of a sample, with what is left over"),
        ("COPIES", layout.copies, "times that those bytes are sent for a result"),
        ("CLASSES", layout.classes, "scores of a result"),
        ("DECISION_BYTES", layout.decision_bytes, "of the class"),
        ("SCORE_BYTES", layout.score_bytes, "of a score"),
        ("RESULT_BYTES", layout.result_bytes, "of a result"),
        ("RESULT_BEAT_BYTES", layout.result_beat_bytes, "of a beat of a result"),
        ("RESULT_BEATS", layout.result_beats, "of a result"),
        ("LATENCY", interface.latency, "cycles from the first beat of a sample to its result"),
        ("INTERVAL", interface.interval, "cycles from a sample to the next, at full speed"),
    ]
    upper = interface.naming.module.upper()
    lines = table([("#define", f"{upper}_{name}", str(value), f"/* {meaning} */")
                   for name, value, meaning in macros])
    return fill(
        _TEXT, name=interface.naming.module, NAME=upper, macros="\n".join(lines),
        features=layout.features, feature_bytes=layout.feature_bytes,
        signed="two's complement" if layout.signed else "unsigned", lanes=layout.lanes,
        beat_bytes=layout.beat_bytes, decision_bytes=layout.decision_bytes,
        classes=layout.classes, score_bytes=layout.score_bytes,
        regression=" The class of a single score is 0." if layout.classes == 1 else "")
