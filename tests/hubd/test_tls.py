import datetime as dt
import hashlib
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from hubd import tls
from hubd.config import HttpTable
from hubd.model import HubError


def test_plain_http_has_no_context(tmp_path: Path) -> None:
    assert tls.context(HttpTable(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_is_made_at_first_start_and_kept(tmp_path: Path) -> None:
    assert tls.context(HttpTable(tls="auto"), tmp_path) is not None
    first = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert first.keys() == {"tls.crt", "tls.key"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}
    tls.context(HttpTable(tls="auto"), tmp_path)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == first


def test_a_certificate_whose_making_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    tls.make(tmp_path / tls.CERTIFICATE, tmp_path / tls.KEY)
    (tmp_path / tls.CERTIFICATE).unlink()
    (tmp_path / f".{tls.CERTIFICATE}.new").write_text("-----BEGIN CERT")
    assert tls.context(HttpTable(tls="auto"), tmp_path) is not None


def test_a_certificate_is_for_this_machine_and_for_long(tmp_path: Path) -> None:
    tls.make(tmp_path / "c", tmp_path / "k")
    made = x509.load_pem_x509_certificate((tmp_path / "c").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", socket.gethostname()} <= set(names.get_values_for_type(x509.DNSName))
    assert {str(one) for one in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1"}
    now = dt.datetime.now(dt.UTC)
    assert made.not_valid_before_utc < now - dt.timedelta(days=300)
    assert made.not_valid_after_utc > now + dt.timedelta(days=3000)


@pytest.mark.parametrize("host", ["x" * 200, "böx", "", "under_score"])
def test_whatever_the_machine_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert tls.context(HttpTable(tls="auto"), tmp_path) is not None


def test_the_fingerprint_is_what_a_browser_shows(tmp_path: Path) -> None:
    """A real handshake, pinned by it."""
    context = tls.context(HttpTable(tls="auto"), tmp_path)
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with context.wrap_socket(theirs, server_side=True) as secure:
            secure.recv(1)

    server = threading.Thread(target=answer)
    server.start()
    client = ssl.create_default_context(cafile=tmp_path / tls.CERTIFICATE)
    with client.wrap_socket(ours, server_hostname="localhost") as secure:
        shown = secure.getpeercert(binary_form=True)
        secure.send(b"x")
    server.join()
    theirs.close()
    assert shown is not None
    fingerprint = tls.fingerprint(tmp_path / tls.CERTIFICATE)
    assert bytes.fromhex(fingerprint.replace(":", "")) == hashlib.sha256(shown).digest()
    assert len(fingerprint.split(":")) == 32


def test_the_sites_own_files(tmp_path: Path) -> None:
    tls.make(tmp_path / "site.crt", tmp_path / "site.key")
    http = HttpTable(tls="files", tls_certificate=str(tmp_path / "site.crt"), tls_key=str(tmp_path / "site.key"))
    assert tls.context(http, tmp_path / "data") is not None


@pytest.mark.parametrize(
    ("certificate", "key"), [("gone", "site.key"), ("site.key", "site.crt"), ("site.crt", "other.key")]
)
def test_files_that_cannot_be_used(tmp_path: Path, certificate: str, key: str) -> None:
    tls.make(tmp_path / "site.crt", tmp_path / "site.key")
    tls.make(tmp_path / "other.crt", tmp_path / "other.key")
    http = HttpTable(tls="files", tls_certificate=str(tmp_path / certificate), tls_key=str(tmp_path / key))
    with pytest.raises(HubError) as caught:
        tls.context(http, tmp_path)
    assert caught.value.code == "tls_unusable"
    assert certificate in caught.value.message
