"""The picture of docs/editing.md: python docs/make_reshape.py.

The synthetic example face and the astronaut of scikit-image (a NASA photo), each reshaped by the
shipped function.
"""

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import uvface

ROOT = Path(__file__).resolve().parents[1]
SIDE = 200
COLUMNS = (
    {},
    {"smile": 0.8},
    {"mouth_open": 0.5, "brows_up": 0.6},
    {"eyes_closed": 1.0},
    {"nose_width": -0.8, "eyes_size": 0.5},
    {"face_width": -0.8, "lips_fullness": 0.8},
)


def _crop(image: np.ndarray, face: uvface.Face) -> Image.Image:
    """Return the square around a face."""
    points = np.asarray(face.landmarks)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.8 * float((high - low).max())
    x, y = (low + high) / 2 - [0.0, 0.1 * half]
    picture = Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))
    box = tuple(round(value) for value in (x - half, y - half, x + half, y + half))
    return picture.crop(box).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main() -> None:
    """Write docs/images/reshape.jpg."""
    model = uvface.load()
    example = Image.open(ROOT / "examples" / "photos" / "target.jpg")
    photos = [np.asarray(example, np.float32) / 255, skimage.data.astronaut() / np.float32(255)]
    sheet = Image.new("RGB", (len(COLUMNS) * SIDE, len(photos) * SIDE + 24), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for column, amounts in enumerate(COLUMNS):
        told = ", ".join(f"{name} {amount:g}" for name, amount in amounts.items()) or "photo"
        draw.text((column * SIDE + 4, 5), told, fill="black", font=font)
        for row, photo in enumerate(photos):
            face = model.reconstruct(photo, faces="largest")[0]
            shown = uvface.edit(photo, model=model, reshape=amounts).image if amounts else photo
            sheet.paste(_crop(shown, face), (column * SIDE, 24 + row * SIDE))
    sheet.save(ROOT / "docs" / "images" / "reshape.jpg", quality=88)


if __name__ == "__main__":
    main()
