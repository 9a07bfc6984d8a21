"""Pictures of 16 bits per value, which Pillow reads in part: PNG, TIFF, PGM."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Shaped, UInt16
from PIL import Image

from ..errors import InputError

__all__ = [
    "ORIENTATION",
    "decode_16_bit",
    "is_16_bit",
    "is_16_bit_grey",
    "rgb_from_grey",
    "upright",
]

ORIENTATION = 0x0112  # Exif and TIFF tag
_BITS_PER_SAMPLE = 258  # TIFF tag, as those below
_PHOTOMETRIC, _WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 262, 0, 1, 2
_PLANAR, _SEPARATE = 284, 2
_EXTRA_SAMPLES = 338  # what the fourth channel is
_UNSPECIFIED, _ASSOCIATED = 0, 1  # no alpha; alpha, and colours are multiplied by it


def is_16_bit(picture: Image.Image, content: bytes) -> bool:
    """Return whether a picture has 16 bits per value.

    Args:
        picture: the picture.
        content: of its file.
    """
    if picture.format == "PNG":
        return content[24] == 16  # IHDR: bit depth
    if picture.format == "TIFF":
        bits = picture.tag_v2.get(_BITS_PER_SAMPLE, (8,))  # type: ignore[attr-defined]
        return max(bits) == 16
    return is_16_bit_grey(picture)


def is_16_bit_grey(picture: Image.Image) -> bool:
    """Return whether Pillow has grey of 16 bits, of PGM in the mode of 32."""
    return picture.mode.startswith("I;16") or (picture.mode, picture.format) == ("I", "PPM")


def rgb_from_grey(
    grey: UInt16[np.ndarray, "height width"], picture: Image.Image
) -> UInt16[np.ndarray, "height width channels"]:
    """Return grey as RGB, with alpha where the picture says which value is not seen."""
    layers, hidden = [grey] * 3, picture.info.get("transparency")
    if isinstance(hidden, int):
        layers.append(np.where(grey == hidden, 0, 65535).astype(np.uint16))
    return np.stack(layers, axis=2)


def decode_16_bit(
    path: Path, picture: Image.Image, content: bytes
) -> UInt16[np.ndarray, "height width channels"]:
    """Return the values of a picture of 16 bits, RGB or with alpha, upright if it is a TIFF.

    Args:
        path: its file, for messages.
        picture: the picture.
        content: of its file.

    Raises:
        InputError: it is a TIFF of a kind that is not read.
    """
    tags = getattr(picture, "tag_v2", {})  # of a TIFF
    if tags.get(_PHOTOMETRIC, _RGB) not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        raise InputError(
            f"{path} is a 16-bit TIFF in {picture.mode}; save it as RGB or with 8 bits"
        )
    orientation = tags.get(ORIENTATION, 1)
    # OpenCV takes a truncated file without a word, Pillow does not; it forgets the orientation.
    picture.load()
    if picture.format == "PPM":  # Pillow scales its values to 16 bits
        pixels = np.asarray(picture).astype(np.uint16)[..., None]
    elif tags.get(_PLANAR) == _SEPARATE:
        pixels = _decode_planes(path, content, orientation)
    else:
        pixels = _decode_interleaved(content)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        pixels = ~pixels
    extra = tags.get(_EXTRA_SAMPLES, ())
    if pixels.shape[2] == 4 and _ASSOCIATED in extra:
        return _divided_by_alpha(pixels)
    if pixels.shape[2] == 4 and _UNSPECIFIED in extra:  # as infrared of film scanners: no alpha
        return pixels[..., :3]
    return rgb_from_grey(pixels[..., 0], picture) if pixels.shape[2] == 1 else pixels


def _decode_interleaved(content: bytes) -> UInt16[np.ndarray, "height width channels"]:
    """Decode by OpenCV, whose own TIFF reader knows LZW and turns the photo upright."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("this kind of 16-bit image cannot be decoded")
    if pixels.ndim == 2:
        return pixels[..., None]
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def _decode_planes(
    path: Path, content: bytes, orientation: int
) -> UInt16[np.ndarray, "height width channels"]:
    """Decode a TIFF with a plane for each colour, which OpenCV takes for a grey picture."""
    import tifffile  # only this kind needs it

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        if page.compression not in tifffile.TIFF.DECOMPRESSORS:
            raise InputError(
                f"{path} is a 16-bit TIFF with separate colour planes, compressed by "
                f"{tifffile.COMPRESSION(page.compression).name}; save it with interleaved colours"
            )
        planes = page.asarray()
    if planes.dtype != np.uint16:
        raise ValueError("this kind of 16-bit image cannot be decoded")
    planes = planes.reshape(-1, *planes.shape[-2:])
    return upright(planes.transpose(1, 2, 0), orientation)


def _divided_by_alpha(
    pixels: UInt16[np.ndarray, "height width 4"],
) -> UInt16[np.ndarray, "height width 4"]:
    alpha = np.maximum(pixels[..., 3:], 1).astype(np.float32)
    color = np.minimum(np.rint(pixels[..., :3] * (np.float32(65535) / alpha)), 65535)
    return np.concatenate([color.astype(np.uint16), pixels[..., 3:]], axis=2)


def upright(
    pixels: Shaped[np.ndarray, "height width channels"], orientation: int
) -> Shaped[np.ndarray, "height2 width2 channels"]:
    """Undo an Exif orientation (2 to 4: mirrored and turned, 5 to 8: transposed too)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
