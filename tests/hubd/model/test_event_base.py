import msgspec
import pytest

from hubd.model.event_base import EventBase


class Rang(EventBase, frozen=True, kw_only=True, tag="bell.rang"):
    """An event of this test."""

    times: int = 1


def test_a_body_says_its_type_and_leaves_out_what_is_usual() -> None:
    assert msgspec.json.encode(Rang()) == b'{"type":"bell.rang"}'
    assert msgspec.json.decode(b'{"type":"bell.rang","times":3}', type=Rang) == Rang(times=3)


def test_an_event_is_not_changed_after_it_happened() -> None:
    with pytest.raises(AttributeError):
        Rang().times = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Rang(2)  # type: ignore[call-arg]
