"""Photos as people have them, in and out: orientation, alpha, profiles, 8 and 16 bits.

Convention:
    In the library a photo is float32 RGB in [0, 1], upright. The values are the file's own
    (no colour management): ``value / 255`` or ``value / 65535``, so that a pixel which nobody
    touches comes back as the same number from a lossless format.
"""

from __future__ import annotations

import dataclasses
import io
import warnings
from numbers import Real
from pathlib import Path

import cv2
import numpy as np
from jax import Array
from jaxtyping import Float, Shaped, UInt8
from PIL import Image, ImageCms

from ..errors import InputError
from ..files import read_bytes
from ..levels import quantise
from ..whole_files import check_length, write_bytes_atomic
from .encoding import FORMATS, Extras
from .face_files import is_face_file
from .provenance import Provenance, packet_in
from .sixteen_bits import (
    ORIENTATION,
    decode_16_bit,
    is_16_bit,
    is_16_bit_grey,
    rgb_from_grey,
    upright,
)
from .xmp import packet_for

__all__ = [
    "MAX_PIXELS",
    "Photo",
    "check_image_name",
    "is_heic",
    "photo_from_picture",
    "preview_png",
    "read_photo",
    "write_image",
]

MAX_PIXELS = 130_000_000  # a 108 megapixel telephone passes; 1.6 GB as float32
_NO_QUALITY = 0  # of PNG, which keeps every level
_MOST_DPI = 65_535  # what a JPEG can say
_NO_PHOTO_MODES = ("I", "F")  # 32-bit integers and floats: measurements, not photos

