"""The listener's certificate: the site's own files, or one made at first start. Synchronous, before the loop."""

import datetime as dt
import hashlib
import ipaddress
import socket
import ssl
from pathlib import Path

from hubd.config import HttpTable
from hubd.driver.files import write_new
from hubd.model.errors import HubError

CERTIFICATE, KEY = "tls.crt", "tls.key"
_YEARS = 10


def context(http: HttpTable, data_dir: Path) -> ssl.SSLContext | None:
    """Return the TLS context of the listener, or None for plain HTTP. Raises `HubError`."""
    if http.tls == "off":
        return None
    certificate, key = (Path(http.tls_certificate), Path(http.tls_key))
    if http.tls == "auto":
        certificate, key = data_dir / CERTIFICATE, data_dir / KEY
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if http.tls == "auto" and not (certificate.exists() and key.exists()):
            make(certificate, key)
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        message = f"the TLS certificate {certificate} and key {key} cannot be used: {error}"
        raise HubError("tls_unusable", message) from error
    return made


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 fingerprint of a PEM certificate, as browsers show it."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text(encoding="ascii"))
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


def make(certificate: Path, key: Path) -> None:
    """Make a self-signed certificate for this machine's names and loopback."""
    from cryptography import x509  # noqa: PLC0415 - once in a box's life
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    private = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname().encode("ascii", "ignore").decode() or "hubd"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"hubd {host}"[:64])])
    names: list[x509.GeneralName] = [x509.DNSName(n) for n in ("localhost", host, f"{host}.local")]
    names += [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1")]
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=365))  # a box without a clock starts in the past
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_new(key, pem)
    write_new(certificate, made.public_bytes(serialization.Encoding.PEM))  # last: it is what tells that both are there
