import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hubd_drivers.zwave.codes.rules import KNOWN, Rules, apply, read, rules_for

from hubd.model import KeypadCapability
from tests.drivers.zwave.fakes import lock_node

ANY = KeypadCapability(30, 4, 10)


def written(folder: Path, name: str, **content: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"source": ["a test"], **content}), "utf-8")


def test_a_file_is_all_that_a_model_takes(tmp_path: Path) -> None:
    written(tmp_path, "maker", manufacturer="0x00aa", rules=["no_zeros"], max_length=8, reserved_slots=[1, 99])
    product = [{"type": "0x0001", "id": "0x0002"}]
    written(tmp_path, "a-model", manufacturer="0x00aa", products=product, lengths=[6], tells_pins=False)
    known = read(tmp_path)
    ours = rules_for(lock_node(2, 0, manufacturerId=0xAA, productType=1, productId=2), known)
    assert ours is not None
    assert apply(ANY, ours) == KeypadCapability(
        30, 4, 8, lengths=(6,), rules=("no_zeros",), reserved_slots=(1,), tells_pins=False
    )
    sibling = rules_for(lock_node(2, 0, manufacturerId=0xAA, productType=1, productId=3), known)
    assert sibling is not None
    assert apply(ANY, sibling) == KeypadCapability(30, 4, 8, rules=("no_zeros",), reserved_slots=(1,))
    assert rules_for(lock_node(2, 0, manufacturerId=0xAB), known) is None


def test_the_length_that_a_lock_is_set_to_is_the_only_one() -> None:
    rules = Rules(source=(), manufacturer="0x003b", min_length=4, max_length=8, length_parameter=16)
    assert apply(ANY, rules, 6).code_lengths == (6,)
    assert apply(ANY, rules, 12).code_lengths == (4, 5, 6, 7, 8)
    assert apply(ANY, rules).code_lengths == (4, 5, 6, 7, 8)


def test_a_file_that_says_something_else_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "odd", manufacturer="0x00aa", rules=["no_sevens"])
    with pytest.raises(msgspec.ValidationError, match=r"odd\.json"):
        read(tmp_path)
    written(tmp_path, "odd", manufacturer="0x00aa", colour="red")
    with pytest.raises(msgspec.ValidationError, match="colour"):
        read(tmp_path)


def test_what_is_shipped_has_its_sources() -> None:
    assert KNOWN
    assert all(one.source for one in KNOWN)


def test_yales_master_code_is_out_of_reach() -> None:
    rules = rules_for(lock_node(2, 0, manufacturerId=0x0129, productType=0x8002, productId=0x4600))
    assert rules is not None
    assert apply(KeypadCapability(251, 4, 10), rules).reserved_slots == (251,)
    assert apply(KeypadCapability(250, 4, 10), rules).reserved_slots == ()
