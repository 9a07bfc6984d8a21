"""Which pixels of a photo are skin: hair over the forehead must not be painted as skin.

A colour-mixture graph cut (GrabCut) separates skin from hair and background above the chin. It
learns skin from the cheeks and the nose, and the rest from what lies outside the head's
projection. Brows, lids, lips and the beard zone are kept whatever their colour; eye openings and
the open mouth are cut out.

References:
    Rother, Kolmogorov and Blake, "GrabCut": Interactive Foreground Extraction, 2004.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

__all__ = ["face_width", "openings", "skin_seeds", "skin_weight", "without_hair"]

# MediaPipe FaceMesh landmarks, closed rings in order.
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
BROW_RIGHT = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
BROW_LEFT = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
MOUTH = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
# Lower face: below the nose, inside the jaw. Beards grow here.
BEARD = (
    132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361,
    411, 426, 327, 2, 98, 206, 187,
)  # fmt: skip
# Cheeks and nose: skin in any photo of a face that nothing covers.
CHEEKS = (
    117,
    118,
    119,
    120,
    114,
    188,
    6,
    412,
    343,
    349,
    348,
    347,
    346,
    280,
    425,
    327,
    2,
    98,
    205,
    50,
)
# Parts of the face tile above and beside the brows (v down), where colour decides about texels.
FOREHEAD_V = (0.158, 0.178)
TEMPLE_U = (0.245, 0.275)  # distance from the middle
TEMPLE_V = (0.36, 0.44)
WORK_SIDE = 320  # pixels; the graph cut runs on a reduced photo


def _fill(shape: tuple[int, int], *rings: np.ndarray) -> np.ndarray:
    """Return the union of the polygons ``[K, 2]`` (pixel centres) as a uint8 mask."""
    mask = np.zeros(shape, np.uint8)
    for ring in rings:
        cv2.fillPoly(mask, [np.round(ring * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return mask


def _grown(mask: np.ndarray, pixels: float) -> np.ndarray:
    side = 2 * round(abs(pixels)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask, kernel) if pixels > 0 else cv2.erode(mask, kernel)


def _ring(landmarks: np.ndarray, ring: tuple[int, ...]) -> np.ndarray:
    return landmarks[list(ring), :2]


def face_width(landmarks: Float[np.ndarray, "478 d"]) -> float:
    """Return the distance of the face's sides in pixels."""
    return float(np.linalg.norm(landmarks[234, :2] - landmarks[454, :2]))


def openings(
    landmarks: Float[np.ndarray, "478 d"], shape: tuple[int, int]
) -> UInt8[np.ndarray, "height width"]:
    """Return 1 inside the eye openings and the open mouth, where no skin shows."""
    rings = [_ring(landmarks, ring) for ring in (EYE_RIGHT, EYE_LEFT, MOUTH)]
    return _fill(shape, *rings)


def skin_seeds(
    landmarks: Float[np.ndarray, "478 d"], shape: tuple[int, int]
) -> UInt8[np.ndarray, "height width"]:
    """Return 1 on cheeks and nose, which show plain skin."""
    features = _fill(shape, *(_ring(landmarks, ring) for ring in (EYE_RIGHT, EYE_LEFT, LIPS)))
    cheeks = _fill(shape, _ring(landmarks, CHEEKS))
    return cheeks & ~_grown(features, 0.04 * face_width(landmarks)) & 1


def _always_kept(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    unit = face_width(landmarks)
    rings = (BROW_RIGHT, BROW_LEFT, EYE_RIGHT, EYE_LEFT, LIPS)
    features = _grown(_fill(shape, *(_ring(landmarks, ring) for ring in rings)), 0.03 * unit)
    beard = _fill(shape, _ring(landmarks, BEARD))
    # Brows may lie under a fringe: only the eyes, the lips and the beard are certain.
    return features | beard | _grown(_fill(shape, _ring(landmarks, CHEEKS)), -0.02 * unit)


def skin_weight(
    photo: UInt8[np.ndarray, "height width 3"],
    landmarks: Float[np.ndarray, "478 d"],
    silhouette: UInt8[np.ndarray, "height width"],
) -> Float[np.ndarray, "height width"]:
    """Return how surely each pixel shows the face's skin (with brows, lips and beard).

    Args:
        photo: RGB.
        landmarks: MediaPipe landmarks in photo pixels.
        silhouette: 1 where the projected head covers the photo.
    """
    height, width = photo.shape[:2]
    factor = min(1.0, WORK_SIDE / max(height, width))
    size = (round(width * factor), round(height * factor))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    points = (landmarks[:, :2] + 0.5) * factor - 0.5
    covered = cv2.resize(silhouette, size, interpolation=cv2.INTER_NEAREST)
    shape = (size[1], size[0])
    unit = face_width(points)
    kept = _always_kept(points, shape)
    chin = int(min(points[152, 1] + 0.02 * unit, shape[0]))
    labels = np.where(_grown(covered, 0.02 * unit), cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    labels[_fill(shape, _ring(points, OVAL)) > 0] = cv2.GC_PR_FGD
    labels[skin_seeds(points, shape) > 0] = cv2.GC_FGD
    cut = _graph_cut(small[:chin], labels[:chin])
    skin = np.zeros(shape, np.uint8)
    skin[:chin] = cut
    skin = _without_specks(skin | kept, 0.003 * unit**2)
    skin = _grown(skin, -0.008 * unit) | (kept & _fill(shape, _ring(points, OVAL)))
    soft = cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 0.008 * unit)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)


