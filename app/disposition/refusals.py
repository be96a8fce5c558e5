"""What disposition refuses, each with what comes first."""

from __future__ import annotations

from app.records.errors import Invalid, NotFound, NotPermitted, Refused, Unavailable

WITHDRAWN_ON_RECHECK = "withdrawn_on_recheck"
"""Why a record stays that was looked at again when its batch was executed: one and the same for everyone.

Whether a hold, another edition or a new fact kept it is for whoever may know
of the hold to find out; a word that differs would tell of a silent matter.
"""


class NoSuchProposal(NotFound):
    """Nothing of that id was proposed for disposal."""

    code = "no-such-proposal"


class NothingEligible(Refused):
    """No record of the series is eligible that may be proposed."""

    code = "nothing-eligible"


class DayToCome(Invalid):
    """Records were to be proposed as of a day that is still to come, or that is none."""

    code = "day-to-come"


class BadOrder(Invalid):
    """An order names no record, or has no instrument."""

    code = "bad-order"


class ProposerApproves(Refused):
    """Somebody was to approve what they proposed themselves."""

    code = "proposer-approves"


class SameOfficerTwice(Refused):
    """Somebody was to approve a second time."""

    code = "same-officer-twice"


class NotYourStep(NotPermitted):
    """The chain of approvals waits for a role that you do not hold."""

    code = "not-your-step"


class InstrumentMissing(Refused):
    """The schedule demands an instrument of the governing body, and none was named."""

    code = "instrument-missing"


class NotWaitingForThat(Refused):
    """The proposal does not stand so that this could be done with it."""

    code = "proposal-state"


class EditionChanged(Refused):
    """Another edition is in force than the one under which this was proposed: its approvals are void."""

    code = "edition-changed"


class WaitingPeriod(Refused):
    """The waiting period has not passed."""

    code = "waiting-period"


class ClockInDoubt(Refused):
    """The machine's clock cannot be believed, and nothing is executed by it."""

    code = "clock-in-doubt"


class NotAnchored(Unavailable):
    """No timestamp from outside covers the authorisation yet."""

    code = "not-anchored"


class HoldsUnconfirmed(Refused):
    """A restore lost entries of the ledger, holds may be among them, and nobody has confirmed the holds since."""

    code = "holds-unconfirmed"


class NotATransfer(Refused):
    """This is to be destroyed, not to be transferred."""

    code = "not-a-transfer"


class NoReceipt(Refused):
    """The archives have not given a receipt for what is to be transferred."""

    code = "no-receipt"


class MessagesInside(NotPermitted):
    """Private messages are among the records, and you may not read them."""

    code = "messages-inside"


class NotExecuted(Refused):
    """Nothing was executed that a certificate could speak of."""

    code = "not-executed"
