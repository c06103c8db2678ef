"""Frozen networks as what lies in the file, to alter and to sign again.

The digests are a second implementation of docs/format.md: nothing of `ir` is used.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

__all__ = ["contents", "digests", "rewrite", "version_1", "write"]


def contents(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Header without digests, and tensors."""
    with safetensors.safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["network"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    header.pop("digest")
    header.pop("record_digest", None)
    return header, tensors


def write(path: Path, header: dict, tensors: dict[str, np.ndarray], *, edit=lambda text: text,
          metadata: dict[str, str] | None = None) -> str:
    """Write a file with right digests.

    Parameters
    ----------
    path, header, tensors
    edit : callable
        What is done to the text of the header before it is signed.
    metadata : dict, optional
        More of it.

    Returns
    -------
    str
        Text of the header.
    """
    text = edit(json.dumps(header))
    try:
        right = digests(json.loads(text), tensors)
    except (ValueError, RecursionError):  # no reader will get as far as the digests
        right = digests(header, tensors)
    own = "".join(f'"{name}": "{value}", ' for name, value in right.items() if name not in header)
    text = f"{{{own}{text[1:]}".replace(", }", "}")
    path.write_bytes(safetensors.numpy.save(tensors, {"network": text, **(metadata or {})}))
    return text


def rewrite(path: Path, change) -> None:
    """Write a file again after ``change(header, tensors)``."""
    header, tensors = contents(path)
    change(header, tensors)
    write(path, header, tensors)


def digests(header: dict, tensors: dict[str, np.ndarray]) -> dict[str, str]:
    """The digests that a file of the header's format must have."""
    if header.get("format") == 1:
        return {"digest": _sha256(header, tensors)}
    golden = {name: value for name, value in tensors.items() if name.startswith("GOLDEN.")}
    own = {name: value for name, value in tensors.items() if name not in golden}
    record = {name: header[name] for name in ("provenance", "names") if name in header}
    computed = {"nodes": header.get("nodes")}
    if "preparation" in header:
        computed["preparation"] = header["preparation"]
    return {"digest": _sha256(computed, own),
            "record_digest": _sha256(record, golden)}


def version_1(header: dict, tensors: dict[str, np.ndarray]) -> tuple[dict, dict[str, np.ndarray]]:
    """The same valid network as format 1 held it."""
    nodes, renamed = [], {}
    bodies = set()
    for item in header["nodes"]:
        own = dict(item["attributes"])
        if item["kind"] == "convolution":
            bodies.add(item["name"])
            parts = own.pop("body")
            own["nodes"] = len(parts)
            for index, part in enumerate(parts):
                own[f"body{index}.kind"] = part["kind"]
                own |= {f"body{index}.{name}": value
                        for name, value in part["attributes"].items()}
        nodes.append({**item, "attributes": own})
    for name, value in tensors.items():
        parts = name.split(".")
        if parts[0] in bodies:
            parts[1:3] = [f"body{parts[2]}"]
        renamed[".".join(parts)] = value
    return {**header, "format": 1, "nodes": nodes}, renamed


def _sha256(head: dict, tensors: dict[str, np.ndarray]) -> str:
    text = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    for name, value in sorted(tensors.items()):
        text += f"\n{name} {value.dtype.str} {value.shape}\n".encode() + value.tobytes()
    return hashlib.sha256(text).hexdigest()
