"""The pictures of docs/editing.md: python docs/make_edits.py.

The synthetic example face and the astronaut of scikit-image (a NASA photo), each reshaped,
retouched, made up and lit by the shipped function.
"""

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import uvface

ROOT = Path(__file__).resolve().parents[1]
WIDTH, TITLE = 1200, 32  # pixels
SHEETS = {  # argument of `uvface.edit` -> one picture for each of its values
    "reshape": (
        {},
        {"smile": 0.8},
        {"mouth_open": 0.5, "brows_up": 0.6},
        {"eyes_closed": 1.0},
        {"nose_width": -0.8, "eyes_size": 0.5},
        {"face_width": -0.8, "lips_fullness": 0.8},
    ),
    "retouch": (
        {},
        {"skin": 1.0, "spots": 1.0},
        {"shine": 0.8, "eye_bags": 1.0, "eyes": 0.7, "teeth": 0.8},
        {"skin": 0.7, "spots": 1.0, "shine": 0.5, "eye_bags": 0.6, "eyes": 0.5, "teeth": 0.6},
    ),
    "makeup": (
        {},
        {"blush": 1.0, "contour": 0.8, "highlight": 0.8},
        {"lipstick": 0.7, "blush": 0.5, "brows": 0.5, "eyeliner": 0.5},
        {"lipstick": 0.8, "eye_shadow": 0.9, "eyeliner": 1.0, "blush": 0.6},
        {"lipstick": (0.8, "crimson"), "blush": 0.4, "brows": 0.4, "eye_shadow": (0.5, "#5060a0")},
    ),
    "light": (
        {},
        {"left": 1.0},
        {"left": -0.7, "warm": 0.5},
        {"above": 0.8},
        {"above": -0.8},
        {"bright": -0.7},
    ),
}


def _crop(image: np.ndarray, face: uvface.Face, side: int) -> Image.Image:
    """Return the square around a face."""
    points = np.asarray(face.landmarks)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.8 * float((high - low).max())
    x, y = (low + high) / 2 - [0.0, 0.1 * half]
    picture = Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))
    box = tuple(round(value) for value in (x - half, y - half, x + half, y + half))
    return picture.crop(box).resize((side, side), Image.Resampling.LANCZOS)


def _told(amounts: dict[str, float | tuple[float, str]]) -> str:
    """Return amounts as the command takes them, in lines."""
    pairs = [(n, one if isinstance(one, tuple) else (one, "")) for n, one in amounts.items()]
    named = [f"{name}={amount:g}{color and ':'}{color}" for name, (amount, color) in pairs]
    return "\n".join(",".join(named[k : k + 3]) for k in range(0, len(named), 3)) or "photo"


def main() -> None:
    """Write docs/images/reshape.jpg, retouch.jpg, makeup.jpg and light.jpg."""
    model = uvface.load()
    example = Image.open(ROOT / "examples" / "photos" / "target.jpg")
    photos = [np.asarray(example, np.float32) / 255, skimage.data.astronaut() / np.float32(255)]
    faces = [model.reconstruct(photo, faces="largest")[0] for photo in photos]
    font = ImageFont.load_default(size=11)
    for kind, columns in SHEETS.items():
        side = WIDTH // len(columns)
        sheet = Image.new("RGB", (WIDTH, len(photos) * side + TITLE), "white")
        draw = ImageDraw.Draw(sheet)
        for column, amounts in enumerate(columns):
            draw.text((column * side + 4, 3), _told(amounts), fill="black", font=font)
            for row, (photo, face) in enumerate(zip(photos, faces, strict=True)):
                edited = uvface.edit(photo, model=model, **{kind: amounts}) if amounts else None
                shown = photo if edited is None else edited.image
                sheet.paste(_crop(shown, face, side), (column * side, TITLE + row * side))
        sheet.save(ROOT / "docs" / "images" / f"{kind}.jpg", quality=88)


if __name__ == "__main__":
    main()
