"""Named expressions of a layout: how far a smile, or a closed eye, moves each texel.

They are offsets of the neutral face of the head that the layout was drawn on, in the canonical
frame (`core.synthesis.build_expressions`): moved along with a head's pose and size they are the
same smile on any face.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..errors import AssetError
from .layout import UVLayout
from .spline import evaluate_control

__all__ = ["load_expressions"]


def load_expressions(layout: UVLayout) -> Mapping[str, Float[np.ndarray, "size size 3"]]:
    """Return name -> offsets of the full expression, cm; nothing for a layout without any.

    Raises:
        AssetError: the file is damaged.
    """
    path = Path(str(resources.files("uvface.assets"))) / "uv" / f"{layout.name}_expressions.npz"
    if not path.is_file():
        return {}
    digest, offsets = _load(path, layout.size)
    return offsets if digest == layout.digest else {}


@cache
def _load(path: Path, size: int) -> tuple[str, dict[str, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            digest, names = str(stored["layout"]), [str(name) for name in stored["names"]]
            controls = stored["controls"].astype(np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise AssetError(
            f"cannot read the expressions {path} ({error}); rebuild or reinstall them"
        ) from error
    # All as channels of one map: one compiled call.
    stacked = controls.transpose(1, 2, 0, 3)
    control = jnp.asarray(stacked.reshape(*stacked.shape[:2], -1))
    maps = np.asarray(evaluate_control(control, size))
    maps = maps.reshape(size, size, len(names), 3)
    return digest, {name: maps[:, :, k] for k, name in enumerate(names)}
