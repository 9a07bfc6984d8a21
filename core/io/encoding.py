"""Image arrays to file contents, with alpha, profiles, Exif and XMP, in 8 or 16 bits."""

from __future__ import annotations

import dataclasses
import io
import struct
import sys
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from .provenance import TIFF_XMP

__all__ = ["FORMATS", "Extras", "Format"]

Pixels = UInt8[np.ndarray, "height width channels"] | UInt16[np.ndarray, "height width channels"]
_WHITE = 255
_METRES_PER_INCH = 0.0254


@dataclasses.dataclass(frozen=True, kw_only=True)
class Extras:
    """What goes beside the pixels, as far as the format takes it."""

    icc: bytes | None = None  # ICC profile
    exif: bytes | None = None  # Exif block
    xmp: bytes | None = None  # XMP packet
    density: tuple[float, float] | None = None  # dots per inch along x and y


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def _encode_png(pixels: Pixels, extras: Extras, quality: int) -> bytes:
    """Encode by OpenCV, which knows 16-bit RGB, and put the chunks it cannot write after IHDR."""
    code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    done, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, code))
    if not done:
        raise ValueError("the PNG encoder refused the image")
    content = encoded.tobytes()
    chunks = b""
    if extras.icc:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(extras.icc))
    if extras.density:
        across, down = (round(value / _METRES_PER_INCH) for value in extras.density)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", across, down, 1))  # 1: per metre
    if extras.exif:
        chunks += _chunk(b"eXIf", extras.exif.removeprefix(b"Exif\0\0"))
    if extras.xmp:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + extras.xmp)
    end_of_header = 8 + 25  # signature, then IHDR: length, name, 13 bytes, checksum
    return content[:end_of_header] + chunks + content[end_of_header:]


def _flatten(pixels: Pixels) -> UInt8[np.ndarray, "height width 3"]:
    """Lay an image with alpha over white, for a format that has no alpha."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / _WHITE
    return np.rint(pixels[..., :3] * alpha + _WHITE * (1 - alpha)).astype(np.uint8)


def _pillow_extras(extras: Extras) -> dict[str, Any]:
    named = {"icc_profile": extras.icc, "exif": extras.exif, "xmp": extras.xmp}
    return {name: value for name, value in (named | {"dpi": extras.density}).items() if value}


def _encode_jpeg(pixels: Pixels, extras: Extras, quality: int) -> bytes:
    """Encode with full colour resolution: chroma subsampling would blur lips and lids.

    Not optimised, which saves 3 % and fails for noise: Pillow guesses too small a buffer for it.
    """
    stream = io.BytesIO()
    Image.fromarray(_flatten(pixels)).save(
        stream, "JPEG", quality=quality, subsampling=0, **_pillow_extras(extras)
    )
    return stream.getvalue()


def _encode_webp(pixels: Pixels, extras: Extras, quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(
        stream,
        "WEBP",
        quality=quality,
        lossless=quality == 100,
        exact=True,
        **_pillow_extras(extras),
    )
    return stream.getvalue()


def _encode_tiff(pixels: Pixels, extras: Extras, quality: int) -> bytes:
    import tifffile  # only this format needs it

    stream = io.BytesIO()
    tags = []
    if extras.xmp:
        tags.append((TIFF_XMP, 1, len(extras.xmp), extras.xmp, True))
    tifffile.imwrite(
        stream,
        pixels,
        photometric="rgb",
        extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
        compression="zlib",
        predictor=False,
        metadata=None,
        iccprofile=extras.icc,
        resolution=extras.density,
        resolutionunit="INCH" if extras.density else None,
        extratags=tags,
    )
    return stream.getvalue()


Encoder = Callable[[Pixels, Extras, int], bytes]


class Format(NamedTuple):
    """How a picture is encoded, and what the format holds."""

    encode: Encoder
    bit_depth: int  # the largest
    xmp: int = sys.maxsize  # bytes of the largest packet
    exif: int = sys.maxsize  # bytes of the largest block


_JPEG = Format(_encode_jpeg, 8, xmp=65_504, exif=65_533)  # one segment each, less what names it
_TIFF = Format(_encode_tiff, 16)

# suffix -> its format
FORMATS = {
    ".png": Format(_encode_png, 16),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Format(_encode_webp, 8),
    ".tif": _TIFF,
    ".tiff": _TIFF,
}
