"""The XMP packet of an MP4 or QuickTime video: a box of its own at the end of the file.

References:
    Adobe, "XMP Specification Part 3: Storage in Files", section 1.1.6 (ISO base media).
    ISO/IEC 14496-12, section 4.2 (boxes).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError

__all__ = ["VIDEO_FORMATS", "append_packet", "names_a_video", "packet_in_video"]

VIDEO_FORMATS = {".mp4": "mp4", ".m4v": "ipod", ".mov": "mov"}  # of FFmpeg, that are written
_READ_SUFFIXES = (*VIDEO_FORMATS, ".mkv", ".webm", ".avi")  # that are common

_XMP_BOX = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_FIRST = (b"ftyp", b"wide", b"moov", b"mdat", b"free", b"skip")  # kinds that a video begins with
_LARGEST = 1 << 24  # bytes of a packet that is believed


def names_a_video(path: str | Path) -> bool:
    """Return whether a path has the name of a video; no folder is one."""
    return Path(path).suffix.lower() in _READ_SUFFIXES and not os.path.isdir(path)


def append_packet(path: Path, packet: bytes) -> None:
    """Add an XMP packet to the end of a video."""
    with path.open("ab") as stream:
        stream.write(struct.pack(">I4s", 8 + len(_XMP_BOX) + len(packet), b"uuid"))
        stream.write(_XMP_BOX + packet)


def packet_in_video(path: Path) -> bytes | None:
    """Return the XMP packet of a video; None without one.

    Raises:
        InputError: the file cannot be read, or is no such video.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path} does not exist or is a folder; give a video")
    try:
        with path.open("rb") as stream:
            return _find_packet(stream, path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _find_packet(stream: BinaryIO, path: Path) -> bytes | None:
    boxes = _boxes(stream)
    if (first := next(boxes, None)) is None or first[0] not in _FIRST:
        raise InputError(f"{path} is not an MP4 or QuickTime video; give one")
    for kind, size in boxes:
        if kind != b"uuid" or not len(_XMP_BOX) < size < _LARGEST:
            continue
        content = stream.read(size)
        if content.startswith(_XMP_BOX):
            return content[len(_XMP_BOX) :]
    return None


def _boxes(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Go through the outermost boxes: kind, and bytes of the content that the stream is at."""
    end = stream.seek(0, os.SEEK_END)
    place = 0
    while place + 8 <= end:
        stream.seek(place)
        size, kind = struct.unpack(">I4s", stream.read(8))
        head = 8
        if size == 1 and place + 16 <= end:
            (size,), head = struct.unpack(">Q", stream.read(8)), 16
        size = end - place if size == 0 else size  # the last one reaches to the end
        if size < head or place + size > end:
            return  # cut off or damaged
        yield kind, size - head
        place += size
