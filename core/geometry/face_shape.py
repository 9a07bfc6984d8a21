"""Who a face is, told apart from what it does: a linear model of identity and expression.

A face in the canonical frame is a mean map plus modes of identity plus modes of expression, each a
UV map. Both kinds come from the parametric head that the layout was drawn on
(`core.synthesis.build_shapes`); of each mode set the mirror image spans the same space, so that a
mirrored face has the mirrored shape. A position map is fitted by turns: a similarity to the
canonical frame, then all coefficients at once, by a matrix that is known beforehand.

References:
    V. Blanz, T. Vetter, "A Morphable Model for the Synthesis of 3D Faces", 1999 (linear shape,
    maximum a posteriori coefficients). C. Cao et al., "FaceWarehouse", 2014 (identity and
    expression apart).
"""

from __future__ import annotations

import dataclasses
from importlib import resources
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ..errors import AssetError
from ..once import once
from ..products import product
from ..types import Camera
from .camera import estimate_similarity_3d
from .layout import UVLayout
from .scales import pool
from .spline import evaluate_control

__all__ = ["SHAPE_TEXELS", "FaceShape", "ShapeModes", "fit_shape", "load_shape_modes"]

SHAPE_TEXELS = 64  # along a side, at which shapes are fitted
_CONTROLS = ("mean", "identity", "expression")  # control maps of the file
_ROUNDS = 4  # of similarity and coefficients; after them shapes change by 0.003 cm
# cm, root mean square of what the modes do not explain, as an error that is the same all over the
# face would count. From neutral and smiling photos of 50 people of the London set: at 0.01 shapes
# of one person differ least, relative to those of different people (0.27; 0.28 at 0.001, 0.41 at
# 0.1); they are no photos of the evaluation's AFLW2000-3D.
_MISFIT = 0.01


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class ShapeModes:
    """Shapes that faces have and make, at the texels of a small map, cm, canonical frame."""

    mean: Array  # [n, n, 3]
    identity: Array  # [k, n, n, 3], one standard deviation each
    expression: Array  # [e, n, n, 3], the same
    weights: Array  # [n, n], how far a texel counts
    solver: Array  # [k + e, n * n * 3], coefficients of what a face differs from the mean by


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceShape:
    """The shape of a face, and how it stands in its photo."""

    identity: Array  # [k], standard deviations
    expression: Array  # [e]
    camera: Camera  # canonical frame to photo


@once
def _load(path: Path) -> tuple[str, ShapeModes]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            digest = str(stored["layout"])
            controls = [stored[name].astype(np.float32) for name in _CONTROLS]
            weights = stored["weights"].astype(np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise AssetError(
            f"cannot read the face shapes {path} ({error}); rebuild or reinstall them"
        ) from error
    # All as channels of one map: one compiled call.
    stacked = np.concatenate(controls).transpose(1, 2, 0, 3)
    control = jnp.asarray(stacked.reshape(*stacked.shape[:2], -1))
    maps = np.asarray(evaluate_control(control, SHAPE_TEXELS))
    maps = maps.reshape(SHAPE_TEXELS, SHAPE_TEXELS, -1, 3)
    mean, modes = np.split(np.moveaxis(maps, 2, 0), [1])
    count = len(controls[1])
    return digest, ShapeModes(
        mean=jnp.asarray(mean[0]),
        identity=jnp.asarray(modes[:count]),
        expression=jnp.asarray(modes[count:]),
        weights=jnp.asarray(weights),
        solver=jnp.asarray(_solver(modes, weights)),
    )


def _solver(
    modes: Float[np.ndarray, "m n n 3"], weights: Float[np.ndarray, "n n"]
) -> Float[np.ndarray, "m n*n*3"]:
    """Return the matrix of the maximum a posteriori coefficients, with a prior of variance 1."""
    share = np.repeat(weights.reshape(-1), 3) / weights.sum()
    columns = modes.reshape(len(modes), -1).astype(np.float64)
    normal = (columns * share) @ columns.T + _MISFIT**2 * np.eye(len(modes))
    return np.asarray(np.linalg.solve(normal, columns * share), np.float32)


def load_shape_modes(layout: UVLayout) -> ShapeModes | None:
    """Return the shapes of a layout; None for a layout that comes without.

    Raises:
        AssetError: the file is damaged.
    """
    path = Path(str(resources.files("uvface.assets"))) / "uv" / f"{layout.name}_shapes.npz"
    if not path.is_file():
        return None
    digest, modes = _load(path)
    return modes if digest == layout.digest else None


def fit_shape(position_map: Float[Array, "size size 3"], modes: ShapeModes) -> FaceShape:
    """Fit who a face is, what it does, and how it stands in the photo.

    Args:
        position_map: texel to photo position, pixels; all of the face, hidden texels too.
        modes: of the same layout.
    """
    points = pool(position_map, SHAPE_TEXELS).reshape(-1, 3)
    weights, mean = modes.weights.reshape(-1), modes.mean.reshape(-1, 3)
    count = modes.identity.shape[0]
    columns = jnp.concatenate([modes.identity, modes.expression]).reshape(len(modes.solver), -1)

    def shaped(coefficients: Array) -> Array:
        offset = product(coefficients, columns)
        return mean + offset.reshape(-1, 3)

    def refit(_: Array, coefficients: Array) -> Array:
        similarity = estimate_similarity_3d(points, shaped(coefficients), weights)
        difference = (similarity.project(points) - mean).reshape(-1)
        return product(modes.solver, difference)

    found = lax.fori_loop(0, _ROUNDS, refit, jnp.zeros(len(columns)))
    camera = estimate_similarity_3d(shaped(found), points, weights)
    return FaceShape(identity=found[:count], expression=found[count:], camera=camera)
