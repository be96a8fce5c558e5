"""What might have to be taken out of a text is pointed at, with the checks that its form allows."""

from __future__ import annotations

from datetime import date
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.suggesting import Kind, Suggestion, luhn, suggest

TODAY = date(2026, 11, 21)


def kinds(text: str, **more: object) -> list[tuple[Kind, str]]:
    return [(one.kind, text[one.start : one.end]) for one in suggest(text, today=TODAY, **more)]  # type: ignore[arg-type]  # a test names what it hands in


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Call me at (907) 586-0600 after six", Kind.TELEPHONE, "(907) 586-0600"),
        ("call +1 907-586-0600", Kind.TELEPHONE, "+1 907-586-0600"),
        ("it is 586-0600", Kind.TELEPHONE, "586-0600"),
        ("write to jane.doe+x@example.org, please", Kind.EMAIL, "jane.doe+x@example.org"),
        ("SSN 219-09-9998", Kind.SOCIAL_SECURITY, "219-09-9998"),
        ("my social security is 219099998", Kind.SOCIAL_SECURITY, "219099998"),
        ("card 4111 1111 1111 1111 stolen", Kind.CARD, "4111 1111 1111 1111"),
        ("amex 378282246310005", Kind.CARD, "378282246310005"),
        ("I live at 1290 Glacier Ave, Apt 4", Kind.ADDRESS, "1290 Glacier Ave, Apt 4"),
        ("mail to P.O. Box 1234", Kind.ADDRESS, "P.O. Box 1234"),
        ("DOB: 03/04/1987", Kind.BIRTH, "03/04/1987"),
        ("she was born on March 4, 2011", Kind.BIRTH, "March 4, 2011"),
        ("license plate ABC 123 ran the light", Kind.PLATE, "ABC 123"),
        ("plate: JNU-451", Kind.PLATE, "JNU-451"),
        ("the plate read \u201cplate ABC 123\u201d", Kind.PLATE, "ABC 123"),
        ("Lic. ABC-1234", Kind.PLATE, "ABC-1234"),
        ("907\u2011586\u20110600", Kind.TELEPHONE, "907\u2011586\u20110600"),
        ("lic. plate AB12 CDE", Kind.PLATE, "AB12 CDE"),
        ("at 123 Main St, Juneau, AK 99801 today", Kind.ADDRESS, "123 Main St, Juneau, AK 99801"),
        (
            "123 Main Street Apt 4, New York NY 10001-1234",
            Kind.ADDRESS,
            "123 Main Street Apt 4, New York NY 10001-1234",
        ),
        ("at 123 Main St. OK 12345 people", Kind.ADDRESS, "123 Main St."),
        ("card 4111/1111/1111/1111", Kind.CARD, "4111/1111/1111/1111"),
        ("(555) 123-4567 exists in no plan", Kind.TELEPHONE, "(555) 123-4567"),
        ("219\u201309\u20139998", Kind.SOCIAL_SECURITY, "219\u201309\u20139998"),
        ("219.09.9998", Kind.SOCIAL_SECURITY, "219.09.9998"),
        ("\uff12\uff11\uff19-09-9998", Kind.SOCIAL_SECURITY, "\uff12\uff11\uff19-09-9998"),
        ("4111\u00a01111\u00a01111\u00a01111", Kind.CARD, "4111\u00a01111\u00a01111\u00a01111"),
        ("4111 1111 1111 1111 123", Kind.CARD, "4111 1111 1111 1111"),
        ("no 12 4111 1111 1111 1111 12/27", Kind.CARD, "4111 1111 1111 1111"),
        ("12 Mendenhall Loop Road NW, then left", Kind.ADDRESS, "12 Mendenhall Loop Road NW"),
        ("at 100 Broadway", Kind.ADDRESS, "100 Broadway"),
        ("D.O.B. 1-2-90", Kind.BIRTH, "1-2-90"),
        ("born on the 3rd of March 2001", Kind.BIRTH, "3rd of March 2001"),
        ("date of birth (29.2.2000)", Kind.BIRTH, "29.2.2000"),
        ("DOB 1990/03/04", Kind.BIRTH, "1990/03/04"),
        ("DOB 01021990", Kind.BIRTH, "01021990"),
        ("write to joe [at] example [dot] com", Kind.EMAIL, "joe [at] example [dot] com"),
        ("joe\uff20example.com", Kind.EMAIL, "joe\uff20example.com"),
        ("joe at example dot com", Kind.EMAIL, "joe at example dot com"),
        ("joe {at} mail.example <dot> com", Kind.EMAIL, "joe {at} mail.example <dot> com"),
        ("joe @ example.com", Kind.EMAIL, "joe @ example.com"),
        ("907\u00b7586\u00b73304", Kind.TELEPHONE, "907\u00b7586\u00b73304"),
        ("907_586_3304", Kind.TELEPHONE, "907_586_3304"),
        ("(907) - 586 - 3304", Kind.TELEPHONE, "(907) - 586 - 3304"),
        ("907-\u200b586-\u200b3304", Kind.TELEPHONE, "907-\u200b586-\u200b3304"),
        ("Fax.907-586-3304", Kind.TELEPHONE, "907-586-3304"),
        ("call me at 586 33 04", Kind.TELEPHONE, "586 33 04"),
        ("my number is 5863304.", Kind.TELEPHONE, "5863304"),
        ("mail to POB 210", Kind.ADDRESS, "POB 210"),
        ("Post Office Box 21", Kind.ADDRESS, "Post Office Box 21"),
        ("RR 2 Box 152", Kind.ADDRESS, "RR 2 Box 152"),
        ("HC60 Box 212", Kind.ADDRESS, "HC60 Box 212"),
        ("P.O. Box #21", Kind.ADDRESS, "P.O. Box #21"),
        ("12-14 Oak Lane", Kind.ADDRESS, "12-14 Oak Lane"),
        ("at 45 Wild Rose Pass", Kind.ADDRESS, "45 Wild Rose Pass"),
        ("at 123 Bear Creek Pt", Kind.ADDRESS, "123 Bear Creek Pt"),
        ("at 123 Avenue of the Americas", Kind.ADDRESS, "123 Avenue of the Americas"),
        ("at 123 N Franklin", Kind.ADDRESS, "123 N Franklin"),
        ("she lives at 123 Franklin now", Kind.ADDRESS, "123 Franklin"),
        ("One Main Street", Kind.ADDRESS, "One Main Street"),
        ("from Juneau, AK 99801-1234", Kind.ADDRESS, "Juneau, AK 99801-1234"),
        ("ZIP 99801-1234", Kind.ADDRESS, "99801-1234"),
        ("b. May 3, 1990", Kind.BIRTH, "May 3, 1990"),
        ("born in Juneau on May 3, 1990", Kind.BIRTH, "May 3, 1990"),
        ("Born: Thursday, May 3, 1990", Kind.BIRTH, "May 3, 1990"),
        ("bday May 3 '90", Kind.BIRTH, "May 3 '90"),
        ("DOB 050390", Kind.BIRTH, "050390"),
        ("D/O/B 5 / 3 / 1990", Kind.BIRTH, "5 / 3 / 1990"),
        ('DOB "5/3/1990"', Kind.BIRTH, "5/3/1990"),
        ("Date of Birth (mm/dd/yyyy): 05/03/1990", Kind.BIRTH, "05/03/1990"),
        ("5/3/1990 (DOB)", Kind.BIRTH, "5/3/1990"),
        ("plate reads ABC 123", Kind.PLATE, "ABC 123"),
        ("plates are ABC123", Kind.PLATE, "ABC123"),
        ("plate AK-ABC123", Kind.PLATE, "ABC123"),
        ("LP: ABC123", Kind.PLATE, "ABC123"),
        ("plate starting with ABC1", Kind.PLATE, "ABC1"),
        ("SS# 219099998", Kind.SOCIAL_SECURITY, "219099998"),
        ("SSN-219-09-9998", Kind.SOCIAL_SECURITY, "219-09-9998"),
        ("No.219-09-9998", Kind.SOCIAL_SECURITY, "219-09-9998"),
        ("219 - 09 - 9998", Kind.SOCIAL_SECURITY, "219 - 09 - 9998"),
        ("ssn 2 1 9 0 9 9 9 9 8", Kind.SOCIAL_SECURITY, "2 1 9 0 9 9 9 9 8"),
        ("xxx-xx-9998", Kind.SOCIAL_SECURITY, "xxx-xx-9998"),
        ("SSN ending in 9998", Kind.SOCIAL_SECURITY, "ending in 9998"),
        ("ITIN 912-70-1234", Kind.SOCIAL_SECURITY, "912-70-1234"),
        ("CC-4111111111111111", Kind.CARD, "4111111111111111"),
        ("4111\n1111\n1111\n1111", Kind.CARD, "4111\n1111\n1111\n1111"),
        ("4111 - 1111 - 1111 - 1111", Kind.CARD, "4111 - 1111 - 1111 - 1111"),
        ("4111\u200b1111\u200b1111\u200b1111", Kind.CARD, "4111\u200b1111\u200b1111\u200b1111"),
    ],
)
def test_what_has_the_form_is_suggested(text, kind, words):
    assert (kind, words) in kinds(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("000-12-3456 was never issued", Kind.SOCIAL_SECURITY),
        ("666-12-3456 was never issued", Kind.SOCIAL_SECURITY),
        ("912-12-3456 was never issued", Kind.SOCIAL_SECURITY),
        ("219-00-9998 was never issued", Kind.SOCIAL_SECURITY),
        ("order 219099998", Kind.SOCIAL_SECURITY),
        ("4111 1111 1111 1112 lacks the check digit", Kind.CARD),
        ("9111111111111111 begins with no network's digit", Kind.CARD),
        ("room 12 at noon", Kind.ADDRESS),
        ("on 03/04/1987 it rained", Kind.BIRTH),
        ("born on 03/04/2087", Kind.BIRTH),
        ("the license was revoked", Kind.PLATE),
        ("it cost $1,234.5678", Kind.TELEPHONE),
        ("see you @home", Kind.EMAIL),
        ("it takes 24 hours a way", Kind.ADDRESS),
        ("5 minutes on the road", Kind.ADDRESS),
        ("3 cars at Main Street", Kind.ADDRESS),
        ("DOB 13/45/1990", Kind.BIRTH),
        ("born 29.2.2001", Kind.BIRTH),
        ("social media post 219099998", Kind.SOCIAL_SECURITY),
        ("4111 1111 1111 1112 123", Kind.CARD),
        ("tag: 5 Star service", Kind.PLATE),
        ("look at it. Dot com", Kind.EMAIL),
        ("lunch @ 5. See you", Kind.EMAIL),
        ("case number 12345", Kind.ADDRESS),
        ("Resolution 2026 12345", Kind.ADDRESS),
        ("I saw 3 brown dogs run", Kind.ADDRESS),
        ("give 20 us 5", Kind.ADDRESS),
        ("born May 3, 12:00", Kind.BIRTH),
        ("b. 45/45/1990", Kind.BIRTH),
        ("a tin can, 219099998", Kind.SOCIAL_SECURITY),
        ("the last four of 1998", Kind.SOCIAL_SECURITY),
        ("a number of 58633040001234", Kind.TELEPHONE),
        ("registration opens", Kind.PLATE),
    ],
)
def test_what_only_resembles_it_is_not(text, kind):
    assert kind not in {found for found, _ in kinds(text)}


