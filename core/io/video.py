"""Videos: upright frames out of a file, and frames into one of the same timing, colours and sound.

Optional: it needs PyAV, which brings FFmpeg (``pip install 'uvface[video]'``).

Frames are decoded to 8-bit RGB by the matrix that the video names, and encoded by the same one, so
that what nobody changes keeps its colours. Written are MP4 and QuickTime files with H.264, which
have a place for the XMP packet that says how the video came about.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ..errors import InputError
from .provenance import Provenance, provenance_packet
from .sound import add_sound
from .video_packet import VIDEO_SUFFIXES, append_packet

__all__ = [
    "Frame",
    "VideoReader",
    "VideoWriter",
    "check_video_name",
    "count_frames",
    "import_av",
]

_UNSPECIFIED = 2  # of a colour's matrix, primaries and transfer, in H.273
_BT709, _BT601 = 1, 5
_HD = 720  # rows from which on a video that names no matrix has that of HD
_LIMITED, _FULL = 1, 2  # levels from 16 to 235, and from 0 to 255
_TIME = Fraction(1, 90_000)  # of a video that names no clock


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of a video."""

    image: UInt8[np.ndarray, "height width 3"]  # RGB, upright
    time: int  # when it is shown, in units of the video's clock


def import_av() -> ModuleType:
    """Return PyAV.

    Raises:
        InputError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise InputError("videos need the package av; pip install 'uvface[video]'") from error
    found: ModuleType = av
    return found


def check_video_name(path: Path) -> None:
    """Raise InputError where a video cannot be written under a name."""
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        known = ", ".join(VIDEO_SUFFIXES)
        raise InputError(f"{path}: a video is written as one of {known}; name it so")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")


class VideoReader:
    """The first video stream of a file, for one pass over its frames."""

    def __init__(self, path: str | Path) -> None:
        """Open a video of any format that FFmpeg reads.

        Raises:
            InputError: PyAV is missing, or the file cannot be read or holds no video.
        """
        self._av = import_av()
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{self.path} does not exist or is a folder; give a video")
        try:
            self.container = self._av.open(str(self.path))
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise InputError(f"{self.path} is not a video that can be read ({error})") from error
        if not self.container.streams.video:
            self.close()
            raise InputError(f"{self.path} holds no video; give a file with moving pictures")
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    @property
    def clock(self) -> Fraction:
        """Return the seconds of a unit of time."""
        return Fraction(self.stream.time_base or _TIME)

    @property
    def rate(self) -> Fraction:
        """Return the frames per second, on average."""
        return Fraction(self.stream.average_rate or self.stream.guessed_rate or 25)

    @property
    def count(self) -> int:
        """Return how many frames there are, as far as the file tells; 0 where it does not."""
        if self.stream.frames:
            return int(self.stream.frames)
        return round((self.stream.duration or 0) * self.clock * self.rate)

    @property
    def matrix(self) -> int:
        """Return the matrix between RGB and what is stored; where none is named, as players do."""
        coder = self.stream.codec_context
        if int(coder.colorspace) in (0, _UNSPECIFIED):
            return _BT709 if coder.height >= _HD else _BT601
        return int(coder.colorspace)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what of the video will not be kept."""
        shape = self.stream.codec_context.format
        bits = max((part.bits for part in shape.components), default=8) if shape else 8
        return (f"{self.path.name} has {bits} bits per colour; 8 are kept",) if bits > 8 else ()

    def frames(self) -> Iterator[Frame]:
        """Go through the frames, in the order in which they are shown.

        Raises:
            InputError: the video is damaged at its very start. What is cut off later is left out.
        """
        shown = 0
        last: int | None = None
        try:
            for frame in self.container.decode(self.stream):
                step = 1 / (self.rate * self.clock)
                time = round(shown * step) if frame.pts is None else int(frame.pts)
                last = time if last is None else max(time, last + 1)  # encoders want them in order
                yield Frame(image=_upright(frame, self.matrix), time=last)
                shown += 1
        except self._av.FFmpegError as error:
            if not shown:
                raise InputError(f"{self.path} cannot be decoded ({error})") from error
        if not shown:
            raise InputError(f"{self.path} holds no frame; give another video")


def count_frames(path: Path) -> int:
    """Return how many frames a video has, as far as it tells; 0 where it does not.

    Raises:
        InputError: as `VideoReader`.
    """
    with VideoReader(path) as video:
        return video.count


