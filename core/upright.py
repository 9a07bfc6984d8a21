"""Network passes on one crop, turned until the head stands upright in it.

A network that sees most heads upright reads them better than one that spends itself on every
turn; a tilted head costs one more pass.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from .geometry.camera import estimate_camera
from .geometry.crop import Region, turn_crop
from .geometry.layout import UVLayout
from .geometry.pose import inplane_roll
from .types import Camera, Similarity

__all__ = ["Predict", "fit_camera", "predict_upright"]

Predict = Callable[[Float[Array, "b 256 256 3"]], Float[Array, "b 256 256 3"]]

_CAMERA_STEP = 4  # texels: a sixteenth of the rigid texels fixes six numbers as well as all


def fit_camera(position_map: Float[Array, "size size 3"], layout: UVLayout) -> Camera:
    """Return the camera that explains the rigid part of a position map."""
    every = (slice(None, None, _CAMERA_STEP), slice(None, None, _CAMERA_STEP))
    return estimate_camera(
        layout.canonical[every].reshape(-1, 3),
        position_map[every].reshape(-1, 3),
        layout.region("rigid")[every].reshape(-1),
    )


def predict_upright(
    predict: Predict,
    region: Region,
    photo_from_crop: Similarity,
    layout: UVLayout,
    *,
    passes: int,
    tolerance: float,
) -> tuple[Float[Array, "256 256 3"], Similarity]:
    """Return the position map of a crop, and ``photo_from_crop`` of the crop it belongs to.

    Runs inside ``jit``; one compilation of the network serves all passes.

    Args:
        predict: the network.
        region: the part of the photo around the face.
        photo_from_crop: the crop of the first pass.
        layout: UV layout of the network.
        passes: at most so many are made.
        tolerance: degrees by which the head may be turned in its crop.
    """

    def is_wanted(state: tuple[Array, Array, Similarity, Array]) -> Array:
        done, roll, _, _ = state
        return (done < passes) & (jnp.abs(roll) > tolerance)

    def look(
        state: tuple[Array, Array, Similarity, Array],
    ) -> tuple[Array, Array, Similarity, Array]:
        done, roll, before, _ = state
        crop = turn_crop(before, jnp.where(done > 0, roll, 0.0))
        crop_map = predict(region.read(crop)[None])[0]
        return done + 1, inplane_roll(fit_camera(crop_map, layout).rotation), crop, crop_map

    shape = (layout.size, layout.size, 3)
    first = (jnp.zeros((), jnp.int32), jnp.full((), jnp.inf), photo_from_crop, jnp.zeros(shape))
    _, _, crop, crop_map = jax.lax.while_loop(is_wanted, look, first)
    return crop_map, crop
