import pytest
from hubd_drivers.salto_space.sim.quirks import Quirks, named


def test_quirks_are_read_by_name() -> None:
    read = named(["page_order=made", "page_cap=50", "group_list=false", "stp_accepts=00,01"])
    assert read == Quirks(page_order="made", page_cap=50, group_list=False, stp_accepts=("00", "01"))
    assert named([]) == Quirks()


@pytest.mark.parametrize("word", ["page_order", "page_odor=made", "page_order=random", "page_cap=many"])
def test_what_is_no_quirk_is_named(word: str) -> None:
    with pytest.raises(ValueError, match=word.partition("=")[0]):
        named([word])


def test_a_command_without_doors_opens_all_of_them_unless_a_test_wants_otherwise() -> None:
    assert Quirks().empty_command_list == "all"
