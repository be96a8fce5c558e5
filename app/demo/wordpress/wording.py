"""How WordPress writes what it stores: quotes, addresses, times, links between things."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape

from app.demo.telling import ZONE

Shape = dict[str, object]
"""A JSON object on its way out."""

_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_UNFOLLOWED = ' rel="nofollow ugc"'


def local(moment: datetime) -> datetime:
    return moment.astimezone(ZONE)


def dates(at: datetime, modified: datetime | None = None) -> Shape:
    """Each time twice, as WordPress gives it: by the town's clock and in UTC, neither saying which."""
    shape: Shape = {}
    for name, moment in (("date", at), ("modified", modified)):
        if moment is not None:
            shape[name] = f"{local(moment):%Y-%m-%dT%H:%M:%S}"
            shape[f"{name}_gmt"] = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    return shape


def links_to(self_: str, collection: str, about: str | None = None) -> Shape:
    links: Shape = {"self": [{"href": self_}], "collection": [{"href": collection}]}
    if about:
        links["about"] = [{"href": about}]
    return links


def rendered(raw: str) -> str:
    """Stored blocks as visitors get them: without the marks of the editor, with typographer's quotes."""
    return (
        "\n"
        + "\n".join(
            texturize(part) if not part.startswith("<figure") else part
            for part in re.sub(r"<!-- /?wp:.*? -->", "", raw).split("\n")
        )
        + "\n"
    )


def comment_html(text: str) -> str:
    return f"<p>{linked(texturize(escape(text, quote=False)), _UNFOLLOWED)}</p>\n"


def linked(html: str, rel: str = "") -> str:
    return _ADDRESS.sub(lambda found: f'<a href="{found[0]}"{rel}>{found[0]}</a>', html)


def texturize(html: str) -> str:
    """Typographer's quotes as entities, outside of tags, as WordPress sets them."""
    parts = re.split(r"(<[^>]*>)", html)
    return "".join(part if part.startswith("<") else _quotes(part) for part in parts)


def _quotes(text: str) -> str:
    text = re.sub(r"(^|[\s(\[])'", r"\1&#8216;", text).replace("'", "&#8217;")
    return re.sub(r'(^|[\s(\[])"', r"\1&#8220;", text).replace('"', "&#8221;")
