"""Divide the shading out of a skin texture, so that it is near an albedo.

The linear luminance of skin texels is fitted by nine spherical harmonics of the normals, robustly
and with one common light of the whole set as prior (photos of a set share a studio). The skin is
then divided by that shading, normalised to 1 at the camera-facing normal.

References:
    Ramamoorthi and Hanrahan, An Efficient Representation for Irradiance Environment Maps, 2001.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float

__all__ = [
    "ShadingSums",
    "harmonics",
    "linear_from_srgb",
    "shading",
    "shading_sums",
    "soften_highlights",
    "solve_light",
    "srgb_from_linear",
]

LIMITS = (0.6, 1.4)  # shading outside is an extrapolation
OUTLIER = 0.2  # relative error of luminance
HIGHLIGHT = 0.25  # log luminance above plain skin from which on a highlight is compressed
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def linear_from_srgb(color: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Undo the sRGB transfer curve, values in [0, 1]."""
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(color: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Apply the sRGB transfer curve, values in [0, 1]."""
    curve = 1.055 * np.maximum(color, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(color <= 0.0031308, 12.92 * color, curve)


def harmonics(normals: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 9"]:
    """Return the nine real spherical harmonics up to order 2, without their constants."""
    x, y, z = np.moveaxis(normals, -1, 0)
    one = np.ones_like(x)
    rows = (one, x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1)
    return np.stack(rows, axis=-1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShadingSums:
    """Normal equations of one photo's light; they add up over photos."""

    matrix: np.ndarray  # [9, 9], divided by the number of texels
    vector: np.ndarray  # [9]


def shading_sums(
    color: Float[np.ndarray, "texels 3"], normals: Float[np.ndarray, "texels 3"]
) -> ShadingSums:
    """Fit the luminance of skin texels (linear RGB) robustly and return the normal equations.

    Luminance is divided by its median, so that photos of light and dark skin can share a light.
    """
    basis = harmonics(normals.astype(np.float64))
    luminance = color.astype(np.float64) @ LUMINANCE
    luminance = luminance / np.median(luminance)
    weight = np.ones_like(luminance)
    for _ in range(4):
        matrix = (basis * weight[:, None]).T @ basis / len(basis)
        vector = (basis * weight[:, None]).T @ luminance / len(basis)
        light = np.linalg.solve(matrix + 1e-3 * np.eye(9), vector)
        weight = 1.0 / (1.0 + ((basis @ light - luminance) / OUTLIER) ** 2) ** 2
    return ShadingSums(matrix=matrix, vector=vector)


def solve_light(sums: list[ShadingSums], *, common: float = 0.02) -> Float[np.ndarray, "photos 9"]:
    """Return each photo's light, drawn towards the light of the whole set.

    Args:
        sums: normal equations per photo.
        common: strength of the common light, relative to the texels of one photo.
    """
    matrix = np.mean([one.matrix for one in sums], axis=0)
    vector = np.mean([one.vector for one in sums], axis=0)
    mean = np.linalg.solve(matrix + 1e-3 * np.eye(9), vector)
    prior = common * np.eye(9)
    return np.stack([np.linalg.solve(s.matrix + prior, s.vector + prior @ mean) for s in sums])


def shading(
    light: Float[np.ndarray, " 9"], normals: Float[np.ndarray, "*n 3"]
) -> Float[np.ndarray, "*n"]:
    """Return the shading at the normals: 1 where they face the camera, clamped to `LIMITS`."""
    front = harmonics(np.array([0.0, 0.0, 1.0])) @ light
    return np.asarray(np.clip(harmonics(normals) @ light / front, *LIMITS))


def soften_highlights(
    color: Float[np.ndarray, "size size 3"], seeds: Bool[np.ndarray, "size size"]
) -> Float[np.ndarray, "size size 3"]:
    """Compress what is much brighter than plain skin: highlights are light, not albedo.

    Args:
        color: linear RGB, shading divided out.
        seeds: texels of plain skin.
    """
    luminance = np.log(np.maximum(color @ LUMINANCE, 1e-4))
    excess = luminance - np.median(luminance[seeds]) - HIGHLIGHT
    return color * np.exp(-0.6 * np.maximum(excess, 0.0))[..., None]
