"""The block's ports, bytes and cycles, as a section of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitwright.hw.report.markup import escaped, table

__all__ = ["render"]


def render(interface: Mapping[str, Any] | None) -> str:
    """The section of report.json that :meth:`hw.interface.Interface.to_json` gives."""
    if interface is None:
        return ""
    ports = table(["port", "", "bits", "meaning"], [
        [f"<code>{escaped(port['name'])}</code>", port["direction"], f"{port['width']:,}",
         f'<span class="meaning">{escaped(port["meaning"])}</span>']
        for port in interface["ports"]])
    return (f"<section><h2>Block: module <code>{escaped(interface['module'])}</code> in "
            f"<code>{escaped(interface['file'])}</code></h2>{ports}"
            f'<p class="note">{_sample(interface["sample"])} {_result(interface["result"])} '
            f"Bytes are little endian, numbers with a sign two's complement. "
            f"{_video(interface.get('video'))}{_contents(interface['contents_bytes'])}"
            f"From the first beat of a sample to the first beat of its result: "
            f"{interface['latency_cycles']:,} cycles; to the first beat of the next sample: "
            f"{interface['interval_cycles']:,}.</p></section>")


def _sample(sample: Mapping[str, Any]) -> str:
    feature = sample["features"]
    return (f"A sample: {_times(sample['beats'], 'beat')} of "
            f"{_times(sample['beat_bytes'], 'byte')}, {sample['lanes']:,} of "
            f"{_times(feature['count'], 'feature')} in each, lane 0 lowest; a feature: "
            f"{feature['bits']} bits {'with a' if feature['signed'] else 'without'} sign in "
            f"{_times(feature['bytes'], 'byte')}.")


def _result(result: Mapping[str, Any]) -> str:
    scores = result["scores"]
    return (f"A result: {_times(result['beats'], 'beat')} of "
            f"{_times(result['beat_bytes'], 'byte')}, {result['last_beat_bytes']:,} of which count "
            f"in the last; the class in {_times(result['class']['bytes'], 'byte')}, then "
            f"{_times(scores['count'], 'score')} with a sign in {_times(scores['bytes'], 'byte')} "
            "each.")


def _video(video: Mapping[str, Any] | None) -> str:
    return "" if video is None else (
        f"Samples are video: {_times(video['height'], 'line')} of "
        f"{_times(video['width'], 'pixel')}, {_times(video['line_beats'], 'beat')} a line; tuser "
        "begins a picture, tlast ends a line. ")


def _contents(size: int) -> str:
    return f"Contents that can be written: {_times(size, 'byte')}. " if size else ""


def _times(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
