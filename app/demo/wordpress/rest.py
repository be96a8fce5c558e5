"""The REST interface: which question was asked, by whom, and what they may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from app.demo.answers import Answer, Request
from app.demo.nouns import Comment, Media, Post
from app.demo.telling import ZONE, Person
from app.demo.wordpress.shapes import Shapes
from app.demo.wordpress.standing import NAMESPACE, Standing
from app.demo.wordpress.wire import RestError, as_json, invalid, listing
from app.demo.wordpress.wording import Shape

_MOST_PER_PAGE = 100
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list, with the totals that WordPress sends in headers."""

    items: Sequence[Shape]
    total: int
    pages: int
    page: int


class Asked:
    """One request to the REST interface, by somebody or by nobody."""

    def __init__(self, site: Standing, request: Request, who: Person | None) -> None:
        self.site, self.request, self.who = site, request, who
        self.editing = request.one("context") == "edit"
        self.shapes = Shapes(site, editing=self.editing)

    @property
    def routes(self) -> Sequence[tuple[str, Callable[..., Shape | Listed]]]:
        wp = NAMESPACE
        return (
            (f"{wp}/posts", lambda: self._posts("post")),
            (f"{wp}/pages", lambda: self._posts("page")),
            (f"{wp}/posts/(\\d+)", lambda number: self._one_post("post", number)),
            (f"{wp}/pages/(\\d+)", lambda number: self._one_post("page", number)),
            (f"{wp}/(?:posts|pages)/(\\d+)/revisions", self._revisions),
            (f"{wp}/comments", self._comments),
            (f"{wp}/comments/(\\d+)", self._one_comment),
            (f"{wp}/media", self._media),
            (f"{wp}/media/(\\d+)", self._one_media),
            (f"{wp}/users", self._users),
            (f"{wp}/users/me", self._me),
            (f"{wp}/users/(\\d+)", self._one_user),
            (f"{wp}/categories", self._categories),
            (f"{wp}/tags", self._tags),
            (f"{wp}/settings", self._settings),
        )

    def send(self, found: Shape | Listed, route: str) -> Answer:
        """Wrap up: keep the fields that were asked for, and say the totals of a list."""
        if not isinstance(found, Listed):
            return as_json(self._fields(found))
        headers = [("X-WP-Total", str(found.total)), ("X-WP-TotalPages", str(found.pages))]
        links = []
        if found.page > 1 and found.pages:
            links.append(f'<{self._at_page(route, min(found.page - 1, found.pages))}>; rel="prev"')
        if found.page < found.pages:
            links.append(f'<{self._at_page(route, found.page + 1)}>; rel="next"')
        if links:
            headers.append(("Link", ", ".join(links)))
        return as_json([self._fields(item) for item in found.items], headers=headers)

    def _at_page(self, route: str, page: int) -> str:
        query = {name: values for name, values in self.request.query.items() if name != "rest_route"}
        return f"{self.site.home}/wp-json/{route}?{urlencode({**query, 'page': [page]}, doseq=True)}"

    def _fields(self, item: Shape) -> Shape:
        wanted = self.request.several("_fields")
        if not wanted:
            return item
        kept: Shape = {}
        for name in wanted:
            outer, _, inner = name.partition(".")
            value = item.get(outer)
            if outer not in item:
                continue
            if inner and isinstance(value, dict):
                part = kept.setdefault(outer, {})
                if inner in value and isinstance(part, dict):
                    part[inner] = value[inner]
            else:
                kept[outer] = value
        return kept

    # ----------------------------------------------------------------- rules

    def _refuse(self, code: str, message: str) -> RestError:
        """Not allowed: 401 for nobody, 403 for somebody who may not."""
        return RestError(403 if self.who else 401, code, message)

    def _only_signed_in_may_edit(self, message: str) -> None:
        if self.editing and not self.who:
            raise self._refuse("rest_forbidden_context", message)

    def _page(self, found: Sequence[Thing], shape: Callable[[Thing], Shape], *, strict: bool) -> Listed:
        """Cut a list into pages, and give what stands on the one that was asked for its shape.

        Posts refuse a page beyond the last; comments answer an empty list.
        """
        per_page = self._number("per_page", 10, most=_MOST_PER_PAGE)
        page = self._number("page", 1)
        start = (
            self._number("offset", 0, least=0) if "offset" in self.request.query else (page - 1) * per_page
        )
        pages = -(-len(found) // per_page)
        if strict and found and page > pages:
            raise RestError(
                400,
                "rest_post_invalid_page_number",
                "The page number requested is larger than the number of pages available.",
            )
        shown = [shape(one) for one in found[start : start + per_page]]
        return Listed(shown, len(found), pages, page)

    def _number(self, name: str, otherwise: int, *, least: int = 1, most: int | None = None) -> int:
        text = self.request.one(name)
        if not text:
            return otherwise
        if not re.fullmatch(r"-?\d+", text):
            raise invalid(name, f"{name} is not of type integer.", "rest_invalid_type")
        number = int(text)
        if number < least or (most is not None and number > most):
            bounds = (
                f"be between {least} (inclusive) and {most} (inclusive)"
                if most
                else f"be greater than or equal to {least}"
            )
            raise invalid(name, f"{name} must {bounds}", "rest_out_of_bounds")
        return number

    def _numbers(self, name: str) -> set[int]:
        """A list of numbers; what is no number is refused."""
        values = self.request.several(name)
        if not all(value.isdigit() for value in values):
            raise invalid(name, f"{name}[0] is not of type integer.", "rest_invalid_type")
        return {int(value) for value in values}

    def _when(self, name: str) -> datetime | None:
        text = self.request.one(name)
        if not text:
            return None
        try:
            told = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(name, "Invalid date.", "rest_invalid_date") from None
        return told if told.tzinfo else told.replace(tzinfo=ZONE)

    def _between(self, after: str, before: str) -> Callable[[datetime], bool]:
        """Whether a time lies after and before what was asked, both exclusive and by the second."""
        since, until = self._when(after), self._when(before)
        return lambda moment: (since is None or moment > since) and (until is None or moment < until)

    def _order(self, allowed: Sequence[str], otherwise: str) -> tuple[str, bool]:
        """By what to sort, and whether downward."""
        by, way = self.request.one("orderby", otherwise), self.request.one("order", "desc")
        if by not in allowed:
            raise invalid("orderby", f"orderby is not one of {listing(allowed)}.", "rest_not_in_enum")
        if way not in ("asc", "desc"):
            raise invalid("order", "order is not one of asc, and desc.", "rest_not_in_enum")
        return by, way == "desc"

    # ----------------------------------------------------------------- posts and pages

    def _posts(self, kind: str) -> Listed:
        self._only_signed_in_may_edit("Sorry, you are not allowed to edit posts in this post type.")
        statuses, is_asked_for = self._post_statuses(), self._asked_for()
        chosen = [
            post
            for post in self.site.blog.posts
            if post.type == kind and post.status in statuses and is_asked_for(post)
        ]
        by, down = self._order(
            ("author", "date", "id", "include", "modified", "parent", "relevance", "slug", "title"), "date"
        )
        keys: Mapping[str, Callable[[Post], tuple[object, int]]] = {
            "modified": lambda post: (post.modified, post.number),
            "id": lambda post: (post.number, 0),
            "include": lambda post: (post.number, 0),
            "slug": lambda post: (post.slug, post.number),
            "title": lambda post: (post.title, post.number),
            "author": lambda post: (post.by.number, post.number),
        }
        chosen.sort(key=keys.get(by, lambda post: (post.at, post.number)), reverse=down)
        return self._page(chosen, self.shapes.post, strict=True)

    def _asked_for(self) -> Callable[[Post], bool]:
        """Whether a post is among those that were asked for."""
        request = self.request
        include, exclude = self._numbers("include"), self._numbers("exclude")
        slugs, authors = request.several("slug"), self._numbers("author")
        search = request.one("search").casefold()
        published = self._between("after", "before")
        modified = self._between("modified_after", "modified_before")
        return lambda post: (
            (not include or post.number in include)
            and post.number not in exclude
            and (not slugs or post.slug in slugs)
            and (not authors or post.by.number in authors)
            and search in f"{post.title} {post.text}".casefold()
            and published(post.at)
            and modified(post.modified)
        )

    def _post_statuses(self) -> set[str]:
        asked = set(self.request.several("status")) or {"publish"}
        known = {"publish", "future", "draft", "pending", "private", "trash", "any"}
        if not asked <= known or (asked != {"publish"} and not self.who):
            raise invalid(
                "status", "Status is forbidden.", "rest_forbidden_status", at=403 if self.who else 401
            )
        return asked | {"publish"} if "any" in asked else asked

    def _one_post(self, kind: str, number: int) -> Shape:
        post = self._found(kind, number)
        self._only_signed_in_may_edit("Sorry, you are not allowed to edit this post.")
        if post.status != "publish" and not self.who:
            raise self._refuse("rest_forbidden", "Sorry, you are not allowed to do that.")
        return self.shapes.post(post)

    def _found(self, kind: str | None, number: int) -> Post:
        post = self.site.posts.get(number)
        if post is None or (kind and post.type != kind):
            raise RestError(404, "rest_post_invalid_id", "Invalid post ID.")
        return post

    def _revisions(self, number: int) -> Listed:
        post = self._found(None, number)
        if not self.who:
            raise self._refuse(
                "rest_cannot_read", "Sorry, you are not allowed to view revisions of this post."
            )
        newest_first = list(reversed(post.revisions))
        return self._page(newest_first, lambda kept: self.shapes.revision(post, kept), strict=False)

    # ----------------------------------------------------------------- comments

    def _comments(self) -> Listed:
        self._only_signed_in_may_edit("Sorry, you are not allowed to edit comments.")
        status = self.request.one("status", "approve")
        for name in ("status", "type", "author", "author_exclude", "author_email"):
            usual = {"status": "approve", "type": "comment"}.get(name, "")
            if not self.who and self.request.one(name, usual) != usual:
                raise self._refuse("rest_forbidden_param", f"Query parameter not permitted: {name}")
        posts = self._numbers("post")
        for number in posts:
            self._may_read_comments_of(number)
        include, exclude, parents = (
            self._numbers("include"),
            self._numbers("exclude"),
            self._numbers("parent"),
        )
        search = self.request.one("search").casefold()
        published = self._between("after", "before")
        chosen = [
            comment
            for comment in self.site.blog.comments
            if has_status(comment, status)
            and (not posts or comment.post in posts)
            and (not include or comment.number in include)
            and comment.number not in exclude
            and (not parents or comment.parent in parents)
            and search in f"{comment.text} {comment.name}".casefold()
            and published(comment.at)
        ]
        by, down = self._order(("date", "date_gmt", "id", "include", "post", "parent", "type"), "date_gmt")
        keys: Mapping[str, Callable[[Comment], tuple[object, int]]] = {
            "id": lambda comment: (comment.number, 0),
            "include": lambda comment: (comment.number, 0),
            "post": lambda comment: (comment.post, comment.number),
            "parent": lambda comment: (comment.parent, comment.number),
        }
        chosen.sort(key=keys.get(by, lambda comment: (comment.at, comment.number)), reverse=down)
        return self._page(chosen, self.shapes.comment, strict=False)

    def _may_read_comments_of(self, number: int) -> None:
        post = self.site.posts.get(number)
        if post and post.status != "publish" and not self.who:
            raise self._refuse(
                "rest_cannot_read_post", "Sorry, you are not allowed to read the post for this comment."
            )

    def _one_comment(self, number: int) -> Shape:
        comment = self.site.comments.get(number)
        if comment is None:
            raise RestError(404, "rest_comment_invalid_id", "Invalid comment ID.")
        self._only_signed_in_may_edit("Sorry, you are not allowed to edit comments.")
        if comment.status != "approved" and not self.who:
            raise self._refuse("rest_cannot_read", "Sorry, you are not allowed to read this comment.")
        self._may_read_comments_of(comment.post)
        return self.shapes.comment(comment)

    # ----------------------------------------------------------------- pictures

    def _media(self) -> Listed:
        self._only_signed_in_may_edit("Sorry, you are not allowed to edit posts in this post type.")
        include, parents = self._numbers("include"), self._numbers("parent")
        published = self._between("after", "before")
        modified = self._between("modified_after", "modified_before")
        chosen = [
            media
            for media in self.site.blog.media
            if (not include or media.number in include)
            and (not parents or media.on in parents)
            and (self.who or self._is_open(media))
            and published(media.at)
            and modified(media.at)
        ]
        _, down = self._order(
            ("author", "date", "id", "include", "modified", "parent", "slug", "title"), "date"
        )
        chosen.sort(key=lambda media: media.number, reverse=down)
        return self._page(chosen, self.shapes.picture, strict=True)

    def _is_open(self, media: Media) -> bool:
        """A picture is as open as the post for which it was uploaded."""
        return self.site.posts[media.on].status == "publish"

    def _one_media(self, number: int) -> Shape:
        media = next((one for one in self.site.blog.media if one.number == number), None)
        if media is None:
            raise RestError(404, "rest_post_invalid_id", "Invalid post ID.")
        if not (self.who or self._is_open(media)):
            raise self._refuse("rest_forbidden", "Sorry, you are not allowed to do that.")
        return self.shapes.picture(media)

    # ----------------------------------------------------------------- people, tags, settings

    def _users(self) -> Listed:
        self._only_signed_in_may_edit("Sorry, you are not allowed to list users.")
        writing = {post.by.number for post in self.site.blog.posts if post.status == "publish"}
        include, slugs = self._numbers("include"), self.request.several("slug")
        chosen = [
            person
            for person in self.site.blog.people
            if (person.number in writing or self.who)
            and (not include or person.number in include)
            and (not slugs or person.handle in slugs)
        ]
        return self._page(chosen, self.shapes.user, strict=False)

    def _me(self) -> Shape:
        if not self.who:
            raise RestError(401, "rest_not_logged_in", "You are not currently logged in.")
        return self.shapes.user(self.who, edit=self.editing)

    def _one_user(self, number: int) -> Shape:
        person = next((one for one in self.site.blog.people if one.number == number), None)
        if person is None:
            raise RestError(404, "rest_user_invalid_id", "Invalid user ID.")
        writes = any(post.by.number == number and post.status == "publish" for post in self.site.blog.posts)
        if not (writes or self.who):
            raise self._refuse("rest_user_cannot_view", "Sorry, you are not allowed to list users.")
        return self.shapes.user(person)

    def _categories(self) -> Listed:
        posts = sum(post.type == "post" and post.status == "publish" for post in self.site.blog.posts)
        return self._page([posts], lambda count: self.shapes.term(1, "News", "category", count), strict=False)

    def _tags(self) -> Listed:
        include = self._numbers("include")

        def shape(named: tuple[str, int]) -> Shape:
            name, number = named
            posts = sum(name in post.tags for post in self.site.blog.posts)
            return self.shapes.term(number, name, "post_tag", posts)

        asked = [
            (name, number)
            for name, number in sorted(self.site.tags.items())
            if not include or number in include
        ]
        return self._page(asked, shape, strict=False)

    def _settings(self) -> Shape:
        """Settings are for administrators; the archive's account is an editor, as it should be."""
        raise self._refuse("rest_forbidden", "Sorry, you are not allowed to do that.")


def has_status(comment: Comment, status: str) -> bool:
    """Comments by status as WordPress selects them: `all` is approved and held, `any` is everything."""
    match status:
        case "any":
            return True
        case "all":
            return comment.status in ("approved", "hold")
        case "approve" | "1":
            return comment.status == "approved"
        case "hold" | "0":
            return comment.status == "hold"
        case _:
            return comment.status == status and status != "approved"
