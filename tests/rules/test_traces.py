"""Traces: a text names a record when it has the record's own name in it, however it is written, and only then."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.traces import Names


def named(*names: str) -> Names:
    made = Names()
    for record, name in enumerate(names, start=1):
        made.add(record, name)
    return made


ADDRESS = "blog.example/talk/zebra-crossing?id=4815"


@pytest.mark.parametrize(
    "content",
    [
        f"GET https://{ADDRESS} answered 503",
        json.dumps({"url": f"https://{ADDRESS}"}),
        json.dumps({"url": f"https://{ADDRESS}"}).replace("/", "\\/"),
        json.dumps({"next": f"https://elsewhere.example/?to={quote('https://' + ADDRESS, safe='')}"}),
        f"<a href='https://{ADDRESS}&amp;page=2'>",
        f"not JSON, and yet: https:\\/\\/{ADDRESS}".replace("blog.example/talk/", "blog.example\\/talk\\/"),
    ],
)
def test_an_address_is_found_however_it_is_escaped(content: str):
    assert named(ADDRESS).found_in(content.encode()) == {1}


@pytest.mark.parametrize(
    "content", ["c-48151623x", "xc-48151623", "c-4815162", "48151623", json.dumps({"id": "c-481516230"})]
)
def test_a_part_of_a_longer_word_is_nobodys_name(content: str):
    assert named("c-48151623").found_in(content.encode()) == set()
    assert named("c-48151623").found_in(b'{"id":"c-48151623"}') == {1}


def test_a_number_in_json_is_a_name_as_well():
    assert named("48151623").found_in(b'{"id":48151623}') == {1}


def test_a_letter_beyond_ascii_is_found_where_json_escapes_it():
    assert named("Quillón Vantroost sang").found_in(b'{"text":"Quill\\u00f3n Vantroost sang"}') == {1}


def test_a_long_text_is_known_by_its_first_words_and_a_text_without_spaces_by_its_first_signs():
    made = Names()
    made.begins(1, "The zebrafinch of Vantroost Lane sings at midnight, and nobody knows why it does")
    made.begins(2, "市" * 60)
    assert made.found_in(b"The zebrafinch of Vantroost Lane sings at midnight; cut here") == {1}
    assert made.found_in(("x" + "市" * 50).encode()) == {2}
    assert made.found_in(b"The zebrafinch of another lane") == set()


def test_who_is_called_nothing_is_found_nowhere():
    assert not Names()
    assert Names().found_in(b"anything at all") == set()


@given(st.lists(st.from_regex(r"[a-z]{3,8}-[0-9]{4,9}", fullmatch=True), min_size=1, unique=True), st.data())
def test_exactly_those_that_are_named_are_found(names: list[str], data: st.DataObject):
    told = data.draw(st.lists(st.sampled_from(names), unique=True))
    content = json.dumps({"seen": [f"/items/{name}" for name in told]}).encode()
    assert named(*names).found_in(content) == {names.index(name) + 1 for name in told}
