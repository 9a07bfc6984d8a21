"""The released PRNet weights as weights of our `PRN`.

The release is a TensorFlow checkpoint whose variables lie under ``resfcn256/``, beside the
optimiser's, which are left alone. Kernels need no change: convolutions are stored
``[h, w, in, out]``, transposed ones ``[h, w, out, in]``, as `PRN` has them.

References:
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", 2018, and its released code (``predictor.py``: names and order of the layers).
"""

from __future__ import annotations

import re
from pathlib import Path

import jax.numpy as jnp
from flax import nnx

from ..arguments import as_path
from ..errors import AssetError
from ..geometry.prnet_layout import read_prnet_layout
from .prn import PRN, PRNConfig
from .tensor_bundle import TensorEntry, read_entries, read_tensors
from .weights import flat_variables, save_weights
from .weights_file import WeightsHeader, check_weights_name

__all__ = ["checkpoint_name", "import_prnet", "load_prnet", "match_variables"]

_SCOPE = "resfcn256/"
_IGNORED = re.compile(r"(beta[12]_power|global_step|.*/Adam(_1)?)$")
_NORM = {"scale": "gamma", "bias": "beta", "mean": "moving_mean", "var": "moving_variance"}
_PARTS = {
    "reduce.conv": "Conv/weights",
    "conv.conv": "Conv_1/weights",
    "expand": "Conv_2/weights",
    "shortcut": "shortcut/weights",
    "reduce.norm": "Conv/BatchNorm/",
    "conv.norm": "Conv_1/BatchNorm/",
    "norm": "BatchNorm/",
}


def checkpoint_name(variable: str) -> str:
    """Return the checkpoint's name of a variable of `PRN`, e.g. ``down.3.conv.norm.mean``."""
    block, rest = variable.split(".", 1)
    number = ""
    if block in ("down", "up"):
        index, rest = rest.split(".", 1)
        number = f"_{index}" if int(index) else ""
    part, leaf = rest.rsplit(".", 1)
    scope = {"stem": "Conv", "down": f"resBlock{number}", "up": f"Conv2d_transpose{number}"}[block]
    place = _PARTS[part] if block == "down" else {"conv": "weights", "norm": "BatchNorm/"}[part]
    return f"{_SCOPE}{scope}/{place}{_NORM[leaf] if place.endswith('/') else ''}"


def match_variables(
    network: PRN, entries: dict[str, TensorEntry], *, source: str = "the checkpoint"
) -> dict[str, str]:
    """Return variable of the network -> name in the checkpoint, all of both.

    Raises:
        AssetError: a variable is missing, surplus, or of another shape; it is named.
    """
    names = {variable: checkpoint_name(variable) for variable in flat_variables(network)}
    stored = {name for name in entries if not _IGNORED.match(name)}
    if missing := sorted(set(names.values()) - stored):
        raise AssetError(f"{source} lacks the variable {missing[0]}; give the released PRNet's")
    if surplus := sorted(stored - set(names.values())):
        raise AssetError(f"{source} has a variable that PRNet has not: {surplus[0]}")
    for variable, leaf in flat_variables(network).items():
        wanted, found = leaf.get_value().shape, entries[names[variable]].shape
        if wanted != found:
            raise AssetError(
                f"{source}: the variable {names[variable]} has the shape {found}, not {wanted}"
            )
    return names


def load_prnet(prefix: str | Path) -> PRN:
    """Return the network with a checkpoint's weights.

    Args:
        prefix: the checkpoint's path without ``.index``.
    """
    network: PRN = nnx.eval_shape(lambda: PRN(PRNConfig(depth_center=0.0), rngs=nnx.Rngs(0)))
    entries = read_entries(prefix)
    names = match_variables(network, entries, source=f"the checkpoint {prefix}")
    values = read_tensors(prefix, {name: entries[name] for name in names.values()})
    for variable, leaf in flat_variables(network).items():
        leaf.set_value(jnp.asarray(values[names[variable]]))
    network.eval()
    return network


def import_prnet(checkpoint: str | Path, folder: str | Path, output: str | Path) -> WeightsHeader:
    """Write the released weights and their UV layout as one weights file.

    Args:
        checkpoint: its path without ``.index``.
        folder: checkout of PRNet, or its ``Data/uv-data``.
        output: ``.safetensors`` file to write, for `uvface.load`.

    Returns:
        What the file says of its weights.

    Raises:
        AssetError: the checkpoint or the UV data are missing, damaged or not PRNet's.
        InputError: the output has another ending, or cannot be written.
    """
    output = as_path(output, "the name of a weights file, .safetensors")
    check_weights_name(output)
    prefix = as_path(checkpoint, "the path of PRNet's checkpoint, without .index")
    layout = read_prnet_layout(as_path(folder, "the folder of PRNet's checkout"))
    header = WeightsHeader(
        network="prn",
        layout=layout.name,
        layout_digest=layout.digest,
        training={"data": "released by the authors of PRNet; 300W-LP", "licences": {}},
    )
    save_weights(output, load_prnet(prefix), header, layout=layout, is_exact=True)
    return header
