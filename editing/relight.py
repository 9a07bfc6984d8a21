"""More light, or less, on a face in a picture: what is there is multiplied, nothing blows out.

A face's light is nine numbers and a colour for each: a lamp and light from all sides, as far as
harmonics up to order two tell them apart. Beside the face the change continues smoothly and fades
away, so that hair and neck stand in the same light.

Convention:
    Directions have y up (see `harmonics`), normals y down.

References:
    R. Ramamoorthi and P. Hanrahan, "An Efficient Representation for Irradiance Environment
    Maps", 2001 (eq. 8: what a matt surface makes of light of each order, without `_MONOTONE`).
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.harmonics import CONSTANT, harmonics
from ..core.geometry.layout import UVLayout
from ..core.geometry.visibility import normals
from ..core.synthesis.numbers import Numbers
from .colour import linear_from_srgb, srgb_from_linear
from .regions import soften

__all__ = [
    "exposed",
    "lamp",
    "light_on_texels",
    "main_light",
    "multiply_light",
    "random_light",
    "spread_light",
]

_MONOTONE = 8 / 15  # of order two: with more of it, a lamp lights again what turns away from it
_COSINE = [math.pi] + [2 * math.pi / 3] * 3 + [_MONOTONE * math.pi / 4] * 5
_ABOVE = (0.0, 0.45, 0.8)  # where lamps mostly are: above and before the face
# What most of a face looks like: its mean light is the picture's exposure.
_FACING = np.array([[0, 0, 1], [0.6, 0, 0.8], [-0.6, 0, 0.8], [0, 0.6, 0.8], [0, -0.6, 0.8]])
_LEAST, _MOST = 0.22, 2.2  # times the light that is there
_WRINKLES = 4.0  # texels of 256: what is finer is not known of the surface
_REACHES = (70.0, 28.0, 10.0, 4.0)  # picture pixels over which the light goes on beside the face
_STIFF = 0.02  # of the weights: what makes slopes of light small that a face hardly tells
_LEAST_FRONT, _LEAST_LIGHT = 0.3, 0.02  # of a face's light: from the front; mean
_NOTHING = 0.06  # weight of the wider reach's light, and at last of no change


def random_light(key: Array) -> Float[Array, "9 3"]:
    """Return the harmonics' factors of a light to multiply a face's own by.

    A lamp of 0.3 to 3 times the strength of the light around it, slightly warm or cold, and an
    exposure about the old one.
    """
    draw = Numbers(key, 8)
    direction = jnp.array(_ABOVE) + draw.uniform(low=0.3, high=1.3) * draw.normal((3,))
    direction = direction / jnp.maximum(jnp.linalg.norm(direction), 1e-3)
    strength = jnp.exp(draw.uniform(low=math.log(0.3), high=math.log(3.0)))
    warmth = 0.1 * draw.normal() * jnp.array([1.0, 0.1, -1.0])
    exposure = jnp.exp(0.13 * draw.normal())
    directed = strength * lamp(direction)[:, None] * jnp.exp(warmth)
    around = jnp.zeros((9, 3)).at[0].set(jnp.exp(-0.5 * warmth) / CONSTANT)
    return exposed(directed + around, exposure)


def lamp(direction: Float[Array, " 3"]) -> Float[Array, " 9"]:
    """Return the harmonics' factors of a lamp in a direction, a unit vector with y up.

    A surface gets the less of it, the further it turns away.
    """
    return jnp.array(_COSINE) * harmonics(direction)


def exposed(light: Float[Array, "9 3"], exposure: Float[Array, ""]) -> Float[Array, "9 3"]:
    """Return the light times what gives most of a face that mean."""
    mean = (harmonics(jnp.asarray(_FACING, jnp.float32)) @ light).mean()
    return exposure / mean * light


def light_on_texels(
    light: Float[Array, "9 3"], position_map: Float[Array, "size size 3"], layout: UVLayout
) -> Float[Array, "size size 3"]:
    """Return the factor of the light at every texel, linear RGB, within [0.22, 2.2].

    Args:
        light: factors of the harmonics; 1 / CONSTANT and zeros change nothing.
        position_map: of the face, picture pixels.
        layout: UV layout of the map.
    """
    up = _smooth_normals(position_map, layout) * jnp.array([1.0, -1.0, 1.0])
    return jnp.clip(harmonics(up) @ light, _LEAST, _MOST)


def _smooth_normals(position_map: Array, layout: UVLayout) -> Array:
    smooth = soften(normals(position_map, layout), _WRINKLES * layout.size / 256)
    length = jnp.linalg.norm(smooth, axis=-1, keepdims=True)
    return smooth / jnp.maximum(length, 1e-3)


def main_light(
    brightness: Float[Array, "size size"],
    weight: Float[Array, "size size"],
    position_map: Float[Array, "size size 3"],
    layout: UVLayout,
) -> Float[Array, " 3"]:
    """Return where most of a face's light comes from (y down), as its brightness tells.

    The length is the share that comes from there, 1 in the light of a lamp alone. Of any light,
    some comes from the front: in an even one that is all that is left.

    Args:
        brightness: of the texels, linear.
        weight: how much each counts.
        position_map: of the face in its light, picture pixels.
        layout: UV layout of the map.
    """
    normal = _smooth_normals(position_map, layout).reshape(-1, 3)
    terms = jnp.concatenate([jnp.ones_like(normal[:, :1]), normal], axis=1)
    weighted = terms * weight.reshape(-1, 1)
    total = weight.sum() + 1e-3
    stiff = _STIFF * total * jnp.diag(jnp.array([0.0, 1.0, 1.0, 1.0]))
    slopes = jnp.linalg.solve(
        weighted.T @ terms + stiff + 1e-6 * total * jnp.eye(4), weighted.T @ brightness.reshape(-1)
    )
    mean = jnp.maximum((weight * brightness).sum() / total, _LEAST_LIGHT)
    light = slopes[1:] / mean
    return jnp.stack([light[0], light[1], jnp.maximum(light[2], _LEAST_FRONT)])


def spread_light(
    factor: Float[Array, "side side 3"], known: Float[Array, "side side"]
) -> Float[Array, "side side 3"]:
    """Continue the factor of a light beside the face; far from it, it is 1.

    Args:
        factor: at the picture's pixels, where ``known`` is 1.
        known: 1 on the face, else 0.
    """
    weight = known[..., None]
    both = jnp.concatenate([jnp.log(jnp.maximum(factor, _LEAST)) * weight, weight], axis=-1)
    spread = jnp.zeros_like(factor)
    for reach in _REACHES:
        blurred = soften(both, reach)
        spread = (blurred[..., :-1] + _NOTHING * spread) / (blurred[..., -1:] + _NOTHING)
    return jnp.exp(spread + weight * (jnp.log(jnp.maximum(factor, _LEAST)) - spread))


def multiply_light(
    image: Float[Array, "*n 3"], factor: Float[Array, "*n 3"]
) -> Float[Array, "*n 3"]:
    """Multiply the light of a picture, sRGB in [0, 1]; what gets brighter nears white slowly."""
    linear = linear_from_srgb(image)
    return srgb_from_linear(linear * factor / (1.0 + linear * jnp.maximum(factor - 1.0, 0.0)))
