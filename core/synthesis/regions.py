"""Soft region masks and loss weights of the layout, drawn around the landmarks.

Convention:
    "left" is the subject's left (image-right of a frontal view, u > 0.5). Masks are drawn in UV
    (curves through landmarks) and in the canonical frame of the neutral head (cm, y down).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter
from skimage.draw import polygon2mask

from .patches import EYEBALL_LEFT, EYEBALL_RIGHT, MEMBRANE
from .surface import FaceSurface, TexelBinding

__all__ = ["draw_regions", "texel_weights"]

Mask = Float[np.ndarray, "size size"]
SOFT = 0.8 / 256  # standard deviation of the soft borders, UV
SUPERSAMPLE = 4
# PRNet's weights: landmarks : eyes, nose, mouth : face : neck.
LOSS_WEIGHTS = (16.0, 4.0, 3.0, 0.0)


def _blur(mask: np.ndarray, deviation: float = SOFT) -> np.ndarray:
    return gaussian_filter(mask.astype(np.float64), deviation * len(mask), mode="nearest")


def _fill(polygon: np.ndarray, size: int) -> np.ndarray:
    """Return the share of each texel that a UV polygon ``[n, 2]`` covers."""
    fine = size * SUPERSAMPLE
    mask = polygon2mask((fine, fine), polygon[:, ::-1] * fine - 0.5).astype(np.float64)
    return mask.reshape(size, SUPERSAMPLE, size, SUPERSAMPLE).mean(axis=(1, 3))


def _closed_curve(points: np.ndarray) -> np.ndarray:
    closed = np.concatenate([points, points[:1]])
    steps = np.sqrt(np.linalg.norm(np.diff(closed, axis=0), axis=1))  # centripetal: no loops
    at = np.concatenate([[0], np.cumsum(steps)])
    return CubicSpline(at, closed, bc_type="periodic")(np.linspace(0, at[-1], 400)[:-1])


def _below(level: np.ndarray, soft: float) -> np.ndarray:
    """Return 1 where a level (cm) is well below 0, 0 well above, a smooth step between."""
    t = np.clip(0.5 - level / (2 * soft), 0, 1)
    return t * t * (3 - 2 * t)


def _line(y: np.ndarray, z: np.ndarray, start: tuple, end: tuple) -> np.ndarray:
    """Return the distance above/behind a profile line given by (z, y up) points, cm."""
    along = np.subtract(end, start) / np.hypot(*np.subtract(end, start))
    return along[0] * (y - start[1]) - along[1] * (z - start[0])


def draw_regions(
    surface: FaceSurface, binding: TexelBinding, canonical: Float[np.ndarray, "size size 3"]
) -> dict[str, Mask]:
    """Return all region masks, 0 outside the layout's mask."""
    size = len(canonical)
    mask = np.asarray(binding.mask)
    label = np.asarray(surface.label)[np.asarray(binding.vertices)]
    marks = np.asarray(surface.uv, np.float64)[np.asarray(surface.landmarks)]
    x, y, z = np.abs(canonical[..., 0]), -canonical[..., 1], canonical[..., 2]
    u, v = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2)

    eyeballs = _blur((label == EYEBALL_LEFT).any(-1) | (label == EYEBALL_RIGHT).any(-1))
    interior = _blur((label == MEMBRANE).any(-1))
    eyes = np.maximum(
        eyeballs, _below(np.hypot((x - 3.2) / 1.85, (y - 3.5) / 1.1) - 1, 0.15) * (z > 7)
    )
    lips = _blur(_fill(_closed_curve(marks[48:60]), size)) * (1 - interior)
    middle = marks[[48, 54], 1].mean()
    upper = _below((v - middle) * 100, 0.5)
    brows = _brows(canonical, np.asarray(surface.landmarks), surface, binding)
    ears = _below(np.hypot((z + 0.1) / 1.75, (y - 0.9) / 3.0) - 1, 0.12) * (x > 6.3)
    scalp = _below(-np.maximum(_line(y, z, (1.8, 4.5), (9.0, 10.6)), 0.9 - z + 0 * y), 0.4)
    scalp *= _below(0.5 - y, 0.6) * (1 - ears)
    jawline = np.interp(u, *_jawline(marks))
    neck = np.maximum(_below((jawline - v) * 100, 1.0), _below(1.2 + z - 0 * y, 0.6) * (y < 0.5))
    neck = neck * (1 - ears) * (1 - scalp)
    face = (1 - ears) * (1 - scalp) * (1 - neck)

    nose = _blur(_fill(_closed_curve(_nose_outline(marks)), size), 1.5 / 256)
    brow_line = np.interp(np.abs(u - 0.5), *_brow_line(marks))
    forehead = face * _below((v - brow_line) * 100, 1.0) * (1 - brows)
    features = np.maximum.reduce([eyes, brows, lips, interior, nose, forehead])
    chin_top = (
        np.interp(
            np.abs(u - 0.5), np.abs(marks[[57, 56, 55, 54], 0] - 0.5), marks[[57, 56, 55, 54], 1]
        )
        + 0.02
    )
    chin_side = np.abs(marks[10, 0] - 0.5) * 0.75
    chin = (
        face * _below((chin_top - v) * 100, 1.0) * _below((np.abs(u - 0.5) - chin_side) * 100, 1.5)
    )
    jaw = face * _below((jawline - 0.055 - v) * 100, 2.0)
    cheek_top = marks[41, 1] + 0.02
    cheeks = face * (1 - features) * (1 - chin) * _below((cheek_top - v) * 100, 2.0)
    cheeks *= _below((v - marks[48, 1] - 0.06) * 100, 3.0) * _below(
        (0.05 - np.abs(u - 0.5)) * 100, 1.0
    )
    rigid = face * (1 - np.maximum(eyes, brows)) * _below((v - marks[33, 1]) * 100, 2.0)
    rigid *= _below(np.abs(x) - 6.0, 1.0) * _below(y - 8.5, 1.0)

    regions = {
        "face": face,
        "skin": face * (1 - np.maximum.reduce([eyes, lips, brows, interior])),
        "forehead": forehead,
        "brows": brows,
        "eyes": eyes,
        "eyeballs": eyeballs,
        "nose": nose * (1 - eyes),
        "cheeks": cheeks,
        "lips": lips,
        "lips_upper": lips * upper,
        "lips_lower": lips * (1 - upper),
        "mouth_interior": interior,
        "chin": chin * (1 - lips),
        "jaw": jaw,
        "ears": ears,
        "neck": neck,
        "scalp": scalp,
        "rigid": rigid,
    }
    for name in ("brows", "eyes", "eyeballs", "cheeks", "ears"):
        regions[f"{name}_left"] = regions[name] * (u > 0.5)
        regions[f"{name}_right"] = regions[name] * (u < 0.5)
    return {name: _finished(region * mask, name) for name, region in regions.items()}


