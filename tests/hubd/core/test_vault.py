import os

import pytest

from hubd.core import vault as vault_module
from hubd.core.vault import DriverSecrets, Vault
from hubd.model import HubError
from hubd.store.secrets import Sealer


def test_a_pin_is_had_for_its_reference_until_it_is_forgotten() -> None:
    vault = Vault()
    refs = [vault.seal("4711"), vault.seal("4711"), vault.seal("0815")]
    assert len(set(refs)) == 3
    assert [vault.reveal(ref) for ref in refs] == ["4711", "4711", "0815"]
    vault.forget(refs[0])
    vault.forget(refs[0])
    with pytest.raises(KeyError):
        vault.reveal(refs[0])
    assert vault.reveal(refs[1]) == "4711"


def test_neither_the_vault_nor_a_reference_shows_a_pin() -> None:
    vault = Vault()
    ref = vault.seal("4711081547110815")
    assert repr(vault) == "Vault(1 sealed)"
    assert "47110815" not in ref


def test_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_module, "CAPACITY", 3)
    vault = Vault()
    refs = [vault.seal(str(number)) for number in range(5)]
    for ref in refs[:2]:
        with pytest.raises(KeyError):
            vault.reveal(ref)
    assert [vault.reveal(ref) for ref in refs[2:]] == ["2", "3", "4"]


def test_a_driver_has_the_pins_of_the_vault() -> None:
    vault = Vault()
    secrets = DriverSecrets(vault, Sealer(os.urandom(32)), "front")
    assert vault.reveal(secrets.seal("4711")) == "4711"
    assert secrets.reveal(vault.seal("0815")) == "0815"
    with pytest.raises(KeyError):
        secrets.reveal("pin_0")
    assert repr(secrets) == "DriverSecrets('driver/front')"


def test_what_a_driver_wraps_is_for_the_same_instance_on_the_same_box() -> None:
    sealer = Sealer(os.urandom(32))
    wrapped = DriverSecrets(Vault(), sealer, "front").wrap(b"key of the lock")
    assert b"key" not in wrapped
    assert DriverSecrets(Vault(), sealer, "front").unwrap(wrapped) == b"key of the lock"
    for other in (
        DriverSecrets(Vault(), sealer, "back"),
        DriverSecrets(Vault(), Sealer(os.urandom(32)), "front"),
    ):
        with pytest.raises(HubError) as caught:
            other.unwrap(wrapped)
        assert caught.value.code == "secret_unreadable"
