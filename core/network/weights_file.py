"""Weight files as arrays: what a file holds and says of itself, without the networks.

A safetensors file with a header that says what it is; no pickle anywhere. Matrices and kernels
are stored as float16, vectors (biases, norms, running statistics) as float32; everything is
computed as float32. The header is JSON under the key ``uvface`` of the file's metadata: network
and its settings, UV layout and its SHA-256, training data with their licences, evaluation.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError, safe_open

from ..errors import AssetError, InputError
from ..geometry.layout import UVLayout, load_layout, unpack_layout
from ..whole_files import check_length

__all__ = [
    "FORMAT_VERSION",
    "LAYOUT_PREFIX",
    "NETWORKS",
    "WeightsHeader",
    "check_layout",
    "check_licences",
    "check_weights_name",
    "find_weights",
    "read_arrays",
    "read_layout",
]

NETWORKS = ("prn", "prn-lite")
LAYOUT_PREFIX = "layout/"  # before the names of a layout's arrays
FORMAT_VERSION = 1
_TEXTS = ("network", "layout", "layout_digest")  # fields of a header
_OBJECTS = ("config", "training", "evaluation")


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightsHeader:
    """What a weights file says about itself."""

    network: str  # name in `NETWORKS`
    layout: str  # name of the UV layout that it predicts
    layout_digest: str  # SHA-256 of that layout
    config: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the network's class
    training: dict[str, Any] = dataclasses.field(default_factory=dict)  # data, licences, steps
    evaluation: dict[str, Any] = dataclasses.field(default_factory=dict)  # numbers, percent
    format_version: int = FORMAT_VERSION


def find_weights(name_or_path: str | Path) -> Path:
    """Return the file of embedded weights, or the one that is named, once it is there.

    Raises:
        AssetError: there is no such file.
    """
    if str(name_or_path) in NETWORKS:
        folder = Path(str(resources.files("uvface.assets"))) / "weights"
        path = folder / f"{name_or_path}.safetensors"
        hint = f"no weights for {name_or_path!r} come with this package; name a file, or train them"
    else:
        path = Path(name_or_path)
        hint = f"no weights file {path}; name a file or one of {', '.join(NETWORKS)}"
    if not os.path.isfile(path):
        raise AssetError(hint)
    return path


def check_weights_name(path: Path) -> None:
    """Raise an `InputError` where a file to write is not named as weights are, or too long."""
    if path.suffix != ".safetensors":
        raise InputError(f"{path} does not end in .safetensors; name the weights file so")
    check_length(path)


def _parse_header(path: Path, metadata: dict[str, str] | None) -> WeightsHeader:
    if not metadata or "uvface" not in metadata:
        raise AssetError(f"{path} is not a uvface weights file: its header is missing")
    fields = json.loads(metadata["uvface"])
    if not isinstance(fields, dict):
        raise TypeError(f"its header must be an object, not {type(fields).__name__}")
    version = fields.get("format_version")
    if version != FORMAT_VERSION:
        raise AssetError(
            f"{path} has weights format {version}, this uvface reads {FORMAT_VERSION}; update it"
        )
    _check_kinds(fields)
    return WeightsHeader(**fields)


def _check_kinds(fields: dict[str, Any]) -> None:
    """Raise TypeError where a field of a header is of another kind than `WeightsHeader` says."""
    for names, kind, title in ((_TEXTS, str, "a text"), (_OBJECTS, dict, "an object")):
        for name in names:
            if name in fields and not isinstance(fields[name], kind):
                raise TypeError(f"its {name} must be {title}, not {type(fields[name]).__name__}")
    check_licences(fields.get("training", {}))


def check_licences(origin: Mapping[str, Any]) -> None:
    """Raise TypeError where what data came from names licences that are not those of sources.

    Args:
        origin: with ``licences``: source -> licence; null, or left out, where none are known.
    """
    if not isinstance(origin.get("licences") or {}, dict):
        raise TypeError("its licences are no object of sources and licences")


def _read(path: Path, *, prefix: str = "") -> tuple[WeightsHeader, dict[str, np.ndarray]]:
    """Return header and arrays: the layout's (prefix ``layout/``) or all others."""
    try:
        with safe_open(path, framework="numpy") as stored:
            header = _parse_header(path, stored.metadata())
            kept = [k for k in stored.keys() if k.startswith(LAYOUT_PREFIX) == bool(prefix)]
            return header, {name.removeprefix(prefix): stored.get_tensor(name) for name in kept}
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise AssetError(
            f"cannot read the weights {path} ({error}); the file is damaged, get it again"
        ) from error


def read_layout(name_or_path: str | Path) -> UVLayout:
    """Return the UV layout of weights: the one in their file, or the package's of its name."""
    path = find_weights(name_or_path)
    header, arrays = _read(path, prefix=LAYOUT_PREFIX)
    try:
        layout = unpack_layout(arrays) if arrays else load_layout(header.layout)
    except (KeyError, ValueError) as error:
        raise AssetError(
            f"the UV layout in {path} is damaged ({error}); import it again"
        ) from error
    check_layout(path, header, layout.name, layout.digest)
    return layout


def check_layout(path: Path, header: WeightsHeader, name: str, digest: str) -> None:
    """Raise an `AssetError` where weights were made for another UV layout."""
    if header.layout_digest != digest:
        raise AssetError(
            f"the weights {path} are for the UV layout {header.layout!r} "
            f"({header.layout_digest[:12]}), not for {name!r} ({digest[:12]})"
        )


def _check_age(path: Path, header: WeightsHeader, arrays: dict[str, np.ndarray]) -> None:
    """Raise an `AssetError` for files of ``prn-lite`` from before its decoder."""
    if header.network == "prn-lite" and "head.out.kernel" in arrays:
        raise AssetError(
            f"{path} holds an older prn-lite, which this uvface no longer runs; "
            "use the embedded weights, or train anew (docs/training.md)"
        )


def read_arrays(
    name_or_path: str | Path, *, layout: UVLayout | None = None
) -> tuple[WeightsHeader, dict[str, jax.Array]]:
    """Read a network's arrays, as float32.

    Args:
        name_or_path: name of embedded weights ("prn-lite"), or a file.
        layout: if given, weights made for another layout are an error.

    Returns:
        The file's header, and the arrays by dotted name.

    Raises:
        AssetError: missing, damaged, of an unknown network, or made for another layout.
    """
    path = find_weights(name_or_path)
    header, arrays = _read(path)
    if layout is not None:
        check_layout(path, header, layout.name, layout.digest)
    if header.network not in NETWORKS:
        raise AssetError(f"the weights {path} are of an unknown network {header.network!r}")
    _check_age(path, header, arrays)
    # Turned on the host and moved together: `jnp.asarray` would compile a copy for every shape.
    return header, jax.device_put({k: array.astype(np.float32) for k, array in arrays.items()})
