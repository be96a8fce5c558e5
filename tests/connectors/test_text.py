"""HTML read as words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.text import attributes, plain, tokens


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("", ""),
        ("just words", "just words"),
        ("<p>A &amp; <b>bold</b>, <i>it</i>.</p>\n<p>Two<br />lines<br><br>apart</p>", "A & bold, it.\n\nTwo\nlines\n\napart"),
        ("<ul>\n<li>one</li>\n<li>two</li></ul>after", "- one\n- two\n\nafter"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("x<script>if (a<b) {}</script>y<STYLE>p{}</style>z", "xyz"),
        ("<!-- wp:paragraph --><p>x&nbsp; y</p><!-- /wp:paragraph -->", "x y"),
        ('It works <img class="wp-smiley" alt="\U0001f642"><img src="photo.jpg" alt="a photo">', "It works \U0001f642"),
        ("don&#8217;t &lt;b&gt; &unknown; &amp;amp;", "don’t <b> &unknown; &amp;"),
        ('<a title="x > y" href=z>link</a>', "link"),
        ("a < b & c > d", "a < b & c > d"),
        ("<p>a <a href=", "a <a href="),
        ("<a href=", "<a href="),
        ("<p>never closed <b>at all", "never closed at all"),
        ("<template>kept where it never ends", "kept where it never ends"),
        ("seen<script>never ended, never shown", "seen"),
        ("\U0001f469\u200d\U0001f692 مرحبا", "\U0001f469\u200d\U0001f692 مرحبا"),
    ],
)  # fmt: skip
def test_words_are_what_a_reader_would_see(html: str, words: str):
    assert plain(html) == words


@given(st.text(alphabet=st.characters(exclude_characters="<>&", exclude_categories=["Cs"])))
def test_text_without_markup_keeps_every_word(text: str):
    assert plain(text).split() == text.split()


@given(st.text(alphabet="<>/!-ab\"'= &;\n"))
def test_no_markup_is_refused(html: str):
    plain(html)
    assert sum(len(piece) for _, piece in tokens(html)) <= len(html)


def test_attributes_are_read_as_written_the_first_of_a_name_counts():
    tag = """<img SRC='a b.jpg' alt="x &amp; y" width=3 hidden alt="z">"""
    assert attributes(tag) == {"src": "a b.jpg", "alt": "x & y", "width": "3"}


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<!--", '<a ">', "<template>", "<script>", "</script", "<p>", "&#", "<img a", '<img "'],
)
@pytest.mark.parametrize("end", ["", ">"])
def test_no_markup_takes_time_beyond_its_length(piece: str, end: str):
    html = piece * (300_000 // len(piece)) + end
    began = time.process_time()
    plain(html)
    assert time.process_time() - began < 5
