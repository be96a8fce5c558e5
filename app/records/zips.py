"""What the standard library raises of a ZIP that is cut, damaged, or packed in a way that it does not know."""

from __future__ import annotations

import zipfile
import zlib

DAMAGED: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,  # an offset before the beginning, a name that is no text
    RuntimeError,  # a password is wanted; of a method of packing that is newer, a subclass says so
)
