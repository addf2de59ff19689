import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.model import ids

HUB = "0f4d9a0e-5a52-4a41-8f0c-2b6f0f1c9d11"
OTHER_HUB = "0f4d9a0e-5a52-4a41-8f0c-2b6f0f1c9d12"
PARTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=4).map(tuple)
EPOCHS = st.integers(0, 2**60 - 1)
SEQS = st.integers(0, 2**62 - 1)


def test_derived_ids_are_for_ever() -> None:
    """A change of these would give every device of every site a new id."""
    assert ids.device_id(HUB, "front", "lock-1") == "75771197-2ef5-5e65-a623-5e0c27ebb737"
    assert ids.account_id(HUB, "front") == "3df051f8-8311-55ee-ae80-03e634cefcef"
    assert ids.workspace_id(HUB) == "1c1ca24c-497b-5026-a0e6-f9d50fa5a2db"


@given(PARTS, PARTS)
def test_no_two_things_share_an_id(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (ids.derive(HUB, *one) == ids.derive(HUB, *other)) is (one == other)
    assert ids.derive(HUB, *one) != ids.derive(OTHER_HUB, *one)


def test_a_new_id_is_random() -> None:
    drawn = {ids.new_id() for _ in range(100)}
    assert len(drawn) == 100
    assert {uuid.UUID(one).version for one in drawn} == {4}


@given(EPOCHS, SEQS)
def test_an_event_id_is_a_uuid_that_leads_back_to_its_row(epoch: int, seq: int) -> None:
    event = ids.event_id(epoch, seq)
    parsed = uuid.UUID(event)
    assert (parsed.version, parsed.variant) == (8, uuid.RFC_4122)
    assert str(parsed) == event
    assert ids.event_seq(epoch, event) == ids.event_seq(epoch, event.upper()) == seq


@given(EPOCHS, EPOCHS, SEQS, SEQS)
def test_event_ids_differ_by_row_and_epoch(epoch: int, other: int, seq: int, later: int) -> None:
    same = (epoch, seq) == (other, later)
    assert (ids.event_id(epoch, seq) == ids.event_id(other, later)) is same
    assert ids.event_seq(other, ids.event_id(epoch, seq)) == (seq if epoch == other else None)


@pytest.mark.parametrize("text", ["", "no-uuid", "\x00", "{0f4d9a0e-5a52-4a41-8f0c-2b6f0f1c9d11}", HUB])
def test_what_is_no_event_id_leads_nowhere(text: str) -> None:
    assert ids.event_seq(ids.new_epoch(), text) is None


def test_an_epoch_fits_its_place_in_an_event_id() -> None:
    drawn = [ids.new_epoch() for _ in range(200)]
    assert len(set(drawn)) == 200
    assert all(0 <= epoch < 2**60 for epoch in drawn)
