"""Soft region masks and loss weights of the layout, drawn around the landmarks.

Convention:
    "left" is the subject's left (image-right of a frontal view, u > 0.5). Masks are drawn in UV,
    as smooth outlines through points given relative to the landmarks, or in the frame of the
    neutral head (cm, y UP, x made positive), and mirrored.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from ..geometry.ramps import ramp, smooth_step
from .patches import EYEBALL_LEFT, EYEBALL_RIGHT, MEMBRANE
from .surface import FaceSurface, TexelBinding

__all__ = ["draw_regions", "texel_weights"]

SOFT = 0.8 / 256  # usual standard deviation of the soft borders, UV
SUPERSAMPLE = 4
# PRNet's weights (landmarks : eyes, nose, mouth : face : neck = 16 : 4 : 3 : 0), except that the
# neck keeps a little: it takes part in the z-buffer, where a wild neck would hide the face.
LOSS_WEIGHTS = (16.0, 4.0, 3.0, 0.5)
LID_FADE = (0.35, 1.0)  # of the way from eye to brow: the upper lid's weight runs out
LANDMARK_RADIUS = 1.5 / 256  # of the full landmark weight, UV
TWO_SIDED = ("brows", "eyes", "eyeballs", "lids_upper", "cheeks", "ears")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Canvas:
    """What a region can be drawn from."""

    marks: np.ndarray  # [68, 2], UV of the landmarks
    label: np.ndarray  # [S, S, 3], labels of the corners of the triangle under each texel
    u: np.ndarray  # [S, S], mirrored to the left side: in [0.5, 1]
    v: np.ndarray  # [S, S]
    x: np.ndarray  # [S, S], cm from the midline
    y: np.ndarray  # [S, S], cm, up
    z: np.ndarray  # [S, S], cm, out of the face

    def labelled(self, *labels: int) -> np.ndarray:
        """Return the texels of some patches; their rim is not in need of a wide border."""
        return _blur(np.asarray(np.isin(self.label, labels).any(axis=-1)), SOFT)

    def outline(self, points: np.ndarray, *, soft: float = SOFT) -> np.ndarray:
        """Fill the smooth closed curve through UV points of the left side or across both."""
        curve = _closed_curve(points)
        return _blur(_fill(curve, len(self.u)), soft)

    def left_outline(self, points: np.ndarray, *, soft: float = SOFT) -> np.ndarray:
        """Fill a curve of the left side on both sides."""
        mask = self.outline(points, soft=soft)
        return np.maximum(mask, mask[:, ::-1])


def _blur(mask: np.ndarray, deviation: float) -> np.ndarray:
    return gaussian_filter(mask.astype(np.float64), deviation * len(mask), mode="nearest")


def _fill(polygon: np.ndarray, size: int) -> np.ndarray:
    """Return the share of each texel that a UV polygon ``[n, 2]`` covers."""
    fine = size * SUPERSAMPLE
    bits = 4  # of the sub-pixel corners
    corners = np.round((polygon * fine - 0.5) * 2**bits).astype(np.int32)
    mask = np.zeros((fine, fine), np.uint8)
    cv2.fillPoly(mask, [corners], 1, cv2.LINE_8, bits)
    return mask.reshape(size, SUPERSAMPLE, size, SUPERSAMPLE).mean(axis=(1, 3))


def _closed_curve(points: np.ndarray) -> np.ndarray:
    closed = np.concatenate([points, points[:1]])
    steps = np.sqrt(np.linalg.norm(np.diff(closed, axis=0), axis=1))  # centripetal: no loops
    at = np.concatenate([[0], np.cumsum(steps)])
    return CubicSpline(at, closed, bc_type="periodic")(np.linspace(0, at[-1], 400)[:-1])


def _mirrored(points: np.ndarray) -> np.ndarray:
    """Close an outline of the left side, listed from midline to midline, over the right side."""
    return np.concatenate([points, points[::-1] * [-1, 1] + [1, 0]])


def _nearest(u: np.ndarray, v: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distance to and number of the nearest of some UV points, for every texel."""
    distance, number = cKDTree(points).query(np.stack([u, v], axis=-1))
    return distance, number


