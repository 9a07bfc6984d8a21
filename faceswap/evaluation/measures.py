"""Measures of a swapped picture against the true one, or against the photo that it was made of.

Convention:
    Pictures are RGB in [0, 1], 8-bit sRGB values by meaning; colour distances are CIE Lab's.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float
from skimage.color import deltaE_ciede2000, rgb2lab

__all__ = [
    "ciede2000",
    "color_distance",
    "edge_step",
    "gradient_similarity",
    "largest_change",
    "psnr",
    "sharpness_ratio",
]

RgbImage = Float[np.ndarray, "height width 3"]
Mask = Bool[np.ndarray, "height width"]

_CONSTANT = 0.0026  # of Xue et al. (170 of 255 squared), for values in [0, 1]


def psnr(result: RgbImage, truth: RgbImage, mask: Mask) -> float:
    """Return the peak signal-to-noise ratio of the masked pixels, dB, of values in [0, 1]."""
    error = float(np.mean((result[mask] - truth[mask]) ** 2))
    return float("inf") if error == 0.0 else -10.0 * float(np.log10(error))


def ciede2000(result: RgbImage, truth: RgbImage, mask: Mask) -> float:
    """Return the mean CIEDE2000 difference of the masked pixels, of sRGB in [0, 1]."""
    return float(np.mean(deltaE_ciede2000(rgb2lab(result[mask]), rgb2lab(truth[mask]))))


def gradient_similarity(result: RgbImage, truth: RgbImage, mask: Mask) -> float:
    """Return the mean similarity of gradient magnitudes of luma in the mask; 1 is equal.

    References:
        Xue et al., "Gradient Magnitude Similarity Deviation", TIP 2014; here by
        central differences, at full resolution.
    """
    first, second = _gradient(result), _gradient(truth)
    similar = (2 * first * second + _CONSTANT) / (first**2 + second**2 + _CONSTANT)
    return float(similar[mask].mean())


def color_distance(result: RgbImage, target: RgbImage, mask: Mask) -> float:
    """Return the distance of the mean Lab colours (CIE 1976) of the masked pixels."""
    means = [rgb2lab(image[mask]).mean(axis=0) for image in (result, target)]
    return float(np.linalg.norm(means[0] - means[1]))


def largest_change(result: RgbImage, target: RgbImage, mask: Mask) -> float:
    """Return the largest change of a value outside the mask, in 0 to 255."""
    change = np.abs(result - target)[~mask]
    return float(255.0 * change.max()) if change.size else 0.0


def edge_step(result: RgbImage, target: RgbImage, mask: Mask, *, width: int = 3) -> float:
    """Return the mean gradient of luma along a mask's edge, relative to the target's there.

    Args:
        result: the swapped photo.
        target: the photo before.
        mask: the pixels that a swap changed.
        width: pixels of the band on either side of the edge.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    inside = mask.astype(np.uint8)
    grown = cv2.dilate(inside, kernel, borderValue=0)
    shrunk = cv2.erode(inside, kernel, borderValue=1)
    band = (grown > 0) & (shrunk == 0)
    own = float(_gradient(target)[band].mean()) if band.any() else 0.0
    return float(_gradient(result)[band].mean()) / own if own > 0.0 else float("nan")


def sharpness_ratio(result: RgbImage, target: RgbImage, mask: Mask) -> float:
    """Return the strength of fine detail of luma in the mask, relative to the target's.

    Root mean square of the Laplacian of Gaussian of 1 pixel, which leaves out most of the
    noise of compressed photos.
    """
    first, second = (np.sqrt(np.mean(_detail(image)[mask] ** 2)) for image in (result, target))
    return float(first / second) if second > 0.0 else float("nan")


def _luma(image: RgbImage) -> Float[np.ndarray, "height width"]:
    return image @ np.array([0.299, 0.587, 0.114])


def _detail(image: RgbImage) -> Float[np.ndarray, "height width"]:
    smooth = cv2.GaussianBlur(_luma(image), (0, 0), 1.0)
    return cv2.Laplacian(smooth, cv2.CV_64F, ksize=1)


def _gradient(image: RgbImage) -> Float[np.ndarray, "height width"]:
    down, right = np.gradient(_luma(image))
    return np.hypot(down, right)
