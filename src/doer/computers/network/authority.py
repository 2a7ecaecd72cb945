"""A certificate authority for one computer, so that TLS can end in the proxy.

The certificate is trusted inside that computer only; the key never enters it. Both are kept in the
computer's folder on the host, so that a computer trusts the same authority after a restart.
"""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doer import disk
from doer.computers.network.hosts import address

CERTIFICATE, KEY = "ca.pem", "ca.key"
_KEPT_HOSTS = 256


class Authority:
    """Makes certificates for hosts, each once, with a key of this process that is never stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key, self._certificate = _load(folder)
        self._host_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, host: str) -> ssl.SSLContext:
        """For the server's side of TLS as this host. HTTP/1.1 is all it offers."""
        context = self._contexts.pop(host, None) or self._context(host)
        self._contexts[host] = context
        if len(self._contexts) > _KEPT_HOSTS:
            del self._contexts[next(iter(self._contexts))]
        return context

    def _context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        chain = self._chain(host)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".leaf-") as file:
            file.write(chain)  # ssl reads files only
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _chain(self, host: str) -> bytes:
        number = address(host)
        name = x509.IPAddress(ip_address(host)) if number else x509.DNSName(host)
        leaf = (
            _certificate("", self._certificate.subject, self._host_key.public_key(), days=90)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
            )
            .sign(self._key, hashes.SHA256())
        )
        return leaf.public_bytes(serialization.Encoding.PEM) + _pem(self._host_key)


def certificate(folder: Path) -> Path:
    """The file of a computer's authority, made when there is none, for planting in the computer.
    Only this file may go there: the key beside it may not."""
    _load(folder)
    return folder / CERTIFICATE


def _load(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    both = folder / KEY
    if not both.exists():
        _make(both)
    content = both.read_bytes()
    key = serialization.load_pem_private_key(content, None)
    certificate = x509.load_pem_x509_certificate(content)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{both} does not hold an EC key: delete it, and a new one is made")
    public = certificate.public_bytes(serialization.Encoding.PEM)
    shown = folder / CERTIFICATE
    if not shown.exists() or shown.read_bytes() != public:
        disk.write_whole(shown, public)
    return key, certificate


def _make(both: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Doer: this computer's proxy")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    authority = (
        _certificate("Doer: this computer's proxy", name, key.public_key(), days=3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    with tempfile.NamedTemporaryFile(dir=both.parent, prefix=".ca-", delete=False) as file:
        file.write(_pem(key) + authority.public_bytes(serialization.Encoding.PEM))
    try:
        both.hardlink_to(file.name)
    except FileExistsError:
        pass  # another process was first
    finally:
        Path(file.name).unlink()


def _certificate(
    subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    named = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(named))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=2))
        .not_valid_after(today + timedelta(days=days))
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
