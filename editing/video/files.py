"""Videos that are made of others: checked before the work, written whole, told of in a sidecar."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...core.arguments import as_number, as_path
from ...core.errors import NoFaceError
from ...core.files import InputFiles
from ...core.io.photos import Origin, photo_path
from ...core.io.provenance import Provenance
from ...core.io.sidecar import remove_sidecar, spare_sidecar, write_sidecar
from ...core.io.video import VideoReader
from ...core.io.video_writer import VideoWriter, check_video_name
from .frames import ChangedFrame
from .tracking import Tracker

__all__ = [
    "VideoResult",
    "VideoTask",
    "WrittenFrames",
    "missing_faces",
    "video_task",
    "write_video",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoResult:
    """What became of a video.

    Attributes:
        output: the file.
        frames: frames of it.
        changed: those in which a face was changed.
        warnings: one line each.
        record: what was done, as the sidecar has it.
    """

    output: Path
    frames: int
    changed: int
    warnings: tuple[str, ...]
    record: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoTask:
    """Which video is made of which, and how it is written.

    Attributes:
        target: video that is changed.
        output: file to write.
        operation: what is done, in a word or few.
        quality: constant rate factor of H.264.
        metadata: say in the file that it is synthetic.
        sidecar: write ``output.json``; only with ``metadata``.
        progress: called with the number of frames that are done.
    """

    target: Path
    output: Path
    operation: str
    quality: int
    metadata: bool
    sidecar: bool
    progress: Callable[[int], None] | None

    def spare(self, inputs: Mapping[str, Origin]) -> None:
        """Refuse to write over what is read, or over a file of others beside the video.

        Raises:
            InputError: the output is one of the inputs, or ``output.json`` is no sidecar.
        """
        InputFiles(map(photo_path, inputs.values())).spare(self.output)
        if self.metadata and self.sidecar:
            spare_sidecar(self.output)

    def finish(
        self,
        written: WrittenFrames,
        *,
        settings: Mapping[str, Any],
        warnings: Sequence[str],
        inputs: Mapping[str, Origin],
    ) -> VideoResult:
        """Write the sidecar of a video that has its name; return what became of it.

        Args:
            written: its frames.
            settings: what was asked for, as JSON can hold it.
            warnings: one line each.
            inputs: role -> what it was made from.

        Raises:
            InputError: a file cannot be read or written.
        """
        record = {
            "operation": self.operation,
            "settings": {**settings, "quality": self.quality},
            "frames": written.frames,
            "changed": written.changed,
            "warnings": [*warnings],
        }
        if self.metadata and self.sidecar:
            write_sidecar(self.output, record, inputs=inputs)
        else:
            remove_sidecar(self.output)  # that of an older video would tell of it
        return VideoResult(
            output=self.output,
            frames=written.frames,
            changed=written.changed,
            warnings=tuple(warnings),
            record={"image": str(self.output), "photo": str(self.target), **record},
        )


def video_task(
    target: str | Path,
    output: str | Path,
    *,
    operation: str,
    quality: int,
    metadata: bool,
    sidecar: bool,
    progress: Callable[[int], None] | None,
) -> VideoTask:
    """Return which video is made of which, of what callers give.

    Raises:
        InputError: an unusable quality, or a name that no video can be written under.
    """
    crf = int(as_number("quality", quality, 0, 51, is_whole=True))
    place = as_path(output, "the name of a video to write, as out.mp4")
    check_video_name(place)
    return VideoTask(
        target=as_path(target, "the name of a video file"),
        output=place,
        operation=operation,
        quality=crf,
        metadata=metadata,
        sidecar=sidecar,
        progress=progress,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class WrittenFrames:
    """What the frames of a new video show.

    Attributes:
        shown: the selections that faces of a frame were followed for -> frames of that kind.
        difference: largest change of a level, of 255.
        warnings: of writing them.
    """

    shown: Counter[frozenset[int]]
    difference: int
    warnings: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Return how many there are."""
        return self.shown.total()

    @property
    def changed(self) -> int:
        """Return in how many a face was changed."""
        return self.frames - self.shown[frozenset()]


def write_video(
    task: VideoTask, video: VideoReader, frames: Iterator[ChangedFrame], tracker: Tracker
) -> WrittenFrames:
    """Write a video's new frames; the file takes its name when all are there.

    Args:
        task: where to, and how.
        video: that they come from, for its clock, colours and sound.
        frames: in order.
        tracker: of the faces, for what it has to say where no frame shows one.

    Raises:
        InputError: the file cannot be written, or the frames show none of the chosen faces.
        NoFaceError: they show no face.
    """
    shown: Counter[frozenset[int]] = Counter()
    difference = 0
    told = Provenance(operation=task.operation) if task.metadata else None
    with VideoWriter(task.output, video, quality=task.quality, provenance=told) as writer:
        for done, one in enumerate(frames, start=1):
            writer.write(dataclasses.replace(one.frame, image=one.image))
            shown[frozenset(track.choice for track in one.faces)] += 1
            difference = max(difference, _difference(one))
            if task.progress is not None:
                task.progress(done)
        if not shown.total() - shown[frozenset()]:
            line = f"no face found in any of the {shown.total()} frames of {task.target.name}"
            raise tracker.complaint or NoFaceError(line)
    return WrittenFrames(shown=shown, difference=difference, warnings=tuple(writer.warnings))


def _difference(one: ChangedFrame) -> int:
    levels = one.image.astype(np.int16) - one.frame.image
    return int(np.abs(levels).max()) if one.faces else 0


def missing_faces(written: WrittenFrames) -> list[str]:
    """Return a warning where some frames show none of the chosen faces."""
    absent = written.shown[frozenset()]
    told = f"{absent} of {written.frames} frames show no face to change; they stay as they are"
    return [told] if absent else []
