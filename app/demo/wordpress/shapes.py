"""The shapes in which the REST interface gives posts, comments, pictures, people and terms."""

from __future__ import annotations

from hashlib import sha256
from html import escape
from urllib.parse import quote

from app.demo.blogs import DOMAIN
from app.demo.nouns import Comment, Media, Post, Revision
from app.demo.pictures import HEIGHT, WIDTH, picture
from app.demo.telling import Person
from app.demo.wordpress.standing import Standing
from app.demo.wordpress.wording import Shape, comment_html, dates, links_to, local, rendered, texturize

_EDITOR_MAY = (
    "edit_posts",
    "edit_others_posts",
    "edit_pages",
    "edit_others_pages",
    "moderate_comments",
    "read_private_posts",
    "read_private_pages",
)


class Shapes:
    """Things as JSON; with `editing` also what only editors are shown."""

    def __init__(self, site: Standing, *, editing: bool) -> None:
        self._site, self._editing = site, editing

    def post(self, post: Post) -> Shape:
        site, raw = self._site, self._site.content(post, post.text)
        words = post.text.split()
        excerpt = " ".join(words[:55]) + (" [&hellip;]" if len(words) > 55 else "")
        route = site.rest(f"/{post.type}s")
        shape: Shape = {
            "id": post.number,
            **dates(post.at, post.modified),
            "guid": self._both(f"{site.home}/?p={post.number}"),
            "slug": post.slug,
            "status": post.status,
            "type": post.type,
            "link": site.link(post),
            "title": self._both(texturize(post.title), post.title),
            "content": {**self._both(rendered(raw), raw), "protected": False},
            "excerpt": {
                **self._both(f"<p>{texturize(escape(excerpt, quote=False))}</p>\n", ""),
                "protected": False,
            },
            "author": post.by.number,
            "featured_media": post.picture.number if post.picture else 0,
            "comment_status": "open" if post.type == "post" else "closed",
            "ping_status": "closed",
            "template": "",
            "meta": {"footnotes": ""},
        }
        if post.type == "post":
            shape |= {
                "sticky": False,
                "format": "standard",
                "categories": [1],
                "tags": [site.tags[tag] for tag in post.tags],
            }
        else:
            shape |= {"parent": 0, "menu_order": 0}
        shape["_links"] = {
            **links_to(f"{route}/{post.number}", route, site.rest(f"/types/{post.type}")),
            "author": [{"embeddable": True, "href": site.rest(f"/users/{post.by.number}")}],
            "replies": [{"embeddable": True, "href": site.rest(f"/comments?post={post.number}")}],
            "version-history": [
                {"count": len(post.revisions), "href": f"{route}/{post.number}/revisions"},
            ],
            "wp:attachment": [{"href": site.rest(f"/media?parent={post.number}")}],
        }
        return shape

    def revision(self, post: Post, kept: Revision) -> Shape:
        raw = self._site.content(post, kept.text)
        return {
            "author": post.by.number,
            **dates(kept.at, kept.at),
            "id": kept.number,
            "parent": post.number,
            "slug": f"{post.number}-revision-v1",
            "guid": self._both(f"{self._site.home}/?p={kept.number}"),
            "title": self._both(texturize(kept.title), kept.title),
            "content": self._both(rendered(raw), raw),
            "excerpt": self._both(""),
            "meta": [],
            "_links": {"parent": [{"href": self._site.rest(f"/{post.type}s/{post.number}")}]},
        }

    def comment(self, comment: Comment) -> Shape:
        site = self._site
        shape: Shape = {
            "id": comment.number,
            "post": comment.post,
            "parent": comment.parent,
            "author": comment.by.number if comment.by else 0,
            "author_name": comment.name,
            "author_url": "",
            **dates(comment.at),
            "content": self._both(comment_html(comment.text), escape(comment.text, quote=False)),
            "link": site.comment_link(comment),
            "status": comment.status,
            "type": "comment",
            "author_avatar_urls": self._avatars(comment.name),
            "meta": [],
        }
        if self._editing:
            shape |= {
                "author_email": comment.email,
                "author_ip": comment.address,
                "author_user_agent": comment.browser,
            }
        links = links_to(site.rest(f"/comments/{comment.number}"), site.rest("/comments"))
        if comment.by:
            links["author"] = [{"embeddable": True, "href": site.rest(f"/users/{comment.by.number}")}]
        kind = site.posts[comment.post].type
        links["up"] = [{"embeddable": True, "post_type": kind, "href": site.rest(f"/{kind}s/{comment.post}")}]
        if comment.parent:
            links["in-reply-to"] = [{"embeddable": True, "href": site.rest(f"/comments/{comment.parent}")}]
        return {**shape, "_links": links}

    def _avatars(self, name: str) -> Shape:
        address = f"{self._site.home}/avatar/{sha256(name.encode()).hexdigest()[:12]}.png"
        return {size: f"{address}?s={size}" for size in ("24", "48", "96")}

    def picture(self, media: Media) -> Shape:
        site = self._site
        size = len(picture(media.file))
        name = media.file.removesuffix(".png")
        return {
            "id": media.number,
            **dates(media.at, media.at),
            "guid": self._both(site.source(media)),
            "slug": name,
            "status": "inherit",
            "type": "attachment",
            "link": f"{site.link(site.posts[media.on])}{name}/",
            "title": self._both(name),
            "author": media.by.number,
            "featured_media": 0,
            "comment_status": "closed",
            "ping_status": "closed",
            "template": "",
            "meta": [],
            "description": self._both(
                f'<p class="attachment"><img src="{site.source(media)}" alt=""/></p>\n', ""
            ),
            "caption": self._both(""),
            "alt_text": media.description,
            "media_type": "image",
            "mime_type": "image/png",
            "media_details": {
                "width": WIDTH,
                "height": HEIGHT,
                "file": f"{local(media.at):%Y/%m}/{media.file}",
                "filesize": size,
                "sizes": {
                    "full": {
                        "file": media.file,
                        "width": WIDTH,
                        "height": HEIGHT,
                        "mime_type": "image/png",
                        "source_url": site.source(media),
                    }
                },
            },
            "post": media.on,
            "source_url": site.source(media),
            "_links": links_to(site.rest(f"/media/{media.number}"), site.rest("/media")),
        }

    def user(self, person: Person, *, edit: bool = False) -> Shape:
        site = self._site
        shape: Shape = {
            "id": person.number,
            "name": person.name,
            "url": "",
            "description": "",
            "link": f"{site.home}/author/{quote(person.handle)}/",
            "slug": person.handle,
            "avatar_urls": self._avatars(person.name),
            "meta": [],
            "_links": links_to(site.rest(f"/users/{person.number}"), site.rest("/users")),
        }
        if edit:
            shape |= {
                "username": person.handle,
                "email": f"{person.handle}@{DOMAIN}",
                "roles": [person.role],
                "capabilities": dict.fromkeys(_EDITOR_MAY, True),
            }
        return shape

    def term(self, number: int, name: str, taxonomy: str, uses: int) -> Shape:
        base, route = ("tag", "/tags") if taxonomy == "post_tag" else ("category", "/categories")
        slug = name.lower().replace(" ", "-")
        return {
            "id": number,
            "count": uses,
            "description": "",
            "link": f"{self._site.home}/{base}/{slug}/",
            "name": name,
            "slug": slug,
            "taxonomy": taxonomy,
            "meta": [],
            "_links": links_to(self._site.rest(f"{route}/{number}"), self._site.rest(route)),
        }

    def _both(self, rendered: str, raw: str | None = None) -> Shape:
        """What everyone sees, and for an editor what is stored."""
        if self._editing:
            return {"raw": rendered if raw is None else raw, "rendered": rendered}
        return {"rendered": rendered}
