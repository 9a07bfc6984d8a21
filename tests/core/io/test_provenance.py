import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from uvface.core.errors import InputError
from uvface.core.find_photos import find_photos
from uvface.core.io.images import read_photo, write_image
from uvface.core.io.provenance import (
    ALGORITHMIC_MEDIA,
    COMPOSITE_SYNTHETIC,
    Provenance,
    provenance_packet,
    read_provenance,
)

GREY = np.full((24, 20, 3), 0.5, np.float32)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
@pytest.mark.parametrize("bit_depth", [8, 16])
def test_provenance_is_read_back(tmp_path, suffix, bit_depth):
    path = tmp_path / f"a{suffix}"
    written = Provenance(operation='edit "eyes" <&> brows', software="uvface 1.2")
    write_image(path, GREY, bit_depth=bit_depth, provenance=written)
    assert read_provenance(path) == written
    assert read_provenance(path).source_type == COMPOSITE_SYNTHETIC
    assert read_photo(path).image.shape == GREY.shape
    with Image.open(path) as picture:
        picture.load()  # other readers accept the file


def test_a_packet_behind_the_pixels_of_a_png_is_found(tmp_path):
    """Software that adds metadata to a picture puts it at the end."""
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    whole = path.read_bytes()
    packet = provenance_packet(Provenance(operation="swap"))
    chunk = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + packet
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(whole[:-12] + chunk + whole[-12:])
    found = read_provenance(path)
    assert found is not None and found.operation == "swap"
    path.write_bytes(whole[:-20])  # the pixels are damaged
    assert read_provenance(path) is None


def test_large_pictures_are_inspected_without_a_warning(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", GREY, provenance=Provenance(operation="swap"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)  # for 24 x 20 it warns
    assert read_provenance(tmp_path / "a.png") == Provenance(operation="swap")


def test_picture_without_packet_has_no_provenance(tmp_path):
    write_image(tmp_path / "a.jpg", GREY)
    assert read_provenance(tmp_path / "a.jpg") is None


def test_synthetic_source_types_are_recognised():
    assert Provenance(operation="swap").is_synthetic
    assert Provenance(operation="synthesize", source_type=ALGORITHMIC_MEDIA).is_synthetic
    camera = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    assert not Provenance(operation="", source_type=camera).is_synthetic


def test_packet_of_other_software(tmp_path):
    packet = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
    <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
     xmlns:xmp="http://ns.adobe.com/xap/1.0/">
    <e:DigitalSourceType>{ALGORITHMIC_MEDIA}</e:DigitalSourceType>
    <xmp:CreatorTool>Painter 3</xmp:CreatorTool></rdf:Description></rdf:RDF></x:xmpmeta>"""
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", xmp=packet.encode())
    found = read_provenance(tmp_path / "a.jpg")
    assert found == Provenance(operation="", software="Painter 3", source_type=ALGORITHMIC_MEDIA)


@pytest.mark.parametrize("packet", [b"<x:xmpmeta", b"<?xml version='1.0' encoding='abacus'?><a/>"])
def test_damaged_packet_says_nothing(tmp_path, packet):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", xmp=packet)
    assert read_provenance(tmp_path / "a.jpg") is None


@pytest.mark.parametrize("numbers", [(7,), (60, 120, 58)])
def test_a_tiff_whose_packet_is_numbers_has_none_and_is_a_photo(tmp_path, numbers):
    path, pixels = tmp_path / "a.tif", np.full((8, 8, 3), 128, np.uint8)
    tag = (700, "I", len(numbers), numbers if len(numbers) > 1 else numbers[0], True)
    tifffile.imwrite(path, pixels, photometric="rgb", extratags=[tag])
    assert find_photos(tmp_path) == [path]
    assert read_photo(path).xmp is None and read_provenance(path) is None


def test_no_image_is_an_error(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"words")
    with pytest.raises(InputError, match="not an image"):
        read_provenance(tmp_path / "a.jpg")
