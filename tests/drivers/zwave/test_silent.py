from hubd_drivers.zwave.silent import KNOWN_SILENT, is_silent

from tests.drivers.zwave.fakes import lock_node


def test_models_that_do_not_report_are_known_by_their_numbers() -> None:
    assert is_silent(lock_node(5, manufacturerId=0x3B, productType=1, productId=0x469))
    assert not is_silent(lock_node(5, manufacturerId=0x90, productType=1, productId=0x469))
    assert not is_silent(lock_node(5, manufacturerId=None))
    assert all(0 < part <= 0xFFFF for model in KNOWN_SILENT for part in model)
