"""Differences between a swapped picture and the true one, inside a mask."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from skimage.color import deltaE_ciede2000, rgb2lab

__all__ = ["ciede2000", "gradient_similarity", "psnr"]

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


def _gradient(image: RgbImage) -> Float[np.ndarray, "height width"]:
    down, right = np.gradient(image @ np.array([0.299, 0.587, 0.114]))
    return np.hypot(down, right)