def _below(level: np.ndarray, soft: float) -> np.ndarray:
    """Return 1 where a level is below -soft, 0 above +soft, a smooth step between."""
    return smooth_step(0.5 - level / (2 * soft))


def _profile(canvas: _Canvas, start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    """Return the distance (cm) above and behind a line given by (z, y) points in profile."""
    along = np.subtract(end, start) / np.hypot(*np.subtract(end, start))
    return along[0] * (canvas.y - start[1]) - along[1] * (canvas.z - start[0])


def draw_regions(
    surface: FaceSurface, binding: TexelBinding, canonical: Float[np.ndarray, "size size 3"]
) -> dict[str, Float[np.ndarray, "size size"]]:
    """Return the region masks that are drawn, all but `rigid`; 0 outside the layout's mask."""
    size = len(canonical)
    u, v = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2)
    canvas = _Canvas(
        marks=np.asarray(surface.uv, np.float64)[np.asarray(surface.landmarks)],
        label=np.asarray(surface.label)[np.asarray(binding.vertices)],
        u=0.5 + np.abs(u - 0.5),
        v=v,
        x=np.abs(canonical[..., 0]),
        y=-canonical[..., 1],
        z=canonical[..., 2],
    )
    regions = _outer(canvas)
    regions |= _openings(canvas)
    regions |= _inner(canvas, regions)
    regions["lids_upper"] = _upper_lids(canvas, regions)
    regions |= _skin(canvas, regions)
    mask = np.asarray(binding.mask)
    for name, region in regions.items():
        regions[name] = np.clip((region + region[:, ::-1]) / 2, 0, 1) * mask
    for name in TWO_SIDED:
        regions[f"{name}_left"] = regions[name] * (u > 0.5)
        regions[f"{name}_right"] = regions[name] * (u < 0.5)
    return {name: region.astype(np.float32) for name, region in regions.items()}


def _outer(canvas: _Canvas) -> dict[str, np.ndarray]:
    """Return ears, scalp and neck, and the face that they leave."""
    # The ear in profile: an ellipse that leans back, off the side of the head.
    leaning = canvas.z + 0.1 - 0.12 * (canvas.y - 0.9)
    ears = _below(np.hypot(leaning / 1.75, (canvas.y - 0.9) / 3.0) - 1, 0.12)
    ears = ears * _below(6.4 - canvas.x, 0.3)
    hairline = np.maximum(_profile(canvas, (1.8, 4.5), (9.0, 10.6)), 0.9 - canvas.z)
    scalp = _below(-hairline, 0.4) * _below(0.5 - canvas.y, 0.6) * (1 - ears)
    jaw = _jaw_curve(canvas.marks)
    rim = np.array([[1.2, jaw[-1, 1]], [1.2, -0.2], [-0.2, -0.2], [-0.2, jaw[0, 1]]])
    above_jaw = _blur(_fill(np.concatenate([jaw, rim]), len(canvas.u)), 1.5 * SOFT)
    neck = (1 - above_jaw) * (1 - ears) * (1 - scalp)
    face = above_jaw * (1 - ears) * (1 - scalp)
    return {"ears": ears, "scalp": scalp, "neck": neck, "face": face}


def _jaw_curve(marks: np.ndarray) -> np.ndarray:
    """Return the jaw from ear to ear in UV, a little outside the landmarks 1 to 15."""
    jaw = marks[1:16]
    outwards = jaw - np.array([0.5, 0.5])
    outwards = outwards / np.linalg.norm(outwards, axis=1, keepdims=True)
    return CubicSpline(np.arange(15), jaw + 0.014 * outwards)(np.linspace(0, 14, 200))


def _openings(canvas: _Canvas) -> dict[str, np.ndarray]:
    """Return what lies in and around the openings: eyeballs, eyes, mouth, lips."""
    eyeballs = canvas.labelled(EYEBALL_LEFT, EYEBALL_RIGHT)
    lids = _below(np.hypot((canvas.x - 3.2) / 1.85, (canvas.y - 3.45) / 1.05) - 1, 0.15)
    interior = canvas.labelled(MEMBRANE)
    lips = _blur(_fill(_lips(canvas.marks), len(canvas.u)), SOFT) * (1 - interior)
    corner = canvas.marks[54, 1]
    upper = _below(canvas.v - corner, 1.5 / 256)
    return {
        "eyeballs": eyeballs,
        "eyes": np.maximum(eyeballs, lids * (canvas.z > 7)),
        "mouth_interior": interior,
        "lips": lips,
        "lips_upper": lips * upper,
        "lips_lower": lips * (1 - upper),
    }


