"""What lies beside the bag for whoever is handed it: the means to check it, and whom to compare it with."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from app import ROOT
from app.disclosure.package.recipe import Form, Recipe
from app.disclosure.package.sealing import Signer
from app.disclosure.verify import shipping
from app.store import proofs
from app.store.anchors import Authority

MEANS = ROOT / "app" / "disclosure" / "verify" / "means"
"""Programs that check a production without this one, and the text that tells how."""
OF_A_PROOF = {"verify.py": "proof.py", "verify.sh": "proof.sh"}
"""Those that check one proof, by the names that they bear here."""
_CHUNK = 1 << 20


def beside(folder: Path, recipe: Recipe, versions: int | None, withheld: int) -> None:
    """Make `verify/` and `trust/`; the keys in `trust/` are those of the proofs.

    `versions` are those that are proven of records that leave, None where none
    is; `withheld` how many entries of others are there.
    """
    verify, trust = folder / "verify", folder / "trust"
    for made in (verify, trust):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
    for file in sorted(MEANS.iterdir()):
        if file.is_file():
            shutil.copyfile(file, verify / file.name.lower())
    for file in proofs.means():
        if file.name in OF_A_PROOF:
            shutil.copyfile(file, verify / OF_A_PROOF[file.name])
    told = shipping.expected(
        recipe.folder,
        recipe.number,
        recipe.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        versions=versions,
        withheld=withheld,
    )
    (verify / shipping.EXPECTED).write_text(told, encoding="utf-8")
    for name in ("log.vkey", "witnesses.vkey"):
        key = folder / "bag" / "data" / "proof" / name
        if Form.PROOFS in recipe.forms and key.is_file():
            shutil.copyfile(key, trust / name)


def how_sealed(recipe: Recipe, signer: Signer | None, authorities: Sequence[Authority]) -> list[str]:
    """How signature and timestamps are checked by hand, or that there are none."""
    seal, signature = f"{recipe.folder}.seal.json", f"{recipe.folder}.seal.p7s"
    told = [f"{seal} names the digests of bag/tagmanifest-sha256.txt and outside-sha256.txt."]
    if signer is None:
        told.append("The agency has no certificate for productions: this one is not signed.")
    else:
        told.append(
            f"openssl cms -verify -binary -inform DER -in {signature} -content {seal}"
            " -CAfile trust/agency-chain.pem -purpose any -out /dev/null"
        )
    over = signature if signer is not None else seal
    stamp = signature if signer is not None else seal.removesuffix(".json")
    if authorities:
        told.append(
            f"openssl ts -verify -data {over} -in {stamp}.tsr -CAfile trust/tsa-1.pem, where the file is there."
        )
    else:
        told.append("No timestamp authority is configured: when this was made rests on the agency's word.")
    return told


def exhibits(recipe: Recipe, payload: Path) -> dict[str, str]:
    """The tables to which a certification refers, with their SHA-256."""
    stem = f"data/{recipe.volume.lower()}"
    names = (
        f"{stem}.csv",
        f"{stem}.dat",
        f"{stem}.xlsx",
        "logs/production-log.csv",
        "logs/redaction-log.csv",
    )
    return {name: _digest(payload / name) for name in names if (payload / name).is_file()}


def _digest(file: Path) -> str:
    told = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            told.update(chunk)
    return told.hexdigest()
