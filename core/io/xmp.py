"""XMP packets of photos, kept in what is made of them: their own properties, and ours put in.

What the new picture no longer is or has goes: how it was turned, small pictures of it, parts of the
file that are not written again (a second packet, a film, a gain map, content credentials).

References:
    Adobe, "XMP Specification Part 1: Data Model, Serialization, and Core Properties", section 7.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from xml.dom import minidom

from .provenance import (
    EVENT,
    IPTC,
    MEDIA,
    RDF,
    XMP,
    Provenance,
    parse_packet,
    provenance_packet,
    wrap_packet,
)

__all__ = ["packet_for"]

_XMLNS = "http://www.w3.org/2000/xmlns/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_TERMS = "http://purl.org/dc/terms/"

_SOURCE_TYPE = (IPTC, "DigitalSourceType")
_REPLACED = {_SOURCE_TYPE, (XMP, "CreatorTool")}  # by ours
_STALE = {
    (_TIFF, "Orientation"),
    (_TERMS, "provenance"),  # where content credentials lie
    (MEDIA, "InstanceID"),
    (XMP, "Thumbnails"),
}
_STALE_SPACES = {
    "http://ns.adobe.com/xmp/note/",  # the second packet of a JPEG
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.google.com/photos/1.0/camera/",
    "http://ns.google.com/photos/1.0/container/",
}


def packet_for(
    provenance: Provenance | None, packet: bytes | None, *, largest: int = sys.maxsize
) -> bytes | None:
    """Return the packet of a picture that is made of a photo.

    Args:
        provenance: what is said of the making; None says nothing. Then the photo's source type
            stays where it says synthetic, and goes where it says that a camera took it all.
        packet: the photo's own.
        largest: bytes that the picture's format holds.

    Returns:
        UTF-8. Ours alone, if any, where the photo has none or one that cannot be kept: damaged, or
        too large. None where nothing is said.
    """
    alone = None if provenance is None else provenance_packet(provenance)
    try:
        kept = None if packet is None else _keep(provenance, packet, alone)
    except Exception:  # damaged metadata comes in many ways and must not cost the picture
        kept = None
    return alone if kept is None or len(kept) > largest else kept


def _keep(provenance: Provenance | None, packet: bytes, alone: bytes | None) -> bytes:
    whole, rdf = _read(packet)
    dropped = _STALE | (_REPLACED if provenance else set())
    found = parse_packet(packet)
    if found is not None and not found.is_synthetic:
        dropped = dropped | {_SOURCE_TYPE}
    for description in _children(rdf, RDF, "Description"):
        _drop(description, lambda space, name: space in _STALE_SPACES or (space, name) in dropped)
    if alone is not None:
        _put_in(rdf, alone)
    return wrap_packet(whole.toxml())


def _read(packet: bytes) -> tuple[minidom.Element, minidom.Element]:
    """Return the outermost element of a packet and its RDF."""
    if b"<!DOCTYPE" in packet:
        raise ValueError("XMP has no document type, and entities can fill the memory")
    document = minidom.parseString(packet.strip(b"\0 \t\r\n"))
    whole, found = document.documentElement, document.getElementsByTagNameNS(RDF, "RDF")
    if whole is None or not found:
        raise ValueError("no RDF")
    return whole, found[0]


def _children(parent: minidom.Element, space: str, name: str) -> list[minidom.Element]:
    nodes = [node for node in parent.childNodes if node.nodeType == node.ELEMENT_NODE]
    return [node for node in nodes if (node.namespaceURI, node.localName) == (space, name)]


def _drop(description: minidom.Element, is_dropped: Callable[[str | None, str], bool]) -> None:
    """Remove properties, which stand as attributes or as elements."""
    for attribute in list(description.attributes.values()):
        if attribute.namespaceURI != _XMLNS and is_dropped(
            attribute.namespaceURI, attribute.localName
        ):
            description.removeAttributeNode(attribute)
    for node in list(description.childNodes):
        if node.nodeType == node.ELEMENT_NODE and is_dropped(node.namespaceURI, node.localName):
            description.removeChild(node)


def _put_in(rdf: minidom.Element, alone: bytes) -> None:
    """Add our properties to a photo's, and our event at the end of its history."""
    (own,) = _children(_read(alone)[1], RDF, "Description")
    own.setAttribute("xmlns:rdf", RDF)  # theirs may name it otherwise
    others = _children(rdf, RDF, "Description")
    if others:  # all are about the same picture
        own.setAttribute("rdf:about", others[0].getAttributeNS(RDF, "about"))
    histories = [history for node in others for history in _children(node, MEDIA, "History")]
    events = [seq for history in histories for seq in _children(history, RDF, "Seq")]
    if events:
        (history,) = _children(own, MEDIA, "History")
        (event,) = history.getElementsByTagNameNS(RDF, "li")
        event.setAttribute("xmlns:rdf", RDF)
        event.setAttribute("xmlns:stEvt", EVENT)
        events[-1].appendChild(event)
        own.removeChild(history)
    rdf.appendChild(own)
