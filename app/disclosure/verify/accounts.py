"""What a production says of itself, in `production.json`, against what lies there: its recipe, its forms, its counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.disclosure.formats.profiles import UnknownProfile, called
from app.disclosure.package.recipe import BadPrefix, BadRecipe, Form, Recipe, recalled
from app.disclosure.verify.documents import Counts, has_rows
from app.disclosure.verify.findings import Finding, Note, Wrong
from app.disclosure.verify.lying import Outside
from app.store.canonical import canonical

NAME = "production.json"
_WHERE = f"bag/data/{NAME}"
_LARGEST = 256 << 20
_FOLDERS = {
    Form.TEXT: "text",
    Form.PDF: "pdf",
    Form.HTML: "html",
    Form.RSMF: "rsmf",
}
"""What is there in every production of this form; of others there may be nothing to put there."""
_ONLY = _FOLDERS | {Form.NATIVE: "natives", Form.IMAGES: "images", Form.WACZ: "wacz"}


@dataclass(frozen=True, slots=True)
class Account:
    """What a production says of itself."""

    recipe: Recipe
    told: Mapping[str, Any]


def read(of: Outside) -> Account:
    """Read it; raises `Wrong` for what the builder of productions cannot have written."""
    file = of.data / NAME
    if not file.is_file():
        raise Wrong("file-missing", "a production holds this", _WHERE)
    if file.stat().st_size > _LARGEST:
        raise Wrong("production-form", "it is larger than any of its kind", _WHERE)
    body = file.read_bytes()
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
        if canonical(told) != body or told["v"] != 1:
            raise ValueError("it is not written in the one way")
        recipe = recalled(told["recipe"])
        if not all(isinstance(told[name], dict) for name in ("counts", "range")):
            raise ValueError("its counts are not there")
        if any(
            one.keys() != {"id", "released", "withheld"} or str(UUID(one["id"])) != one["id"]
            for one in told["pages"]
        ):
            raise ValueError("its pages are not there")
        if not all(isinstance(one, dict) for one in told.get("left_out", [])):
            raise ValueError("what it has not is not told as it is")
        called(recipe.profile)
    except (
        BadRecipe,
        BadPrefix,
        UnknownProfile,
        msgspec.MsgspecError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise Wrong("production-form", str(error) or "it is not as one is written", _WHERE) from error
    return Account(recipe, told)


def look(of: Outside, account: Account) -> Iterator[Finding | Note]:
    """Whether it is this production, with just the forms that it says."""
    recipe = account.recipe
    said = _sealed(of)
    if said is not None:
        if recipe.folder != of.number or said.get("production") != recipe.number:
            what = "the seal is that of another production"
            yield Finding("production-differs", what, f"{_WHERE}, {of.seal.name}")
        if said.get("made_at") != recipe.told()["made_at"]:
            yield Finding("production-differs", "the seal names another time", f"{_WHERE}, {of.seal.name}")
    for form, folder in _ONLY.items():
        there = (of.data / folder).exists()
        if there and form not in recipe.forms:
            yield Finding(
                "production-differs", f"it says that it has no {form}, and {folder}/ is there", _WHERE
            )
        elif not there and form in recipe.forms and form in _FOLDERS:
            yield Finding(
                "production-differs", f"it says that it has {form}, and {folder}/ is not there", _WHERE
            )
    checkpoint = of.data / "proof" / "checkpoint"
    if checkpoint.exists() != (Form.PROOFS in recipe.forms):
        yield Finding("production-differs", "whether it has proofs is not as it says", _WHERE)
    elif checkpoint.exists() and checkpoint.read_bytes().split(b"\n")[1:2] != [
        str(recipe.checkpoint).encode()
    ]:
        yield Finding(
            "production-differs",
            "its proofs stand under another checkpoint than it says",
            f"{_WHERE}, bag/data/proof/checkpoint",
        )
    for one in account.told.get("left_out", ()):
        yield Note("left-out", f"{one.get('what')}: {one.get('why')}")
    if not has_rows(recipe):
        yield Note("no-load-file", "it has no load file, so its documents are not compared with one another")


def pages(account: Account) -> dict[str, dict[str, int]]:
    """How many records of each page are released and withheld, by the page's id."""
    return {
        str(one["id"]): {"released": one["released"], "withheld": one["withheld"]}
        for one in account.told["pages"]
    }


def _sealed(of: Outside) -> Mapping[str, Any] | None:
    """What the seal says; None where it cannot be read, which was found before."""
    if of.seal.stat().st_size > _LARGEST:
        return None
    try:
        return msgspec.json.decode(of.seal.read_bytes(), type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError):
        return None


def counted(account: Account, counts: Counts) -> Iterator[Finding]:
    """Whether as many documents, pages and withheld ones are listed as it says."""
    if not has_rows(account.recipe):
        return
    said, extent = account.told["counts"], account.told["range"]
    told = {
        "documents": (said.get("documents"), counts.documents),
        "pages": (said.get("pages"), counts.pages),
        "withheld": (said.get("withheld"), counts.withheld),
        "redacted": (said.get("redacted"), counts.redacted),
        "first": (extent.get("first"), counts.first),
        "last": (extent.get("last"), counts.last),
    }
    for name, (one, other) in told.items():
        if one != other:
            yield Finding("production-differs", f"{name} is {one}, and the load files have {other}", _WHERE)
