"""Every address at which Nextdoor is asked, and what is known of each.

Nextdoor documents its interfaces for partners at developer.nextdoor.com, in
parts only behind an approval. "Documented" is what those pages, or Nextdoor's
own collection of questions, tell to everybody. "Published programs" is what
programs of others ask, which were approved and say that it works. Nothing
here was tried against Nextdoor itself; when an agency is approved and finds
one of these otherwise, this is the place to change.
"""

from __future__ import annotations

SITE = "https://nextdoor.com"
"""The United States. Other countries have hosts of their own (ca.nextdoor.com, nextdoor.co.uk); a page's address tells."""

AUTHORISE = "https://www.nextdoor.com/v3/authorize/"
"""Where a person permits the application. Documented."""

AUTH = "https://auth.nextdoor.com"
TOKEN = "v2/token"  # noqa: S105 - a path, not a token
"""Where a code, or the application's id and secret, become a token. Documented; third parties also name v3/token."""

SCOPES = ("openid", "post:read", "profile:read", "agency.boundary:read")
"""What the account permits: its posts, who it is, its areas. Documented. There is none to read comments with."""

FEED_SCOPE = "openid partner_api.city_digest"
"""What an application asks for to read the public feed. Documented; an older page of the same name says `partner_api`."""

ME = "external/api/partner/v1/me/"
"""Who the account is. Documented, and its members by published programs."""

PROFILES = "external/api/partner/v1/me/profiles/"
"""The profiles of an account that has several. Documented, and its members by published programs."""

POSTS = "external/api/partner/v1/post/"
"""The account's own posts ("get-your-posts"). Documented by name; address and members by published programs. That it
is paged as `AREAS` is, where it is paged at all, is our guess: no page says either."""

AREAS = "external/api/partner/v1/agency/boundary/"
"""The areas that an agency may address. Address, members and paging (`after`, `cursor`) by published programs."""

AGENCIES = "partner_api/v1/agency_list"
"""The agencies of a state with their numbers. Address and members by a published program."""

DIGEST = "partner_api/v1/agency_digest"
"""What the public is shown of an agency. Members documented, the address by a published program. That it is counted off
in pages, as the lists beside it are, is our guess."""
