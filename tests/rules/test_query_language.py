"""The query language: every form that is promised, and every mistake with its place."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from app import ROOT
from app.index import spans
from app.index.keys import Keys
from app.index.language import FIELDS, BadQuery, parse
from app.index.printer import explain, show
from app.index.tree import (
    Address,
    All,
    Among,
    CapturedRange,
    DateRange,
    Exactly,
    Field,
    Fuzzy,
    In,
    Mention,
    Near,
    Not,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
    both,
    either,
    everything_in,
)

A, B, C, D = Term("a"), Term("b"), Term("c"), Term("d")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("flood", Term("flood")),
        ("FLOOD", Term("flood")),
        ("a b", both(A, B)),
        ("a AND b", both(A, B)),
        ("a OR b", either(A, B)),
        ("NOT a", Not(A)),
        ("NOT NOT a", Not(Not(A))),
        ("a NOT b", both(A, Not(B))),
        ("a AND NOT b", both(A, Not(B))),
        ("(a)", A),
        ("((a b) c)", both(A, B, C)),
        ("a b OR c d", either(both(A, B), both(C, D))),
        ("a (b OR c) d", both(A, either(B, C), D)),
        ("NOT a b", both(Not(A), B)),
        ("NOT (a b)", Not(both(A, B))),
        ("NOT a w/2 b", Not(Near(2, A, B))),
        ("a b w/2 c", both(A, Near(2, B, C))),
        ("a OR b pre/2 c", either(A, Pre(2, B, C))),
        ('"a b"', Phrase((A, B))),
        ("“a b”", Phrase((A, B))),
        ("„a b“", Phrase((A, B))),
        ('"a"', A),
        ('"a"b', both(A, B)),
        ("don't", Phrase((Term("don"), Term("t")))),
        ("U.S.", Phrase((Term("u"), Term("s")))),
        ("警察", Phrase((Term("警"), Term("察")))),
        ('"http://a.b/(c)d%"', Address("http://a.b/(c)d%")),
        ('"a http://a.b/(c)d%"', Phrase((A, Address("http://a.b/(c)d%")))),
        ('"a ?\ufe0f b"', Phrase((A, B))),
        ('"a ?\u0301b"', Phrase((A, B))),
        ("警 察", both(Term("警"), Term("察"))),
        ("😂😂", Phrase((Term("😂"), Term("😂")))),
        ("straße", Term("strasse")),
        ("road w/5 closed", Near(5, Term("road"), Term("closed"))),
        ("a W/5 b", Near(5, A, B)),
        ("a pre/5 b", Pre(5, A, B)),
        ('(a OR b) w/8 "c d"', Near(8, either(A, B), Phrase((C, D)))),
        ("(a w/3 b) pre/2 (c w/1 d)", Pre(2, Near(3, A, B), Near(1, C, D))),
        ("*", All()),
        ("***", All()),
        ("clos*", Wild("clos*")),
        ("clos**", Wild("clos*")),
        ("*burg", Wild("*burg")),
        ("CL?SED", Wild("cl?sed")),
        ("警察*", Phrase((Term("警"), Term("察")))),
        ('"road clos* now"', Phrase((Term("road"), Wild("clos*"), Term("now")))),
        ('"is it closed?"', Phrase((Term("is"), Term("it"), Term("closed")))),
        ("closed~", Stem("closed")),
        ("closd%", Fuzzy("closd", 1)),
        ("closd%%", Fuzzy("closd", 2)),
        ('"50%"', Term("50")),
        ("#flood", Tag("flood")),
        ("#Flo*", Tag("flo*")),
        ("＃警察", Tag("警察")),
        ("@juneaupd", Mention("juneaupd")),
        ("@user@host.example", Mention("user@host.example")),
        ('"#flood road"', Phrase((Tag("flood"), Term("road")))),
        ("https://Town.example/a?b=c", Address("https://town.example/a?b=c")),
        ("https://town.example/", Address("https://town.example")),
        ("https://town.example/a*", Address("https://town.example/a", prefix=True)),
        ("http", Term("http")),
        ('author:"Jane Doe"', Field("author", "Jane Doe")),
        ("AUTHOR:“Jane Doe”", Field("author", "Jane Doe")),
        ('author:"Jane \\"J\\" Doe\\\\"', Field("author", 'Jane "J" Doe\\')),
        ("page:digital.gov", Field("page", "digital.gov")),
        ('page:"a*"', Field("page", "a*")),
        ("(platform:mastodon)", Field("platform", "mastodon")),
        ("kind:COMMENT", Field("kind", "comment")),
        ("state:gone", Field("state", "gone")),
        ("series:GS-1", Field("series", "GS-1")),
        ("tag:x hold:any", both(Field("tag", "x"), Field("hold", "any"))),
        ("version:current", Field("version", "current")),
        ("has:media", Field("has", "media")),
        ("lang:es", Field("lang", "es")),
        ("origin:received", Field("origin", "received")),
        ("12:30", Phrase((Term("12"), Term("30")))),
        ("and/or", Phrase((Term("and"), Term("or")))),
    ],
)
def test_what_is_written_means_one_thing(query, tree):
    assert parse(query).tree == tree
    assert parse(show(tree)).tree == tree


@pytest.mark.parametrize(
    ("value", "since", "until"),
    [
        ("2024", (2024, 1, 1), (2024, 12, 31)),
        ("2024-02", (2024, 2, 1), (2024, 2, 29)),
        ("2024-02-29", (2024, 2, 29), (2024, 2, 29)),
        ("=2024-02-29", (2024, 2, 29), (2024, 2, 29)),
        ("2024-01-01..2024-03-31", (2024, 1, 1), (2024, 3, 31)),
        ("2023..2024-03", (2023, 1, 1), (2024, 3, 31)),
        ("..2024-02", None, (2024, 2, 29)),
        ("2024..", (2024, 1, 1), None),
        (">=2024-01", (2024, 1, 1), None),
        ("<=2024-01", None, (2024, 1, 31)),
        (">2024-01", (2024, 2, 1), None),
        ("<2024-01", None, (2023, 12, 31)),
    ],
)
@pytest.mark.parametrize(("field", "node"), [("date", DateRange), ("captured", CapturedRange)])
def test_days_are_inclusive_on_both_sides(field, node, value, since, until):
    tree = node(since and date(*since), until and date(*until))
    assert parse(f"{field}:{value}").tree == tree
    assert parse(f'{field}:"{value}"').tree == tree
    assert parse(show(tree)).tree == tree


@pytest.mark.parametrize(
    ("query", "marked", "hint"),
    [
        ("", "", "Write at least one word"),
        ("road \udcff", "\udcff", "UTF-8"),
        ("page:\ud83d", "\ud83d", "UTF-8"),
        ("   ", "   ", "Write at least one word"),
        ("a &", "&", "AND"),
        ("a - b", "-", "A word begins"),
        ('a "b c', '"b c', "Close it"),
        ('a "..."', '"..."', ""),
        ("a )", ")", ""),
        ("(a", "(", "Close it"),
        ("a () b", "()", ""),
        ("a OR", "OR", "must follow"),
        ("OR a", "OR", "quotation marks"),
        ("a AND OR b", "OR", "quotation marks"),
        ("(a AND) b", ")", "quotation marks"),
        ("NOT", "NOT", "must follow"),
        ("w/5 a", "w/5", "quotation marks"),
        ("a w/5", "w/5", "must follow"),
        ("a w/0 b", "w/0", "1 apart"),
        ("a w/99999999 b", "w/99999999", "1 apart"),
        ("a w/5 b w/3 c", "a w/5 b w/3", "brackets"),
        ("a w/5 b pre/3 c", "a w/5 b pre/3", "brackets"),
        ("a w/5 NOT b", "NOT", "AND NOT"),
        ("(a OR NOT b) w/5 c", "(a OR NOT b)", "AND NOT"),
        ("a w/5 (b c)", "(b c)", "(closed w/5 bridge) w/5 road"),
        ("kind:post w/5 c", "kind:post", "AND"),
        ("a w/5 *", "*", "pre/2"),
        ("a NEAR/5 b", "NEAR/5", "w/5"),
        ("a near/5 b", "near/5", "w/5"),
        ("a /5 b", "/5", "w/5"),
        ("a w/s b", "w/s", "w/5"),
        ("a NEAR b", "NEAR", "w/5"),
        ('"a b"~5', '"a b"~5', "w/5"),
        ("a and not b", "and not", "AND NOT"),
        ("a ANDNOT b", "ANDNOT", "AND NOT"),
        ("a && b", "&&", "AND"),
        ("a || b", "||", "OR"),
        ("a -b", "-b", "NOT"),
        ("a !b", "!b", "NOT"),
        ("+a", "+a", "every word is required"),
        ("subject:road", "subject:", "author, page"),
        ("alt:", "alt:", 'alt:"two words"'),
        ("alt: road", "alt:", "alt:word"),
        ("alt:*", "alt:*", "has:alt"),
        ("text:*", "text:*", "every record"),
        ("alt:road w/5 closed", "alt:road", "alt:(road w/5 closed)"),
        ("road w/5 (a OR alt:b)", "(a OR alt:b)", "alt:(road w/5 closed)"),
        ("alt:kind:post", "alt:kind:", "quotation marks"),
        ("alt:(road kind:post)", "(road kind:post)", "beside it"),
        ("alt:(title:road)", "(title:road)", "beside it"),
        ("alt:()", "()", ""),
        ('alt:"road', '"road', "Close it"),
        ("unsearchable:none", "unsearchable:none", "scanned"),
        ("note: road", "note:", "quotation marks"),
        ("author:", "author:", "without a blank"),
        ("author: jane", "author:", "without a blank"),
        ("author:(a OR b)", "author:(", "(author:one OR author:other)"),
        ("author:jan*", "author:jan*", "quotation marks"),
        ('author:jane"doe"', 'author:jane"', "whole value"),
        ('author:"jane', '"jane', "Close it"),
        ("kind:tweet", "kind:tweet", "comment"),
        ("state:deleted", "state:deleted", "gone"),
        ("version:1", "version:1", "current"),
        ("date:[2024 TO 2025]", "date:[2024", "date:2024-01-01..2024-03-31"),
        ("date:yesterday", "date:yesterday", "date:2024-05"),
        ("date:2024/01/31", "date:2024/01/31", "date:2024-05"),
        ("date:2023-02-29", "date:2023-02-29", "date:2024-05"),
        ("date:2024-13", "date:2024-13", "date:2024-05"),
        ("date:0000", "date:0000", "date:2024-05"),
        ("date:..", "date:..", "date:2024-05"),
        ("date:2025..2024", "date:2025..2024", ""),
        ("date:>9999", "date:>9999", ""),
        ("captured:*", "captured:*", "captured:2024-05"),
        ("警?察", "警?察", "without it"),
        ("road-*", "road-*", "pre/2"),
        ('"road * closed"', "road * closed", "pre/2"),
        ("#*", "#*", "#flo*"),
        ("closed~2", "closed~2", "closd%%"),
        ("closd%%%", "closd%%%", "closd%%"),
        ("clo%sd", "clo%sd", "closd%"),
        ("50%", "50%", "quotation marks"),
        ("road-closed~", "road-closed~", "quotation marks"),
        ("clos*~", "clos*~", "quotation marks"),
        ("road^2", "road^2", "quotation marks"),
        ("#", "#", "A word begins"),
    ],
)
def test_a_mistake_is_shown_at_its_place_with_what_to_write(query, marked, hint):
    with pytest.raises(BadQuery) as refused:
        parse(query)
    error = refused.value
    assert query[error.position : error.position + error.length] == marked
    assert hint in error.next
    assert error.query == query
    assert error.code == "bad-query"
    assert error.next in str(error)
    if marked:
        assert f"at character {error.position + 1}" in str(error)


@pytest.mark.parametrize(
    ("query", "marked", "hint"),
    [
        # dtSearch
        ("apple not w/5 pear", "not", "AND NOT (road w/5 closed)"),
        ("apple NOT W/5 pear", "NOT", "AND NOT (road w/5 closed)"),
        ("apple w/5 xfirstword", "xfirstword", "quotation marks"),
        ("subject contains (road)", "contains", "another field"),
        ("fast&", "fast&", "OR between"),
        ("P12==", "P12==", "cl?sed"),
        ("12~~24", "12~~24", "closd%"),
        ("##199[0-9]", "##199[0-9]", "#flood"),
        ('"##199[0-9]"', "##199[0-9]", "#flood"),
        ("xfilter(road)", "xfilter(", "blank"),
        ("%flood%", "%flood%", "*road*"),
        # Google
        ("flood –road", "–road", "Write NOT"),
        ("flood －road", "－road", "Write NOT"),
        ('flood -"road closed"', "-", "Write NOT"),
        ("flood -(road OR bridge)", "-(", "Write NOT"),
        ("flood AROUND(5) road", "AROUND", "w/5"),
        ("~flood", "~flood", "road~"),
        ("$50..$100", "$50..$100", "no range"),
        ("2024-01-01..2024-03-31", "2024-01-01..2024-03-31", "date:2024-01-01..2024-03-31"),
        ("road * closed", "*", "pre/2"),
        ("site:town.example", "site:", "page:NAME"),
        ("after:2024-01-01", "after:", "date:>="),
        # Lucene
        ("[a TO b]", "[a", "date:2024-01-01..2024-03-31"),
        ("ro[ad]", "ro[ad]", "inside a word"),
        ("date:2024-01-01 TO 2024-03-31", "TO", "date:2024-01-01..2024-03-31"),
        ("date:2024-01-01 - 2024-03-31", "-", "date:2024-01-01..2024-03-31"),
        ("/ro.d/", "/ro.d/", "* for any characters"),
        ("a\\:b", "a\\:b", "quotation marks"),
        ("_exists_:text", "_exists_:", "author, page"),
        ('"road closed"^2', "^2", "the word that it belongs to"),
        ('"road clos"*', "*", "the word that it belongs to"),
        ("(road OR bridge)~", "~", "the word that it belongs to"),
        ("road~~", "road~~", "closed~"),
        # Westlaw and Lexis
        ("clos!", "clos!", "clos*"),
        ("atleast5(flood)", "atleast5(", "quotation marks"),
        ("ATLEAST5 flood", "ATLEAST5", "quotation marks"),
        ("road +s closed", "+s", "w/5"),
        ("road +5 closed", "+5", "w/5"),
        ("road NOT/5 closed", "NOT/5", "w/5"),
        ("road adj5 closed", "adj5", "w/5"),
        ("road ADJ closed", "ADJ", "pre/1"),
        ("road but not closed", "but not", "AND NOT"),
        ("road BUT NOT closed", "BUT", "AND NOT"),
        ("road ¬closed", "¬closed", "NOT road"),
        ("road NEXT/3 closed", "NEXT/3", "w/5"),
        ("road SAME/3 closed", "SAME/3", "w/5"),
        # elasticsearch and databases
        ("road|closed", "road|closed", "road OR closed"),
        ("road||closed", "road||closed", "road OR closed"),
        ("road&&closed", "road&&closed", "road AND closed"),
        ("road AND/OR closed", "AND/OR", "road OR closed"),
        ("road ∨ closed", "∨", "road OR closed"),
        ("road^", "road^", "without the sign"),
        (">=2024-01-01", ">=2024-01-01", "date:>="),
        ("date:>2019 <2021", "<2021", "date:>="),
        ("≥2024", "≥2024", "date:>="),
        # quotation marks of others
        ("author:'jane doe'", "author:'jane", 'author:"Jane Doe"'),
        ("page:«Town Police»", "page:«Town", 'author:"Jane Doe"'),
        ("″road closed″", "″road closed″", '"road closed"'),
        ("〝road closed〞", "〝road closed〞", '"road closed"'),
        ("❝road closed❞", "❝road closed❞", '"road closed"'),
        ("’road closed’", "’road closed’", '"road closed"'),
        ("《road closed》", "《road closed》", '"road closed"'),
        # between characters that are words
        ("警察w/5消防", "w/5", "警察 w/5 消防"),
        ("警察AND消防", "AND", "警察 AND 消防"),
        ("警察OR消防", "OR", "警察 AND 消防"),
        # in other widths
        ("road ＡＮＤＮＯＴ closed", "ＡＮＤＮＯＴ", "AND NOT"),
        ("（road", "（", "Close it"),
        ("road｜closed", "road｜closed", "road OR closed"),
        ("road －closed", "－closed", "NOT road"),
        ("date：yesterday", "date：yesterday", "date:2024-05"),
        # and what is nearly right
        ("road w/-1 closed", "w/-1", "w/5"),
        ("road w\\5 closed", "w\\5", "w/5"),
        ("road w/5th closed", "w/5th", "w/5"),
        ("road And Not closed", "And Not", "AND NOT"),
        ("road AND not closed", "AND not", "AND NOT"),
        ("author=jane", "author=", "author:"),
        ("date>=2024-01", "date>=", "date:>="),
        ("author :jane", ":jane", "stand together"),
        ("road(s)", "road(", "(road OR roads)"),
        ("'road closed'", "'road closed'", '"road closed"'),
        ("‘road closed’", "‘road closed’", '"road closed"'),
        ("«road closed»", "«road closed»", '"road closed"'),
        ("https://*.example/road", "https://*.example/road", "quotation marks"),
    ],
)
def test_a_habit_from_elsewhere_is_refused_at_its_place_and_never_read_as_words(query, marked, hint):
    with pytest.raises(BadQuery) as refused:
        parse(query)
    error = refused.value
    assert query[error.position : error.position + error.length].startswith(marked.rstrip("("))
    assert hint in error.next


@pytest.mark.parametrize(
    "query",
    [
        "don't", "'tis", "the dogs' road", "'90s", "AT&T", "e-mail", "A-1", "$1,000.50", "1...2…", "w/o", "24/7", "and/or", "/r/town/news",
        "near", "within 5 miles", "around the road", "12:30", "a=b", "#flood!x", "@a.b", "a@b.example", "c++", "U.S.",
        "NOT(a)", "a AND(b OR c)", "a w/5(b OR c)", "(a)(b)", '"a"(b)', "* AND road", "kind:post * road", "date:2024 and road", "N95",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_habit_is_understood(query):
    tree = parse(query).tree
    assert parse(show(tree)).tree == tree


@pytest.mark.parametrize(
    "word", ["not", "and", "or", "near5", "adj2", "pre5", "xfirstword", "w5", "contains", "but"]
)
def test_a_word_that_is_an_operator_elsewhere_is_found_in_quotation_marks_and_said_back_in_them(word):
    for query in (
        f'"{word}"',
        f'"{word}" w/5 road',
        f'road pre/2 ("{word}" OR closed)',
        f'text:"{word}"',
        f'a NOT "{word}"',
    ):
        tree = parse(query).tree
        assert parse(show(tree)).tree == tree
        assert Term(word) in everything_in(tree)


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("https://town.example/wiki/Road_(Juneau)", "https://town.example/wiki/road_(juneau)"),
        ("(https://town.example/(a)/b)", "https://town.example/(a)/b"),
        ("https://town.example/a%20b%C3%A9", "https://town.example/a%20b%c3%a9"),
        ("https://town.example/~jane/a^2!?x[]=1&y={2}", "https://town.example/~jane/a^2!?x[]=1&y={2}"),
        ("https://town.example/a==", "https://town.example/a=="),
        ("HTTPS://TOWN.example:8080/A-B/?q=a+b", "https://town.example:8080/a-b/?q=a+b"),
    ],
)
def test_the_signs_of_an_address_are_its_own(query, address):
    tree = parse(query).tree
    assert tree == Address(address)
    assert parse(show(tree)).tree == tree
    assert spans.met(tree, [("text", spans.read(f"see {query} now"))])


@pytest.mark.parametrize("word", ["N5", "n5", "w12", "near", "within", "NEXT", "SAME", "AFTER", "EXCEPT"])
def test_nearness_as_some_write_it_is_a_word_and_it_is_said(word):
    query = parse(f"road {word} closed")
    assert query.tree == both(Term("road"), Term(word.lower()), Term("closed"))
    assert any(word in note for note in query.notes)
    assert parse(f'road "{word}" closed').notes == ()
    assert parse(f"{word} road").notes == ()
    assert parse("what comes after the road").notes == ()


@pytest.mark.parametrize("query", ["road closed?", "closed?", "is the road closed ?", "why ??"])
def test_a_question_mark_that_may_only_end_a_question_is_said_to_stand_for_a_letter(query):
    assert any("exactly one letter" in note for note in parse(query).notes)
    for plain in ('"road closed?"', "cl?sed", "road clos*", "https://town.example/?"):
        assert parse(plain).notes == ()


@pytest.mark.parametrize(
    ("query", "same"),
    [
        ("（a OR b） c", "(a OR b) c"),
        ("a （b OR c） d", "a (b OR c) d"),
        ("a ＯＲ b", "a OR b"),
        ("a ＡＮＤ ＮＯＴ b", "a AND NOT b"),
        ("a ｗ／５ b", "a w/5 b"),
        ("clos＊ cl？sed", "clos* cl?sed"),
        ("closed～ closd％", "closed~ closd%"),
        ("＃flood ＠jane", "#flood @jane"),
        ("ｄａｔｅ：２０２４", "date:2024"),
        ("ｋｉｎｄ：ＰＯＳＴ", "kind:post"),
        ("author：＂Jane Doe＂", 'author:"Jane Doe"'),
        ("ｈｔｔｐｓ：／／town.example／a", "https://town.example/a"),
        ("text：（a ｗ/3 b）", "text:(a w/3 b)"),
    ],
)
def test_signs_mean_the_same_in_every_width_in_which_words_are_the_same(query, same):
    assert parse(query).tree == parse(same).tree


def test_a_value_keeps_the_width_in_which_it_was_written():
    tree = Field("author", "Ｊane＼＂Doe（1）")
    assert parse(show(tree)).tree == tree
    assert parse("author:Ｊane＼Doe").tree == Field("author", "Ｊane＼Doe")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ('"?oad closed"', Phrase((Wild("?oad"), Term("closed")))),
        ('"road ?losed?"', Phrase((Term("road"), Wild("?losed")))),
        ("?oad-closed", Phrase((Wild("?oad"), Term("closed")))),
        ('"closed? why?"', Phrase((Term("closed"), Term("why")))),
    ],
)
def test_a_question_mark_before_a_letter_is_a_wildcard_in_a_phrase_too(query, tree):
    assert parse(query).tree == tree
    assert parse(show(tree)).tree == tree


def shown_in(hint: str) -> list[str]:
    """What a hint says to write, each as far as it may reach."""
    found = []
    for begins in re.finditer(r"[Ww]rite ", hint):
        rest = hint[begins.end() :]
        ends = [at.start() for at in re.finditer(r"[,;:]? |[.,;:]$|[.;] ", rest)] + [len(rest)]
        found += [rest[:end] for end in ends]
    return found


def test_every_refusal_shows_a_question_that_is_understood():
    """Whatever was typed, what the hint says to write can be typed in its place."""
    told = [
        mark.args[1]
        for test in (
            test_a_mistake_is_shown_at_its_place_with_what_to_write,
            test_a_habit_from_elsewhere_is_refused_at_its_place_and_never_read_as_words,
        )
        for mark in test.pytestmark
    ]
    refused = [query for cases in told for query, *_ in cases if not re.search("[\ud800-\udfff]", query)]
    assert len(refused) > 150
    for query in refused:
        with pytest.raises(BadQuery) as error:
            parse(query)
        assert any(_is_understood(one) for one in shown_in(error.value.next)), (query, error.value.next)


def _is_understood(query: str) -> bool:
    try:
        parse(query)
    except BadQuery:
        return False
    return True


def test_an_author_with_a_sign_before_the_handle_is_compared_whole_and_it_is_said():
    query = parse("author:@jane road")
    assert query.tree == both(Field("author", "@jane"), Term("road"))
    assert any("leave it out" in note for note in query.notes)
    assert parse("author:jane @jane").notes == ()


@pytest.mark.parametrize(
    "query",
    ["(" * 200 + "a" + ")" * 200, "NOT " * 200 + "a", "a " * 60_000],
    ids=["brackets", "not", "length"],
)
def test_a_question_beyond_measure_is_refused(query):
    with pytest.raises(BadQuery):
        parse(query)


@pytest.mark.parametrize("query", ["(" * 90 + "a" + ")" * 90, "a " * 5000, " OR ".join(["a"] * 5000)])
def test_a_long_question_is_understood(query):
    assert parse(show(parse(query).tree)).tree == parse(query).tree


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("alt:road", In("alt", A)),
        ('caption:"a b"', In("caption", Phrase((A, B)))),
        ("title:#a", In("title", Tag("a"))),
        ("filename:a.b", In("filename", Phrase((A, B)))),
        ("text:AND", In("text", Term("and"))),
        ("attachment:(a w/3 b)", In("attachment", Near(3, A, B))),
        ("alt:(a b)", both(In("alt", A), In("alt", B))),
        ("alt:(a OR NOT b)", either(In("alt", A), Not(In("alt", B)))),
        ("NOT alt:a b", both(Not(In("alt", A)), B)),
        ("ALT:(a w/1 (a OR b))", In("alt", Near(1, A, either(A, B)))),
    ],
)
def test_a_place_is_asked_for_each_of_the_words_that_follow_it(query, tree):
    assert parse(query.replace("road", "a")).tree == tree
    assert parse(show(tree)).tree == tree


@pytest.mark.parametrize("word", ["and", "or", "not"])
def test_small_operators_are_words_and_it_is_said(word):
    query = parse(f"a {word} b")
    assert query.tree == both(A, Term(word), B)
    assert any(word in note for note in query.notes)
    assert parse(f'a "{word}" b').notes == ()


def test_every_field_is_understood():
    values = {
        "kind": "post", "state": "gone", "origin": "captured", "version": "current", "has": "media",
        "unsearchable": "any",
    }  # fmt: skip
    for field in FIELDS:
        parse(f"{field}:{values.get(field, '2024')}")


def test_a_question_is_said_back_with_its_parts():
    query = parse('flood  (road OR "bridge closed") NOT date:2024')
    said = query.explain()
    assert said["understood"] == 'flood AND (road OR "bridge closed") AND NOT date:2024-01-01..2024-12-31'
    assert said["text"] == query.text
    assert json.loads(json.dumps(said)) == said
    assert explain(query.tree) == said["tree"]


ONE_OF_EACH: list[Tree] = [
    A, Wild("a*"), Fuzzy("ab", 1), Stem("a"), Tag("a"), Mention("a"), Address("http://a.b"), Phrase((A, B)), Near(1, A, B),
    Pre(1, A, B), Field("page", "x"), DateRange(date(2024, 1, 1), None), CapturedRange(None, date(2024, 1, 1)), All(),
    both(A, B), either(A, B), Not(A), In("alt", A), Among(Field("tag", "x"), Keys.of([1])), Exactly(frozenset([(1, 2)])),
]  # fmt: skip


@pytest.mark.parametrize("tree", ONE_OF_EACH, ids=lambda tree: type(tree).__name__)
def test_every_kind_of_node_can_be_explained(tree):
    said = explain(tree)
    assert json.loads(json.dumps(said)) == said
    assert said["is"]


def test_every_question_that_the_guide_shows_is_understood():
    shown = [
        one
        for line in (ROOT / "docs" / "search.md").read_text().splitlines()
        if line.startswith("| ") and not re.match(r"\| `[a-z_]+` \| (newer|pictures|a |an )", line)
        for one in re.findall(r"`([^`]+)`", line)
    ]
    assert len(shown) > 30
    for query in shown:
        parse(query)