def _finished(region: np.ndarray, name: str) -> Mask:
    if not name.endswith(("_left", "_right")):
        region = (region + region[:, ::-1]) / 2
    return np.clip(region, 0, 1).astype(np.float32)


def _jawline(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the jaw as v over u, a little outside the landmarks."""
    jaw = marks[2:15]
    return jaw[:, 0], jaw[:, 1] + 0.012


def _brow_line(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    brow = marks[22:27]
    return np.abs(brow[:, 0] - 0.5), brow[:, 1] + 0.012


def _nose_outline(marks: np.ndarray) -> np.ndarray:
    """Return the outline of the nose: root, wings, base; symmetric."""
    root, wing, base = marks[27], marks[35], marks[33]
    right = np.array(
        [
            [0.5 + 0.35 * (wing[0] - 0.5), root[1] - 0.01],
            [0.5 + 0.55 * (wing[0] - 0.5), (root[1] * 2 + wing[1]) / 3],
            [0.5 + 1.05 * (wing[0] - 0.5), wing[1] - 0.06],
            [0.5 + 1.25 * (wing[0] - 0.5), wing[1] - 0.02],
            [0.5 + 0.9 * (wing[0] - 0.5), wing[1] + 0.008],
            [0.5 + 0.35 * (wing[0] - 0.5), base[1] + 0.012],
        ]
    )
    left = right[::-1] * [-1, 1] + [1, 0]
    return np.concatenate([right, left])


def _brows(
    canonical: np.ndarray, landmarks: np.ndarray, surface: FaceSurface, binding: TexelBinding
) -> np.ndarray:
    """Return the brows: near the curve through the brow landmarks, thinner at the tail."""
    size = len(canonical)
    uv = np.asarray(surface.uv, np.float64)[landmarks[22:27]]
    at = np.linspace(0, 1, 5)
    fine = np.linspace(-0.06, 1.06, 120)
    spine = CubicSpline(at, uv)(fine)
    width = np.interp(fine, [0, 0.5, 1], [0.017, 0.019, 0.011])
    u, v = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2)
    distance = np.hypot(np.abs(u - 0.5)[..., None] + 0.5 - spine[:, 0], v[..., None] - spine[:, 1])
    return _below((distance - width).min(axis=-1) * 100, 0.6)


def texel_weights(
    mask: Mask, landmark_uv: Float[np.ndarray, "68 2"], regions: dict[str, Mask]
) -> Mask:
    """Return PRNet's emphasis 16:4:3:0, mean 1 over the mask."""
    at_landmarks, at_features, at_face, at_neck = LOSS_WEIGHTS
    size = len(mask)
    features = np.maximum.reduce([regions[n] for n in ("eyes", "nose", "lips", "mouth_interior")])
    weights = at_neck + (at_face - at_neck) * (1 - regions["neck"])
    weights = weights + (at_features - at_face) * features
    u, v = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2)
    away = np.hypot(u[..., None] - landmark_uv[:, 0], v[..., None] - landmark_uv[:, 1]).min(axis=-1)
    weights = weights + (at_landmarks - weights) * _below((away - 1.5 / 256) * 256, 1.0)
    weights = weights * mask
    return (weights / weights[mask > 0].mean()).astype(np.float32)
