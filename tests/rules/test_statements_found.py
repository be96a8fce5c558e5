"""What counts as a statement in a page's introduction: many ways of saying it, and everything that only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture import policy
from app.capture.policy import BadPolicy, Force, NoSuchPolicy
from app.capture.statements import (
    Answer,
    CannotTell,
    Found,
    Introduction,
    NotFound,
    contact,
    found,
    links_in,
    sentences,
)

AGENCY = "Alder Creek Police Department"
SITE = "https://www.aldercreek.example/police"


def asked(name: str, text: str, *, profile: str = "jackson", site: str = SITE, **more: object) -> Answer:
    introduction = Introduction(text=text, **more)  # type: ignore[arg-type]  # the test names what it means
    return found(policy.named(profile).statement(name), introduction, agency=AGENCY, official_site=site)


# -- the profiles ------------------------------------------------------------------------------------------


def test_each_profile_asks_what_its_own_policy_asks_and_with_its_own_force():
    jackson = {one.name: one.force for one in policy.named("jackson").statements}
    juneau = {one.name: one.force for one in policy.named("juneau").statements}
    assert jackson == {
        "purpose": Force.WHERE_POSSIBLE,
        "official-site": Force.WHERE_POSSIBLE,
        "maintained-by": Force.SHALL,
        "contact": Force.SHALL,
        "visitors-opinions": Force.SHOULD,
        "monitoring": Force.SHALL,
        "public-disclosure": Force.SHALL,
    }
    assert juneau == {
        name: force
        for name, force in jackson.items()
        if name in {"purpose", "official-site", "maintained-by", "contact"}
    }
    assert (policy.named("jackson").designee, policy.named("juneau").designee) == (True, False)
    assert (policy.named("jackson").written, policy.named("juneau").written) == (False, True)


def test_every_statement_cites_its_clause():
    assert policy.names() == ("jackson", "juneau")
    for name in policy.names():
        assert all(one.citation and one.parts for one in policy.named(name).statements)


def test_a_profile_that_does_not_exist_or_is_badly_written_is_refused():
    with pytest.raises(NoSuchPolicy):
        policy.named("../jackson")
    with pytest.raises(BadPolicy):
        policy.read("broken", "title: [")
    with pytest.raises(BadPolicy):
        policy.read("short", "title: without statements")


# -- who maintains it --------------------------------------------------------------------------------------

MAINTAINED = [
    "This page is maintained by the Alder Creek Police Department.",
    "THIS PAGE IS MAINTAINED BY THE POLICE DEPARTMENT",
    "Official Facebook page of the Alder Creek Police Department",
    "The official account of our police department.",
    "This account is run by the department\u2019s public information office.",
    "Alder Creek Police Department\u2019s official page",
    "Welcome! The Police Department maintains this site.",
    "Managed by the Alder Creek Police Dept. staff: the police",
]
NOT_MAINTAINED = [
    "",
    "Alder Creek Police Department",
    "This page is not maintained by the Alder Creek Police Department.",
    "This page isn't run by the police department.",
    "Unofficial page of the police department.",
    "This page is maintained by friends of the police department.",
    "This page, maintained by a neighbour, follows the work of the police department.",
    "Is this page maintained by the police department?",
    "This page was formerly maintained by the police department.",
    "Visit the official site of the police department.",
    "This page is maintained by Jane. The police department is on Mill Road.",
]


@pytest.mark.parametrize("text", MAINTAINED)
@pytest.mark.parametrize("profile", ["jackson", "juneau"])
def test_that_the_department_maintains_a_page_is_found_however_it_is_said(profile: str, text: str):
    answer = asked("maintained-by", text, profile=profile)
    assert isinstance(answer, Found)
    assert answer.words[0] in text.replace("\u2019", "'"), "the words that were found are quoted"


@pytest.mark.parametrize("text", NOT_MAINTAINED)
@pytest.mark.parametrize("profile", ["jackson", "juneau"])
def test_what_only_looks_like_it_is_not_found(profile: str, text: str):
    assert isinstance(asked("maintained-by", text, profile=profile), NotFound)


# -- contact -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Call (307) 555-0142 on weekdays",
        "307-555-0142",
        "+1 307.555.0142",
        "Non-emergency dispatch: 555-0142",
        "Write to records@aldercreek.example.",
        "150 East Pearl Avenue",
        "P.O. Box 1687",
    ],
)
def test_a_telephone_number_an_address_or_an_e_mail_is_contact_information(text: str):
    assert contact(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "In an emergency call 911.",
        "Serving the town since 1911-2023",
        "Find us @aldercreekpd",
        "300 officers and 24 hours",
        "Contact us!",
        "Case 2026-0142",
        "Read https://example.org/555-0142",
    ],
)
def test_an_emergency_number_a_handle_or_a_year_is_none(text: str):
    assert contact(text) is None
    assert isinstance(asked("contact", text), NotFound)


# -- the link ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "More at aldercreek.example/police.",
        "https://aldercreek.example",
        "(www.aldercreek.example)",
    ],
)
def test_a_link_to_the_official_site_is_found_with_or_without_its_scheme(text: str):
    assert isinstance(asked("official-site", text), Found)


@pytest.mark.parametrize(
    "text",
    [
        "police@aldercreek.example",
        "https://aldercreek.example.org",
        "https://notaldercreek.example/",
        "https://elsewhere.example/aldercreek",
    ],
)
def test_an_e_mail_or_another_site_is_no_link_to_it(text: str):
    assert isinstance(asked("official-site", text, links=links_in(text)), NotFound)


def test_a_link_that_only_the_markup_bears_counts():
    html = '<a href="https://www.aldercreek.example/police?from=page&amp;x=1">our site</a>'
    assert isinstance(asked("official-site", "our site", links=links_in(html)), Found)


def test_where_the_registry_names_no_official_site_nobody_can_tell():
    answer = asked("official-site", "https://aldercreek.example", site="")
    assert isinstance(answer, CannotTell)
    assert "registry" in answer.why


def test_a_page_that_stands_on_the_official_site_needs_no_link_to_it():
    assert isinstance(asked("official-site", "News", addresses=("https://aldercreek.example/news",)), Found)


# -- purpose -----------------------------------------------------------------------------------------------


def test_purpose_and_scope_are_two_things_and_both_are_needed():
    both = "The purpose of this page is to share news and safety tips with residents."
    assert isinstance(asked("purpose", both), Found)
    answer = asked("purpose", "The purpose of this page is friendship.")
    assert isinstance(answer, NotFound)
    assert answer.missing == ("what it covers",)
    assert answer.words == ("The purpose of this page is friendship.",)


def test_the_mission_of_the_department_is_not_the_purpose_of_the_page():
    assert isinstance(asked("purpose", "Our mission: to protect. We share news."), NotFound)


# -- what is jackson's alone -------------------------------------------------------------------------------

OPINIONS = [
    "Opinions expressed by visitors to this page do not reflect the opinions of the department.",
    "Comments posted by users don\u2019t necessarily represent the views of the Alder Creek Police Department",
    "The views of commenters are not those of the police department.",
    "The department does not endorse the opinions of visitors.",
]
NOT_OPINIONS = [
    "Opinions expressed by visitors reflect those of the department.",
    "Opinions are my own and do not reflect those of the department.",
    "Employees' opinions do not represent the department; visitors are welcome.",
    "The opinions of visitors matter to the department.",
]


@pytest.mark.parametrize("text", OPINIONS)
def test_that_visitors_opinions_are_not_the_departments_is_found(text: str):
    assert isinstance(asked("visitors-opinions", text), Found)


@pytest.mark.parametrize("text", NOT_OPINIONS)
def test_other_words_on_opinions_are_not_it(text: str):
    assert isinstance(asked("visitors-opinions", text), NotFound)


REMOVAL = "We reserve the right to remove obscenities, off-topic comments and personal attacks."


@pytest.mark.parametrize(
    "text",
    [
        f"Comments are monitored. {REMOVAL}",
        f"All posts are moderated by staff, and {REMOVAL}",
        (
            "This page is monitored.\nThe department reserves the right to delete comments that are profane, "
            "not related to the post, or that insult others."
        ),
        f"This page is not monitored 24/7! Comments are monitored on weekdays. {REMOVAL}",
    ],
)
def test_monitoring_and_the_right_to_remove_are_found(text: str):
    assert isinstance(asked("monitoring", text), Found)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (f"This page is not monitored 24/7. {REMOVAL}", "that comments are monitored"),
        (f"Comments are never monitored. {REMOVAL}", "that comments are monitored"),
        (f"Comments may be monitored. {REMOVAL}", "that comments are monitored"),
        ("Comments are monitored.", "that the department reserves the right to remove"),
        (
            "Comments are monitored. We reserve the right to remove obscene or off-topic comments.",
            "personal attacks",
        ),
        (
            "Comments are monitored. We do not reserve the right to remove personal attacks.",
            "that the department reserves the right to remove",
        ),
    ],
)
def test_what_is_missing_of_it_is_named(text: str, missing: str):
    answer = asked("monitoring", text)
    assert isinstance(answer, NotFound)
    assert missing in answer.missing


@pytest.mark.parametrize(
    "text",
    [
        "Anything you post or submit is subject to public disclosure.",
        "Comments and messages are subject to the state's public-records law",
        "All content is a public record and may be released.",
        "Posts are not private and are subject to disclosure under the Freedom of Information Act.",
    ],
)
def test_that_posts_are_subject_to_public_disclosure_is_found(text: str):
    assert isinstance(asked("public-disclosure", text), Found)


@pytest.mark.parametrize(
    "text",
    [
        "Your messages are not subject to public disclosure.",
        "Your comments are exempt from disclosure and subject to the records act.",
        "Messages are never a public record: none is a public record.",
        "File a public records request at town hall.",
        "Comments are subject to review.",
    ],
)
def test_other_words_on_disclosure_are_not_it(text: str):
    assert isinstance(asked("public-disclosure", text), NotFound)


# -- what nobody can tell ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["jackson", "juneau"])
def test_of_an_introduction_that_was_not_captured_nobody_can_tell_anything(profile: str):
    for statement in policy.named(profile).statements:
        assert isinstance(found(statement, None, official_site=SITE), CannotTell)


def test_of_an_introduction_in_another_language_a_no_is_not_said_but_a_yes_is():
    assert isinstance(asked("maintained-by", "Bienvenidos", language="es"), CannotTell)
    assert isinstance(asked("maintained-by", "Bienvenidos", language="en-US"), NotFound)
    assert isinstance(asked("contact", "Llame al (307) 555-0142", language="es"), Found)


def test_a_statement_is_not_put_together_from_two_sentences():
    text = "This page is maintained well. By the way, the police department is near."
    assert isinstance(asked("maintained-by", text), NotFound)


def test_sentences_end_where_people_end_them_and_questions_are_left_out():
    text = "The Dept. of Police.\nOpen 8 a.m. to 5! Really? Yes; surely \u2022 Call us"
    assert list(sentences(text)) == [
        "The Dept. of Police.",
        "Open 8 a.m. to 5!",
        "Yes;",
        "surely \u2022",
        "Call us",
    ]


@given(st.text(max_size=300))
def test_no_text_whatever_is_said_to_make_a_statement_without_its_words(text: str):
    for statement in policy.named("jackson").statements:
        answer = found(statement, Introduction(text=text), official_site=SITE)
        if isinstance(answer, Found):
            assert all(answer.words)
        letters = {sign for sign in text.casefold() if sign.isalpha()}
        if not letters & set("aeiou"):
            assert statement.name == "contact" or not isinstance(answer, Found)


@given(st.sampled_from([*MAINTAINED, *NOT_MAINTAINED]))
def test_case_and_punctuation_change_no_answer(text: str):
    plain = type(asked("maintained-by", text))
    assert type(asked("maintained-by", text.upper())) is plain
    assert type(asked("maintained-by", f"\u201c{text}\u201d".replace(" ", "  "))) is plain
