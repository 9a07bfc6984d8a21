"""Measure how much a face flickers that was swapped or edited through a video.

A photo is moved by known amounts, with new noise in each frame; the frames of the results are moved
back, so that whatever changes from frame to frame is flicker.

    python docs/measure_video.py PHOTO REFERENCE [--frames 60]
"""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import uvface
from uvface.core.compilation import keep_compiled_code
from uvface.core.io.images import read_photo
from uvface.core.io.video import VideoReader, converted, import_av

SIDE = 480
RATE = 30
QUALITY = 18  # that videos are written with
NOISE = 3.0  # levels, standard deviation
CHANGED = 4.0  # mean levels by which a pixel of the face differs from the video
EDITS = {
    "makeup": "lipstick=0.8,blush=0.6,eye_shadow=0.6,brows=0.5",
    "retouch": "skin=0.6,spots=1,tone=0.6",
    "reshape": "smile=0.6,nose_width=-0.4",
    "light": "left=0.6,warm=0.3",
}
BLUR = 2.0  # pixels: what is finer is the video's own noise, encoded anew


@dataclasses.dataclass(frozen=True, kw_only=True)
class Edit:
    """What is done to a video, and to one frame."""

    name: str
    of: Callable[[np.ndarray], np.ndarray]
    through: Callable[[Path, Path], object]


def _edited(frame: np.ndarray, **given: Any) -> np.ndarray:
    return uvface.edit(frame, **given).image


def moves_of(photo: np.ndarray, count: int) -> list[np.ndarray]:
    """Return the affine map of each frame: it pans, turns and grows."""
    height, width = photo.shape[:2]
    centre, moves = (width / 2, 0.45 * height), []
    for t in range(count):
        move = cv2.getRotationMatrix2D(
            centre, 6 * np.sin(2 * np.pi * t / 45), 1 + 0.08 * np.sin(2 * np.pi * t / 60)
        )
        pan = [12 * np.sin(2 * np.pi * t / 40), 9 * np.cos(2 * np.pi * t / 33)]
        move[:, 2] += SIDE / 2 - np.array(centre) + pan
        moves.append(move)
    return moves


def _moved(photo: np.ndarray, moves: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Go through a moving photo's frames, with noise."""
    random = np.random.default_rng(0)
    for move in moves:
        frame = cv2.warpAffine(
            photo, move, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        yield frame + random.normal(0, NOISE, frame.shape)


def write_clip(path: Path, frames: Iterable[np.ndarray], quality: int) -> None:
    """Write frames, in levels, as a video; a lower quality number is a better one."""
    av = import_av()
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"crf": str(quality)})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for t, frame in enumerate(frames):
            levels = frame.round().clip(0, 255).astype(np.uint8)
            ready = converted(av.VideoFrame.from_ndarray(levels, "rgb24"), format="yuv420p")
            ready.pts, ready.time_base = t, Fraction(1, RATE)
            output.mux(stream.encode(ready))
        output.mux(stream.encode())


def moved_back(frames: Sequence[np.ndarray], moves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the frames of a moving photo, each where the first one was."""
    whole = [np.vstack([move, [0, 0, 1]]) for move in moves]
    back = [(whole[0] @ np.linalg.inv(move))[:2] for move in whole]
    return np.stack(
        [
            cv2.warpAffine(frame.astype(np.float32), step, (SIDE, SIDE), flags=cv2.INTER_CUBIC)
            for frame, step in zip(frames, back, strict=True)
        ]
    )


def read_clip(path: Path) -> list[np.ndarray]:
    """Return the frames of a video, in levels."""
    with VideoReader(path) as video:
        return [frame.image for frame in video.frames()]


def _table(source: Path, moves: Sequence[np.ndarray], edit: Edit) -> None:
    output, one_by_one = source.with_name("out.mp4"), source.with_name("one_by_one.mp4")
    edit.through(source, output)
    frames = read_clip(source)
    write_clip(one_by_one, (255 * edit.of(frame) for frame in frames), QUALITY)
    still, together = moved_back(frames, moves), moved_back(read_clip(output), moves)
    alone = moved_back(read_clip(one_by_one), moves)
    changed = np.abs(together - still).mean(axis=(0, 3)) > CHANGED
    face = cv2.erode(changed.astype(np.uint8), np.ones((9, 9))) > 0
    if not face.any():
        sys.exit(f"error: {edit.name} changes too little of this face; give another photo")
    print(f"| {edit.name} | change from frame to frame | largest step of the face's mean colour |")
    print("|---|---|---|")
    print(row("the video itself", still, face))
    print(row("frames one by one", alone, face))
    print(row("frames followed, steady and even", together, face))


def row(name: str, frames: np.ndarray, face: np.ndarray) -> str:
    """Return a row of a table: how much pixels of a face change from frame to frame."""
    soft = np.stack([cv2.GaussianBlur(frame, (0, 0), BLUR) for frame in frames])
    change = np.sqrt((np.diff(soft, axis=0) ** 2).mean(axis=0))[face].mean()
    step = np.abs(np.diff(frames[:, face].mean(axis=1), axis=0)).max()
    return f"| {name} | {change:.2f} | {step:.1f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--frames", type=int, default=60)
    given = parser.parse_args()
    keep_compiled_code()
    photo = np.asarray(255 * read_photo(given.photo).image, np.float32)
    zoom = 1.15 * SIDE / min(photo.shape[:2])
    photo = cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    moves = moves_of(photo, given.frames)
    model = uvface.load()
    edits = [
        Edit(
            name="`swap-video`",
            of=lambda frame: uvface.swap(frame, given.reference, model=model).image,
            through=lambda clip, out: uvface.swap_video(clip, given.reference, out, model=model),
        ),
        *(
            Edit(
                name=f"`edit-video --{option} {value}`",
                of=partial(_edited, model=model, **{option: value}),
                through=partial(uvface.edit_video, model=model, **{option: value}),
            )
            for option, value in EDITS.items()
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, _moved(photo, moves), 16)
        for edit in edits:
            _table(clip, moves, edit)


if __name__ == "__main__":
    main()
