"""What happens to a picture between a face and a file: colour, light, dirt, blur, noise, JPEG."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from jaxtyping import UInt8

from .config import AugmentConfig

__all__ = ["spoil"]

Image = UInt8[np.ndarray, "h w 3"]
Mask = UInt8[np.ndarray, "m m"]


def spoil(
    rng: np.random.Generator, image: Image, mask: Mask, config: AugmentConfig
) -> tuple[Image, Mask]:
    """Return the picture as a worse camera would have taken it, with things in the way.

    Args:
        rng: random numbers.
        image: the picture.
        mask: where it shows the head itself, at any resolution; what comes before the head, and
            where the picture ends, is taken out of it.
        config: how often things happen.
    """
    if rng.random() < config.p_occluder:
        image, mask = _occlude(rng, image, mask)
    steps = (
        (config.p_shade, _shade),
        (config.p_colour, _recolour),
        (config.p_gray, _gray),
        (config.p_low_resolution, _low_resolution),
        (config.p_blur, _blur),
        (config.p_noise, _noise),
        (config.p_jpeg, _jpeg),
    )
    for probability, step in steps:
        if rng.random() < probability:
            image = step(rng, image)
    if rng.random() < config.p_frame:
        image, mask = _frame(rng, image, mask)
    return image, mask


def _recolour(rng: np.random.Generator, image: Image) -> Image:
    """Gain and gamma of each channel, contrast; then saturation and hue by a colour matrix."""
    ramp = np.linspace(0.0, 1.0, 256)
    gamma = np.exp(rng.normal(0.0, 0.22)) * np.exp(rng.normal(0.0, 0.06, 3))
    gain = np.exp(rng.normal(0.0, 0.14)) * np.exp(rng.normal(0.0, 0.06, 3))
    contrast, lift = np.exp(rng.normal(0.0, 0.15)), rng.normal(0.0, 0.04)
    curves = (ramp[:, None] ** gamma * gain - 0.5) * contrast + 0.5 + lift
    table = np.clip(curves * 255.0, 0, 255).astype(np.uint8)
    image = cv2.LUT(image, table[None])
    if rng.random() < 0.5:
        luma = np.array([0.299, 0.587, 0.114])
        saturation = float(np.clip(np.exp(rng.normal(0.0, 0.35)), 0.3, 2.0))
        matrix = saturation * np.eye(3) + (1.0 - saturation) * luma[None]
        matrix = matrix @ (np.eye(3) + rng.normal(0.0, 0.04, (3, 3)))
        image = cv2.transform(image, matrix)
    return image


def _gray(rng: np.random.Generator, image: Image) -> Image:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    image = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.3:  # sepia and the like
        tint = np.diag(np.array([1.0, 0.93, 0.8]) ** rng.uniform(-0.5, 1.0))
        image = cv2.transform(image, tint)
    return image


def _shade(rng: np.random.Generator, image: Image) -> Image:
    """Make one side darker or brighter, or put a vignette or a hard shadow on the picture."""
    h, w = image.shape[:2]
    angle = rng.uniform(0.0, 2.0 * np.pi)
    y, x = np.mgrid[-1.0 : 1.0 : h * 1j, -1.0 : 1.0 : w * 1j].astype(np.float32)
    along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    kind = rng.random()
    if kind < 0.6:
        light = 1.0 + np.float32(rng.uniform(-0.6, 0.6)) * along
    elif kind < 0.8:
        steep, place = rng.uniform(3.0, 30.0), rng.uniform(-0.5, 0.5)
        step = 1.0 / (1.0 + np.exp(np.clip(-steep * (along - place), -30, 30)))
        light = 1.0 - np.float32(rng.uniform(0.2, 0.65)) * step
    else:
        light = 1.0 - np.float32(rng.uniform(0.2, 0.6)) * (x * x + y * y) / 2.0
    shaded = cv2.multiply(image.astype(np.float32), cv2.merge([np.asarray(light, np.float32)] * 3))
    return np.clip(shaded, 0, 255).astype(np.uint8)


def _polygon(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return the corners of a random bar, blob or rectangle, in pixels."""
    middle = rng.uniform(0.1, 0.9, 2) * size
    count = int(rng.integers(4, 12))
    angles = (
        np.sort(rng.uniform(0.0, 2.0 * np.pi, count))
        if rng.random() < 0.5
        else (np.linspace(0.0, 2.0 * np.pi, 4 if rng.random() < 0.5 else 24, endpoint=False))
    )
    axes = rng.uniform(0.03, 0.22, 2) * size
    if rng.random() < 0.3:
        axes[0] = rng.uniform(0.2, 0.6) * size
    turn = rng.uniform(0.0, np.pi)
    shape = np.stack([np.cos(angles), np.sin(angles)], axis=1) * axes
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return shape @ rotation.T + middle


