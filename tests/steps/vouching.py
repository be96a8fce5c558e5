"""Those outside who vouch for a ledger, on the loopback: a timestamp authority (openssl's own), which can be told to lie, and a witness."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.store.asking import Asking

POLICY = "1.3.6.1.4.1.55555.7"
OTHER_POLICY = "1.3.6.1.4.1.55555.8"


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


@dataclass
class Office:
    """An authority's keys and certificates in a folder, as openssl wants them."""

    folder: Path
    name: str
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING
    ended: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir()
        now = datetime.now(UTC)  # openssl tells the machine's time, and so its certificates must fit it
        root_key = ec.generate_private_key(ec.SECP256R1())
        root = self._certificate(f"{self.name} root", root_key, f"{self.name} root", root_key, now, ca=True)
        key = ec.generate_private_key(ec.SECP256R1())
        since = now - timedelta(days=60) if self.ended else now - timedelta(days=1)
        signer = self._certificate(f"{self.name} root", root_key, self.name, key, since, ca=False)
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        (self.folder / "signer.pem").write_bytes(signer.public_bytes(serialization.Encoding.PEM))
        (self.folder / "signer.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (self.folder / "serial").write_text("01\n")
        settings = {
            "serial": self.folder / "serial",
            "signer_cert": self.folder / "signer.pem",
            "signer_key": self.folder / "signer.key",
            "signer_digest": "sha256",
            "default_policy": POLICY,
            "other_policies": OTHER_POLICY,
            "digests": "sha256",
            "ess_cert_id_alg": "sha256",
        }
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self.folder / "ts.cnf").write_text(f"[office]\n{lines}")

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def _certificate(
        self,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        since: datetime,
        *,
        ca: bool,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .issuer_name(_name(issuer))
            .subject_name(_name(subject))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since - timedelta(days=3 if ca else 0))
            .not_valid_after(since + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([self.purpose]), critical=True)
        return builder.sign(issuer_key, hashes.SHA256())

    def reply(self, query: bytes) -> bytes:
        """What `openssl ts -reply` makes of a query."""
        (self.folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-section", "office"]
        command += ["-queryfile", "query", "-out", "reply"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=30)
        return (self.folder / "reply").read_bytes()


@dataclass
class Lie:
    """What an authority does instead of its duty: with the query, with the reply, or with HTTP."""

    query: Callable[[bytes], bytes] = lambda query: query
    reply: Callable[[bytes], bytes] = lambda reply: reply
    status: int = 200
    media_type: str = "application/timestamp-reply"
    headers: dict[str, str] = field(default_factory=dict)
    office: Office | None = None


class TimestampServer(ThreadingHTTPServer):
    """The authority's door; `lie` is what it does at the moment."""

    daemon_threads = True

    def __init__(self, office: Office) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.office, self.lie = office, Lie()
        self.asked = 0
        self.one = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/tsr"

    @property
    def setting(self) -> str:
        return f"{self.url}#{self.office.root}"


class _Door(BaseHTTPRequestHandler):
    server: TimestampServer

    def log_message(self, format: str, *args: object) -> None:
        """Tests say themselves what they want to see."""

    def do_POST(self) -> None:
        query = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/timestamp-query":
            self.send_error(415)
            return
        lie = self.server.lie
        with self.server.one:
            self.server.asked += 1
            body = lie.reply((lie.office or self.server.office).reply(lie.query(query)))
        self.send_response(lie.status)
        for name, value in {"Content-Type": lie.media_type, **lie.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serve until the test ends."""
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    running.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        running.join()


@contextmanager
def asking(seconds: float = 10) -> Iterator[Asking]:
    """The way to them, as the builder makes it."""
    with httpx.Client(trust_env=False, follow_redirects=False) as client:
        yield Asking(client, deadline=timedelta(seconds=seconds))
