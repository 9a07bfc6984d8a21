"""The README's picture: python docs/make_hero.py.

Two targets (a synthetic face and the astronaut of scikit-image, a NASA photo), each with a
synthetic reference, a swap and an edit by the shipped functions.
"""

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import uvface

ROOT = Path(__file__).resolve().parents[1]
SIDE = 320
LIPS = "#a01830"


def _crop(image: np.ndarray, face: uvface.Face) -> Image.Image:
    """Return the square around a face."""
    points = np.asarray(face.landmarks)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.array([image.shape[1], image.shape[0]], float)
    half = min(1.05 * float((high - low).max()), size.min() / 2)
    x, y = np.clip((low + high) / 2 - [0.0, 0.12 * half], half, size - half)
    picture = Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))
    box = tuple(round(value) for value in (x - half, y - half, x + half, y + half))
    return picture.crop(box).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _label(picture: Image.Image, text: str) -> Image.Image:
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=13)
    draw.rectangle((0, 0, draw.textlength(text, font=font) + 12, 20), fill="white")
    draw.text((6, 2), text, fill="black", font=font)
    return picture


def main() -> None:
    """Write docs/images/hero.jpg."""
    model = uvface.load()
    photos = ROOT / "examples" / "photos"
    reference = np.asarray(Image.open(photos / "reference.jpg"), np.float32) / 255
    targets = [
        np.asarray(Image.open(photos / "target.jpg"), np.float32) / 255,
        skimage.data.astronaut().astype(np.float32) / 255,
    ]
    other = model.reconstruct(reference, faces="largest")[0]
    sheet = Image.new("RGB", (4 * SIDE, 2 * SIDE))
    for row, target in enumerate(targets):
        face = model.reconstruct(target, faces="largest")[0]
        swapped = uvface.swap(target, reference, model=model).image
        edited = (
            uvface.edit(target, model=model, regions=["eyes", "brows"], reference=reference)
            if row == 0
            else uvface.edit(target, model=model, regions=["lips"], recolor=LIPS)
        ).image
        pictures = {
            "target": _crop(target, face),
            "reference": _crop(reference, other),
            "uvface swap": _crop(swapped, face),
            "uvface edit": _crop(edited, face),
        }
        for column, (text, picture) in enumerate(pictures.items()):
            shown = _label(picture, text) if row == 0 else picture
            sheet.paste(shown, (column * SIDE, row * SIDE))
    sheet.save(ROOT / "docs" / "images" / "hero.jpg", quality=88)


if __name__ == "__main__":
    main()
