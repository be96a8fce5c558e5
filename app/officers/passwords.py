"""Passwords: long rather than odd (NIST SP 800-63B, 3.1.1), kept as Argon2id (RFC 9106)."""

from __future__ import annotations

import contextlib
import secrets
import unicodedata
from collections.abc import Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from app.records.errors import IntegrityFailure, Invalid

SHORTEST, LONGEST = 12, 1_024
"""In characters. The upper end keeps a megabyte from being hashed; no person meets it."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not taken for one another when they are read aloud."""

# What people choose when twelve characters are asked for. Shorter ones are refused for being short.
_COMMONEST = frozenset(
    """
    000000000000 111111111111 111222333444 112233445566 121212121212 123123123123 123321123321 123412341234
    123451234512 123456123456 1234567890ab 1234567890qw 123456789012 123456789123 1234567891011 1234567898765
    12345678910111 123456654321 12345qwert12345 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1qaz2wsx3edc
    1qaz2wsx3edc4rfv 1qazxsw23edc 987654321000 987654321012 aaaaaaaaaaaa abc123abc123 abcabcabcabc abcd1234abcd
    abcd12345678 abcdefg12345 abcdefgh1234 abcdefghijkl abcdefghijklm abcdefghijklmnopqrstuvwxyz administrator
    administrator1 adminadminadmin admin1234567 admin12345678 asdfasdfasdf asdfghjkl123
    changeme1234 changemenow1 changemeplease correcthorsebatterystaple
    football1234 iloveyou1234 iloveyouiloveyou iloveyousomuch letmein12345 letmeinletmein letmeinplease
    mypassword12 mypassword123 passw0rd1234 password1234 password12345 password123456 password123! password2024
    password2025 password2026 password2027 passwordpassword passwort1234 p@ssw0rd1234 p@ssword1234 q1w2e3r4t5y6
    qazwsxedcrfv qazwsxedc123 qwerty123456 qwerty1234567 qwertyqwerty qwertyuiop12 qwertyuiop123 qwertyuiop[]
    qwertyuiopasdfghjklzxcvbnm qwertzuiop12 secretsecret sunshine1234 superman1234 trustno1trustno1 welcome12345
    welcome123456 welcomewelcome zaq12wsxcde3 zxcvbnm12345 zxcvbnmasdfghjkl
    """.split()  # noqa: SIM905 - seventy words are read more easily without quotation marks
) | {"correct horse battery staple"}

_hasher = PasswordHasher()


class PasswordNotAccepted(Invalid):
    """The password is too short, or among the first that anybody would try."""

    code = "password-not-accepted"


class PasswordUnreadable(IntegrityFailure):
    """What is kept of a password is not what this program wrote."""

    code = "password-unreadable"


def accepted(password: str, *, about: Sequence[str] = ()) -> str:
    """`password` itself, or `PasswordNotAccepted`.

    It has at least twelve characters, is not one of the commonest and none of
    the words in `about` (the e-mail, the agency). Nothing is asked about
    which characters it is made of.
    """
    if len(password) < SHORTEST:
        raise PasswordNotAccepted(
            f"a password has at least {SHORTEST} characters",
            next="Choose a longer one; a few words in a row are good.",
        )
    if len(password) > LONGEST:
        raise PasswordNotAccepted(f"a password has at most {LONGEST} characters")
    if any("\ud800" <= sign <= "\udfff" for sign in password):
        raise PasswordNotAccepted("the password holds half a character")
    folded = _folded(password)
    if folded in _COMMONEST or folded in {_folded(word) for word in about}:
        raise PasswordNotAccepted(
            "this password is among the first that anybody would try",
            next="Choose one that nobody would guess.",
        )
    return password


def hashed(password: str) -> str:
    """What is kept of a password: Argon2id with its salt and parameters."""
    return _hasher.hash(_prepared(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one of which `kept` was made; None matches nothing, at the same cost."""
    try:
        _hasher.verify(kept or _nobodys(), _prepared(password))
    except VerifyMismatchError:
        return False
    except InvalidHashError as error:
        raise PasswordUnreadable(
            "a password's hash is of no known form",
            next="Compare the database with a backup; a reset makes a new one.",
        ) from error
    return kept is not None


def outdated(kept: str) -> bool:
    """Whether a password was hashed with other parameters than one would be today; one that nobody can read was not."""
    with contextlib.suppress(InvalidHashError):
        return _hasher.check_needs_rehash(kept)
    return False


def generated() -> str:
    """A password of 99 bits that can be read aloud: four groups of five."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


@cache
def _nobodys() -> str:
    """A hash that no password has; it makes an unknown e-mail cost what a known one does."""
    return _hasher.hash(secrets.token_bytes(32))


def _prepared(password: str) -> bytes:
    """The bytes that are hashed: normalised, so that two keyboards that write one character differently agree."""
    if len(password) > LONGEST:
        return b""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
