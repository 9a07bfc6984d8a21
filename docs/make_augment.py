"""The picture of docs/augmenting.md: python docs/make_augment.py.

Variations of the two synthetic example faces by the shipped function, and the same with their
labels: landmarks that are seen in green, hidden ones in red.
"""

import json
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

import uvface

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = [ROOT / "examples" / "photos" / f"{name}.jpg" for name in ("target", "reference")]
COUNT, SEED = 6, 3
SIDE = 160  # pixels; the pictures have twice as many
DOT = 1.0


def _marked(picture: Image.Image, keypoints: list[float]) -> Image.Image:
    """Return a picture, made smaller, with its 68 landmarks (x, y, 1 hidden or 2 seen)."""
    shown = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(shown)
    share = SIDE / picture.width
    for x, y, seen in zip(keypoints[::3], keypoints[1::3], keypoints[2::3], strict=True):
        left, top = share * (x + 0.5) - DOT, share * (y + 0.5) - DOT
        dot = (left, top, left + 2 * DOT, top + 2 * DOT)
        draw.ellipse(dot, fill=(0, 230, 60) if seen == 2 else (240, 20, 20))
    return shown


def main() -> None:
    """Write docs/images/augment.jpg."""
    sheet = Image.new("RGB", (COUNT * SIDE, 2 * len(PHOTOS) * SIDE))
    with tempfile.TemporaryDirectory() as folder:
        for item in uvface.augment(PHOTOS, folder, count=COUNT, seed=SEED):
            assert item.error is None, item.error
        labels = json.loads((Path(folder) / "labels.json").read_text(encoding="utf-8"))
        keypoints = {found["image_id"]: found["keypoints"] for found in labels["annotations"]}
        for image in labels["images"]:
            stem, number = Path(image["file_name"]).stem.rsplit("_", 1)
            left, top = int(number) * SIDE, 2 * SIDE * [path.stem for path in PHOTOS].index(stem)
            with Image.open(Path(folder) / image["file_name"]) as picture:
                marked = _marked(picture.convert("RGB"), keypoints[image["id"]])
                plain = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            sheet.paste(plain, (left, top))
            sheet.paste(marked, (left, top + SIDE))
    sheet.save(ROOT / "docs" / "images" / "augment.jpg", quality=88)


if __name__ == "__main__":
    main()
