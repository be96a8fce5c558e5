"""Evidence on its way out: other people's tools accept it, and refuse it when anything in it was altered."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from warcio.archiveiterator import ArchiveIterator

from app.capture import importing
from app.records.clock import FixedClock
from app.records.errors import ArchiveError
from app.store import Store, proofs, warc
from app.store.evidence import Hole
from app.store.proofs import FolderNotEmpty
from connectors.contract import Listing, Replaced
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment, post

FILES = [
    "statement.json",
    "salt.hex",
    "entry.json",
    "item.tlog-proof",
    "disclosures.txt",
    "log.vkey",
    "payload/observation-1",
]

# What a stranger needs: coreutils, xxd and openssl. Every reading is strict: what was decoded must encode to what stood there.
STRANGER = r"""
set -euo pipefail; export LC_ALL=C
cd "$1"; work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
no() { echo "refused: $1"; exit 1; }
sha() { sha256sum | cut -c1-64; }
line() { [ "$(wc -l < "$1")" = 1 ] && [ -z "$(tail -c1 "$1" | tr -d '\n')" ] || no "$1 is not one line"; }
plain() { base64 -d <<< "$1" > "$work/b" 2>/dev/null && [ "$(base64 -w0 < "$work/b")" = "$1" ] || no "base64"; xxd -p -c999 < "$work/b"; }

