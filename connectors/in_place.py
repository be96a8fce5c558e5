"""What stands in the place of a file that was asked for: a page of words, or a message of a program. Pure.

Servers answer with a form to sign in, a notice or an error in JSON, and call
it success. Kept, it would stand in the file's place for ever.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

TELLS = 512
"""So many bytes of a file tell what it is."""

_ENDINGS = {
    ".pdf": "application/pdf", ".zip": "application/zip", ".epub": "application/epub+zip", ".png": "image/png",
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif",
    ".ico": "image/x-icon", ".svg": "image/svg+xml", ".mp4": "video/mp4", ".mp3": "audio/mpeg", ".css": "text/css",
    ".js": "text/javascript", ".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
    ".ics": "text/calendar", ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
}  # fmt: skip
"""What an address that ends so gives, where nothing else tells: in none of these does a web page stand."""

_UNTOLD = frozenset({"", "text/html", "application/octet-stream", "binary/octet-stream"})
"""Types that tell nothing; a page told its own where it stood there before."""
_BINARY_KINDS = frozenset({"image", "video", "audio", "font"})
_BINARY = ("application/pdf", "application/zip", "application/epub+zip", "application/vnd.openxmlformats-",
           "application/vnd.oasis.")  # fmt: skip
_OF_WORDS = frozenset({"text/css", "text/javascript", "text/csv", "text/calendar"})
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?>.*?-->)\s*+)*+"
    rb"<(?:!doctype\s+html|html|head|title|meta|body|script|div|center|p|h[1-6])\b",
    re.IGNORECASE | re.DOTALL,
)
_MESSAGE = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"|(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<Error>')


def expected(media_type: str, address: str) -> str:
    """The type of the file that was asked for: as it is told, or as its address ends; empty where nothing tells."""
    told = media_type.partition(";")[0].strip().lower()
    if told not in _UNTOLD:
        return told
    try:
        ending = PurePosixPath(urlsplit(address).path).suffix
    except ValueError:
        return ""
    return _ENDINGS.get(ending.lower(), "")


def stands_in(first: bytes, asked: str) -> str:
    """What begins so and cannot be a file of the type `asked`; empty where it may be."""
    first = first[:TELLS]
    binary = asked.partition("/")[0] in _BINARY_KINDS or asked.startswith(_BINARY)
    if (binary or asked in _OF_WORDS) and _PAGE.match(first):
        return "a web page"
    if binary and _MESSAGE.match(first):
        return "a message of a program"
    return ""
