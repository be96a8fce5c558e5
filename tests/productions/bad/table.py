"""For every code that a check of a production can say: one production that must yield exactly that code.

Each is a good production with one small edit, sealed again where the edit is
something that its maker could have done wrong, and left as it is where it is
something that happened on the way.
"""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.disclosure.formats import dat, table
from app.disclosure.package import sealing
from app.store.canonical import canonical
from tests.productions.made import Made, edit, pem, replaced, sha256, signer
from tests.steps.vouching import Office

Bad = Callable[[Made, Path], None]
DATA = Path("bag/data")
PROOF = DATA / "proof"
WHOLE, REDACTED, WITHHELD = "hf-0000007", "hf-0000008", "hf-0000010"
"""Documents of the town: one that leaves whole, on one page; one without its author; one that is kept back."""
LONG = "hf-0000005"
"""The one with two pages."""


def item(name: str, version: int = 1) -> Path:
    return PROOF / "items" / name / str(version)


# -- how it is sealed again --------------------------------------------------------------------------------


def mistaken(change: Callable[[Path], None]) -> Bad:
    """The maker's mistake: it was so when it was bagged and sealed. Unsigned, because nobody needs the signature here."""

    def bad(made: Made, folder: Path) -> None:
        change(folder)
        made.seal(folder, signed=False, stamped=False)

    return bad


def meanwhile(change: Callable[[Path], None]) -> Bad:
    """It happened on the way, after everybody had put their names under it."""
    return lambda _made, folder: change(folder)


def unsigned(folder: Path) -> None:
    """Nothing beside the bag that would speak of a signature or a timestamp; `outside-sha256.txt` as if they never were."""
    for file in (folder / "trust").glob("*.pem"):
        file.unlink()
    lines = (folder / sealing.OUTSIDE).read_text().splitlines(keepends=True)
    kept = [line for line in lines if (folder / line.rstrip("\n").partition("  ")[2]).is_file()]
    replaced(folder / sealing.OUTSIDE, "".join(kept).encode())


def sealed_as_it_lies(folder: Path, **said: object) -> None:
    """A seal over whatever the two digests are now, unsigned."""
    unsigned(folder)
    for file in folder.glob("*.seal.*"):
        if not file.name.endswith(".json"):
            file.unlink()
    (file,) = folder.glob("*.seal.json")
    told = json.loads(file.read_bytes())
    told["tagmanifest_sha256"] = sha256((folder / "bag/tagmanifest-sha256.txt").read_bytes())
    told["outside_sha256"] = sha256((folder / sealing.OUTSIDE).read_bytes())
    replaced(file, canonical(told | said))


def over(change: Callable[[Path], None]) -> Bad:
    """An edit, and a seal over what came of it."""

    def bad(_made: Made, folder: Path) -> None:
        change(folder)
        sealed_as_it_lies(folder)

    return bad


# -- small edits -------------------------------------------------------------------------------------------


def put(name: str | Path, content: bytes = b"x") -> Callable[[Path], None]:
    return lambda folder: replaced(folder / name, content)


def remove(name: str | Path) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def changed(name: str | Path, old: bytes, new: bytes) -> Callable[[Path], None]:
    return lambda folder: edit(folder / name, lambda content: content.replace(old, new, 1))


def copied(source: str | Path, target: str | Path) -> Callable[[Path], None]:
    return lambda folder: replaced(folder / target, (folder / source).read_bytes())


def told(**said: object) -> Callable[[Path], None]:
    """`production.json` saying something else, in its recipe, its counts or its range."""

    def change(folder: Path) -> None:
        file = folder / DATA / "production.json"
        content: dict[str, Any] = json.loads(file.read_bytes())
        for name, value in said.items():
            for part in ("recipe", "counts", "range"):
                if isinstance(content[part].get(name), type(value)):
                    content[part][name] = value
        replaced(file, canonical(content))

    return change


def row(ending: str, begins: str, **said: str) -> Callable[[Path], None]:
    """A row of the load file, or of the table, saying something else; no other form of the rows is there any more."""

    def change(folder: Path) -> None:
        file = folder / DATA / "data" / f"vol001.{ending}"
        with file.open("rb") as content:
            read = (dat.read if ending == "dat" else table.read)(content, file.name)
            rows = [dict(zip(read.columns, one.values, strict=True)) for one in read.rows]
        for one in rows:
            if one["BEGDOC"].lower() == begins:
                one.update(said)
        file.unlink()
        with file.open("wb") as out:
            writer = (dat.Writer if ending == "dat" else table.Writer)(out, read.columns)
            for one in rows:
                writer.write(list(one.values()))

    return change


