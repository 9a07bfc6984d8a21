"""The sound of a video put into another one: copied as it is, or as AAC where it does not fit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .video_packet import VIDEO_FORMATS

__all__ = ["add_sound"]

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}  # by channels; others become stereo
_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


def add_sound(
    av: Any, source: Any, output: Any, suffix: str, *, start: Fraction
) -> tuple[Iterator[Any], list[str]]:
    """Add a stream of sound to a video that is not written yet.

    Args:
        av: PyAV.
        source: the first stream of sound of a file that nobody else reads from this container.
        output: container that gets it.
        suffix: of its file.
        start: seconds of the source that become 0.

    Returns:
        Packets to be written to it, in order, and what is lost, one line each.
    """
    if _fits(av, source.container.name, suffix):
        return _copies(source, output.add_stream_from_template(source), start), []
    known = source.codec_context
    if known is None:
        return iter(()), ["the sound is of a kind that is not known here; it is left out"]
    layout = _LAYOUTS.get(known.channels, "stereo")
    rate = max((rate for rate in _RATES if rate <= known.sample_rate), default=_RATES[0])
    stream = output.add_stream("aac", rate=rate, layout=layout)
    note = f"sound ({known.name}) does not fit into {suffix}; it is encoded as AAC, {layout}"
    return _encoded(av, source, stream, start), [note]


def _fits(av: Any, path: str, suffix: str) -> bool:
    """Return whether FFmpeg would write a file with a copy of this sound: a short one is tried."""
    try:
        with (
            av.open(path) as container,
            av.open(io.BytesIO(), "w", format=VIDEO_FORMATS[suffix]) as trial,
        ):
            source = container.streams.audio[0]
            copy = trial.add_stream_from_template(source)
            if (packet := next(_copies(source, copy, Fraction(0)), None)) is not None:
                trial.mux(packet)
    except (av.FFmpegError, ValueError, AttributeError):  # the last: of a codec that is not known
        return False
    return True


def _copies(source: Any, copy: Any, start: Fraction) -> Iterator[Any]:
    earlier = round(start / source.time_base)
    for packet in source.container.demux(source):
        if packet.dts is not None:  # the last one is empty
            # AVI tells when to decode, which is when to play.
            packet.pts = (packet.dts if packet.pts is None else packet.pts) - earlier
            packet.dts -= earlier
            packet.stream = copy
            yield packet


def _encoded(av: Any, source: Any, stream: Any, start: Fraction) -> Iterator[Any]:
    coder = stream.codec_context
    resampler = av.AudioResampler(format=coder.format, layout=coder.layout, rate=coder.rate)
    for frame in _decoded(av, source):
        if frame.pts is not None:
            frame.pts -= round(start / frame.time_base)
        for part in resampler.resample(frame):
            yield from stream.encode(part)
    for part in resampler.resample(None):
        yield from stream.encode(part)
    yield from stream.encode()


def _decoded(av: Any, source: Any) -> Iterator[Any]:
    """Go through what can be decoded; a damaged packet costs its own sound."""
    for packet in source.container.demux(source):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        yield from frames
