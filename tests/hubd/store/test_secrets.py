import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.model import HubError
from hubd.model.errors import StoreError
from hubd.store.secrets import KEY_BYTES, MARK_BYTES, Sealer, load_key

KEY = bytes(range(32))


@given(st.binary(max_size=64), st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_secret_comes_back_for_its_own_row_only(secret: bytes, row: str) -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(secret, row)
    assert sealer.open(sealed, row) == secret
    with pytest.raises(StoreError) as caught:
        sealer.open(sealed, row + "x")
    assert caught.value.code == "secret_unreadable"


def test_sealed_twice_reads_differently_and_shows_nothing() -> None:
    sealer = Sealer(KEY)
    one, other = sealer.seal(b"whsec_abc", "webhook/1"), sealer.seal(b"whsec_abc", "webhook/1")
    assert one != other
    assert b"whsec" not in one
    assert KEY.hex() not in repr(sealer)
    assert KEY.hex() not in repr(vars(sealer))


@pytest.mark.parametrize("change", ["cut", "longer", "flipped", "gone"])
def test_a_changed_value_is_told(change: str) -> None:
    sealed = Sealer(KEY).seal(b"1234", "pin/1")
    changed = {"cut": sealed[:-1], "longer": sealed + b"x", "flipped": bytes([sealed[0] ^ 1]) + sealed[1:], "gone": b""}
    with pytest.raises(HubError, match=r"secret\.key is not the one"):
        Sealer(KEY).open(changed[change], "pin/1")


def test_another_key_is_told() -> None:
    sealed = Sealer(KEY).seal(b"1234", "pin/1")
    with pytest.raises(HubError, match=r"secret\.key is not the one"):
        Sealer(bytes(32)).open(sealed, "pin/1")


def test_equal_secrets_have_equal_marks_under_one_key_only() -> None:
    sealer, other = Sealer(KEY), Sealer(bytes(32))
    assert sealer.mark(b"48213077") == Sealer(KEY).mark(b"48213077")
    assert sealer.mark(b"48213077") not in {sealer.mark(b"48213078"), other.mark(b"48213077")}
    assert len(sealer.mark(b"")) == len(sealer.mark(b"48213077")) == MARK_BYTES


def test_a_mark_is_no_plain_hash() -> None:
    """Else somebody with the database tries all PINs in a second."""
    mark = Sealer(KEY).mark(b"4821")
    for name in ("md5", "sha1", "sha256", "blake2b"):
        assert not hashlib.new(name, b"4821").digest().startswith(mark[:8])
    assert mark != hmac.digest(KEY, b"4821", "sha256")[:MARK_BYTES], "the key that seals is not the one that marks"


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    key = load_key(path)
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == path.read_bytes() == key
    assert load_key(tmp_path / "other.key") != key


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_damaged_key_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        load_key(path)
    assert caught.value.code == "key_damaged"
    assert str(len(content)) in caught.value.message
    assert path.read_bytes() == content


def test_a_power_cut_while_the_key_is_made_leaves_none(tmp_path: Path) -> None:
    """What was written of it stands beside its place, so the next start makes a whole one."""
    (tmp_path / ".secret.key.new").write_bytes(b"half a k")
    assert len(load_key(tmp_path / "secret.key")) == KEY_BYTES
