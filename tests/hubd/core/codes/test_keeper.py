import os

import pytest
from msgspec.structs import replace

from hubd.core.codes.keeper import PinKeeper
from hubd.core.vault import Vault
from hubd.model import HubError
from hubd.store.secrets import Sealer
from tests.hubd.core.codes.scene import OTHER, PIN, Scene


def test_a_pin_comes_back_for_its_own_code_only() -> None:
    scene = Scene()
    code = scene.made("c", PIN)
    assert scene.keeper.open(code) == PIN
    with pytest.raises(HubError) as caught:
        scene.keeper.open(replace(code, code_id="d"))
    assert caught.value.code == "secret_unreadable"
    assert PIN not in f"{caught.value!r}"
    assert scene.keeper.open(replace(code, pin=None)) is None


def test_another_box_reads_nothing_and_compares_nothing() -> None:
    scene = Scene()
    other = PinKeeper(Sealer(os.urandom(32)), Vault())
    with pytest.raises(HubError) as caught:
        other.open(scene.made("c", PIN))
    assert caught.value.code == "secret_unreadable"
    assert other.mark(PIN) != scene.mark(PIN)


def test_equal_pins_have_equal_marks_and_no_two_look_alike() -> None:
    scene = Scene()
    one, two = scene.keeper.seal("c", PIN), scene.keeper.seal("c", PIN)
    assert (one.mark, scene.keeper.seal("d", PIN).mark) == (two.mark, two.mark)
    assert one.sealed != two.sealed
    assert scene.keeper.seal("c", OTHER).mark != one.mark
    assert PIN.encode() not in one.sealed + one.mark


def test_a_pin_is_shown_by_nothing_that_keeps_it() -> None:
    scene = Scene()
    assert repr(scene.keeper) == "PinKeeper()"
    assert repr(scene.keeper.seal("c", PIN)) == "SealedPin(…)"
    assert "SealedPin(…)" in repr(scene.made("c", PIN))


def test_what_a_driver_told_is_known_until_it_is_forgotten() -> None:
    scene = Scene()
    ref = scene.vault.seal(PIN)
    assert (scene.keeper.told(ref), scene.keeper.told(None)) == (PIN, None)
    scene.vault.forget(ref)
    assert scene.keeper.told(ref) is None
