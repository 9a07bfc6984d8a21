"""Provenance: an XMP packet that says that a picture was edited, with what and how.

The packet states the IPTC *digital source type*. Ours is ``compositeSynthetic``, "composite
including synthetic elements": the pixels of a swap or an edit come from photos and were rendered
anew on an estimated face, so that part of the picture never stood before a camera. The other
candidate, ``compositeWithTrainedAlgorithmicMedia``, is for pixels which a trained model has
*generated*; here the network supplies geometry only.

References:
    IPTC, "Digital Source Type NewsCodes", http://cv.iptc.org/newscodes/digitalsourcetype/.
    Adobe, "XMP Specification Part 3: Storage in Files", sections on JPEG, PNG, TIFF, WebP.
"""

from __future__ import annotations

import contextlib
import dataclasses
import html
import io
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..errors import InputError
from ..files import read_bytes
from .video_packet import VIDEO_FORMATS, names_a_video, packet_in_video

__all__ = [
    "ALGORITHMIC_MEDIA",
    "COMPOSITE",
    "COMPOSITE_SYNTHETIC",
    "EVENT",
    "IPTC",
    "MEDIA",
    "RDF",
    "TIFF_XMP",
    "XMP",
    "Provenance",
    "packet_in",
    "parse_packet",
    "provenance_packet",
    "read_provenance",
    "software_name",
    "wrap_packet",
]

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE_SYNTHETIC = _SOURCE_TYPES + "compositeSynthetic"
ALGORITHMIC_MEDIA = _SOURCE_TYPES + "algorithmicMedia"  # rendered wholly by our synthesis
COMPOSITE = _SOURCE_TYPES + "composite"  # of elements of any kind

TIFF_XMP = 700  # tag of the packet
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
MEDIA = "http://ns.adobe.com/xap/1.0/mm/"
EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{rdf}">
  <rdf:Description rdf:about="" xmlns:xmp="{xmp}" xmlns:xmpMM="{media}" xmlns:stEvt="{event}"
    xmlns:Iptc4xmpExt="{iptc}" xmp:CreatorTool="{software}"
    Iptc4xmpExt:DigitalSourceType="{source_type}">
   <xmpMM:History>
    <rdf:Seq>
     <rdf:li stEvt:action="edited" stEvt:softwareAgent="{software}" stEvt:parameters="{operation}"/>
    </rdf:Seq>
   </xmpMM:History>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>"""


def software_name() -> str:
    """Return the name and version of this software."""
    try:
        return f"uvface {metadata.version('uvface')}"
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "uvface"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a picture came about."""

    operation: str  # what was done, e.g. "swap" or "edit eyes"
    software: str = dataclasses.field(default_factory=software_name)
    source_type: str = COMPOSITE_SYNTHETIC  # IPTC digital source type, a URL

    @property
    def is_synthetic(self) -> bool:
        """Return whether the source type says that parts did not come from a camera."""
        code = self.source_type.rsplit("/", 1)[-1].lower()
        return "synthetic" in code or "algorithmicmedia" in code


def provenance_packet(provenance: Provenance) -> bytes:
    """Return the XMP packet as UTF-8."""
    text = _PACKET.format(
        rdf=RDF,
        xmp=XMP,
        media=MEDIA,
        event=EVENT,
        iptc=IPTC,
        software=html.escape(provenance.software),
        operation=html.escape(provenance.operation),
        source_type=html.escape(provenance.source_type),
    )
    return wrap_packet(text)


def wrap_packet(text: str) -> bytes:
    """Return XML as an XMP packet, UTF-8."""
    head = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{head}\n{text}\n<?xpacket end="w"?>'.encode()


def packet_in(picture: Image.Image) -> bytes | None:
    """Return the XMP packet of an opened picture, whose pixels need not be decoded yet."""
    found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if found is None and hasattr(picture, "tag_v2"):
        found = picture.tag_v2.get(TIFF_XMP)
    if isinstance(found, str):
        return found.encode()
    return found if isinstance(found, bytes) else None  # a damaged TIFF's tag may be numbers


def _packet_of(path: Path) -> bytes | None:
    if path.suffix.lower() in VIDEO_FORMATS:
        return packet_in_video(path)
    if names_a_video(path) and path.is_file():
        known = ", ".join(VIDEO_FORMATS)
        raise InputError(f"{path}: of videos only {known} can be inspected, which uvface writes")
    content = read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on sizes and odd metadata
            with Image.open(io.BytesIO(content)) as picture:
                return packet_in(picture) or _late_packet(picture)
    except UnidentifiedImageError:  # its message names a buffer of ours
        raise InputError(f"{path} is not an image we know; give a picture") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not an image that can be read ({error})") from error


def _late_packet(picture: Image.Image) -> bytes | None:
    """Return the XMP packet that stands behind a PNG's pixels, as some software writes it."""
    if picture.format != "PNG":
        return None
    with contextlib.suppress(OSError, SyntaxError, ValueError):  # damaged pixels
        picture.load()
    return packet_in(picture)


def _property(nodes: Sequence[ET.Element], namespace: str, name: str) -> str:
    """Return a simple XMP property of nodes, an attribute or an element; of several the last."""
    key, found = f"{{{namespace}}}{name}", ""
    for node in nodes:
        found = node.get(key, found)
        for element in node.findall(key):
            found = (element.text or element.get(f"{{{RDF}}}resource") or "").strip()
    return found


def read_provenance(path: str | Path) -> Provenance | None:
    """Return what a picture's or a video's XMP packet says about its origin; None for nothing.

    Packets of other software are understood as well, as far as they use the same properties.

    Raises:
        InputError: the file cannot be read as an image, or as a video by its name.
    """
    packet = _packet_of(Path(path))
    return None if packet is None else parse_packet(packet)


def parse_packet(packet: bytes) -> Provenance | None:
    """Return what an XMP packet says about a picture's origin; None where it says nothing."""
    try:
        root = ET.fromstring(packet.rstrip(b"\0").strip())
    except (ET.ParseError, ValueError, LookupError):  # the latter two: of odd encodings
        return None
    # What lies deeper tells of versions and of other pictures that went into this one.
    rdf = next(root.iter(f"{{{RDF}}}RDF"), root)
    descriptions = [*rdf]
    source_type = _property(descriptions, IPTC, "DigitalSourceType")
    if not source_type:
        return None
    events = rdf.findall(f"*/{{{MEDIA}}}History/*/{{{RDF}}}li")
    last = [*events[-1].iter()] if events else []
    return Provenance(
        operation=_property(last, EVENT, "parameters"),
        software=_property(descriptions, XMP, "CreatorTool")
        or _property(last, EVENT, "softwareAgent"),
        source_type=source_type,
    )
