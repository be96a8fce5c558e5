"""Answer as a WordPress site does: the REST interface `wp/v2`, the feeds, the pages a visitor sees.

The names, shapes, codes and statuses are those of WordPress 6. What differs
for somebody who is signed in differs here in the same places: lists by
`status`, `context=edit`, revisions, trashed items.

Only reading is spoken. Routes that a reader has no use for answer
`rest_no_route`, as they do on a site that has them switched off.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from html import escape

from app.demo import syndication
from app.demo.answers import Answer, Request, html_page, unless_known
from app.demo.nouns import Blog, Post
from app.demo.pictures import avatar, picture
from app.demo.telling import Person
from app.demo.town import TIMEZONE
from app.demo.wordpress.rest import Asked
from app.demo.wordpress.standing import NAMESPACE, Standing
from app.demo.wordpress.wire import RestError
from app.demo.wordpress.wording import Shape, comment_html, local, rendered

ARCHIVE_USER = "archive"
APPLICATION_PASSWORD = "hfpd Demo Only nots ecre tatA"  # noqa: S105 - opens an invented blog on loopback, nothing else


class WordPress:
    """One blog at its address, as it stands this night; `passwords` are the application passwords that it accepts."""

    def __init__(self, blog: Blog, home: str, passwords: Collection[str] = (APPLICATION_PASSWORD,)) -> None:
        self.blog = blog
        self._passwords = {_plain(password) for password in passwords}
        self.standing = Standing(blog, home)
        self.home = self.standing.home

    def answer(self, request: Request) -> Answer:
        """Answer a request whose path is counted from the blog's own address."""
        path = request.path
        if path.rstrip("/") == "/wp-json" or path.startswith("/wp-json/"):
            return self._rest(request, path.removeprefix("/wp-json").strip("/"))
        if "rest_route" in request.query:
            return self._rest(request, request.one("rest_route").strip("/"))
        return self._site(request, path)

    def _rest(self, request: Request, route: str) -> Answer:
        try:
            return self._routed(request, route, self._who(request))
        except RestError as error:
            return error.answer()

    def _routed(self, request: Request, route: str, who: Person | None) -> Answer:
        asked = Asked(self.standing, request, who)
        if not route:
            return asked.send(self._index(), route)
        for form, handle in asked.routes:
            found = re.fullmatch(form, route)
            if found:
                return asked.send(handle(*(int(number) for number in found.groups())), route)
        raise RestError(404, "rest_no_route", "No route was found matching the URL and request method.")

    def _who(self, request: Request) -> Person | None:
        """Who asks. A wrong application password is refused even where none is needed."""
        given = request.headers.get("authorization", "")
        if not given.lower().startswith("basic "):
            return None
        try:
            name, _, password = base64.b64decode(given[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        person = next((one for one in self.blog.people if one.handle == name), None)
        if person is None:
            raise RestError(
                401,
                "invalid_username",
                "<strong>Error:</strong> Unknown username. Check again or try your email address.",
            )
        if name != ARCHIVE_USER or _plain(password) not in self._passwords:
            raise RestError(
                401, "incorrect_password", "The provided password is an invalid application password."
            )
        return person

    def _index(self) -> Shape:
        return {
            "name": escape(self.blog.name, quote=False),
            "description": escape(self.blog.tagline, quote=False),
            "url": self.home,
            "home": self.home,
            "gmt_offset": (local(self.blog.at).utcoffset() or timedelta()).total_seconds() / 3600,
            "timezone_string": TIMEZONE,
            "namespaces": ["oembed/1.0", NAMESPACE],
            "authentication": {
                "application-passwords": {
                    "endpoints": {"authorization": f"{self.home}/wp-admin/authorize-application.php"}
                }
            },
            "routes": {
                f"/{NAMESPACE}{name}": {
                    "namespace": NAMESPACE,
                    "methods": ["GET"],
                    "_links": {"self": [{"href": self.standing.rest(name)}]},
                }
                for name in ("/posts", "/pages", "/media", "/comments", "/users", "/categories", "/tags")
            },
            "site_logo": 0,
            "site_icon": 0,
            "_links": {"help": [{"href": "https://developer.wordpress.org/rest-api/"}]},
        }

    def _site(self, request: Request, path: str) -> Answer:
        known: Mapping[str, Callable[[], Answer]] = {
            "/": self._front,
            "/feed/": lambda: self._feed(request),
            "/comments/feed/": lambda: self._comment_feed(request),
            "/wp-login.php": lambda: sign_in_page(self.blog.name),
        }
        for post in filter(is_shown, self.blog.posts):
            number = request.one("page_id" if post.type == "page" else "p")
            if f"{self.home}{path}" == self.standing.link(post) or (
                path == "/" and number == str(post.number)
            ):
                return self._permalink(post)
        if path in known and not (request.one("p") or request.one("page_id")):
            return known[path]()
        for media in self.blog.media:
            if f"{self.home}{path}" == self.standing.source(media):
                return unless_known(request, picture(media.file), "image/png", media.at)
        if found := re.fullmatch(r"/avatar/([0-9a-f]{12})\.png", path):
            return unless_known(request, avatar(found[1]), "image/png", self.blog.posts[0].at)
        return html_page("Page not found", "<h1>Page not found</h1>", status=404)

    def _front(self) -> Answer:
        posts = sorted((post for post in self.blog.posts if is_shown(post)), key=lambda one: one.at)
        rows = "\n".join(
            f'<li>{local(post.at):%B %-d, %Y}: <a href="{self.standing.link(post)}">{escape(post.title)}</a></li>'
            for post in reversed(posts)
            if post.type == "post"
        )
        inside = f"<h1>{escape(self.blog.name)}</h1>\n<p>{escape(self.blog.tagline)}</p>\n<ul>\n{rows}\n</ul>"
        return html_page(self.blog.name, inside, headers=self._discovery())

    def _permalink(self, post: Post) -> Answer:
        said = "\n".join(self._said(post, 0))
        inside = (
            f'<p><a href="{self.home}/">{escape(self.blog.name)}</a></p>\n<article>\n'
            f"<h1>{escape(post.title)}</h1>\n<p>{escape(post.by.name)}, {local(post.at):%B %-d, %Y, %H:%M}</p>\n"
            f"{rendered(self.standing.content(post, post.text))}\n{said}\n</article>"
        )
        return html_page(post.title, inside, headers=self._discovery())

    def _said(self, post: Post, parent: int) -> Iterable[str]:
        for comment in self.blog.comments:
            if (comment.post, comment.parent, comment.status) == (post.number, parent, "approved"):
                yield f'<article id="comment-{comment.number}"><b>{escape(comment.name)}</b>'
                yield comment_html(comment.text)
                yield from self._said(post, comment.number)
                yield "</article>"

    def _discovery(self) -> Sequence[tuple[str, str]]:
        return (("Link", f'<{self.home}/wp-json/>; rel="https://api.w.org/"'),)

    def _feed(self, request: Request) -> Answer:
        posts = [post for post in self.blog.posts if post.type == "post" and is_shown(post)]
        newest = sorted(posts, key=lambda post: post.at, reverse=True)[:10]
        items = [
            syndication.Item(
                id=f"{self.home}/?p={post.number}",
                link=self.standing.link(post),
                title=post.title,
                html=rendered(self.standing.content(post, post.text)),
                author=post.by.name,
                at=post.at,
                tags=post.tags,
                comments=sum(
                    comment.post == post.number and comment.status == "approved"
                    for comment in self.blog.comments
                ),
            )
            for post in newest
        ]
        changed = max(post.modified for post in posts)
        body = syndication.rss(self.blog.name, self.home, self.blog.tagline, changed, items)
        return unless_known(request, body, "application/rss+xml; charset=UTF-8", changed)

    def _comment_feed(self, request: Request) -> Answer:
        shown = [comment for comment in self.blog.comments if comment.status == "approved"]
        newest = sorted(shown, key=lambda comment: comment.at, reverse=True)[:10]
        items = [
            syndication.Item(
                id=f"{self.home}/?p={comment.post}#comment-{comment.number}",
                link=self.standing.comment_link(comment),
                title=f"Comment on {self.standing.posts[comment.post].title} by {comment.name}",
                html=comment_html(comment.text),
                author=comment.name,
                at=comment.at,
            )
            for comment in newest
        ]
        title, changed = f"Comments for {self.blog.name}", newest[0].at
        body = syndication.rss(title, self.home, self.blog.tagline, changed, items)
        return unless_known(request, body, "application/rss+xml; charset=UTF-8", changed)


def sign_in_page(name: str) -> Answer:
    """What a site shows that wants to know who is there."""
    return html_page(
        f"Sign in: {name}",
        f"<h1>Sign in</h1>\n<p>{escape(name)} is being worked on. Staff may sign in.</p>\n"
        '<form method="post"><label>Name <input name="log"></label> '
        '<label>Password <input name="pwd" type="password"></label> <button>Sign in</button></form>',
    )


def _plain(password: str) -> str:
    """An application password counts without the spaces in which it is shown."""
    return password.replace(" ", "")


def is_shown(post: Post) -> bool:
    return post.status == "publish"
