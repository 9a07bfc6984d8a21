"""Videos for tests: frames and a tone, written by PyAV; a face that moves; frames read again."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import skimage.data

RATE = 30
SOUND_RATE = 44_100
PICTURE = skimage.data.astronaut()[:200, :240] // 2 + 60  # nothing is clipped


def plain_frames(count: int = 8) -> list[np.ndarray]:
    """Return frames of a picture that moves to the right by 3 pixels each."""
    return [np.roll(PICTURE, 3 * k, axis=1) for k in range(count)]


def write_video(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    times: Sequence[int] | None = None,
    matrix: int = 5,
    turned: int = 0,
    is_full: bool = False,
    sound: str | None = None,
    pixels: str = "yuv420p",
    aspect: tuple[int, int] | None = None,
    delay: int = 0,
    seconds: float | None = None,
) -> Path:
    """Write RGB frames of 8 bits; ``times`` in frames, ``turned`` as a phone says, degrees.

    ``sound`` is the codec of a tone, which begins ``delay`` seconds after 0 and lasts for so many
    ``seconds``, or as long as the frames.
    """
    import av
    from av.video.reformatter import Interpolation

    exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    output = av.open(str(path), "w")
    stream = output.add_stream("libx264", rate=RATE, options={"crf": "4"})
    stream.height, stream.width = frames[0].shape[:2]
    stream.pix_fmt = pixels
    coder, levels = stream.codec_context, 2 if is_full else 1
    coder.colorspace = coder.color_primaries = coder.color_trc = matrix
    coder.color_range = levels
    if aspect:
        coder.sample_aspect_ratio = Fraction(*aspect)
    if turned:
        stream.set_display_rotation(turned)
    tone = output.add_stream(sound, rate=SOUND_RATE) if sound else None
    for k, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24").reformat(
            format=pixels, dst_colorspace=matrix, dst_color_range=levels, interpolation=exact
        )
        picture.pts, picture.time_base = (times or range(len(frames)))[k], Fraction(1, RATE)
        output.mux(stream.encode(picture))
    output.mux(stream.encode())
    if tone is not None:
        _write_tone(output, tone, seconds or len(frames) / RATE, delay * SOUND_RATE)
    output.close()
    return path


def _write_tone(output, stream, seconds: float, start: int) -> None:
    import av

    coder = stream.codec_context
    resampler = av.AudioResampler(format=coder.format, layout=coder.layout, rate=SOUND_RATE)
    count = int(seconds * SOUND_RATE) // 1024 * 1024
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(count) / SOUND_RATE)).astype(np.float32)
    for first in range(0, count, 1024):
        part = av.AudioFrame.from_ndarray(tone[None, first : first + 1024], "fltp", "mono")
        part.sample_rate, part.time_base = SOUND_RATE, Fraction(1, SOUND_RATE)
        part.pts = start + first
        for ready in resampler.resample(part):
            output.mux(stream.encode(ready))
    output.mux(stream.encode())


def read_frames(path: Path) -> list:
    """Return the frames of a video, with their times."""
    from uvface.core.io.video import VideoReader

    with VideoReader(path) as video:
        return list(video.frames())


def copy_video(source: Path, path: Path, **options):
    """Write a video's frames as they are; return what wrote them."""
    from uvface.core.io.video import VideoReader
    from uvface.core.io.video_writer import VideoWriter

    with VideoReader(source) as video, VideoWriter(path, video, **options) as writer:
        for frame in video.frames():
            writer.write(frame)
    return writer


def read_sound(path: Path) -> bytes:
    """Return the packets of a video's sound, as they are stored."""
    import av

    with av.open(str(path)) as container:
        if not container.streams.audio:
            return b""
        return b"".join(bytes(packet) for packet in container.demux(container.streams.audio[0]))


def moved_face(k: int) -> np.ndarray:
    """Return the astronaut's face in frame k, a little further and more tilted with each."""
    picture = skimage.data.astronaut()[0:300, 80:380]
    turn = cv2.getRotationMatrix2D((150, 140), 1.0 * k, 1 + 0.01 * k)
    turn[:, 2] += [2.0 * k, -1.0 * k]
    return cv2.warpAffine(picture, turn, (256, 256), borderMode=cv2.BORDER_REFLECT)


def read_images(path: Path) -> list[np.ndarray]:
    """Return the frames of a video, RGB, levels as floats."""
    return [frame.image.astype(np.float32) for frame in read_frames(path)]
