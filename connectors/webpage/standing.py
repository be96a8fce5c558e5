"""Whether an answer is the page itself, or something that stands in its place. Pure.

Sites answer 200 with pages that are not the page that was asked for: a form to
sign in, a wall that asks for consent, a challenge, a notice that nothing was
found, a host's placeholder. None of them is an edit. These are heuristics:
they look at what is left of a page when the words of such notices are taken
away, so that a page with a cookie banner, a box to sign in, or an article
about errors is still a page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.webpage.places import host, is_front, same_site
from connectors.webpage.reading import Reading

_SIGN_IN_PATH = re.compile(
    r"/(?:wp-login|log-?in|sign-?in|sso|oauth2?|saml|adfs|auth|anmelden|connexion)\b", re.IGNORECASE
)
_SIGN_IN = re.compile(
    r"(?:please )?(?:log ?in|sign ?in|log on|anmelden|anmeldung|einloggen|connexion|se connecter|iniciar sesi[oó]n|acceder)"
    r"(?: (?:to|required|at|bei|[aà]) .*)?|authentication required",
    re.IGNORECASE,
)
_CONSENT_PLACE = re.compile(
    r"(?:^|[./])(?:consent|cookie-?wall|privacy-?wall|privacygate|cmp)(?:[./]|$)", re.IGNORECASE
)
_CONSENT = re.compile(
    r"\b(?:cookies?|consent\w*|before you continue|bevor sie fortfahren|avant de continuer|antes de continuar|einwillig\w*|"
    r"zustimm\w*|consentement|consentimiento)\b",
    re.IGNORECASE,
)
_CONSENT_TALK = re.compile(
    r"\b(?:cookies?|consent\w*|privacy|personal data|partners?|vendors?|accept\w*|reject\w*|agree\w*|manage|preferences|settings|"
    r"choices|options|continue|personali[sz]\w*|datenschutz\w*|einwillig\w*|zustimm\w*|ablehnen|akzeptieren|alle|"
    r"einstellungen|accepter|refuser|param[eè]tres|aceptar|rechazar|terms|imprint|impressum)\b",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"(?:(?:error|fehler|erreur)? ?(?:404|410)(?: ?(?:error|fehler))?(?: ?[-–—:|(]? ?)?)?"
    r"(?:(?:sorry|oops|uh-oh|ups|whoops|hoppla)[ ,.!…-]*)?"
    r"(?:(?:the |this |that |your |requested |die |diese |la |cette |esta )*+"
    r"(?:page|seite|p[aá]gina|content|document|file|profile|user|account|resource|inhalt)?"
    r" ?(?:you(?:'|’)?(?: a)?re looking for |you requested |requested |angeforderte )?"
    r"(?:was |were |is |could |can |has |have |does |isn(?:'|’)t |doesn(?:'|’)t |no |not |be |been |longer |cannot |can(?:'|’)t |"
    r"couldn(?:'|’)t |wurde |konnte |nicht |leider |n(?:'|’)a pas |n(?:'|’)existe |pas |se |ha )*+"
    r"(?:not ?found|found|exists?|available|removed|deleted|gefunden(?: werden)?|trouv[ée]e?|introuvable|encontrada|existe|"
    r"unavailable|nothing (?:was )?found(?: here)?|nothing here))?\)?[.!…]*",
    re.IGNORECASE,
)
_NOT_FOUND_SIGNS = re.compile(
    r"404|410|not ?found|nothing|n(?:o|'t|’t) (?:longer )?(?:be )?(?:found|exist|available)|cannot be found|removed|deleted|"
    r"nicht gefunden|nicht mehr|introuvable|pas [ée]t[ée] trouv|n(?:'|’)existe pas|no (?:se ha )?encontrad|no existe|unavailable",
    re.IGNORECASE,
)
_CHALLENGE = re.compile(
    r"just a moment|attention required|checking your browser|verify(?:ing)? (?:that )?you are (?:a )?human|are you a robot|"
    r"access denied|request blocked|security check|ddos protection|please enable cookies and reload|pardon our interruption|"
    r"request unsuccessful\W+incapsula|making sure you(?:'|’)re not a bot|please enable js and disable any ad ?blocker|"
    r"press (?:&|and) hold to confirm|vercel security checkpoint|client challenge|robot check|bot verification|"
    r"human verification|one moment, please|unusual traffic from your|(?:verify|check)ing your (?:browser|connection)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"this domain (?:name )?(?:is|may be) (?:for sale|parked|expired)|(?:buy|inquire about) this domain|domain (?:is )?parked|"
    r"domain (?:has|name has) expired|this (?:web ?site|account|site) (?:is|has been) suspended|account suspended|"
    r"future home of|apache2? .{0,20}default page|welcome to nginx|^it works!?$|iis windows server|default web ?site page|"
    r"diese domain (?:steht zum verkauf|ist geparkt)|related searches .{0,80}privacy policy",
    re.IGNORECASE | re.MULTILINE,
)
_PARKING_HOSTS = re.compile(
    r"(?:^|\.)(?:sedoparking|bodis|parkingcrew|hugedomains|dan|afternic|parklogic|above|uniregistry|undeveloped)\.com$"
)
_OUTAGE = re.compile(
    r"(?:down|closed|unavailable|offline) for (?:scheduled )?maintenance|scheduled maintenance|under maintenance|maintenance mode|"
    r"error establishing a database connection|service (?:is )?(?:temporarily )?unavailable|wartungsarbeiten|"
    r"en (?:cours de )?maintenance|en mantenimiento|a critical error on this website|internal server error|"
    r"database connection (?:failed|error)",
    re.IGNORECASE,
)
_OF_THE_SERVER = re.compile(
    r"upstream connect error|no healthy upstream|\bbad gateway\b|gateway time-?out\b|bandwidth limit exceeded|"
    r"(?:web ?site|web ?page|server) is (?:currently )?undergoing (?:\w+ )?maintenance",
    re.IGNORECASE,
)
_TITLED_OUTAGE = re.compile(
    r"we(?:(?:'|’)ll| will) be (?:right )?back(?: soon| shortly)?[.!…]*|be right back[.!…]*|"
    r"(?:web ?)?site maintenance|maintenance in progress|"
    r"(?:error )?(?:401|403|429|5\d\d)(?: error)?(?: ?[-–—:|]? ?(?:unauthorized|forbidden|too many requests|[a-z ]*\berror|"
    r"bad gateway|service (?:temporarily )?unavailable|gateway time-?out))?",
    re.IGNORECASE,
)
_AT_ONCE = re.compile(r"\s*[0-5](?:\.\d*)?\s*[;,]\s*url\s*=", re.IGNORECASE)
_FEW = 40
_SOME = 150


def instead_of(page: Reading, *, asked: str, answered: str, missing: Sequence[str] = ()) -> str | None:
    """What stands in the page's place, in a sentence; None where it is the page.

    `asked` and `answered` are the addresses before and after redirects;
    `missing` are words by which this site says that it has no such page.
    """
    text = page.text
    count = len(text.split())
    named = [page.title, *page.headings[:3]]
    looks = (
        _sign_in(page, named, count, answered, asked)
        or _consent(text, answered, asked)
        or _challenge(named, text, count)
        or _placeholder(page, text, count, answered)
        or _outage(named, text, count)
        or _not_found(named, text, asked, answered, missing)
    )
    if looks is not None:
        return looks
    if count < _FEW and page.refresh is not None and _AT_ONCE.match(page.refresh):
        return "a page that leads on to another address at once"
    if count == 0 and not page.files and not page.title:
        return "an empty page"
    return None


def _sign_in(page: Reading, named: Sequence[str], count: int, answered: str, asked: str) -> str | None:
    led = answered != asked and _SIGN_IN_PATH.search(answered) and not _SIGN_IN_PATH.search(asked)
    says = any(_SIGN_IN.fullmatch(segment) for title in named for segment in _segments(title))
    if led and (page.has_password_field or says or count < _FEW):
        return "a page that asks to sign in"
    titled = any(_SIGN_IN.fullmatch(segment) for segment in _segments(page.title))
    if titled and count < _FEW and not _SIGN_IN_PATH.search(asked):
        return "a page that asks to sign in"
    if page.has_password_field and (count < _FEW or (says and count < _SOME)):
        return "a page that asks to sign in"
    return None


def _consent(text: str, answered: str, asked: str) -> str | None:
    led = answered != asked and any(
        _CONSENT_PLACE.search(part) for part in answered.partition("://")[2].split("/")[:4]
    )
    if not _CONSENT.search(text):
        return "a wall that asks for consent" if led and len(text.split()) < _SOME else None
    left = [line for line in text.splitlines() if line.strip() and not _CONSENT_TALK.search(line)]
    if led or sum(len(line.split()) for line in left) < 12:
        return "a wall that asks for consent"
    return None


def _challenge(named: Sequence[str], text: str, count: int) -> str | None:
    if count < _SOME and (
        any(_CHALLENGE.match(one.strip()) for one in named) or (count < _FEW and _CHALLENGE.search(text))
    ):
        return "a challenge of the firewall before the site"
    return None


def _placeholder(page: Reading, text: str, count: int, answered: str) -> str | None:
    if _PARKING_HOSTS.search(host(answered).partition(":")[0]):
        return "a page of a company that parks domains"
    if (
        count < 2 * _SOME
        and (_PLACEHOLDER.search(page.title) or _PLACEHOLDER.search(text))
        and len(page.links) < 25
    ):
        return "a host's placeholder or a parked domain"
    return None


def _outage(named: Sequence[str], text: str, count: int) -> str | None:
    if count < 2 * _FEW and (any(_OUTAGE.search(one) for one in named) or _OUTAGE.search(text)):
        return "a notice of maintenance or of a fault"
    titled = any(_TITLED_OUTAGE.fullmatch(part) for part in _segments(named[0]))
    if count < 2 * _FEW and (titled or (count < _FEW and _OF_THE_SERVER.search(text))):
        return "a notice of maintenance or of a fault"
    return None


def _not_found(
    named: Sequence[str], text: str, asked: str, answered: str, missing: Sequence[str]
) -> str | None:
    if any(words.lower() in text.lower() or words.lower() in named[0].lower() for words in missing):
        return "this site's own notice that there is no such page"
    for title in named:
        if any(
            len(segment) < 120 and _NOT_FOUND_SIGNS.search(segment) and _NOT_FOUND.fullmatch(segment)
            for segment in _segments(title)
        ):
            return "a notice, with status 200, that there is no such page"
    if not is_front(asked) and is_front(answered) and same_site(asked, answered):
        return "the site's front page, to which the address leads now"
    return None


def _segments(title: str) -> list[str]:
    """A title's parts, which sites divide from their name in many ways; the whole is one of them."""
    return [
        title.strip(),
        *(part.strip() for part in re.split(r"\s+[|–—·»«:-]\s+|\s*[|»]\s*", title) if part.strip()),
    ]
