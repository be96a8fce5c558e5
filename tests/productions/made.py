"""Productions to check: one made whole, by the program itself, signed, timestamped and witnessed; and copies of it that were sealed anew after an edit."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import main
from app.disclosure.package import sealing
from app.disclosure.package.building import Built
from app.disclosure.package.recipe import Recipe
from app.disclosure.package.sealing import Signer
from app.index.attached import Attached
from app.index.extracting import Extractor
from app.records.clock import FixedClock
from app.store import Store, anchors, bag, witness
from app.store.anchors import Authority
from app.store.asking import Ask
from tests.archives import close, settings_at
from tests.steps.packing import Town, lay
from tests.steps.test_capture import World
from tests.steps.vouching import Office, TimestampServer, asking, serving


def signer(name: str = "Harrow Falls", now: datetime | None = None) -> Signer:
    """An agency's certificate under a root of its own, with both in the chain."""
    now = now or datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate(f"{name} root", root_key, f"{name} root", root_key, now, ca=True)
    leaf = _certificate(f"{name} root", root_key, name, key, now, ca=False)
    return Signer([leaf, root], key)


def _certificate(
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    ca: bool,
) -> x509.Certificate:
    def called(words: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])

    return (
        x509.CertificateBuilder()
        .issuer_name(called(issuer))
        .subject_name(called(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=300))
        .not_valid_after(now + timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


@dataclass
class Made:
    """A production with everything that could seal it again."""

    folder: Path
    built: Built
    recipe: Recipe
    town: Town
    signs: Signer
    office: Office
    authorities: list[Authority]
    ask: Ask
    clock: FixedClock

    @property
    def store(self) -> Store:
        return self.town.store

    def office_root(self) -> x509.Certificate:
        """The timestamp authority's root certificate."""
        return x509.load_pem_x509_certificate(self.office.root.read_bytes())

    def copied(self, to: Path) -> Path:
        """A copy whose files are the same ones until they are replaced, so that it costs next to nothing."""
        return Path(shutil.copytree(self.folder, to, copy_function=os.link))

    def seal(
        self, folder: Path, *, signs: Signer | None = None, signed: bool = True, stamped: bool = True
    ) -> None:
        """Bag and seal what lies in `folder`, as its maker would after having made it otherwise."""
        rebag(folder)
        self.seal_alone(folder, signs=signs, signed=signed, stamped=stamped)

    def seal_alone(
        self, folder: Path, *, signs: Signer | None = None, signed: bool = True, stamped: bool = True
    ) -> None:
        """Seal what lies in `folder`, whatever its bag says."""
        for file in folder.glob("*.seal*"):
            file.unlink()
        roots = [self.office.root.read_bytes()] if stamped else []
        for file in (folder / "trust").glob("*.pem"):
            file.unlink()
        (folder / sealing.OUTSIDE).unlink()
        sealing.seal(
            folder,
            self.recipe,
            (signs or self.signs) if signed else None,
            self.authorities if stamped else [],
            self.ask,
            self.clock,
            roots,
        )


@contextmanager
def production(template: Path, out: Path) -> Iterator[Made]:
    """A production of the town, sealed by everyone who can."""
    clock = FixedClock(datetime.now(UTC).replace(microsecond=0))  # openssl timestamps with the machine's time
    home = Path(shutil.copytree(template, out / "home"))
    store = main.open_store(settings_at(home), clock)
    with ExitStack() as outside:
        outside.callback(close, store)
        town = lay(World(store, clock))
        clock.at = datetime.now(UTC).replace(microsecond=0)
        office = Office(out / "office", "Office of Time")
        authority = TimestampServer(office)
        outside.enter_context(serving(authority))
        ask = outside.enter_context(asking())
        desk = witness.Desk(out / "desk", "clerk.example/witness", [store.ledger.verifier()], clock)
        outside.callback(desk.close)
        server = witness.Server(desk, "127.0.0.1", 0)
        outside.enter_context(serving(server))
        seen = [witness.Witness(f"http://127.0.0.1:{server.server_port}", desk.cosigner.key())]
        asked = anchors.authorities(authority.setting)
        anchors.attest(
            store, asked, seen, ask, by=None, why="test"
        )  # an earlier one, for the proofs' history
        with store.database.begin() as tx:
            store.ledger.act(tx, "page", by=None, why="test", facts={"n": 1})
        told = anchors.attest(store, asked, seen, ask, by=None, why="test")
        signs = signer()
        recipe = town.recipe(made_at=clock.now(), checkpoint=told.size, as_of=told.size, first=5)
        built = town.produce(out / "made", recipe, signer=signs, authorities=asked, ask=ask)
        yield Made(built.folder, built, recipe, town, signs, office, list(asked), ask, clock)


class Remembering(Extractor):
    """Reads PDFs as the product does, each content once: a hundred checks see the same pages."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[bytes, Attached] = {}

    def read(self, chunks: Iterable[bytes], size: int, media_type: str, name: str) -> Attached:
        content = b"".join(chunks)
        digest = hashlib.sha256(content).digest()
        if digest not in self._known:
            self._known[digest] = super().read([content], size, media_type, name)
        return self._known[digest]


# -- edits -------------------------------------------------------------------------------------------------

Change = Callable[[bytes], bytes]


def replaced(file: Path, content: bytes) -> None:
    """Put other content into a file of a copy, and leave the file that it was copied from alone."""
    file.unlink(missing_ok=True)
    file.write_bytes(content)


def edit(file: Path, change: Change) -> None:
    before = file.read_bytes()
    after = change(before)
    assert before != after, f"{file.name} is changed by it"
    replaced(file, after)


def rebag(folder: Path) -> None:
    """Write the bag's manifests anew over what lies in it now."""
    held = folder / "bag"
    info = (held / "bag-info.txt").read_text()
    files = sorted(file for file in (held / "data").rglob("*") if file.is_file())
    size = sum(file.stat().st_size for file in files)
    head, _, _ = info.partition("Payload-Oxum")
    replaced(held / "bag-info.txt", f"{head}Payload-Oxum: {size}.{len(files)}\n".encode())
    for kind in ("manifest", "tagmanifest"):
        for name in bag.ALGORITHMS:
            lines = "".join(
                f"{hashlib.new(name, file.read_bytes()).hexdigest()}  {file.relative_to(held).as_posix()}\n"
                for file in files
            )
            replaced(held / f"{kind}-{name}.txt", lines.encode())
        files = sorted(file for file in held.iterdir() if file.is_file() and not file.name.startswith("tagm"))
    bag.check(held)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)