AnyImage = Float[np.ndarray, "height width 3"] | Float[Array, "height width 3"]
AnyMask = Float[np.ndarray, "height width"] | Float[Array, "height width"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Photo:
    """A photo and what must be kept to write it back as it came."""

    image: np.ndarray  # [H, W, 3] float32, RGB in [0, 1], upright
    alpha: np.ndarray | None = None  # [H, W] float32 in [0, 1]
    bit_depth: int = 8  # 8 or 16
    dtype: str = "float32"  # of the values that it was given as
    given: np.ndarray | None = None  # these values, where they were no RGB: what records tell of
    icc: bytes | None = None  # ICC profile of the RGB values
    exif: bytes | None = None  # Exif block with the orientation set to upright, no thumbnail
    xmp: bytes | None = None  # XMP packet
    density: tuple[float, float] | None = None  # dots per inch along x and y
    path: Path | None = None
    warnings: tuple[str, ...] = ()  # one line each, for the reader of the report

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return int(self.image.shape[1])


def read_photo(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a photo: JPEG, PNG, WebP, TIFF, GIF, BMP and what else Pillow knows.

    Of an animation the first frame is taken, which ``Photo.warnings`` says.

    Args:
        path: the file.
        max_pixels: larger images are refused before they are decoded.

    Raises:
        InputError: the file is missing, not an image, damaged, or too large.
    """
    path = Path(path)
    content = read_bytes(path)
    if is_face_file(path):
        raise InputError(
            f"{path} is a face file, not a photo; use it as a reference of swap or edit"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own size warning, odd metadata
            with Image.open(io.BytesIO(content)) as picture:
                _check_size(path, picture, max_pixels)
                return _photo(path, picture, content)
    except Image.DecompressionBombError:
        raise InputError(f"{path} claims far more than {max_pixels:,} pixels; scale it") from None
    except Image.UnidentifiedImageError:
        hint = "is HEIC, which cannot be read" if is_heic(content) else "is not an image we know"
        raise InputError(f"{path} {hint}; convert it to JPEG or PNG") from None
    except InputError:
        raise
    except Exception as error:  # a damaged file makes Pillow and OpenCV fail in any way
        raise InputError(f"{path} is damaged: {_one_line(error)}") from error


def photo_from_picture(picture: Image.Image) -> Photo:
    """Return a picture of Pillow as a photo: upright, with its alpha, profile and Exif.

    Raises:
        InputError: its file is damaged, or it holds measurements (32 bits), not colours.
    """
    try:
        return _photo(None, picture, b"")
    except InputError:
        raise
    except Exception as error:  # pixels are decoded only now, as in `read_photo`
        raise InputError(f"the picture cannot be decoded: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def is_heic(content: bytes) -> bool:
    """Return whether a file that begins so is HEIC, as telephones make; Pillow reads none."""
    return content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"msf1")


def _check_size(path: Path, picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise InputError(
            f"{path} has {width} x {height} pixels, at most {max_pixels:,} are read; scale it down"
        )


def _photo(path: Path | None, picture: Image.Image, content: bytes) -> Photo:
    """Return a picture as a photo; without its file's content it has what Pillow made of it."""
    notes = () if path is None else _notes(path, picture)
    orientation, exif = _exif(picture)
    if path is None and is_16_bit_grey(picture):
        pixels, icc = rgb_from_grey(np.asarray(picture).astype(np.uint16), picture), None
    elif path is not None and is_16_bit(picture, content):
        pixels, icc = decode_16_bit(path, picture, content), picture.info.get("icc_profile")
    else:
        pixels, icc = _decode_8_bit(path or Path("the picture"), picture)
    pixels = upright(pixels, orientation)
    return Photo(
        image=_shares(pixels[..., :3]),
        alpha=_shares(pixels[..., 3]) if pixels.shape[2] == 4 else None,
        bit_depth=pixels.dtype.itemsize * 8,
        dtype=pixels.dtype.name,
        icc=icc if icc and icc[16:20] == b"RGB " else None,
        exif=exif,
        xmp=packet_in(picture),
        density=_density(picture, orientation),
        path=path,
        warnings=notes,
    )


def _shares(pixels: Shaped[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return whole numbers as parts of the largest of their type."""
    shares = pixels.astype(np.float32)
    shares /= np.float32(np.iinfo(pixels.dtype).max)  # in place: a second copy is large
    return shares


def _notes(path: Path, picture: Image.Image) -> tuple[str, ...]:
    frames = getattr(picture, "n_frames", 1)
    if frames == 1 or picture.format == "MPO":  # MPO: a telephone's JPEG with a second view
        return ()
    return (f"{path.name} has {frames} frames; the first one is used",)


def _exif(picture: Image.Image) -> tuple[int, bytes | None]:
    """Return the orientation (1 to 8) and the Exif block without it and without thumbnail.

    Pillow and OpenCV turn a TIFF upright themselves while they decode it: its orientation is 1.
    """
    try:
        exif = picture.getexif()
        orientation = 1 if picture.format == "TIFF" else exif.get(ORIENTATION, 1)
        if "exif" not in picture.info:  # a TIFF's own tags describe the file, not the photo
            return orientation, None
        kept = Image.Exif()
        kept.load(exif.tobytes())  # a copy: the picture, perhaps a caller's, keeps its own
        kept[ORIENTATION] = 1
        return orientation, kept.tobytes()
    except Exception:  # damaged Exif comes in many ways and must not cost the photo
        return 1, None


def _density(picture: Image.Image, orientation: int) -> tuple[float, float] | None:
    """Return the dots per inch along x and y of the upright photo, if it says so."""
    found = picture.info.get("dpi")  # of a PNG perhaps a text chunk of that name
    if not isinstance(found, tuple) or not all(isinstance(value, Real) for value in found):
        return None
    try:
        across, down = map(float, found)
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
    if not (0.0 < across < _MOST_DPI and 0.0 < down < _MOST_DPI):
        return None
    return (down, across) if orientation in (5, 6, 7, 8) else (across, down)


def _decode_8_bit(
    path: Path, picture: Image.Image
) -> tuple[Shaped[np.ndarray, "height width channels"], bytes | None]:
    """Return ``[H, W, 3 or 4]`` uint8 and the profile that still belongs to it."""
    icc = picture.info.get("icc_profile")
    if picture.mode in _NO_PHOTO_MODES:
        raise InputError(f"{path} has 32 bits per value; save it as 8 or 16 bits")
    if picture.mode == "CMYK":
        return np.asarray(_rgb_from_cmyk(picture, icc)), None
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return np.asarray(picture.convert(mode)), icc


def _rgb_from_cmyk(picture: Image.Image, icc: bytes | None) -> Image.Image:
    if icc:
        try:
            source, target = io.BytesIO(icc), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
            if converted is not None:
                return converted
        except ImageCms.PyCMSError:
            pass  # a damaged profile: fall back to the plain formula
    return picture.convert("RGB")


def check_image_name(path: Path) -> None:
    """Raise InputError where `write_image` does not know the path's suffix, or it is too long."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path} has no known image suffix; use one of {', '.join(FORMATS)}")
    check_length(path)


def write_image(
    path: str | Path,
    image: AnyImage | UInt8[np.ndarray, "height width 3"],
    *,
    alpha: AnyMask | None = None,
    bit_depth: int = 8,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    density: tuple[float, float] | None = None,
    provenance: Provenance | None = None,
    quality: int = 95,
) -> None:
    """Write an image in the format of the path's suffix, wholly or not at all.

    JPEG and WebP hold 8 bits: 16 are rounded. JPEG has no alpha: it is laid over white. A
    missing folder is created.

    Args:
        path: ends in .png, .jpg, .jpeg, .webp, .tif or .tiff.
        image: RGB in [0, 1]; values outside are clipped. Of 8 bits it keeps its levels, which 16
            bits hold times 257.
        alpha: opacity in [0, 1].
        bit_depth: 8 or 16 bits per value.
        icc: ICC profile that the values are in.
        exif: Exif block, as `Photo.exif`; TIFF does not take one, a JPEG up to 64 KB.
        xmp: XMP packet of the photo that the image is made of; what still holds is kept, in a
            JPEG up to 64 KB in all.
        density: dots per inch along x and y; WebP takes none.
        provenance: written into the XMP packet.
        quality: of JPEG and WebP, 1 to 100; 100 is lossless WebP.

    Raises:
        InputError: unknown suffix, values that are no numbers, or the file cannot be written.
    """
    path = Path(path)
    check_image_name(path)
    if bit_depth not in (8, 16):
        raise InputError(f"bit_depth is {bit_depth}; 8 or 16 is needed")
    kind = FORMATS[path.suffix.lower()]
    layers = [np.asarray(image)] if alpha is None else [np.asarray(image), _layer(alpha)]
    if not all(np.isfinite(layer).all() for layer in layers):
        raise InputError("the image has values that are not numbers (NaN or infinite)")
    bits = min(bit_depth, kind.bit_depth)
    quantised = [_levels(layer, bits) for layer in layers]
    pixels = quantised[0] if len(layers) == 1 else np.concatenate(quantised, axis=2)
    packet = packet_for(provenance, xmp, largest=kind.xmp)
    block = exif if exif is None or len(exif) <= kind.exif else None
    extras = Extras(icc=icc, exif=block, xmp=packet, density=density)
    try:
        content = kind.encode(pixels, extras, quality)
    except (OSError, ValueError, cv2.error) as error:
        raise InputError(f"cannot encode {path.name}: {_one_line(error)}") from error
    write_bytes_atomic(path, content)


def _levels(
    layer: Shaped[np.ndarray, "height width c"], bit_depth: int
) -> Shaped[np.ndarray, "height width c"]:
    if layer.dtype != np.uint8:
        return quantise(layer, bit_depth=bit_depth)
    return layer if bit_depth == 8 else layer.astype(np.uint16) * np.uint16(257)


def preview_png(
    image: AnyImage,
    *,
    alpha: AnyMask | None = None,
    icc: bytes | None = None,
    provenance: Provenance | None = None,
    side: int = 1024,
) -> bytes:
    """Return an image as a PNG of 8 bits that is not too large to look at.

    Args:
        image: RGB in [0, 1].
        alpha: opacity in [0, 1].
        icc: ICC profile that the values are in.
        provenance: written into the XMP packet.
        side: pixels that neither width nor height passes; a larger image is made smaller.
    """
    layers = [np.asarray(image)] if alpha is None else [np.asarray(image), _layer(alpha)]
    quantised = [quantise(layer, bit_depth=8) for layer in layers]
    pixels = quantised[0] if len(layers) == 1 else np.concatenate(quantised, axis=2)
    height, width = pixels.shape[:2]
    zoom = min(side / max(height, width), 1.0)
    if zoom < 1.0:
        size = max(round(zoom * width), 1), max(round(zoom * height), 1)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    extras = Extras(icc=icc, xmp=packet_for(provenance, None))
    return FORMATS[".png"].encode(pixels, extras, _NO_QUALITY)


def _layer(mask: AnyMask) -> Float[np.ndarray, "height width 1"]:
    return np.asarray(mask)[..., None]
