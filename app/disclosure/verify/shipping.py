"""What the means that go with a production should say of it: `expected-output.txt`."""

from __future__ import annotations

EXPECTED = "expected-output.txt"


def expected(number: str, production: str, made_at: str, *, versions: int | None, withheld: int) -> str:
    """What both programs say of a production that is whole, as far as it is known before it is sealed.

    `number` is that of its folder, `production` and `made_at` as in its seal;
    `versions` are those of records that are proven, `withheld` those of which
    only the entry is; None where the production has no proofs.
    """
    proven = (
        "no proofs: the production was asked for without them"
        if versions is None
        else f"proven: {versions} versions of records, and the entries of {withheld} that are withheld"
    )
    lines = (
        "the bag: … files, … bytes",
        f"sealed: production {production}, made at {made_at}",
        "… who signed it, and who timestamped it when",
        proven,
        f"VERIFIED: {number}",
    )
    return "".join(f"{line}\n" for line in lines)
