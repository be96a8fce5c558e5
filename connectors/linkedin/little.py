r"""LinkedIn's “little text”: what a post says, with marks for mentions and hashtags in it.

`@[Name](urn:li:organization:1)` is a mention, `{hashtag|\#|word}` a hashtag, and
whatever else would be a mark has a backslash before it. Plain text is what a
reader sees. Broken marks are read as they stand: nothing is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(
    r"\\(?P<escaped>[\\|{}@\[\]()<>#*_~])"
    r"|\{hashtag\|\\?\#\|(?P<tag>(?:[^\\{}|]|\\.){1,300}+)\}"
    r"|@\[(?P<name>(?:[^\\\[\]]|\\.){1,500}+)\]\((?P<urn>urn:li:(?:[^\\()\s]|\\.){1,200}+)\)",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")


@dataclass(frozen=True, slots=True)
class Little:
    """What a text says, whom it mentions (name and URN) and its hashtags."""

    plain: str
    mentions: tuple[tuple[str, str], ...] = ()
    hashtags: tuple[str, ...] = ()


def read(written: str) -> Little:
    """The words of a little text, as a reader sees them."""
    mentions: list[tuple[str, str]] = []
    hashtags: list[str] = []

    def seen(mark: re.Match[str]) -> str:
        if (tag := mark["tag"]) is not None:
            hashtags.append(_bare(tag))
            return f"#{_bare(tag)}"
        if (name := mark["name"]) is not None:
            mentions.append((_bare(name), _bare(mark["urn"])))
            return _bare(name)
        return mark["escaped"]

    plain = _MARK.sub(seen, written)
    return Little(plain, tuple(mentions), tuple(hashtags))


def _bare(written: str) -> str:
    return _ESCAPED.sub(r"\1", written)