@pytest.mark.parametrize("run", ["\ufdfa", "Jane ", "123 Main St ", "1/1/", "586-3304 "])
def test_long_lists_and_a_long_post_are_compared_in_a_moment(run: str):
    text = (run * 64_000)[:64_000]
    earlier = {f"word {number}": "x" for number in range(200)} | {"jane": "x"}
    begun = process_time()
    suggest(text, minors=["Jane Marie Doe"], earlier=earlier, today=TODAY)
    assert process_time() - begun < 10  # each word of a list was read the post for anew


@pytest.mark.parametrize(
    "run", ["a", "1", "1-", "plate #", "12 ", "born in a ", "123 Aa ", "x at ", "1 1/", "Ann B "]
)
def test_a_post_of_64_kilobytes_without_a_blank_is_looked_through_in_a_moment(run):
    text = (run * 64_000)[:64_000]
    begun = process_time()
    assert not [one for one in suggest(text, today=TODAY) if one.kind is Kind.EMAIL]
    assert process_time() - begun < 10  # it was a minute where each letter could begin an address


def test_names_of_minors_are_found_however_they_are_written_and_only_as_words():
    text = "ANA LÓPEZ and ana  lopez, not Banana Lopezia"
    assert [words for kind, words in kinds(text, minors=["Ana López"]) if kind is Kind.MINOR] == [
        "ANA LÓPEZ",
        "ana  lopez",
    ]


