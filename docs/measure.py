"""Times of the stages, warm, medians: python docs/measure.py TARGET REFERENCE [WEIGHTS].

Prints milliseconds. Detection is timed on its own; the swap gets its boxes from a first run.
"""

import statistics
import sys
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import uvface
from uvface.core.compilation import keep_compiled_code
from uvface.core.detection.default import default_detector
from uvface.core.io.images import read_photo
from uvface.faceswap.swap import swap_face


def median_ms(call: Callable[[], object], repeats: int = 15) -> tuple[float, float]:
    """Return median and minimum of warm calls, in milliseconds."""
    times = []
    for i in range(repeats + 2):
        start = time.perf_counter()
        jax.block_until_ready(call())
        if i >= 2:
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), min(times)


def main(target_path: str, reference_path: str, weights: str = "prn-lite") -> None:
    """Print one line per stage."""
    keep_compiled_code()
    model = uvface.load(weights)
    target, reference = read_photo(target_path).image, read_photo(reference_path).image
    ours, theirs = (model.reconstruct(image, faces="largest")[0] for image in (target, reference))
    boxes = [np.asarray(face.box).tolist() for face in (ours, theirs)]
    crop = jnp.asarray(np.random.default_rng(0).random((1, 256, 256, 3), np.float32))

    def paste() -> object:
        return swap_face(target, ours, reference, theirs, model.layout)

    def whole() -> object:
        a = model.reconstruct(target, boxes=boxes[:1])[0]
        b = model.reconstruct(reference, boxes=boxes[1:])[0]
        return swap_face(target, a, reference, b, model.layout)

    rows = {
        "detection": lambda: default_detector().detect(target),
        "network, batch 1": lambda: model.predict(crop),
        "reconstruct one face, box given": lambda: model.reconstruct(target, boxes=boxes[:1])[0],
        "swap, faces given": paste,
        "whole swap, boxes given": whole,
    }
    print(f"{target.shape[1]}x{target.shape[0]} px, {jax.devices()[0].device_kind}")
    for name, call in rows.items():
        middle, least = median_ms(call)
        print(f"{name:34s} median {middle:7.1f}  min {least:7.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
