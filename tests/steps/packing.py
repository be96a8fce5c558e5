"""A town with a request: a page of posts and comments, some of it taken out or kept back, and a production made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from PIL import Image
from sqlalchemy import select

from app.capture.leaving import Leaving
from app.db import Tx
from app.disclosure import assembling
from app.disclosure.assembling import Decided
from app.disclosure.package import building, sealing
from app.disclosure.package.building import Built, Sources
from app.disclosure.package.recipe import USUAL, Forms, Ground, Recipe
from app.disclosure.package.sealing import Signer
from app.disclosure.redacting import Field, Held, Redaction, Region, Span, Where, Whole
from app.disclosure.released import Item, Removed
from app.store import Store
from app.store.outgoing import walk
from app.store.tables import records as table
from connectors.contract import Attachment, Author, Gap, Kind, Observation
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment, post

HERON = Attachment(
    id="a", url="https://blog.example/heron.png", media_type="image/png", description="a heron"
)
WEIR = "https://blog.example/2026/weir"
MADE_AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
PRODUCTION = UUID("01a1fc99-a3f4-7348-a35d-bdc97c8c9253")
SECRET = "Quagga Lane 77"
HIDDEN = "Okapi Pemberton"
KEPT_BACK = "the informant said zyzzyva"
GROUNDS = {
    "P-1": Ground("AS 40.25.120(a)(4)", "Private information", "Names and homes of private persons."),
    "A-C": Ground("ARPR 503", "Attorney-client privilege", "Advice of counsel."),
}


class NoRemaker:
    """There is nothing here that would have to be made anew."""

    def can(self, media_type: str | None) -> bool:
        return False

    def remade(self, held: Held, regions: Sequence[tuple[Region, Removed]]) -> tuple[bytes, str]:
        raise AssertionError("nothing is to be made anew")


def certificates(folder: Path, *, since: timedelta = timedelta(days=-1), root: bool = True) -> Signer:
    """The agency's certificate and key for productions, in files as the settings name them."""
    now = datetime.now(UTC)
    name = lambda words: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])  # noqa: E731 - said twice here
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    chain = []
    for words, above, key, signs in (
        ("Harrow Falls records", "Harrow Falls root", keys[0], keys[1]),
        ("Harrow Falls root", "Harrow Falls root", keys[1], keys[1]),
    ):
        chain.append(
            x509.CertificateBuilder()
            .subject_name(name(words))
            .issuer_name(name(above))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + since)
            .not_valid_after(now + since + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=key is keys[1], path_length=None), critical=True)
            .sign(signs, SHA256())
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.pem").write_bytes(
        b"".join(one.public_bytes(Encoding.PEM) for one in (chain if root else chain[:1]))
    )
    (folder / "key.pem").write_bytes(keys[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made = sealing.signer(folder / "chain.pem", folder / "key.pem")
    assert made is not None
    return made


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its name."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (60, 40), (20, 90, 160)).save(out, "PNG")
    return out.getvalue()


def redaction(where: Where, code: str = "P-1") -> Redaction:
    return Redaction(
        where=where, code=code, citation=GROUNDS[code].citation, explanation=GROUNDS[code].explanation,
        by="Ada Clerk", approved_by="Bo Attorney", on=MADE_AT,
    )  # fmt: skip


@dataclass
class Town:
    """A world in which a request was decided."""

    world: World
    decided: dict[int, Decided] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.world.store

    def keys(self) -> list[int]:
        with self.store.database.read() as tx:
            every = list(tx.execute(select(table.c.key).order_by(table.c.key)).scalars())
            return assembling.in_order(tx, every, messages=False)

    def key(self, name: str) -> int:
        return self.world.records()[name].key

    def decide(self, name: str, *redactions: Redaction) -> None:
        self.decided[self.key(name)] = Decided(redactions=redactions)

    def items(
        self, keys: Sequence[int] | None = None, size: int = 1 << 40
    ) -> Callable[[int], Iterator[Item]]:
        chosen = self.keys() if keys is None else list(keys)

        def made(tx: Tx, part: Sequence[int]) -> Mapping[int, Decided]:
            return {key: self.decided[key] for key in part if key in self.decided}

        return lambda position: assembling.items(
            self.store, chosen[position:], made, size=size, messages=False, by=NoRemaker()
        )

    def recipe(self, forms: Forms = USUAL, **more: Any) -> Recipe:
        size = walk.signed_now(self.store)
        told = Recipe(
            production=PRODUCTION, number="PD-2026-0001-P01", request="PD-2026-0001", title="The weir",
            agency=self.store.agency.name, domain=self.store.agency.domain, timezone=self.store.agency.timezone,
            prefix="HF-", first=1, volume="VOL001", made_at=self.store.clock.now().replace(microsecond=0), as_of=size, checkpoint=size, forms=forms,
            exemptions=GROUNDS, software="Muniment (a test)",
        )  # fmt: skip
        return replace(told, **more)

    def sources(self, **more: Any) -> Sources:
        return Sources(**{"store": self.store, "teller": Leaving(self.store), "settle": lambda: None, **more})

    def produce(self, out: Path, recipe: Recipe | None = None, items: Any = None, **more: Any) -> Built:
        """A production in `out`; what it was made in is left there, as it is for whoever writes its numbers down."""
        recipe = recipe or self.recipe()
        out.mkdir(parents=True, exist_ok=True)
        return building.build(recipe, items or self.items(), out, self.sources(**more), workers=1)


def lay(world: World) -> Town:
    """A post that was edited and has a picture; a comment that leaves whole, one without its author, one that is kept
    back with an answer to it; a post with a word taken out; a gap; a message, which is no part of anything."""
    clock = world.clock
    world.client.files = {HERON.url or "": picture()}
    at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

    def weir(words: str) -> Observation:
        return post(
            "p1", words, url=WEIR, attachments=(HERON,), published_at=at,
            author=Author(id="hf", name="Harrow Falls"), counts={"likes": 3},
        )  # fmt: skip

    others: list[Observation] = [
        comment("c1", "Since when?", url=f"{WEIR}#c1", published_at=at.replace(hour=9)),
        Observation(
            native_id="c2-okapi", kind=Kind.COMMENT, text="I live there", in_reply_to="p1",
            author=Author(id="u77", name=HIDDEN, handle="okapi.p"), url=f"{WEIR}#c2-okapi", published_at=at.replace(hour=10),
        ),
        comment("c3", KEPT_BACK, published_at=at.replace(hour=11)),
        comment("c4", "Says who?", on="c3", published_at=at.replace(hour=12)),
        comment("c5", "Poor you", on="c2-okapi", published_at=at.replace(hour=13)),
        post("p2", f"Call at {SECRET} for sandbags", url="https://blog.example/2026/bags", published_at=at.replace(day=2)),
        Observation(native_id="m1", kind=Kind.MESSAGE, text="my number is 12", private=True),
    ]  # fmt: skip
    world.capture(listing(clock, weir("The weir is open"), *others))
    world.capture(
        listing(
            clock, weir("The weir is closed"), *others, gaps=[Gap(what="page 2", why="the server was busy")]
        )
    )
    town = Town(world)
    text = f"Call at {SECRET} for sandbags"
    start = text.index(SECRET)
    town.decide("p2", redaction(Span(1, start, start + len(SECRET))))
    town.decide("c2-okapi", redaction(Field("author")))
    town.decide("c3", redaction(Whole(), "A-C"))
    return town
