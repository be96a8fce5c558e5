"""What an agency has suggestions made from: names of minors, and words of exemptions, in two files that people write.

They lie in the folder of the agency's own laws (`MUNIMENT_REQUEST_LAWS`):
`minors.txt` has a name on each line; `dictionaries.yaml` lists words under the
code of an exemption. What is in them is looked for in texts and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from app.records.errors import Invalid

MINORS, DICTIONARIES = "minors.txt", "dictionaries.yaml"
_MOST = 4_000_000
"""Bytes of such a file."""


class BadList(Invalid):
    """A file from which suggestions are made cannot be read."""

    code = "bad-list"


@dataclass(frozen=True, slots=True)
class Lists:
    """Names to be protected, and words by the code of their exemption."""

    minors: Sequence[str] = ()
    dictionaries: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read(folder: Path | None) -> Lists:
    """The lists of an agency; empty where it has none. Raises `BadList` with the place."""
    if folder is None:
        return Lists()
    return Lists(names(folder / MINORS), _dictionaries(folder / DICTIONARIES))


def names(file: Path) -> list[str]:
    """The names in a file, one a line; blank lines and those that begin with # are passed over."""
    return [line for one in _text(file).splitlines() if (line := one.strip()) and not line.startswith("#")]


def _dictionaries(file: Path) -> dict[str, list[str]]:
    text = _text(file)
    if not text.strip():
        return {}
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadList(
            f"{file.name} is no YAML: {str(error)[:200]}", next="Write CODE: [word, word]."
        ) from error
    if not isinstance(told, dict):
        raise BadList(f"{file.name} has no codes", next="Write CODE: [word, word].")
    found = {}
    for code, words in told.items():
        if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
            raise BadList(
                f"{file.name}: under {str(code)[:60]!r} stands no list of words",
                next="Write CODE: [word, word].",
            )
        found[str(code)] = words
    return found


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST:
            raise BadList(f"{file.name} is larger than {_MOST:,} bytes", next="Make it shorter.")
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadList(f"{file.name} cannot be read: {error}", next="Write it in UTF-8.") from error
