"""A blog as it stands this night, at its address: what it holds, and under which addresses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from html import escape

from app.demo.nouns import Blog, Comment, Media, Post
from app.demo.telling import paragraphs
from app.demo.wordpress.wording import linked, local

NAMESPACE = "wp/v2"


class Standing:
    """One blog at its address."""

    def __init__(self, blog: Blog, home: str) -> None:
        self.blog = blog
        self.home = home.rstrip("/")

    def rest(self, route: str) -> str:
        return f"{self.home}/wp-json/{NAMESPACE}{route}"

    @cached_property
    def posts(self) -> Mapping[int, Post]:
        return {post.number: post for post in self.blog.posts}

    @cached_property
    def comments(self) -> Mapping[int, Comment]:
        return {comment.number: comment for comment in self.blog.comments}

    @cached_property
    def tags(self) -> Mapping[str, int]:
        """Tag names with their numbers, in the order in which the blog first used them."""
        names = dict.fromkeys(tag for post in self.blog.posts for tag in post.tags)
        return {name: number for number, name in enumerate(names, 2)}

    def link(self, post: Post) -> str:
        if post.status == "trash":
            return f"{self.home}/?{'page_id' if post.type == 'page' else 'p'}={post.number}"
        if post.type == "page":
            return f"{self.home}/{post.slug}/"
        return f"{self.home}/{local(post.at):%Y/%m/%d}/{post.slug}/"

    def comment_link(self, comment: Comment) -> str:
        return f"{self.link(self.posts[comment.post])}#comment-{comment.number}"

    def source(self, media: Media) -> str:
        return f"{self.home}/wp-content/uploads/{local(media.at):%Y/%m}/{media.file}"

    def content(self, post: Post, text: str) -> str:
        """The blocks of a post as they are stored: its picture, then its paragraphs."""
        blocks = []
        if post.picture:
            shown = post.picture
            blocks.append(
                f'<!-- wp:image {{"id":{shown.number},"sizeSlug":"full"}} -->\n'
                f'<figure class="wp-block-image size-full"><img src="{self.source(shown)}" '
                f'alt="{escape(shown.description)}" class="wp-image-{shown.number}"/></figure>\n'
                "<!-- /wp:image -->"
            )
        blocks += [
            f"<!-- wp:paragraph -->\n<p>{linked(escape(part, quote=False))}</p>\n<!-- /wp:paragraph -->"
            for part in paragraphs(text)
        ]
        return "\n\n".join(blocks)