# 1. Every file of the payload is named, with its digest and size, by a disclosure; every disclosure is listed in the statement.
: > "$work/said"; [ -s disclosures.txt ] && [ -z "$(tail -c1 disclosures.txt | tr -d '\n')" ] || no "disclosures"
while IFS= read -r told; do
    d=$(printf %s "$told" | openssl dgst -sha256 -binary | base64 -w0 | tr '+/' '-_' | tr -d '=')
    grep -qF "\"$d\"" statement.json || no "a disclosure is not listed"
    padded=$told; while [ $((${#padded} % 4)) != 0 ]; do padded=$padded=; done
    tr -- '-_' '+/' <<< "$padded" | base64 -d >> "$work/said"; echo >> "$work/said"
done < disclosures.txt
[ "$(grep -o '"sha256":"[0-9a-f]*"' "$work/said" | wc -l)" = "$(ls payload | wc -l)" ] || no "payload is not all there"
for f in payload/*; do
    grep -qF "{\"bytes\":$(wc -c < "$f"),\"name\":\"${f#payload/}\",\"sha256\":\"$(sha < "$f")\"}" "$work/said" || no "$f"
done

# 2. The entry commits to the statement.
line salt.hex; grep -qxE '[0-9a-f]{64}' salt.hex || no "salt"
c=$( { printf 'record-commit/v1\n'; xxd -r -p salt.hex; sha < statement.json | xxd -r -p; } | sha)
grep -qF "{\"c\":\"$c\"," entry.json || no "the entry speaks of another statement"

# 3. The entry is in the ledger that the checkpoint speaks of (RFC 9162, 2.1.3.2).
[ "$(head -n1 item.tlog-proof)" = c2sp.org/tlog-proof@v1 ] || no "form of the proof"
index=$(sed -n '2s/^index //p' item.tlog-proof); [[ $index =~ ^(0|[1-9][0-9]*)$ ]] || no "index"
blank=$(grep -n '^$' item.tlog-proof | head -n1 | cut -d: -f1)
sed -n "3,$((blank - 1))p" item.tlog-proof > "$work/path"; tail -n +$((blank + 1)) item.tlog-proof > "$work/note"
[ "$(wc -l < "$work/note")" = 5 ] && [ -z "$(sed -n 4p "$work/note")" ] || no "form of the checkpoint"
size=$(sed -n 2p "$work/note"); [[ $size =~ ^[1-9][0-9]*$ ]] && [ "$index" -lt "$size" ] || no "size"
root=$(plain "$(sed -n 3p "$work/note")")
r=$( { printf '\0'; cat entry.json; } | sha); fn=$index; sn=$((size - 1))
while read -r part; do
    h=$(plain "$part"); [ ${#h} = 64 ] && [ $sn != 0 ] || no "path"
    if [ $((fn & 1)) = 1 ] || [ $fn = $sn ]; then
        r=$(xxd -r -p <<< "01$h$r" | sha)
        while [ $((fn & 1)) = 0 ] && [ $fn != 0 ]; do fn=$((fn >> 1)); sn=$((sn >> 1)); done
    else r=$(xxd -r -p <<< "01$r$h" | sha); fi
    fn=$((fn >> 1)); sn=$((sn >> 1))
done < "$work/path"
[ $sn = 0 ] && [ "$r" = "$root" ] || no "the entry is not in that ledger"

# 4. The checkpoint is signed by the key that was handed over.
line log.vkey; name=$(cut -d+ -f1 log.vkey); id=$(cut -d+ -f2 log.vkey); key=$(cut -d+ -f3- log.vkey); k=$(plain "$key"); [ "${k:0:2}" = 01 ] || no "kind of key"
[ "$(sed -n 1p "$work/note")" = "$name" ] || no "origin"
want=$( { printf '%s\n' "$name"; xxd -r -p <<< "$k"; } | sha); [ "${want:0:8}" = "$id" ] || no "key id"
signed=$(sed -n 5p "$work/note"); [[ $signed == "— $name "* ]] || no "who signed"
s=$(plain "${signed#"— $name "}"); [ "${s:0:8}" = "$id" ] && [ ${#s} = 136 ] || no "by which key"
xxd -r -p <<< "302a300506032b6570032100${k:2}" > "$work/key"; xxd -r -p <<< "${s:8}" > "$work/sig"; head -n3 "$work/note" > "$work/text"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$work/text" -sigfile "$work/sig" > /dev/null 2>&1 || no "signature"
echo "proven: entry $index of $size"
"""


def ask_a_stranger(folder: Path) -> tuple[int, str]:
    asked = subprocess.run(
        ["bash", "-c", STRANGER, "stranger", str(folder)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return asked.returncode, asked.stdout.strip() + asked.stderr.strip()


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


def prove(world: World, name: str, out: Path, *, number: int | None = None) -> Path:
    with world.store.database.read() as tx:
        proofs.write(world.store, tx, world.records()[name].id, out, number=number)
    return out


def letters(world: World, folder: Path, count: int) -> Path:
    file = folder / "letters.jsonl"
    file.write_text(
        "".join(
            json.dumps(
                {
                    "platform": "mail",
                    "page": "letters",
                    "native_id": f"n{n}",
                    "kind": "post",
                    "text": f"words {n}",
                }
            )
            + "\n"
            for n in range(count)
        )
    )
    importing.observations(
        world.store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0
    )
    return file


# -- the proof folder --------------------------------------------------------------------------------------


def test_a_proof_is_accepted_by_a_stranger_with_a_shell_and_openssl(world: World, tmp_path: Path):
    world.capture(
        listing(world.clock, post("p1", "The road is closed"), comment("c1", "Which one? – Straße"))
    )
    letters(world, tmp_path, 300)
    for name in ("p1", "c1", "n0", "n299"):
        code, said = ask_a_stranger(prove(world, name, tmp_path / name))
        assert (code, said.startswith("proven: entry ")) == (0, True), said


def test_every_version_has_a_proof_of_its_own(world: World, tmp_path: Path):
    world.capture(listing(world.clock, post("p1", "closed until six")))
    world.capture(listing(world.clock, post("p1", "closed until eight")))
    told = []
    for number in (1, 2, None):
        folder = prove(world, "p1", tmp_path / str(number), number=number)
        assert ask_a_stranger(folder)[0] == 0
        told.append(
            (
                (folder / "payload/observation-1").read_bytes(),
                json.loads((folder / "entry.json").read_bytes())["ver"],
            )
        )
    assert (b"until six" in told[0][0], b"until eight" in told[1][0]) == (True, True)
    assert [version for _, version in told] == [1, 2, 2]


def test_a_version_that_only_tells_of_a_state_is_proven_without_a_payload(world: World, tmp_path: Path):
    world.capture(listing(world.clock, post("p1", "one"), post("p2", "two")))
    full = Listing(kinds=[post("p", "").kind], began_at=world.clock.now().replace(hour=23), exchange=0)
    world.capture(listing(world.clock, post("p1", "one"), listings=[full]))
    folder = prove(world, "p2", tmp_path / "out")
    assert json.loads((folder / "entry.json").read_bytes())["ver"] == 2
    assert list((folder / "payload").iterdir()) == []


def test_a_proof_holds_what_is_promised_and_no_word_of_the_neighbour(world: World, tmp_path: Path):
    world.capture(listing(world.clock, post("p1", "mine"), post("p2", "my neighbour's")))
    folder = prove(world, "p1", tmp_path / "out")
    held = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    assert held == sorted([*FILES, "VERIFY.md", "verify.py", "verify.sh"])
    assert not any(b"neighbour" in (folder / name).read_bytes() for name in held)
    statement, entry = (
        (folder / "statement.json").read_bytes(),
        json.loads((folder / "entry.json").read_bytes()),
    )
    salt = bytes.fromhex((folder / "salt.hex").read_text().rstrip("\n"))
    told = hashlib.sha256(b"record-commit/v1\n" + salt + hashlib.sha256(statement).digest())
    assert entry["c"] == told.hexdigest()


def test_a_proof_is_written_into_an_empty_folder_only(world: World, tmp_path: Path):
    world.capture(listing(world.clock, post("p1", "one")))
    prove(world, "p1", tmp_path / "out")
    with pytest.raises(FolderNotEmpty):
        prove(world, "p1", tmp_path / "out")


def test_a_record_whose_secret_is_gone_is_not_proven(world: World, tmp_path: Path):
    world.capture(listing(world.clock, post("p1", "one")))
    record = world.records()["p1"]
    world.store.keyring.forget([record.id.bytes])
    with pytest.raises(ArchiveError), world.store.database.read() as tx:
        proofs.write(world.store, tx, record.id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def proof(world: World, tmp_path: Path) -> Path:
    world.capture(listing(world.clock, post("p1", "The road is closed"), comment("c1", "Which road?")))
    return prove(world, "c1", tmp_path / "proof")


@pytest.mark.parametrize("name", FILES)
def test_an_altered_bit_anywhere_in_a_proof_is_refused(proof: Path, tmp_path: Path, name: str):
    """One bit, and one byte more."""
    whole = (proof / name).read_bytes()
    place = len(whole) // 3
    for content in [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], whole + b"\n"]:
        (proof / name).write_bytes(content)
        code, said = ask_a_stranger(proof)
        assert code != 0, (said, content)
    (proof / name).write_bytes(whole)
    assert ask_a_stranger(proof)[0] == 0


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_proof_is_refused(world: World, proof: Path, tmp_path: Path, name: str):
    other = prove(world, "p1", tmp_path / "other")
    shutil.copy(other / name, proof / name)
    assert (ask_a_stranger(proof)[0] == 0) == (name == "log.vkey")


def test_a_key_of_somebody_else_is_refused(proof: Path):
    line = (proof / "log.vkey").read_text()
    name, _, _ = line.split("+", 2)
    key = b"\x01" + bytes(range(32))
    number = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    forged = subprocess.run(["base64", "-w0"], input=key, check=True, capture_output=True).stdout.decode()
    (proof / "log.vkey").write_text(f"{name}+{number}+{forged}\n")
    assert ask_a_stranger(proof)[0] == 1


# -- WARC --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    kind: str
    head: dict[str, str]
    http: dict[str, str]
    status: str
    content: bytes


def warc_of(world: World, name: str, out: Path) -> list[Told]:
    return evidence(world, world.records()[name].id, out)


def evidence(world: World, record: UUID, out: Path) -> list[Told]:
    """The evidence of a record, checked by warcio's own command and read by its reader."""
    with world.store.database.read() as tx, out.open("wb") as file:
        written = warc.write(world.store, tx, record, file, software="a test")
    checked = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", "-v", str(out)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
    assert "no digest to check" not in checked.stdout
    told = []
    with out.open("rb") as file:
        for one in ArchiveIterator(file, check_digests="raise"):
            http = one.http_headers
            told.append(
                Told(
                    one.rec_type,
                    dict(one.rec_headers.headers),
                    dict(http.headers) if http else {},
                    http.statusline if http else "",
                    one.raw_stream.read(),
                )
            )
    assert written.records == len(told)
    return told


def kinds(told: Sequence[Told]) -> list[str]:
    return [one.kind for one in told]


def test_an_exchange_leaves_as_response_request_and_metadata_that_warcio_accepts(
    world: World, tmp_path: Path
):
    batch = listing(world.clock, post("p1", "words – Straße"), comment("c1", "more"))
    shown = replace(
        batch.exchanges[0],
        request_headers=[("Accept", "application/json"), ("Authorization", "[replaced]")],
        response_headers=[("Content-Type", "application/json"), ("X-Twice", "a"), ("X-Twice", "b")],
        reason="OK",
        peer_address="192.0.2.7",
        replaced=[Replaced("request.header:Authorization", "[replaced]", 1)],
    )
    world.capture(replace(batch, exchanges=[shown]))
    info, response, request, metadata = told = warc_of(world, "p1", tmp_path / "out.warc.gz")
    assert kinds(told) == ["warcinfo", "response", "request", "metadata"]
    assert world.store.agency.origin.encode() in info.content
    assert (response.status, response.content) == ("200 OK", shown.body)
    assert response.http["Content-Type"] == "application/json"
    assert (response.head["WARC-Target-URI"], response.head["WARC-IP-Address"]) == (shown.url, "192.0.2.7")
    assert request.http == {"Accept": "application/json", "Authorization": "[replaced]"}
    assert (
        request.head["WARC-Concurrent-To"]
        == metadata.head["WARC-Concurrent-To"]
        == response.head["WARC-Record-ID"]
    )
    said = json.loads(metadata.content)
    assert said["replaced"] == [["request.header:Authorization", "[replaced]", 1]]
    with world.store.database.read() as tx:
        assert b'"type":"exchange"' in world.store.ledger.entry(tx, said["ledger_entry"])


def test_a_body_that_looks_as_if_it_were_still_packed_leaves_byte_for_byte(world: World, tmp_path: Path):
    batch = listing(world.clock, post("p1", "words"))
    shown = replace(
        batch.exchanges[0],
        response_headers=[("Transfer-Encoding", "chunked"), ("Content-Encoding", "identity")],
    )
    world.capture(replace(batch, exchanges=[shown]))
    response = warc_of(world, "p1", tmp_path / "out.warc.gz")[1]
    assert response.content == shown.body


def test_every_exchange_that_shows_a_version_is_there_once(world: World, tmp_path: Path):
    for words in ("one", "two", "two", "three"):
        world.capture(listing(world.clock, post("p1", words)))
    told = warc_of(world, "p1", tmp_path / "out.warc.gz")
    bodies = [one.content for one in told if one.kind == "response"]
    assert [json.loads(body)[0]["text"] for body in bodies] == ["one", "two", "three"]


def test_an_exchange_with_a_hole_leaves_as_a_conversion_that_names_the_bytes_and_never_as_a_response(
    world: World, tmp_path: Path
):
    batch = listing(world.clock, post("p1", "the neighbour's words"), post("p2", "mine"))
    world.capture(batch)
    body, span = batch.exchanges[0].body, batch.observations[0].evidence[0]
    assert kinds(warc_of(world, "p2", tmp_path / "before.warc.gz"))[1:] == ["response", "request", "metadata"]
    gone, mine = (world.records()[name].id for name in ("p1", "p2"))
    world.store.keyring.forget([gone.bytes])
    told = evidence(world, mine, tmp_path / "out.warc.gz")
    assert kinds(told) == ["warcinfo", "conversion", "metadata"]
    said = json.loads(told[2].content)
    assert [Hole(**hole) for hole in said["holes"]] == [Hole(span.start, span.end, "unreadable")]
    left = told[1].content
    assert left == body[: span.start] + bytes(span.end - span.start) + body[span.end :]
    assert not any(b"neighbour" in one.content for one in told)


def test_a_record_of_a_file_leaves_with_its_own_line_and_where_it_stood(world: World, tmp_path: Path):
    file = letters(world, tmp_path, 5)
    whole = file.read_bytes()
    _, resource, metadata = told = warc_of(world, "n3", tmp_path / "out.warc.gz")
    assert kinds(told) == ["warcinfo", "resource", "metadata"]
    said = json.loads(metadata.content)
    assert resource.content == whole.splitlines(keepends=True)[3]
    assert whole[said["first_byte"] : said["first_byte"] + said["bytes"]] == resource.content
    assert (said["received_in"], said["sha256"]) == ("letters.jsonl", hashlib.sha256(whole).hexdigest())
    assert metadata.head["WARC-Refers-To"] == resource.head["WARC-Record-ID"]