def _converted(frame: Any, **how: Any) -> Any:
    """Return a frame in another format; FFmpeg's fast ways would darken it by a level."""
    kind = import_av().video.reformatter.Interpolation
    exact = kind.BILINEAR | kind.ACCURATE_RND | kind.FULL_CHR_H_INT
    return frame.reformat(interpolation=exact, **how)


def _upright(frame: Any, matrix: int) -> UInt8[np.ndarray, "height width 3"]:
    rgb = _converted(frame, format="rgb24", src_colorspace=matrix, dst_color_range=_FULL)
    return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), round(frame.rotation / 90)))


class VideoWriter:
    """A video like another one, with other frames; nobody ever sees half of it.

    As a context: the file takes its name when the context ends without an error, and what stood
    there before stays otherwise.
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
            path: file to write, of `VIDEO_SUFFIXES`.
            like: the video whose clock, colours and sound it takes.
            quality: constant rate factor of H.264: 0 keeps everything, 51 is worst.
            provenance: what the file says about its making.
        """
        check_video_name(path)
        self.path, self._like, self._quality, self._provenance = path, like, quality, provenance
        self.warnings: list[str] = []
        self._temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
        self._output: Any = None
        self._stream: Any = None
        self._sound: Iterator[Any] = iter(())
        self._waiting: Any = None  # the next packet of sound
        self._opened: list[Any] = []

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
        except (self._like._av.FFmpegError, OSError) as failure:
            raise InputError(f"cannot write {self.path}: {_reason(failure)}") from failure
        finally:
            for container in self._opened:
                with contextlib.suppress(self._like._av.FFmpegError, OSError):
                    container.close()
            with contextlib.suppress(OSError):
                self._temporary.unlink()

    def write(self, frame: Frame) -> None:
        """Add a frame; all have the size of the first one.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            if self._output is None:
                self._start(frame)
            self._mux(self._encoded(frame))
        except (self._like._av.FFmpegError, OSError) as error:
            raise InputError(f"cannot write {self.path}: {_reason(error)}") from error

    def _start(self, frame: Frame) -> None:
        av, like = self._like._av, self._like.stream.codec_context
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._output = av.open(str(self._temporary), "w", options={"movflags": "faststart"})
        self._opened.append(self._output)
        if self._provenance is not None:
            self._output.metadata["comment"] = (
                f"{self._provenance.software}: {self._provenance.operation} "
                f"({self._provenance.source_type})"
            )
        stream = self._output.add_stream(
            "libx264", rate=self._like.rate, options={"crf": str(self._quality)}
        )
        height, width = frame.image.shape[:2]
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        coder = stream.codec_context
        coder.time_base = stream.time_base = self._like.clock
        coder.color_range = _LIMITED
        coder.colorspace = self._like.matrix
        coder.color_primaries, coder.color_trc = like.color_primaries, like.color_trc
        if like.sample_aspect_ratio:
            coder.sample_aspect_ratio = like.sample_aspect_ratio
        self._stream = stream
        self._add_sound()

    def _add_sound(self) -> None:
        """Let the sound of the other video, read once more, be written beside the frames."""
        if not self._like.container.streams.audio:
            return
        again = self._like._av.open(str(self._like.path))
        self._opened.append(again)
        source, suffix = again.streams.audio[0], self.path.suffix.lower()
        self._sound, is_copy = add_sound(self._like._av, source, self._output, suffix)
        self._waiting = next(self._sound, None)
        if not is_copy:
            name = source.codec_context.name
            self.warnings.append(f"sound ({name}) does not fit into {suffix}; it is encoded as AAC")

    def _encoded(self, frame: Frame) -> Any:
        image = frame.image
        odd = ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0))
        picture = self._like._av.VideoFrame.from_ndarray(np.pad(image, odd, "edge"), "rgb24")
        ready = _converted(
            picture,
            format="yuv420p",
            dst_colorspace=self._like.matrix,
            dst_color_range=_LIMITED,
        )
        ready.pts, ready.time_base = frame.time, self._like.clock
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
        self._mux(self._stream.encode())
        while self._waiting is not None:
            self._next_sound()
        self._output.close()
        if self._provenance is not None:
            append_packet(self._temporary, provenance_packet(self._provenance))
        os.replace(self._temporary, self.path)


def _begin(packet: Any) -> Fraction:
    return Fraction(packet.dts or 0) * Fraction(packet.time_base)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