def _graph_cut(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    cv2.setRNGSeed(0)  # the mixtures start from random clusters
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    result = labels.copy()
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.grabCut(bgr, result, None, background, foreground, 4, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.isin(result, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _without_specks(mask: np.ndarray, area: float) -> np.ndarray:
    """Fill small holes (moles, highlights) and drop small islands."""
    for value in (0, 1):
        count, parts, stats, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8))
        small = stats[:, cv2.CC_STAT_AREA] < area
        small[0] = False
        mask = np.where(small[parts] & (count > 1), 1 - value, mask).astype(np.uint8)
    return mask


def without_hair(
    color: Float[np.ndarray, "size size 3"],
    mask: Float[np.ndarray, "size size"],
    seeds: Bool[np.ndarray, "size size"],
) -> Float[np.ndarray, "size size"]:
    """Return a weight for the face tile that removes hair above the brows.

    Hair is darker or of another hue than the person's plain skin, or finely striped. The test
    needs the light divided out, and is applied on the forehead only: below it beards, brows and
    lips differ from plain skin and shall stay.

    Args:
        color: the tile in linear RGB.
        mask: confidence so far.
        seeds: texels of plain skin.
    """
    size = len(color)
    smooth = cv2.GaussianBlur(color, (0, 0), size / 400)
    light = np.log(smooth.mean(axis=-1) + 0.01)
    hue = smooth / (smooth.sum(axis=-1, keepdims=True) + 0.01)
    features = np.stack([light, hue[..., 0], hue[..., 2]], axis=-1)
    centre = np.median(features[seeds], axis=0)
    spread = 1.4826 * np.median(np.abs(features[seeds] - centre), axis=0)
    offset = (features - centre) / np.maximum(spread, (0.12, 0.015, 0.012))
    # Highlights are brighter and paler than skin, and are no hair.
    offset[..., 0] = np.where(offset[..., 0] > 0, 0.4 * offset[..., 0], offset[..., 0])
    fine = np.log(color.mean(axis=-1) + 0.01)
    fine = np.abs(fine - cv2.GaussianBlur(fine, (0, 0), size / 170))
    stripes = cv2.GaussianBlur(fine, (0, 0), size / 100)
    usual = max(float(np.median(stripes[seeds])), 0.01)
    distance = np.sqrt((offset**2).sum(axis=-1)) / 3.5
    score = np.maximum(distance, (stripes / usual) / 3.5)
    region = _hair_region(size)
    score = cv2.GaussianBlur(score.astype(np.float32), (0, 0), size / 170)
    is_hair = (score > 1.0) & (mask > 0.05) & (region > 0)
    skin = _without_specks(np.where(is_hair, 0, 1).astype(np.uint8), 0.002 * size**2)
    skin = _without_islands(skin, mask)
    skin = _grown(skin, -size / 130).astype(np.float32)
    soft = np.clip(2.0 * cv2.GaussianBlur(skin, (0, 0), size / 130) - 1.0, 0.0, 1.0)
    return 1.0 - region * (1.0 - soft)


def _without_islands(skin: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Give back spots (highlights) that the person's skin surrounds: hair comes from outside."""
    outside = ((skin == 0) | (mask < 0.05)).astype(np.uint8)
    _, parts = cv2.connectedComponents(outside)
    return ((outside == 0) | (parts != parts[0, 0])).astype(np.uint8)


def _hair_region(size: int) -> Float[np.ndarray, "size size"]:
    """Return the soft part of the face tile where hair is looked for by colour."""
    centre = (np.arange(size) + 0.5) / size

    def falling(v: np.ndarray, low: float, high: float) -> np.ndarray:
        return np.clip((high - v) / (high - low), 0.0, 1.0)

    forehead = falling(centre, *FOREHEAD_V)[:, None]
    aside = 1.0 - falling(np.abs(centre - 0.5), *TEMPLE_U)[None]
    temple = falling(centre, *TEMPLE_V)[:, None] * aside
    return np.maximum(forehead, temple).astype(np.float32)
