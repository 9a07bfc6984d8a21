"""Videos: upright frames out of a file.

Optional: it needs PyAV, which brings FFmpeg (``pip install 'uvface[video]'``). Frames are decoded
to 8-bit RGB by the matrix that the video names; `video_writer` encodes by the same one, so that
what nobody changes keeps its colours.
"""

from __future__ import annotations

import dataclasses
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ..errors import InputError
from .images import is_heic

__all__ = ["FULL", "LIMITED", "Frame", "VideoReader", "converted", "count_frames", "import_av"]

LIMITED, FULL = 1, 2  # levels from 16 to 235, and from 0 to 255
_BT709, _BT601, _BT2020 = 1, 5, 9  # matrices, numbered as in H.273
_CONVERTED = (1, 4, 5, 6, 7, 9)  # by FFmpeg
_UNSPECIFIED = (0, 2)
_HD = 720  # rows from which on a video that names no matrix has that of HD
_CONSTANT_LUMINANCE = 10  # BT.2020; the matrix of the usual kind is close to it
_TIME = Fraction(1, 90_000)  # of a video that names no clock
_MOST = 0.9  # of the time that a file says it takes: a shorter one was cut off
_DURATION = re.compile(r"(\d+):(\d+):(\d+\.?\d*)")  # of a stream of Matroska, in its metadata
_UP_TO_END = ("matroska,webm", "flv")  # formats whose durations begin at 0, not at their start
_BACK = 0.5  # seconds: a clock that goes back by more starts anew
_CONTAINER_TIME = Fraction(1, 1_000_000)
_PAGED = ("MPO", "TIFF")  # files of several pictures that do not follow each other in time


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of a video."""

    image: UInt8[np.ndarray, "height width 3"]  # RGB, upright
    time: int  # when it is shown, in units of the video's clock; the video starts at 0
    seconds: float  # the same
    duration: int  # for how long, in units of the clock, as far as the video tells


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


def converted(frame: Any, **how: Any) -> Any:
    """Return a frame of PyAV in another format; FFmpeg's fast ways would darken it by a level."""
    kind = import_av().video.reformatter.Interpolation
    exact = kind.BILINEAR | kind.ACCURATE_RND | kind.FULL_CHR_H_INT
    return frame.reformat(interpolation=exact, **how)


def count_frames(path: Path) -> int:
    """Return how many frames a video has, as far as it tells; 0 where it does not.

    Raises:
        InputError: as `VideoReader`.
    """
    with VideoReader(path) as video:
        return video.count