def test_the_words_of_an_exemption_and_earlier_decisions_bring_their_code():
    told = suggest("the informant met Bear Creek Joe", dictionaries={"6(D)": ["informant"]}, earlier={"bear creek joe": "6(C)"})  # fmt: skip
    assert [(one.kind, one.code) for one in told] == [(Kind.DICTIONARY, "6(D)"), (Kind.EARLIER, "6(C)")]


def test_of_two_that_lie_in_one_another_the_wider_is_shown():
    told = suggest("write to 5551234@example.org")
    assert [one.kind for one in told] == [Kind.EMAIL]


@given(st.text(max_size=300))
def test_whatever_is_written_every_suggestion_lies_within_it_and_none_in_another(text: str):
    told = suggest(text, minors=["ana"], earlier={"road closed": "x"})
    assert told == sorted(told)
    for one in told:
        assert 0 <= one.start < one.end <= len(text)
        assert not any(_within(one, other) for other in told if other != one)


def _within(one: Suggestion, other: Suggestion) -> bool:
    return other.start <= one.start and one.end <= other.end


@given(st.text("0123456789", min_size=12, max_size=18))
def test_of_ten_endings_exactly_one_has_the_check_digit(digits: str):
    assert sum(luhn(digits + str(last)) for last in range(10)) == 1


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("José García", "garcia, jose was there", "garcia, jose"),
        ("José García", "it was GARCÍA José\u2019s bike", "GARCÍA José"),
        ("Anne-Marie O'Neil", "O\u2019Neil, Anne Marie", "O\u2019Neil, Anne Marie"),
        ("José", "Jose's, again", "Jose"),
        ("O'Neil", "O\u2019NEIL\u2019S dog", "O\u2019NEIL"),
        ("Łukasz", "LUKASZ", "LUKASZ"),
        ("Jesús", "Jesus' bike", "Jesus"),
        ("Jane Marie Doe", "Jane Doe was there", "Jane Doe"),
        ("Jane Marie Doe", "Doe, Jane M.", "Doe, Jane M."),
        ("Jane Doe", 'that Jane "JD" Doe did', 'Jane "JD" Doe'),
        ("Jane Doe", "that Jane M. Doe\u2019s bike", "Jane M. Doe"),
        ("Jane Doe", "that Jane Marie Ann Doe", "Jane Marie Ann Doe"),
        ("Robert O'Neil Jr.", "Rob O\u2019Neil did it", "Rob O\u2019Neil"),
        ("Jane Doe", "see #JaneDoe", "JaneDoe"),
        ("Jane Doe", "it was jane.doe again", "jane.doe"),
    ],
)
def test_the_name_of_a_minor_is_found_in_either_order_and_whosever(name: str, text: str, words: str):
    assert kinds(text, minors=[name]) == [(Kind.MINOR, words)]


@pytest.mark.parametrize(
    "text",
    [
        "Garcia and Jose",
        "joseph garcia",
        "Garcia then Jose came",
        "Jose and then Garcia",
        "Jose Luis was Garcia",
    ],
)
def test_parts_of_a_minors_name_that_do_not_belong_together_are_not_it(text: str):
    assert kinds(text, minors=["José García"]) == []
