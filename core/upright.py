"""Network passes on one crop, turned until the head stands upright in it.

A network that sees most heads upright reads them better than one that spends itself on every
turn; a tilted head costs one more pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from .geometry.camera import estimate_camera
from .geometry.crop import Region, turn_crop
from .geometry.layout import UVLayout
from .geometry.pose import inplane_roll
from .network.inference import HEAD_SIZE
from .types import Camera, Similarity

__all__ = ["Read", "UprightCrop", "fit_camera", "predict_upright", "read_mirrored"]

Read = Callable[
    [Float[Array, "b 256 256 3"]],
    tuple[Float[Array, "b 256 256 3"], Float[Array, "b 128 128"], Float[Array, " b"]],
]

_CAMERA_STEP = 4  # texels: a sixteenth of the rigid texels fixes six numbers as well as all


def fit_camera(position_map: Float[Array, "size size 3"], layout: UVLayout) -> Camera:
    """Return the camera that explains the rigid part of a position map."""
    every = (slice(None, None, _CAMERA_STEP), slice(None, None, _CAMERA_STEP))
    return estimate_camera(
        layout.canonical[every].reshape(-1, 3),
        position_map[every].reshape(-1, 3),
        layout.region("rigid")[every].reshape(-1),
    )


def read_mirrored(read: Read, layout: UVLayout) -> Read:
    """Return a reader that also reads the mirrored crops, and averages."""

    def both(crops: Float[Array, "b 256 256 3"]) -> tuple[Array, Array, Array]:
        maps, heads, confidence = read(jnp.concatenate([crops, crops[:, :, ::-1]]))
        count, last = crops.shape[0], crops.shape[2] - 1
        back = jax.vmap(layout.mirror)(maps[count:])
        back = back.at[..., 0].set(last - back[..., 0])
        return (
            0.5 * (maps[:count] + back),
            0.5 * (heads[:count] + heads[count:, :, ::-1]),
            0.5 * (confidence[:count] + confidence[count:]),
        )

    return both


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class UprightCrop:
    """What the network says about the last crop that it saw."""

    photo_from_crop: Similarity
    position_map: Array  # [S, S, 3] crop pixels
    camera: Camera  # canonical frame -> crop pixels
    head: Array  # [128, 128] over the crop: 1 where it shows the head itself
    confidence: Array = dataclasses.field(default_factory=lambda: jnp.ones(()))  # [], in [0, 1]


def predict_upright(
    read: Read,
    region: Region,
    photo_from_crop: Similarity,
    layout: UVLayout,
    *,
    passes: int,
    tolerance: float,
) -> UprightCrop:
    """Read a crop; where the head is tilted in it, turn it upright and read it again.

    Runs inside ``jit``; one compilation of the network serves all passes.

    Args:
        read: `Network.read` of the network.
        region: the part of the photo around the face.
        photo_from_crop: the crop of the first pass.
        layout: UV layout of the network.
        passes: at most so many are made.
        tolerance: degrees by which the head may be turned in its crop.
    """

    def is_wanted(state: tuple[Array, UprightCrop]) -> Array:
        done, before = state
        is_tilted = jnp.abs(inplane_roll(before.camera.rotation)) > tolerance
        return (done == 0) | ((done < passes) & is_tilted)

    def look(state: tuple[Array, UprightCrop]) -> tuple[Array, UprightCrop]:
        done, before = state
        roll = jnp.where(done > 0, inplane_roll(before.camera.rotation), 0.0)
        crop = turn_crop(before.photo_from_crop, roll)
        maps, heads, confidence = read(region.read(crop)[None])
        found = UprightCrop(
            photo_from_crop=crop,
            position_map=maps[0],
            camera=fit_camera(maps[0], layout),
            head=heads[0],
            confidence=confidence[0],
        )
        return done + 1, found

    nothing = UprightCrop(
        photo_from_crop=photo_from_crop,
        position_map=jnp.zeros((layout.size, layout.size, 3)),
        camera=Camera(scale=jnp.ones(()), rotation=jnp.eye(3), translation=jnp.zeros(3)),
        head=jnp.zeros((HEAD_SIZE, HEAD_SIZE)),
        confidence=jnp.zeros(()),
    )
    return jax.lax.while_loop(is_wanted, look, (jnp.zeros((), jnp.int32), nothing))[1]