def _inner(canvas: _Canvas, regions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return brows, nose, cheeks, chin and jaw."""
    marks, face = canvas.marks, regions["face"]
    nose = canvas.outline(_mirrored(_nose(marks)), soft=1.5 * SOFT) * (1 - regions["eyes"])
    chin = canvas.outline(_mirrored(_chin(marks)), soft=2.5 * SOFT) * face * (1 - regions["lips"])
    cheeks = canvas.left_outline(_cheek(marks), soft=2.5 * SOFT) * face
    taken = np.maximum.reduce([nose, regions["eyes"], regions["lips"], regions["mouth_interior"]])
    near_jaw, _ = _nearest(canvas.u, canvas.v, _jaw_curve(marks))
    return {
        "brows": _brows(canvas) * (1 - regions["eyes"]) * face,
        "nose": nose,
        "chin": chin,
        "cheeks": cheeks * (1 - taken) * (1 - chin),
        "jaw": face * _below(near_jaw - 0.06, 3 * SOFT) * _below(canvas.y + 0.5, 0.5),
    }


def _skin(canvas: _Canvas, regions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the regions that are what others leave: forehead and skin."""
    face, brows, eyes = regions["face"], regions["brows"], regions["eyes"]
    brow = canvas.marks[22:27]
    under_brow = np.interp(canvas.u, brow[:, 0], brow[:, 1] + [0.04, 0.02, 0.01, 0.02, 0.04])
    forehead = face * _below(canvas.v - under_brow, 2 / 256) * (1 - np.maximum(brows, eyes))
    others = [eyes, brows, regions["lips"], regions["mouth_interior"]]
    return {
        "forehead": forehead,
        "skin": face * (1 - np.maximum.reduce(others)),
    }


def _upper_lids(canvas: _Canvas, regions: dict[str, np.ndarray]) -> np.ndarray:
    """Return the skin between eyes and brows, fading out on its way up as eye shadow does."""
    spine, width = _brow_band(canvas.marks)
    to_brow, nearest = _nearest(canvas.u, canvas.v, spine)
    to_brow = np.maximum(to_brow - width[nearest], 0.0)
    lashes = CubicSpline(np.arange(4), canvas.marks[42:46])(np.linspace(0, 3, 80))
    to_eye, _ = _nearest(canvas.u, canvas.v, lashes)
    height = to_eye / (to_eye + to_brow + 1e-9)  # 0 at the eye, 1 at the brow
    around = canvas.left_outline(_lid(canvas.marks), soft=3 * SOFT)
    others = np.maximum(regions["eyeballs"], regions["brows"])
    return around * (1 - ramp(height, LID_FADE)) * (1 - others) * regions["face"]


def _lid(marks: np.ndarray) -> np.ndarray:
    """Return the outline of the left upper lid: the eye's edge, from in to out, and the brow's."""
    near = marks[[42, 43, 44, 45, 45, 26, 25, 24, 23, 42]]
    offsets = [
        [0.002, 0.002],
        [0.0, 0.012],
        [0.0, 0.012],
        [-0.004, 0.004],
        [0.022, -0.022],
        [-0.012, 0.045],
        [0.0, 0.038],
        [0.0, 0.038],
        [0.008, 0.042],
        [-0.006, -0.03],
    ]
    return near + np.array(offsets)


def _brows(canvas: _Canvas) -> np.ndarray:
    """Return the texels of the hairs of brows."""
    spine, width = _brow_band(canvas.marks)
    distance, nearest = _nearest(canvas.u, canvas.v, spine)
    return _below(distance - width[nearest], 2 / 256)


def _brow_band(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a band from the landmarks, which run along the upper edge, over the hairs.

    Its middle line ``[n, 2]`` and half its width ``[n]``, UV.
    """
    inner, tail = marks[22] + [-0.028, 0.04], marks[26] + [0.012, 0.04]
    drop = np.array([[0.0, 0.026], [0.0, 0.014], [0.0, 0.010], [0.0, 0.012]])
    at, fine = np.arange(6), np.linspace(0, 5, 160)
    spine = CubicSpline(at, np.stack([inner, *(marks[22:26] + drop), tail]))(fine)
    return spine, np.interp(fine, at, [0.020, 0.026, 0.025, 0.022, 0.020, 0.014])


def _lips(marks: np.ndarray) -> np.ndarray:
    """Return the edge of the vermilion: an upper and a lower curve that meet at the corners."""
    sides = (marks[48:55], marks[[54, 55, 56, 57, 58, 59, 48]])
    fine = np.linspace(0, 6, 200)
    return np.concatenate([CubicSpline(np.arange(7), side)(fine) for side in sides])


def _nose(marks: np.ndarray) -> np.ndarray:
    """Return the left outline of the nose from the root down to the base."""
    root, wing, base = marks[27, 1], marks[35], marks[33, 1]
    out = wing[0] - 0.5
    return np.array(
        [
            [0.5 + 0.35 * out, root - 0.01],
            [0.5 + 0.55 * out, (root * 2 + wing[1]) / 3],
            [0.5 + 1.05 * out, wing[1] - 0.06],
            [0.5 + 1.25 * out, wing[1] - 0.02],
            [0.5 + 0.9 * out, wing[1] + 0.008],
            [0.5 + 0.35 * out, base + 0.012],
        ]
    )


def _chin(marks: np.ndarray) -> np.ndarray:
    """Return the left outline of the chin from the lower lip down to the jaw."""
    lip, side, below = marks[57, 1], marks[9], marks[8, 1]
    return np.array(
        [
            [0.53, lip + 0.012],
            [marks[55, 0], lip + 0.01],
            [marks[54, 0] + 0.01, (lip + below) / 2],
            [marks[54, 0] + 0.015, side[1] - 0.02],
            [side[0] + 0.01, side[1] + 0.02],
            [0.53, below + 0.025],
        ]
    )


def _cheek(marks: np.ndarray) -> np.ndarray:
    """Return the outline of the left cheek: lid, nose, mouth, jaw, ear."""
    wing, corner, lid, outer = marks[35], marks[54], marks[47], marks[45]
    return np.array(
        [
            [lid[0] - 0.01, lid[1] + 0.035],
            [wing[0] + 0.02, wing[1] - 0.07],
            [wing[0] + 0.04, wing[1]],
            [corner[0] - 0.005, (wing[1] + 2 * corner[1]) / 3],
            [corner[0] + 0.035, corner[1] + 0.02],
            [corner[0] + 0.075, corner[1] + 0.1],
            marks[12] + [-0.06, -0.02],
            marks[13] + [-0.035, 0.0],
            marks[14] + [-0.025, 0.0],
            marks[15] + [-0.02, -0.02],
            [marks[16, 0] - 0.06, outer[1] + 0.06],
            [outer[0] + 0.03, outer[1] + 0.05],
        ]
    )


def texel_weights(
    mask: Float[np.ndarray, "size size"],
    landmark_uv: Float[np.ndarray, "68 2"],
    regions: dict[str, Float[np.ndarray, "size size"]],
) -> Float[np.ndarray, "size size"]:
    """Return PRNet's emphasis on landmarks and features, mean 1 over the mask."""
    at_landmarks, at_features, at_face, at_neck = LOSS_WEIGHTS
    features = np.maximum.reduce([regions[n] for n in ("eyes", "nose", "lips", "mouth_interior")])
    weights = at_neck + (at_face - at_neck) * (1 - regions["neck"])
    weights = weights + (at_features - at_face) * features
    u, v = np.meshgrid(*[(np.arange(len(mask)) + 0.5) / len(mask)] * 2)
    away, _ = _nearest(u, v, landmark_uv)
    weights = weights + (at_landmarks - weights) * _below(away - LANDMARK_RADIUS, 1 / 256)
    weights = weights * mask
    return (weights / weights[mask > 0].mean()).astype(np.float32)
