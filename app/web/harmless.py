"""What a page sent as HTML, made harmless before an officer's browser sees it.

It is shown beside the text, never instead of it. Nothing of it runs, and
nothing is loaded from elsewhere: a picture would tell its server who reads
the record, and when. What is kept is not touched.
"""

import re
from html import unescape

import nh3
from markupsafe import Markup, escape

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s",
    "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "img": {"alt"}}
_PICTURE = re.compile(r'<img(?: alt="([^"]*)")?>')
_HEADING = re.compile(r"<(/?)h[1-6]>")


def harmless(html: str) -> Markup:
    """`html` without scripts, styles, forms, frames, and with a note where a picture from outside stood."""
    # 1. Only known tags, with no attribute that could hold markup; a picture keeps its description.
    once = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        attribute_filter=_plain,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    # 2. Pictures become notes; headings would stand among the page's own.
    noted = _HEADING.sub(r"<\1p>", _PICTURE.sub(_note, once))
    # 3. The same again, so that nothing depends on what step 2 made; pictures are no longer known.
    return Markup(  # noqa: S704 - what is marked as safe here was made so above
        nh3.clean(
            noted,
            tags=_TAGS - {"img"},
            clean_content_tags={"script", "style"},
            attributes={"a": {"href"}, "span": {"class"}},
            attribute_filter=_plain,
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    )


def _plain(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return value if value == "picture" else None
    if (tag, name) not in {("a", "href"), ("img", "alt")}:  # the sanitiser lets a few pass on every tag
        return None
    return (
        value.translate({ord("<"): "%3C", ord(">"): "%3E"})
        if tag == "a"
        else value.replace("<", "‹").replace(">", "›")
    )


def _note(found: re.Match[str]) -> str:
    words = found.group(1)
    about = f": {unescape(words)}" if words else ""
    return str(Markup('<span class="picture">[picture, not loaded{}]</span>').format(escape(about)))