def _occlude(rng: np.random.Generator, image: Image, mask: Mask) -> tuple[Image, Mask]:
    """Put one to three plain, noisy or copied shapes over the picture, now and then see-through."""
    size = image.shape[0]
    image, mask = image.copy(), mask.copy()
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        shape = np.zeros((size, size), np.uint8)
        cv2.fillPoly(shape, [np.round(_polygon(rng, size)).astype(np.int32)], 255)
        kind, cover = rng.random(), image
        if kind < 0.5:
            colour = rng.integers(0, 256, 3).astype(np.float64)
            cover = np.broadcast_to(colour, image.shape).astype(np.uint8)
        elif kind < 0.75:
            cells = int(rng.integers(2, 40))
            noise = rng.integers(0, 256, (cells, cells, 3)).astype(np.uint8)
            cover = np.asarray(cv2.resize(noise, (size, size)))
        else:
            cover = np.roll(image, tuple(rng.integers(-size // 2, size // 2, 2)), axis=(0, 1))
        share = 1.0
        if rng.random() < 0.25:
            share = float(rng.uniform(0.4, 0.9))
            cover = np.asarray(cv2.addWeighted(cover, share, image, 1.0 - share, 0.0))
        cv2.copyTo(cover, shape, image)
        small = cv2.resize(shape, mask.shape[::-1], interpolation=cv2.INTER_AREA)
        left = cv2.convertScaleAbs(small, alpha=-share, beta=255.0)
        mask = cv2.multiply(mask, left, scale=1.0 / 255.0)
    return image, mask


def _low_resolution(rng: np.random.Generator, image: Image) -> Image:
    size = image.shape[0]
    small = round(size * float(np.exp(rng.uniform(np.log(0.11), np.log(0.6)))))
    tiny = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    method = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.integers(2))]
    return cv2.resize(tiny, (size, size), interpolation=method)


def _blur(rng: np.random.Generator, image: Image) -> Image:
    if rng.random() < 0.7:
        return cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 2.5)))
    length = int(rng.integers(2, 7)) * 2 + 1  # motion
    kernel = np.zeros((length, length), np.float32)
    direction = rng.uniform(0.0, np.pi)
    reach = (length - 1) / 2 * np.array([np.cos(direction), np.sin(direction)])
    ends = [(round(length // 2 + s * reach[0]), round(length // 2 + s * reach[1])) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _noise(rng: np.random.Generator, image: Image) -> Image:
    """Add Gaussian noise, of the channels together or each; a window of a stored field."""
    field = _noise_field()
    h, w = image.shape[:2]
    top, left = (int(n) for n in rng.integers(0, (field.shape[0] - h, field.shape[1] - w)))
    window = field[top : top + h, left : left + w]
    window = window[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
    if rng.random() < 0.4:
        window = cv2.merge([np.ascontiguousarray(window[..., 0])] * 3)
    sigma = float(np.exp(rng.uniform(np.log(2.0), np.log(22.0))))
    noisy = cv2.scaleAdd(np.ascontiguousarray(window), sigma, image.astype(np.float32))
    return cv2.convertScaleAbs(np.maximum(noisy, 0.0))


@cache
def _noise_field() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((640, 640, 3), dtype=np.float32)


def _jpeg(rng: np.random.Generator, image: Image) -> Image:
    quality = int(rng.integers(12, 80))
    bgr = np.ascontiguousarray(image[..., ::-1])
    coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB), dtype=np.uint8)


def _frame(rng: np.random.Generator, image: Image, mask: Mask) -> tuple[Image, Mask]:
    """Replace one side by the flat colour or the repeated edge of a photo that ends there."""
    share = rng.uniform(0.05, 0.3)
    turns = int(rng.integers(4))
    turned = np.rot90(image, turns).copy()
    cut = int(share * len(image))
    turned[:cut] = turned[cut] if rng.random() < 0.5 else 0
    kept = np.rot90(mask, turns).copy()
    kept[: round(share * len(mask))] = 0
    back = [np.ascontiguousarray(np.rot90(array, -turns)) for array in (turned, kept)]
    return back[0], back[1]
