"""Networks to weights files and back; the files themselves: `weights_file`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx
from safetensors.numpy import save

from ..errors import AssetError
from ..geometry.layout import UVLayout, pack_layout
from ..whole_files import write_bytes_atomic
from .registry import make_network
from .weights_file import LAYOUT_PREFIX, WeightsHeader, read_arrays

__all__ = ["fill_network", "flat_variables", "load_weights", "save_weights"]


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
        arrays |= {LAYOUT_PREFIX + name: np.ascontiguousarray(packed[name]) for name in packed}
    metadata = {"uvface": json.dumps(dataclasses.asdict(header), sort_keys=True)}
    # Not written by safetensors, whose files only their owner may read.
    write_bytes_atomic(path, save(arrays, metadata=metadata))


def fill_network(
    header: WeightsHeader, arrays: dict[str, jax.Array], *, source: str | Path
) -> nnx.Module:
    """Return the network that a header describes with given arrays, ready for inference.

    Args:
        header: of a weights file.
        arrays: of that file.
        source: name or path of the file, for messages.

    Raises:
        AssetError: the arrays are not those of the network.
    """
    try:
        network = make_network(header.network, _settings(header), is_abstract=True)
    except (TypeError, ValueError) as error:
        raise AssetError(f"the weights {source} are of an unknown network ({error})") from error
    variables = flat_variables(network)
    if {n: v.shape for n, v in variables.items()} != {n: a.shape for n, a in arrays.items()}:
        raise AssetError(
            f"the arrays in {source} do not fit the network {header.network!r}; "
            "the file is damaged or of another version, get it again"
        )
    for name, variable in variables.items():
        variable.set_value(arrays[name])
    network.eval()
    return network


def _settings(header: WeightsHeader) -> dict[str, Any]:
    """Return the network's settings; older files of `prn-lite` have no blocks at 64x64."""
    older = {"first": 0} if header.network == "prn-lite" else {}
    return older | header.config


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
    header, arrays = read_arrays(name_or_path, layout=layout)
    return fill_network(header, arrays, source=name_or_path), header
