import pytest
from hubd_drivers.salto_space.messages import Effect
from hubd_drivers.salto_space.messages.encoders import Encoding, assign_key, read_card, read_encoding, update_key

from tests.drivers.salto_space.messages.samples import result


def test_reading_a_card() -> None:
    request = read_card("Encoder#2")
    assert (request.name, request.effect) == ("Encoder.ReadKey", Effect.ENCODES)
    assert [(one.name, one.text) for one in request.params] == [
        ("EncoderID", "Encoder#2"),
        ("ReturnROMCode", "1"),
        ("ReturnLockerData", "0"),
    ]
    assert read_card("e", lockers=True).params.value("ReturnLockerData") == "1"


def test_writing_a_card() -> None:
    for make, name in ((assign_key, "AssignNewKey"), (update_key, "UpdateCurrentKey")):
        request = make("u", "Encoder#2")
        assert (request.name, request.effect) == (f"Encoder.SaltoDBUser.{name}", Effect.ENCODES)
        assert [(one.name, one.text) for one in request.params] == [("ExtUserID", "u"), ("EncoderID", "Encoder#2")]
        for user, encoder in (("", "e"), ("u", " ")):
            with pytest.raises(ValueError, match=r"empty|a name"):
                make(user, encoder)


def test_a_reply_that_tells_of_the_card() -> None:
    found = read_encoding(result("X", "<ROMCode>04a1b2c3d4e5f6</ROMCode><KeyID>12</KeyID>"))
    assert found == Encoding(card_serial="04A1B2C3D4E5F6", key="12")
    assert repr(found) == "Encoding(has_card_serial=True, has_key=True)"


def test_a_reply_that_tells_nothing() -> None:
    assert read_encoding(result("X", "")) == Encoding()
