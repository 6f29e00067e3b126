"""The seller's logo: a small SVG or PNG in the quote itself, checked before it is let in.

A picture that is shown on documents must not load, run or refer to anything.
"""

import base64
import binascii
import re
from xml.etree import ElementTree as ET

from servers.toolkit.errors import InvalidInputError

MAX_BYTES = 64 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
SVG = "image/svg+xml"
URI = re.compile(r"^data:(image/svg\+xml|image/png);base64,([A-Za-z0-9+/=\s]+)$")
FORBIDDEN = {"script", "foreignObject", "image", "use", "a", "iframe", "animate", "set", "style"}


def data_uri(content: bytes) -> str:
    """Return a picture as a checked data URI."""
    kind = "image/png" if content.startswith(PNG) else SVG
    return checked_uri(f"data:{kind};base64,{base64.b64encode(content).decode()}")


def checked_uri(uri: str) -> str:
    """Return a data URI, or raise InvalidInputError if it is no small, harmless picture."""
    found = URI.match(uri)
    if found is None:
        raise _no("it is no data URI of an SVG or PNG")
    try:
        content = base64.b64decode(found[2], validate=False)
    except binascii.Error as problem:
        raise _no("its base64 is broken") from problem
    if len(content) > MAX_BYTES:
        raise _no(f"it has {len(content)} bytes, at most {MAX_BYTES} are allowed")
    if found[1] == SVG:
        _check_svg(content)
    elif not content.startswith(PNG):
        raise _no("it is no PNG")
    return uri


def _check_svg(content: bytes) -> None:
    """Refuse an SVG with anything but shapes, text and colours."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise _no("its SVG declares a document type")
    try:
        root = ET.fromstring(content)  # noqa: S314 - no document type, so no entity can expand
    except ET.ParseError as problem:
        raise _no(f"its SVG is not well formed ({problem})") from problem
    if _local(root.tag) != "svg":
        raise _no("it is no SVG")
    for element in root.iter():
        name = _local(element.tag)
        if name in FORBIDDEN:
            raise _no(f"its SVG has a <{name}>")
        for attribute, value in element.attrib.items():
            key = _local(attribute)
            if key.lower().startswith("on") or key == "href" or "url(" in value.replace(" ", ""):
                raise _no(f"its SVG has {key}={value[:40]!r}")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _no(why: str) -> InvalidInputError:
    return InvalidInputError(
        f"the logo cannot be used: {why}", fix="give a plain SVG or PNG of at most 64 KB"
    )
