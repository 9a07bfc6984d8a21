"""Swap photos with themselves: python docs/measure_self_swap.py PHOTO...

Prints the PSNR over the pixels that changed (dB), per photo, worst first. A photo without a face
is left out.
"""

import sys
from pathlib import Path

import numpy as np

import uvface
from uvface.core.compilation import keep_compiled_code
from uvface.core.errors import UvfaceError


def self_swap_psnr(path: Path, model: uvface.Model) -> float:
    """Return the PSNR over the pixels that a swap of a photo with itself changes."""
    result = uvface.swap(path, path, model=model)
    before = result.photo.image
    is_changed = (result.image != before).any(axis=-1)
    error = np.mean((result.image - before)[is_changed] ** 2) if is_changed.any() else 0.0
    return float(-10.0 * np.log10(max(error, 1e-12)))


def main(paths: list[str]) -> None:
    """Print one line per photo and a summary."""
    keep_compiled_code()
    model = uvface.load()
    found = {}
    for path in map(Path, paths):
        try:
            found[path.name] = self_swap_psnr(path, model)
        except UvfaceError as error:
            print(f"{path.name}: {error}")
    if not found:
        sys.exit(f"error: none of {len(paths)} photos could be measured; give some with a face")
    for name, value in sorted(found.items(), key=lambda item: item[1]):
        print(f"{value:6.1f} dB  {name}")
    values = np.array(list(found.values()))
    below = int((values < 38.0).sum())
    print(
        f"{len(values)} photos: lowest {values.min():.1f}, median {np.median(values):.1f} dB, ",
        end="",
    )
    print(f"{below} below 38")


if __name__ == "__main__":
    main(sys.argv[1:])
