"""Says how it stands with a profile: whether it is public, and what its page shows now."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Finding
from connectors.errors import NoSuchPage, UnexpectedResponse
from connectors.snapchat.asking import Asking
from connectors.snapchat.reading import SAVED, SPOTLIGHTS, STORY


def findings(asking: Asking) -> Iterator[Finding]:
    """One page shows all of it."""
    try:
        shown = asking.profile()
    except (NoSuchPage, UnexpectedResponse) as refused:
        yield Finding(what="profile", fine=False, remedy=str(refused))
        return
    if not shown.public:
        yield Finding(
            what=f"profile @{asking.name}",
            fine=False,
            remedy="The account has no public profile: its page shows a name and nothing else. In Snapchat, open My Profile > "
            "Public Profiles, and create one.",
        )
        return
    yield Finding(what=f"public profile @{asking.name}", fine=True)
    counts = {STORY: len(shown.story), SAVED: len(shown.saved), SPOTLIGHTS: len(shown.spotlights)}
    for part, count in counts.items():
        if part in shown.lacking:
            yield Finding(
                what=part,
                fine=False,
                remedy="The profile says that it has some, and its page came without them. Check again in an hour; if it goes on, "
                "look at the page in a browser.",
            )
        else:
            yield Finding(what=f"{part}: {count} shown now", fine=True)