class VideoReader:
    """The first video stream of a file, for one pass over its frames."""

    def __init__(self, path: str | Path) -> None:
        """Open a video of any format that FFmpeg reads.

        Raises:
            InputError: PyAV is missing, or the file cannot be read, holds no video or is a still
                picture, which FFmpeg reads as a video of one frame.
        """
        self.av = import_av()
        self.path = Path(path)
        if not os.path.isfile(self.path):
            raise InputError(f"{self.path} does not exist or is a folder; give a video")
        if not self.path.stat().st_size:
            raise InputError(f"{self.path} is empty (0 bytes); copy or download it again")
        try:  # a whole path: FFmpeg takes what stands before a colon for a protocol
            self.container = self.av.open(os.path.realpath(self.path))
        except (self.av.InvalidDataError, UnicodeError) as error:
            raise InputError(
                f"{self.path} is not a video that can be read; copy or download it again (an MP4 "
                "that is cut off before its end cannot be read), or convert it with ffmpeg"
            ) from error
        except (self.av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error  # without the path
            raise InputError(f"cannot read {self.path}: {reason}") from error
        if not self.container.streams.video:
            self.close()
            raise InputError(f"{self.path} holds no video; give a file with moving pictures")
        is_unread = _begins_as_heic(self.path)
        if (is_unread or _begins_as_still(self.path)) and self._is_short():
            self.close()
            advice = "convert it to JPEG or PNG, and " * is_unread
            raise InputError(
                f"{self.path} is a still picture, no video; {advice}uvface swap and uvface edit "
                "take pictures"
            )
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self._is_on_its_side = False
        self._shown = 0  # frames
        self._end = 0  # of the last of them, in units of the clock
        self._damaged = 0  # packets

    def _is_short(self) -> bool:
        """Return whether FFmpeg finds one packet at most; a file of JPEGs can have more."""
        try:
            with self.av.open(self.container.name) as again:
                packets = [packet for packet in islice(again.demux(video=0), 2) if packet.size]
        except self.av.FFmpegError:  # damaged after its first
            return True
        return len(packets) < 2

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
    def start(self) -> Fraction:
        """Return the seconds that a file, as part of a broadcast, counts from."""
        return max(Fraction(self.container.start_time or 0), Fraction(0)) * _CONTAINER_TIME

    @property
    def seconds(self) -> float:
        """Return how long the pictures go on, as far as the file tells; 0 where it does not.

        A list of edits may show less than a stream holds.
        """
        start = float(self.start) if self.container.format.name in _UP_TO_END else 0.0
        whole = max(float((self.container.duration or 0) * _CONTAINER_TIME) - start, 0.0)
        if told := _told_seconds(self.stream.metadata):
            return max(told - start, 0.0)
        if self.stream.duration:
            return min(float(self.stream.duration * self.clock), whole or np.inf)
        return whole

    @property
    def count(self) -> int:
        """Return how many frames there are, as far as the file tells; 0 where it does not.

        A file that counts none is taken to have evenly many.
        """
        counts = (int(self.stream.frames), round(self.seconds * self.rate))
        return min((count for count in counts if count), default=0)

    @property
    def matrix(self) -> int:
        """Return the matrix between RGB and what is stored; where none is named, as players do.

        Raises:
            InputError: FFmpeg does not convert by it.
        """
        coder = self.stream.codec_context
        named = int(coder.colorspace)
        if named in _UNSPECIFIED:
            return _BT709 if coder.height >= _HD else _BT601
        if named == _CONSTANT_LUMINANCE:
            return _BT2020
        if named not in _CONVERTED:
            raise InputError(
                f"{self.path} has colours of a rare kind (matrix {named} of H.273); encode it "
                "anew, as BT.709"
            )
        return named

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Return how wide an upright pixel is for its height, once a frame was read."""
        stored = self.stream.codec_context.sample_aspect_ratio
        if not stored:
            return None
        return 1 / Fraction(stored) if self._is_on_its_side else Fraction(stored)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what of the video is not kept, once its frames were read."""
        lines, name = [], self.path.name
        shape = self.stream.codec_context.format
        bits = max((part.bits for part in shape.components), default=8) if shape else 8
        if bits > 8:
            lines.append(f"{name} has {bits} bits per colour; 8 are kept")
        if self._damaged:
            lines.append(f"{name} is damaged in {self._damaged} places; frames are missing there")
        end = float(self._end * self.clock)
        if end < _MOST * self.seconds:
            lines.append(
                f"{name} ends after {end:.1f} of {self.seconds:.1f} s; {self._shown} frames could "
                "be read"
            )
        return tuple(lines)

    def frames(self) -> Iterator[Frame]:
        """Go through the frames, in the order in which they are shown.

        Raises:
            InputError: no frame can be decoded, they change their size, or their clock starts anew.
        """
        step = 1 / (self.rate * self.clock)
        shape: tuple[int, ...] | None = None
        last: int | None = None
        for frame in self._decoded():
            time = round(self._shown * step) if frame.pts is None else int(frame.pts)
            time -= 0 if frame.pts is None else round(self.start / self.clock)
            if last is not None and (last - time) * self.clock > _BACK:
                raise InputError(
                    f"the clock of {self.path} starts anew after {self._shown} frames, as where "
                    "two files were put together; convert it with ffmpeg"
                )
            last = time if last is None else max(time, last + 1)  # encoders want them in order
            image = self._upright(frame)
            if shape not in (None, image.shape):
                raise InputError(
                    f"{self.path} changes its size after {self._shown} frames, at "
                    f"{float(last * self.clock):.1f} s; cut it there"
                )
            shape, self._shown = image.shape, self._shown + 1
            duration = max(int(frame.duration or round(step)), 1)
            self._end = last + duration
            yield Frame(image=image, time=last, seconds=float(last * self.clock), duration=duration)
        if shape is None:
            raise InputError(f"{self.path} holds no frame that can be decoded; give another video")

    def _decoded(self) -> Iterator[Any]:
        """Go through what can be decoded; a damaged packet costs its frames, not the rest."""
        packets = self.container.demux(self.stream)
        packet: Any = self.stream  # anything but None
        while packet is not None:
            try:
                packet = next(packets, None)
            except self.av.FFmpegError:  # the file ends here; the decoder still holds frames
                self._damaged += 1
                packet = None
            try:
                yield from self.stream.decode(packet)
            except self.av.EOFError:  # it had given all
                return
            except self.av.FFmpegError:
                self._damaged += 1

    def _upright(self, frame: Any) -> UInt8[np.ndarray, "height width 3"]:
        turns = round(frame.rotation / 90)
        self._is_on_its_side = bool(turns % 2)
        rgb = converted(frame, format="rgb24", src_colorspace=self.matrix, dst_color_range=FULL)
        return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), turns))


def _told_seconds(tags: Mapping[str, str]) -> float:
    """Return the end that a stream of Matroska names, in seconds; 0 of others."""
    for key, value in tags.items():
        if key.startswith("DURATION") and (found := _DURATION.match(value)):
            hours, minutes, seconds = found.groups()
            return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    return 0.0


def _begins_as_heic(path: Path) -> bool:
    with path.open("rb") as stream:
        return is_heic(stream.read(12))


def _begins_as_still(path: Path) -> bool:
    """Return whether a file begins with a picture, and is no animation."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on sizes and odd metadata
            with Image.open(path) as picture:
                return picture.format in _PAGED or getattr(picture, "n_frames", 1) == 1
    except Exception:  # no picture, or a damaged one; FFmpeg says what it is
        return False
