"""Time Poisson blending of 512x512 pixels beside OpenCV's, call by call in turn.

    python docs/measure_poisson.py

Prints medians in milliseconds. OpenCV solves for bytes, we for float32.
"""

import time
from collections.abc import Callable

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from uvface.core.blending.poisson import poisson_blend

SIDE, RADII, ROUNDS = 512, (200, 230), 25


def picture(seed: int, blur: float) -> np.ndarray:
    """Return smooth colours with some grain, float32 in [0, 1]."""
    noise = np.random.default_rng(seed).random((SIDE, SIDE, 3), np.float32)
    mixed = cv2.GaussianBlur(noise, (0, 0), blur) + 0.3 * cv2.GaussianBlur(noise, (0, 0), 2.0)
    return (mixed - mixed.min()) / np.ptp(mixed)


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    target, source = picture(1, 40.0), picture(2, 60.0)
    x, y = np.meshgrid(np.arange(SIDE) - SIDE / 2, np.arange(SIDE) - SIDE / 2)
    mask = ((x / RADII[0]) ** 2 + (y / RADII[1]) ** 2 < 1.0).astype(np.float32)
    arrays = [jnp.asarray(a) for a in (target, source, mask)]
    pixels = [np.uint8(255 * a) for a in (source, target, mask)]
    blend, centre = jax.jit(poisson_blend), (SIDE // 2, SIDE // 2)
    calls = {
        "uvface": lambda: jax.block_until_ready(blend(*arrays)),
        "OpenCV": lambda: cv2.seamlessClone(*pixels, centre, cv2.NORMAL_CLONE),
    }
    calls["uvface"]()  # compiles
    times = [{name: seconds(call) for name, call in calls.items()} for _ in range(ROUNDS)]
    for name in calls:
        print(f"{name} {1000 * np.median([one[name] for one in times]):.1f} ms")


if __name__ == "__main__":
    main()
