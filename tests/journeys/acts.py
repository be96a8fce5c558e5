"""Every act of the command line with schedules, holds and disposals, and where the other doors do it."""

from __future__ import annotations

from typing import Any

BESIDE = {
    "schedule check": "what is wrong with a file is told by the preview too, and needs no archive on the command line",
    "retention unassign": "an assignment to no series, on the same route and form",
}
"""Acts of the command line that have no route or form of their own name, and where they are done."""
ROUTES = {
    "schedule adopt": ("/schedules", "/schedules/adopt"),
    "schedule list": ("/schedules", "/schedules"),
    "schedule show": ("/schedules/{schedule}", "/schedules/{schedule}"),
    "schedule end": ("/schedules/{schedule}/end", "/schedules/{schedule}/end"),
    "retention preview": ("/retention", "/retention"),
    "retention explain": ("/records/{record}/explain", "/records/{record}/retention"),
    "retention classify": ("/retention/classification", "/retention/classify"),
    "retention assign": ("/retention/assignments", "/records/{record}/retention/assign"),
    "retention event": ("/retention/events", "/records/{record}/retention/event"),
    "retention take-back": ("/retention/events/{event}/take-back", "/records/{record}/retention/take-back"),
    "retention extend": ("/retention/extensions", "/records/{record}/retention/extend"),
    "retention reviews": ("/retention/reviews", "/retention/reviews"),
    "retention review": ("/retention/reviews", "/records/{record}/retention/review"),
    "retention simulate": ("/retention/simulation", "/retention/years"),
    "matter open": ("/matters", "/matters"),
    "matter list": ("/matters", "/matters"),
    "matter show": ("/matters/{matter}", "/matters/{matter}"),
    "matter change": ("/matters/{matter}/change", "/matters/{matter}/{act}"),
    "matter member": ("/matters/{matter}/members/leave", "/matters/{matter}/{act}"),
    "matter custodian": ("/matters/{matter}/custodians/leave", "/matters/{matter}/{act}"),
    "matter close": ("/matters/{matter}/close", "/matters/{matter}/{act}"),
    "hold place": ("/holds", "/holds"),
    "hold preview": ("/holds/preview", "/matters/{matter}/place"),
    "hold list": ("/holds", "/matters"),
    "hold show": ("/holds/{hold}", "/holds/{hold}"),
    "hold records": ("/holds/{hold}/records", "/holds/{hold}"),
    "hold preview-release": ("/holds/{hold}/release-preview", "/holds/{hold}"),
    "hold release": ("/holds/{hold}/release", "/holds/{hold}/{act}"),
    "hold approve-release": ("/holds/{hold}/approve-release", "/holds/{hold}/{act}"),
    "hold cancel-release": ("/holds/{hold}/cancel-release", "/holds/{hold}/{act}"),
    "hold consent": ("/holds/{hold}/consent", "/holds/{hold}/{act}"),
    "hold notify": ("/holds/{hold}/notices", "/holds/{hold}/{act}"),
    "hold notices": ("/holds/{hold}/notices", "/holds/{hold}"),
    "hold letter": ("/holds/{hold}/letter", "/holds/{hold}/letter"),
    "disposition list": ("/dispositions", "/dispositions"),
    "disposition propose": ("/dispositions", "/dispositions/propose"),
    "disposition order": ("/dispositions/orders", "/dispositions/order"),
    "disposition approve": ("/dispositions/{disposition}/approve",) * 2,
    "disposition reject": ("/dispositions/{disposition}/reject",) * 2,
    "disposition withdraw": ("/dispositions/{disposition}/withdraw",) * 2,
    "disposition leave-out": ("/dispositions/{disposition}/leave-out",) * 2,
    "disposition execute": ("/dispositions/{disposition}/execute",) * 2,
    "disposition certificate": ("/dispositions/{disposition}/certificate",) * 2,
    "disposition transfer": ("/dispositions/{disposition}/transfer",) * 2,
    "disposition accept": ("/dispositions/{disposition}/accept",) * 2,
    "disposition show": ("/dispositions/{disposition}",) * 2,
    "disposition confirm-holds": ("/dispositions/confirm-holds",) * 2,
}
"""Where each act of the command line is done over the API and on the pages."""


def choices(parser: Any) -> dict[str, Any]:
    """The commands below one."""
    return next(dict(one.choices) for one in parser._actions if hasattr(one, "_choices_actions"))
