"""Writing a video of the same timing, colours and sound as another one.

Written are MP4 and QuickTime files with H.264, which have a place for the XMP packet that says how
the video came about.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import InputError
from ..whole_files import check_length, hidden_place, make_folder, move_file, remove_empty
from .provenance import Provenance, provenance_packet
from .sound import add_sound
from .video import LIMITED, Frame, VideoReader, converted
from .video_packet import VIDEO_FORMATS, append_packet

__all__ = ["VideoWriter", "check_video_name"]


def check_video_name(path: Path) -> None:
    """Raise InputError where a video cannot be written under a name."""
    if path.suffix.lower() not in VIDEO_FORMATS:
        known = ", ".join(VIDEO_FORMATS)
        raise InputError(f"{path}: a video is written as one of {known}; name it so")
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; name a file")
    check_length(path)


class VideoWriter:
    """A video like another one, with other frames; nobody ever sees half of it.

    As a context: the file takes its name when the context ends without an error, and what stood
    there before stays otherwise. A link of that name stays, and leads to the video.
    """

    def __init__(
        self,
        path: Path,
        like: VideoReader,
        *,
        quality: int = 18,
        provenance: Provenance | None = None,
    ) -> None:
        """Set what is written.

        Args:
            path: file to write, of `VIDEO_FORMATS`.
            like: the video whose clock, colours and sound it takes; its frames come first.
            quality: constant rate factor of H.264, 0 (best, largest) to 51.
            provenance: what the file says about its making.
        """
        check_video_name(path)
        self.path, self._like, self._quality, self._provenance = path, like, quality, provenance
        self.warnings: list[str] = []
        self._temporary = hidden_place(path, suffix=path.suffix)
        self._made: tuple[Path, ...] = ()  # folders
        self._output: Any = None
        self._stream: Any = None
        self._sound: Iterator[Any] = iter(())
        self._waiting: Any = None  # the next packet of sound
        self._end = 0  # of the last frame, in units of the clock
        self._opened: list[Any] = []
        self._failures = (like.av.FFmpegError, OSError)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except self._failures as failure:
            raise InputError(f"cannot write {self.path}: {_reason(failure)}") from failure
        finally:
            for container in self._opened:
                with contextlib.suppress(*self._failures):
                    container.close()
            with contextlib.suppress(OSError):
                self._temporary.unlink()
            remove_empty(self._made)

    def write(self, frame: Frame) -> None:
        """Add a frame; all have the size of the first one.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            if self._output is None:
                self._start(frame)
            self._mux(self._encoded(frame))
        except self._failures as error:
            raise InputError(f"cannot write {self.path}: {_reason(error)}") from error

    def _start(self, frame: Frame) -> None:
        like = self._like.stream.codec_context
        self._made = make_folder(self._temporary.parent)
        self._output = self._like.av.open(
            str(self._temporary),
            "w",
            format=VIDEO_FORMATS[self.path.suffix.lower()],
            options={"movflags": "faststart"},
        )
        self._opened.append(self._output)
        if self._provenance is not None:
            self._output.metadata["comment"] = (
                f"{self._provenance.software}: {self._provenance.operation} "
                f"({self._provenance.source_type})"
            )
        # Stored in another order (B-frames), frames of uneven times would end too soon.
        options = {"crf": str(self._quality), "bf": "0"}
        stream = self._output.add_stream("libx264", rate=self._like.rate, options=options)
        height, width = frame.image.shape[:2]
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        coder = stream.codec_context
        coder.time_base = stream.time_base = self._like.clock
        coder.color_range, coder.colorspace = LIMITED, self._like.matrix
        coder.color_primaries, coder.color_trc = like.color_primaries, like.color_trc
        if self._like.pixel_aspect is not None:
            coder.sample_aspect_ratio = self._like.pixel_aspect
        self._stream = stream
        self._add_sound()

    def _add_sound(self) -> None:
        """Let the sound of the other video, read once more, be written beside the frames."""
        if not self._like.container.streams.audio:
            return
        again = self._like.av.open(self._like.container.name)
        self._opened.append(again)
        source, suffix = again.streams.audio[0], self.path.suffix.lower()
        start = self._like.start
        self._sound, notes = add_sound(self._like.av, source, self._output, suffix, start=start)
        self._waiting = next(self._sound, None)
        self.warnings += notes

    def _encoded(self, frame: Frame) -> Any:
        image = frame.image
        odd = ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0))
        picture = self._like.av.VideoFrame.from_ndarray(np.pad(image, odd, "edge"), "rgb24")
        ready = converted(
            picture,
            format="yuv420p",
            dst_colorspace=self._like.matrix,
            dst_color_range=LIMITED,
        )
        ready.pts, ready.time_base = frame.time, self._like.clock
        self._end = frame.time + frame.duration
        return self._stream.encode(ready)

    def _mux(self, packets: Any) -> None:
        """Write packets of pictures, and before each the sound up to it."""
        for packet in packets:
            while self._waiting is not None and _begin(self._waiting) <= _begin(packet):
                self._next_sound()
            self._output.mux(packet)

    def _next_sound(self) -> None:
        self._output.mux(self._waiting)
        self._waiting = next(self._sound, None)

    def _finish(self) -> None:
        if self._output is None:
            return
        packets = self._stream.encode()
        if packets:  # how long the last is shown, no later one tells
            packets[-1].duration = self._end - packets[-1].pts
        self._mux(packets)
        while self._waiting is not None:
            self._next_sound()
        self._output.close()
        if self._provenance is not None:
            append_packet(self._temporary, provenance_packet(self._provenance))
        move_file(self._temporary, self.path)


def _begin(packet: Any) -> Fraction:
    return Fraction(packet.dts or 0) * Fraction(packet.time_base)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
