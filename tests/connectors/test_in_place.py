"""What stands in the place of a file: pages and messages are told, and files of every kind are files."""

from __future__ import annotations

import pytest

from connectors import in_place

PAGES = (
    b"<!DOCTYPE html><title>Sign in</title>",
    b"\xef\xbb\xbf\n<html lang=en>",
    b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
    b"<!-- made by a proxy --><head><meta charset=utf-8>",
    b"<center><h1>502 Bad Gateway</h1></center>",
)
MESSAGES = (b'{"error": "unauthorized"}', b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>")


@pytest.mark.parametrize(
    "asked", ["application/pdf", "image/png", "font/woff2", "video/mp4", "text/css", "text/csv"]
)
@pytest.mark.parametrize("first", PAGES)
def test_a_page_is_no_file_of_these_types(first, asked):
    assert in_place.stands_in(first, asked) == "a web page"


@pytest.mark.parametrize("first", MESSAGES)
def test_a_message_is_no_picture_and_no_document_and_may_be_what_is_written_so(first):
    assert in_place.stands_in(first, "image/png") == "a message of a program"
    assert in_place.stands_in(first, "application/pdf") == "a message of a program"
    assert in_place.stands_in(first, "text/css") == ""
    assert in_place.stands_in(first, "application/json") == ""


@pytest.mark.parametrize(
    ("first", "asked"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b'<?xml version="1.0"?><!-- drawn --><svg xmlns="http://www.w3.org/2000/svg">', "image/svg+xml"),
        (b"@import 'a.css'; html{margin:0}", "text/css"),
        (b"{\\rtf1\\ansi", "application/rtf"),
        (b"<!DOCTYPE html><title>A page</title>", "text/html"),
        (b"<html>", ""),
        (b"", "image/png"),
    ],
)
def test_a_file_is_a_file(first, asked):
    assert in_place.stands_in(first, asked) == ""


@pytest.mark.parametrize(
    ("told", "address", "asked"),
    [
        ("image/PNG; x=1", "https://town.example/a", "image/png"),
        ("application/octet-stream", "https://town.example/a.docx?v=1", in_place.expected("", "a.docx")),
        ("text/html", "https://town.example/agenda.PDF", "application/pdf"),
        ("text/html", "https://town.example/agenda.html", ""),
        ("", "https://[town.example/agenda.pdf", ""),
    ],
)
def test_the_type_that_was_asked_for_is_told_or_shown_by_the_end_of_the_address(told, address, asked):
    assert in_place.expected(told, address) == asked


def test_a_beginning_of_endless_comments_is_looked_at_in_no_time():
    assert in_place.stands_in(b"<!---->" * 1_000_000, "image/png") == ""