def alone(ending: str, change: Callable[[Path], None]) -> Callable[[Path], None]:
    """A production whose only table is this one."""
    form = {"dat": "loadfile", "csv": "csv"}[ending]

    def changes(folder: Path) -> None:
        content = json.loads((folder / DATA / "production.json").read_bytes())
        forms = [one for one in content["recipe"]["forms"] if one not in {"loadfile", "csv", "xlsx"}]
        for name in ("vol001.csv", "vol001.dat", "vol001.xlsx", "vol001.opt"):
            if not name.endswith((ending, "opt" if ending == "dat" else ending)):
                (folder / DATA / "data" / name).unlink()
        told(forms=sorted([*forms, form]))(folder)
        change(folder)

    return changes


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def line(name: Path, number: int, new: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(content: bytes) -> bytes:
        lines = content.split(b"\n")
        lines[number] = new(lines[number])
        return b"\n".join(lines)

    return lambda folder: edit(folder / name, change)


def disclosed(told: bytes) -> bytes:
    """A disclosure that says something else, written as one is."""
    body = base64.urlsafe_b64decode(told + b"=" * (-len(told) % 4))
    return base64.urlsafe_b64encode(body[:-2] + b'x"]').rstrip(b"=")


def repacked(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """The page's web capture with another file in the place of one of its own."""

    def changes(folder: Path) -> None:
        (file,) = (folder / DATA / "wacz").glob("*.wacz")
        with zipfile.ZipFile(file) as packed:
            held = {info: packed.read(info) for info in packed.infolist()}
        file.unlink()
        with zipfile.ZipFile(file, "w") as packed:
            for info, content in held.items():
                packed.writestr(info.filename, change(content) if info.filename == name else content)

    return changes


def one_of(folder: Path, pattern: str) -> Path:
    return min(folder.glob(pattern))


# -- signatures and timestamps -----------------------------------------------------------------------------


def signed_otherwise(made: Made, folder: Path) -> None:
    made.seal(folder, stamped=False)
    file = one_of(folder, "*.seal.p7s")
    replaced(file, sealing.signed(b"something else", made.signs, made.clock.now()))


def sealed_and_more(made: Made, folder: Path) -> None:
    made.seal(folder, signed=False, stamped=False)
    edit(one_of(folder, "*.seal.json"), lambda content: content + b"\n")


def signed_and_more(made: Made, folder: Path) -> None:
    made.seal(folder, stamped=False)
    edit(one_of(folder, "*.seal.p7s"), lambda content: content + b"\0")


def signed_by_another(made: Made, folder: Path) -> None:
    """The chain in `trust/` is the agency's; the signature is by somebody of the same name."""
    made.seal(folder, stamped=False, signs=signer())
    replaced(folder / "trust/agency-chain.pem", pem(list(made.signs.chain)))
    relisted(folder)
    sealed = one_of(folder, "*.seal.json").read_bytes()
    content = json.loads(sealed)
    content["outside_sha256"] = sha256((folder / sealing.OUTSIDE).read_bytes())
    replaced(one_of(folder, "*.seal.json"), canonical(content))
    replaced(one_of(folder, "*.seal.p7s"), sealing.signed(canonical(content), signer(), made.clock.now()))


def relisted(folder: Path) -> None:
    """`outside-sha256.txt` with the digests that are now."""
    names = [line.split("  ")[1] for line in (folder / sealing.OUTSIDE).read_text().splitlines()]
    told = "".join(f"{sha256((folder / name).read_bytes())}  {name}\n" for name in names)
    replaced(folder / sealing.OUTSIDE, told.encode())


def stamped_otherwise(made: Made, folder: Path) -> None:
    """A timestamp of something else, by the authority itself."""
    from app.store.anchors import Request

    reply = made.ask(
        made.authorities[0].url, Request.of(b"something else").encoded(), "application/timestamp-query"
    )
    replaced(one_of(folder, "*.tsr"), reply.body)


def stamped_by_another(made: Made, folder: Path) -> None:
    other = Office(folder.parent / "another office", "Office of Time")
    made.seal(folder, stamped=True)
    replaced(folder / "trust/tsa-1.pem", other.root.read_bytes())
    relisted(folder)
    content = json.loads(one_of(folder, "*.seal.json").read_bytes())
    content["outside_sha256"] = sha256((folder / sealing.OUTSIDE).read_bytes())
    body = canonical(content)
    replaced(one_of(folder, "*.seal.json"), body)
    signature = sealing.signed(body, made.signs, made.clock.now())
    replaced(one_of(folder, "*.seal.p7s"), signature)
    from app.store.anchors import Request

    reply = made.ask(made.authorities[0].url, Request.of(signature).encoded(), "application/timestamp-query")
    replaced(one_of(folder, "*.tsr"), reply.body)


def anchored_by_nobody(made: Made, folder: Path) -> None:
    """The root beside the checkpoint's timestamps is another authority's."""
    other = Office(folder.parent / "another office", "Office of Time").root.read_bytes()
    for file in (folder / PROOF).rglob("*.pem"):
        file.unlink()
        replaced(file.with_name(f"{sha256(other)}.pem"), other)
    made.seal(folder, signed=False, stamped=False)


def anchored_elsewhere(folder: Path) -> None:
    earlier = one_of(folder / PROOF / "history", "*/*.tsr")
    replaced(folder / PROOF / earlier.name, earlier.read_bytes())


def renamed_anchor(folder: Path) -> None:
    file = one_of(folder / PROOF, "*.tsr")
    file.rename(file.with_name("0" * 64 + ".tsr"))


def another_key(folder: Path) -> None:
    from app.store.note import Signer

    name = (folder / "trust/log.vkey").read_text().partition("+")[0]
    replaced(folder / "trust/log.vkey", f"{Signer(name, bytes(range(32))).verifier().line()}\n".encode())


def retagged(folder: Path) -> None:
    """The tag manifests over the tag files as they are now."""
    held = folder / "bag"
    import hashlib

    for algorithm in ("sha256", "sha512"):
        names = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt"]
        lines = [
            f"{hashlib.new(algorithm, (held / name).read_bytes()).hexdigest()}  {name}\n" for name in names
        ]
        replaced(held / f"tagmanifest-{algorithm}.txt", "".join(lines).encode())


def upside_down(content: bytes) -> bytes:
    return b"".join(reversed(content.splitlines(keepends=True)))


def without_one(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:1] + lines[2:])


def digit(content: bytes) -> bytes:
    return (b"0" if content[:1] != b"0" else b"1") + content[1:]


BAD: Mapping[str, Bad] = {
    "file-missing": meanwhile(remove("read-me-first.pdf")),
    "file-unknown": meanwhile(put("notes.txt")),
    "name-unsafe": meanwhile(lambda folder: (folder / DATA / "link").symlink_to("/")),
    "bag-form": meanwhile(lambda folder: edit(folder / "bag/tagmanifest-sha512.txt", bytes.upper)),
    "bag-altered": meanwhile(changed(DATA / "html/index.html", b"<h1", b"<H1")),
    "bag-size": over(both(changed("bag/bag-info.txt", b"Payload-Oxum: ", b"Payload-Oxum: 1"), retagged)),
    "outside-form": over(lambda folder: edit(folder / sealing.OUTSIDE, upside_down)),
    "outside-altered": meanwhile(changed("verify/verify.md", b"#", b"*")),
    "seal-form": sealed_and_more,
    "seal-differs": lambda _made, folder: sealed_as_it_lies(folder, outside_sha256="0" * 64),
    "signature-form": signed_and_more,
    "signature-differs": signed_otherwise,
    "signature-untrusted": signed_by_another,
    "timestamp-form": meanwhile(lambda folder: edit(one_of(folder, "*.tsr"), lambda content: content + b"\0")),
    "timestamp-differs": stamped_otherwise,
    "timestamp-untrusted": stamped_by_another,
    "production-form": mistaken(changed(DATA / "production.json", b",", b", ")),
    "production-differs": mistaken(told(documents=99)),
    "number-form": mistaken(alone("csv", both(row("csv", "hf-0000012", ENDDOC="HF-0000013"), told(last="HF-0000013")))),
    "number-gap": mistaken(told(first=4)),
    "number-repeated": mistaken(told(first=6)),
    "loadfile-form": mistaken(changed(DATA / "data/vol001.dat", b"\r\n", b"\n")),
    "loadfiles-differ": mistaken(row("csv", WHOLE, AUTHOR="Somebody else")),
    "row-differs": mistaken(alone("csv", row("csv", WHOLE, AUTHOR="Somebody else"))),
    "path-missing": mistaken(remove(DATA / f"text/0001/{WHOLE}.txt")),
    "path-unlisted": mistaken(put(DATA / "text/0001/hf-0000099.txt")),
    "pdf-form": mistaken(put(DATA / f"pdf/0001/{WHOLE}.pdf", b"%PDF-1.7\nno more")),
    "pdf-pages": mistaken(copied(DATA / f"pdf/0001/{LONG}.pdf", DATA / f"pdf/0001/{WHOLE}.pdf")),
    "pdf-stamp": mistaken(copied(DATA / f"pdf/0001/{REDACTED}.pdf", DATA / f"pdf/0001/{WHOLE}.pdf")),
    "native-form": mistaken(put(DATA / f"natives/0001/{WHOLE}.json", b"[]")),
    "native-differs": mistaken(changed(DATA / f"natives/0001/{WHOLE}.json", b"Since when?", b"Since then?")),
    "text-form": mistaken(put(DATA / f"text/0001/{WHOLE}.txt", b"\xff\n")),
    "text-differs": mistaken(changed(DATA / f"text/0001/{WHOLE}.txt", b"Since when?", b"Since then?")),
    "attachment-differs": mistaken(lambda folder: edit(one_of(folder / DATA / "natives/0001", f"{LONG}-1.*"), lambda content: content + b"\0")),
    "html-form": mistaken(changed(DATA / "html/index.html", b"</body>", b"<script>1</script></body>")),
    "rsmf-form": mistaken(lambda folder: edit(one_of(folder / DATA, "rsmf/*/*.rsmf"), lambda content: content.replace(b"rsmf.zip", b"else.zip"))),
    "wacz-form": mistaken(repacked("pages/pages.jsonl", lambda content: content + b"\n")),
    "log-form": mistaken(changed(DATA / "logs/withheld-log.csv", b"\r\n", b"\n")),
    "log-differs": mistaken(changed(DATA / "logs/redaction-log.csv", REDACTED.upper().encode(), WHOLE.upper().encode())),
    "withheld-shown": mistaken(put(DATA / f"text/0001/{WITHHELD}.txt", f"{WITHHELD.upper()}\nWhat they wrote\n".encode())),
    "certificate-signed": mistaken(lambda folder: edit(one_of(folder / DATA, "cert/902*.pdf"), lambda content: content + b"%/ByteRange [0 1]\n")),
    "proof-missing": mistaken(remove(item(WHOLE) / "salt.hex")),
    "proof-unknown": mistaken(put(item(WHOLE) / "more.json")),
    "proof-form": mistaken(lambda folder: edit(folder / item(WHOLE) / "salt.hex", bytes.upper)),
    "proof-tells": mistaken(copied(item(WHOLE) / "statement.json", item(WITHHELD) / "statement.json")),
    "commitment-differs": mistaken(lambda folder: edit(folder / item(WHOLE) / "salt.hex", digit)),
    "inclusion-differs": mistaken(line(item(WHOLE) / "item.tlog-proof", 1, lambda text: b"index 0" if text != b"index 0" else b"index 1")),
    "checkpoint-differs": mistaken(line(PROOF / "checkpoint", 4, lambda text: text[:-12] + (b"A" if text[-12:-11] != b"A" else b"B") + text[-11:])),
    "cosignature-differs": mistaken(line(PROOF / "cosignatures", 0, lambda text: text[:-12] + (b"A" if text[-12:-11] != b"A" else b"B") + text[-11:])),
    "disclosure-differs": mistaken(line(item(WHOLE) / "disclosures.txt", 0, disclosed)),
    "payload-differs": mistaken(lambda folder: edit(one_of(folder / PROOF, "items/*/*/payload/*"), lambda content: content + b" ")),
    "anchor-form": mistaken(renamed_anchor),
    "anchor-differs": mistaken(anchored_elsewhere),
    "anchor-untrusted": anchored_by_nobody,
    "key-differs": mistaken(another_key),
    "completeness-form": mistaken(lambda folder: edit(one_of(folder / PROOF, "completeness/*.captures.txt"), bytes.upper)),
    "completeness-differs": mistaken(lambda folder: edit(one_of(folder / PROOF, "completeness/*.captures.txt"), without_one)),
}  # fmt: skip
