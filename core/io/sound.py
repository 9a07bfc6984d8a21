"""The sound of a video put into another one: copied as it is, or as AAC where it does not fit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

__all__ = ["add_sound"]

_CONTAINERS = {".mov": "mov"}  # of FFmpeg, by suffix; MP4 of others


def add_sound(av: Any, source: Any, output: Any, suffix: str) -> tuple[Iterator[Any], bool]:
    """Add a stream of sound to a video that is not written yet.

    Args:
        av: PyAV.
        source: the first stream of sound of a file that nobody else reads from this container.
        output: container that gets it.
        suffix: of its file.

    Returns:
        Packets to be written to it, in order, and whether they are copies.
    """
    if _fits(av, source.container.name, suffix):
        copy = output.add_stream_from_template(source)
        return _copies(source, copy), True
    coder = output.add_stream("aac", rate=source.codec_context.sample_rate)
    return _encoded(av, source, coder), False


def _fits(av: Any, path: str, suffix: str) -> bool:
    """Return whether FFmpeg would write a file with a copy of this sound: a short one is tried."""
    try:
        with (
            av.open(path) as container,
            av.open(io.BytesIO(), "w", format=_CONTAINERS.get(suffix, "mp4")) as trial,
        ):
            source = container.streams.audio[0]
            copy = trial.add_stream_from_template(source)
            if (packet := next(_copies(source, copy), None)) is not None:
                trial.mux(packet)
    except (av.FFmpegError, ValueError):
        return False
    return True


def _copies(source: Any, copy: Any) -> Iterator[Any]:
    for packet in source.container.demux(source):
        if packet.dts is not None:  # the last one is empty
            if packet.pts is None:  # AVI tells when to decode, which is when to play
                packet.pts = packet.dts
            packet.stream = copy
            yield packet


def _encoded(av: Any, source: Any, stream: Any) -> Iterator[Any]:
    coder = stream.codec_context
    resampler = av.AudioResampler(format=coder.format, layout=coder.layout, rate=coder.rate)
    for frame in source.container.decode(source):
        for part in resampler.resample(frame):
            yield from stream.encode(part)
    yield from stream.encode()
