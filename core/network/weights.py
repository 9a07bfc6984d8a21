"""Weight files: safetensors with a header that says what they are; no pickle anywhere.

Matrices and kernels are stored as float16, vectors (biases, norms, running statistics) as
float32; everything is computed as float32. The header is JSON under the key ``uvface`` of the
file's metadata: network and its settings, UV layout and its SHA-256, training data with their
licences, evaluation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..errors import AssetError, InputError
from ..geometry.layout import UVLayout, load_layout, pack_layout, unpack_layout
from .registry import NETWORKS, make_network

__all__ = [
    "FORMAT_VERSION",
    "WeightsHeader",
    "check_layout",
    "flat_variables",
    "load_weights",
    "read_layout",
    "save_weights",
]

_LAYOUT = "layout/"  # before the names of a layout's arrays
FORMAT_VERSION = 1


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


def flat_variables(network: nnx.Module) -> dict[str, nnx.Variable[Any]]:
    """Return the parameters and running statistics by dotted name."""
    state = nnx.state(network, (nnx.Param, nnx.BatchStat))
    return {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(state)}


def save_weights(
    path: Path,
    network: nnx.Module,
    header: WeightsHeader,
    *,
    layout: UVLayout | None = None,
    is_exact: bool = False,
) -> None:
    """Write a network; an earlier file stays until the new one is whole.

    Args:
        path: ``.safetensors`` file to write.
        network: its own settings replace ``header.config``.
        header: what the file says about itself.
        layout: travels with the weights, for layouts that do not come with the package.
        is_exact: keep matrices as float32; by default they are rounded to float16.

    Raises:
        InputError: the file cannot be written.
    """
    config: Any = network.config  # type: ignore[attr-defined]
    header = dataclasses.replace(header, config=dataclasses.asdict(config))
    arrays = {}
    for name, variable in flat_variables(network).items():
        values = np.asarray(variable[...])
        arrays[name] = np.ascontiguousarray(
            values.astype(np.float16 if values.ndim > 1 and not is_exact else np.float32)
        )
    if layout is not None:
        packed = pack_layout(layout)
        arrays |= {_LAYOUT + name: np.ascontiguousarray(packed[name]) for name in packed}
    metadata = {"uvface": json.dumps(dataclasses.asdict(header), sort_keys=True)}
    temporary = path.with_name(path.name + ".partial")
    try:
        save_file(arrays, temporary, metadata=metadata)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:  # no such folder, no permission, disk full
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise InputError(f"cannot write {path}: {error}") from error


def _find(name_or_path: str | Path) -> Path:
    if str(name_or_path) in NETWORKS:
        folder = Path(str(resources.files("uvface.assets"))) / "weights"
        path = folder / f"{name_or_path}.safetensors"
        hint = f"no weights for {name_or_path!r} come with this package; name a file, or train them"
    else:
        path = Path(name_or_path)
        hint = f"no weights file {path}; name a file or one of {', '.join(sorted(NETWORKS))}"
    if not path.is_file():
        raise AssetError(hint)
    return path


def _parse_header(path: Path, metadata: dict[str, str] | None) -> WeightsHeader:
    if not metadata or "uvface" not in metadata:
        raise AssetError(f"{path} is not a uvface weights file: its header is missing")
    fields = json.loads(metadata["uvface"])
    version = fields.get("format_version")
    if version != FORMAT_VERSION:
        raise AssetError(
            f"{path} has weights format {version}, this uvface reads {FORMAT_VERSION}; update it"
        )
    return WeightsHeader(**fields)


def _read(path: Path, *, prefix: str = "") -> tuple[WeightsHeader, dict[str, np.ndarray]]:
    """Return header and arrays: the layout's (prefix ``layout/``) or all others."""
    try:
        with safe_open(path, framework="numpy") as stored:
            header = _parse_header(path, stored.metadata())
            kept = [name for name in stored.keys() if name.startswith(_LAYOUT) == bool(prefix)]
            return header, {name.removeprefix(prefix): stored.get_tensor(name) for name in kept}
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise AssetError(
            f"cannot read the weights {path} ({error}); the file is damaged, get it again"
        ) from error


def read_layout(name_or_path: str | Path) -> UVLayout:
    """Return the UV layout of weights: the one in their file, or the package's of its name."""
    path = _find(name_or_path)
    header, arrays = _read(path, prefix=_LAYOUT)
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


def load_weights(
    name_or_path: str | Path, *, layout: UVLayout | None = None
) -> tuple[nnx.Module, WeightsHeader]:
    """Load a network.

    Args:
        name_or_path: name of embedded weights ("prn-lite"), or a file.
        layout: if given, weights made for another layout are an error.

    Returns:
        The network, ready for inference (a `Network`), and the file's header.

    Raises:
        AssetError: missing, damaged, or made for another layout.
    """
    path = _find(name_or_path)
    header, arrays = _read(path)
    if layout is not None:
        check_layout(path, header, layout.name, layout.digest)
    try:
        network = make_network(header.network, header.config, is_abstract=True)
    except (TypeError, ValueError) as error:
        raise AssetError(f"the weights {path} are of an unknown network ({error})") from error
    _check_age(path, header, arrays)
    variables = flat_variables(network)
    if {n: v.shape for n, v in variables.items()} != {n: a.shape for n, a in arrays.items()}:
        raise AssetError(f"the arrays in {path} do not fit the network {header.network!r}")
    # Turned on the host and moved together: `jnp.asarray` would compile a copy for every shape.
    values = jax.device_put({name: array.astype(np.float32) for name, array in arrays.items()})
    for name, variable in variables.items():
        variable.set_value(values[name])
    network.eval()
    return network, header
