"""A photo's XMP packet and density in what is made of it."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from uvface.core.io.images import read_photo, write_image
from uvface.core.io.provenance import (
    COMPOSITE_SYNTHETIC,
    EVENT,
    IPTC,
    MEDIA,
    RDF,
    XMP,
    Provenance,
    parse_packet,
    provenance_packet,
    read_provenance,
)
from uvface.core.io.xmp import packet_for
from uvface.editing.result import EditResult

DC, TIFF = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/tiff/1.0/"
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
MADE = Provenance(operation='edit "lips" <&>', software="uvface 1")


def photo_packet(source=CAMERA, event="", more=""):
    """Return the packet of a photo from another program, which names RDF in its own way."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
    <x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="{RDF}">
    <r:Description r:about="uuid:1" xmlns:dc="{DC}" xmlns:x="{XMP}" xmlns:t="{TIFF}"
     xmlns:e="{IPTC}" xmlns:m="{MEDIA}" xmlns:v="{EVENT}"
     xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="12"
     x:CreatorTool="Camera 2" x:Rating="5" t:Orientation="6">
    <e:DigitalSourceType>{source}</e:DigitalSourceType>
    <dc:creator><r:Seq><r:li>Zoë &amp; Ana</r:li></r:Seq></dc:creator>{event}{more}
    </r:Description></r:RDF></x:xmpmeta>{" " * 2000}<?xpacket end="w"?>""".encode()


HISTORY = """<m:History><r:Seq><r:li v:action="saved" v:parameters="as JPEG"
 v:softwareAgent="Camera 2"/></r:Seq></m:History>"""


def _values(packet, namespace, name):
    key = f"{{{namespace}}}{name}"
    root = ET.fromstring(packet)
    found = [element.attrib[key] for element in root.iter() if key in element.attrib]
    return found + [e.text for e in root.iter() if e.tag == key]


@pytest.mark.parametrize("event", ["", HISTORY])
def test_ours_is_put_into_the_photo_s_own_packet(event):
    merged = packet_for(MADE, photo_packet(event=event))
    assert parse_packet(merged) == MADE
    assert _values(merged, XMP, "Rating") == ["5"]
    assert next(ET.fromstring(merged).iter(f"{{{RDF}}}li")).text == "Zoë & Ana"
    assert _values(merged, XMP, "CreatorTool") == ["uvface 1"]  # once, as XMP demands
    assert _values(merged, IPTC, "DigitalSourceType") == [COMPOSITE_SYNTHETIC]
    assert not _values(merged, TIFF, "Orientation")
    assert b"HasExtendedXMP" not in merged
    assert _values(merged, EVENT, "parameters") == ["as JPEG"] * bool(event) + [MADE.operation]
    assert len(list(ET.fromstring(merged).iter(f"{{{MEDIA}}}History"))) == 1
    assert set(_values(merged, RDF, "about")) == {"uuid:1"}


VERSIONS = """<m:Versions><r:Seq><r:li><r:Description><u:event
 xmlns:u="http://ns.adobe.com/xap/1.0/sType/Version#" r:parseType="Resource">
 <v:parameters>checked in</v:parameters><v:softwareAgent>Archive 3</v:softwareAgent></u:event>
 </r:Description></r:li></r:Seq></m:Versions>"""
PANTRY = f"""<m:Pantry><r:Bag><r:li><r:Description x:CreatorTool="Layer 4"
 e:DigitalSourceType="{COMPOSITE_SYNTHETIC}">{HISTORY}</r:Description></r:li></r:Bag></m:Pantry>"""


@pytest.mark.parametrize("more", [VERSIONS, PANTRY])
def test_only_the_history_tells_what_was_done_last(more):
    """Versions and the pictures that went into this one have events of their own."""
    assert parse_packet(packet_for(MADE, photo_packet(event=HISTORY, more=more))) == MADE
    found = parse_packet(photo_packet(event=HISTORY, more=more))
    assert found == Provenance(operation="as JPEG", software="Camera 2", source_type=CAMERA)


def test_events_of_any_form_are_read():
    made = "<v:parameters>drawn</v:parameters><v:softwareAgent>Painter 3</v:softwareAgent>"
    for event in (
        f'<r:li r:parseType="Resource">{made}</r:li>',
        f"<r:li><r:Description>{made}</r:Description></r:li>",
    ):
        history = HISTORY.replace("</r:Seq>", f"{event}</r:Seq>")
        packet = photo_packet(event=history).replace(b'x:CreatorTool="Camera 2"', b"")
        found = parse_packet(packet)
        assert (found.operation, found.software) == ("drawn", "Painter 3")


def test_a_second_edit_adds_to_the_history():
    again = Provenance(operation="swap", software="uvface 2")
    merged = packet_for(again, packet_for(MADE, photo_packet()))
    assert parse_packet(merged) == again
    assert _values(merged, EVENT, "parameters") == [MADE.operation, "swap"]


def test_without_a_mark_no_packet_says_that_a_camera_took_it_all():
    kept = packet_for(None, photo_packet())
    assert not _values(kept, IPTC, "DigitalSourceType")
    assert _values(kept, XMP, "CreatorTool") == ["Camera 2"]
    kept = packet_for(None, photo_packet(source=COMPOSITE_SYNTHETIC))
    assert _values(kept, IPTC, "DigitalSourceType") == [COMPOSITE_SYNTHETIC]
    assert packet_for(None, None) is None


@pytest.mark.parametrize(
    "packet",
    [
        None,
        b"",
        b"<x:xmpmeta",
        b"<a/>",
        b"<?xml version='1.0' encoding='abacus'?>" + photo_packet().split(b"?>", 1)[1].strip(),
        photo_packet(more="<dc:a>" * 5000 + "</dc:a>" * 5000),
        photo_packet().replace(b"<x:xmpmeta", b'<!DOCTYPE a [<!ENTITY b "c">]><x:xmpmeta'),
    ],
)
def test_a_packet_that_cannot_be_kept_leaves_ours(packet):
    assert packet_for(MADE, packet) == provenance_packet(MADE)
    assert packet_for(None, packet) is None


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_results_keep_packet_and_density_of_the_photo(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side: what was across is down
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    source, out = tmp_path / "photo.jpg", tmp_path / f"out{suffix}"
    Image.fromarray(pixels).save(source, xmp=photo_packet(), dpi=(300, 150), exif=exif)
    photo = read_photo(source)
    assert photo.density == (150.0, 300.0)
    result = EditResult(image=photo.image, faces=[], photo=photo, operation="swap", settings={})
    result.save(out)
    assert read_provenance(out).operation == "swap"
    written = read_photo(out)
    assert _values(written.xmp, XMP, "Rating") == ["5"]
    if suffix != ".webp":  # it has no place for it; PNG counts whole dots per metre
        np.testing.assert_allclose(written.density, (150.0, 300.0), atol=0.02)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("spare", [-1, 0])
def test_a_large_packet_is_kept_where_the_format_holds_it(tmp_path, suffix, spare):
    """In a JPEG the one with our event may have 65,504 bytes: Pillow writes no more."""
    room = 65_504 - len(packet_for(MADE, photo_packet(more="<dc:a>x</dc:a>"))) - spare
    packet, out = photo_packet(more=f"<dc:a>x{'x' * room}</dc:a>"), tmp_path / f"out{suffix}"
    write_image(out, np.zeros((8, 8, 3), np.float32), xmp=packet, provenance=MADE)
    assert read_provenance(out) == MADE
    is_kept = suffix != ".jpg" or spare == 0
    assert _values(read_photo(out).xmp, XMP, "Rating") == ["5"] * is_kept


def test_a_text_named_dpi_is_no_density(tmp_path):
    for text in ("72", "72,72", ""):
        told = PngInfo()
        told.add_text("dpi", text)
        Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=told)
        assert read_photo(tmp_path / "a.png").density is None


def test_no_density_is_none_and_none_is_written(tmp_path):
    grey = np.full((8, 8, 3), 0.5, np.float32)
    for suffix in (".jpg", ".png", ".tif"):
        write_image(tmp_path / f"a{suffix}", grey)
        assert read_photo(tmp_path / f"a{suffix}").density is None
