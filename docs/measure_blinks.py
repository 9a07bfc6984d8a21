"""Measure whether teeth that are made anew flash when the eyes of a video blink.

A photo is moved by known amounts, with new noise in each frame, and blinks; its mouth is opened.
The frames of the results are moved back, so that what changes in the mouth is flicker.

    python docs/measure_blinks.py PHOTO
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from measure_video import NOISE, QUALITY, SIDE, moved_back, moves_of, read_clip, row, write_clip

import uvface
from uvface.core.compilation import keep_compiled_code
from uvface.core.geometry.landmarks import INNER_LIPS
from uvface.core.io.images import read_photo

FRAMES = 24
BLINK = {10: 0.35, 11: 0.8, 12: 1.0, 13: 0.7, 14: 0.3}  # frame -> how far the eyes are closed
RESHAPE = "mouth_open=0.6"
INSIDE = 5  # pixels within the outline of the lips


def blinking(
    photo: np.ndarray, moves: Sequence[np.ndarray], model: uvface.Model
) -> Iterator[np.ndarray]:
    """Go through the frames of a photo that moves and blinks, with noise."""
    random = np.random.default_rng(0)
    for number, move in enumerate(moves):
        closed, frame = BLINK.get(number, 0.0), photo
        if closed:
            given = {"eyes_closed": closed}
            frame = 255 * uvface.edit(photo / 255, model=model, reshape=given).image
        moved = cv2.warpAffine(
            frame, move, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        yield moved + random.normal(0, NOISE, moved.shape)


def inside_lips(frame: np.ndarray, model: uvface.Model) -> np.ndarray:
    """Return which pixels of a frame lie between the lips."""
    (face,) = model.reconstruct(frame.astype(np.float32) / 255, faces="largest")
    corners = np.asarray(face.landmarks)[np.unique(INNER_LIPS), :2]
    hull = cv2.convexHull(corners.round().astype(np.int32))
    filled = cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [hull], 1)
    return cv2.erode(filled, np.ones((INSIDE, INSIDE), np.uint8)) > 0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    given = parser.parse_args()
    keep_compiled_code()
    photo = np.asarray(255 * read_photo(given.photo).image, np.float32)
    zoom = 1.15 * SIDE / min(photo.shape[:2])
    photo = cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    moves, model = moves_of(photo, FRAMES), uvface.load()
    with tempfile.TemporaryDirectory() as folder:
        clip, alone, together = (Path(folder) / f"{name}.mp4" for name in ("clip", "one", "all"))
        write_clip(clip, blinking(photo, moves, model), 16)
        uvface.edit_video(clip, together, model=model, reshape=RESHAPE)
        frames = read_clip(clip)
        edited = (255 * uvface.edit(x, model=model, reshape=RESHAPE).image for x in frames)
        write_clip(alone, edited, QUALITY)
        mouth = inside_lips(read_clip(together)[0], model)
        print("| inside of the mouth | change from frame to frame | largest step of its mean |")
        print("|---|---|---|")
        print(row("the video itself", moved_back(frames, moves), mouth))
        print(row("frames one by one", moved_back(read_clip(alone), moves), mouth))
        print(row("through the video", moved_back(read_clip(together), moves), mouth))


if __name__ == "__main__":
    main()
