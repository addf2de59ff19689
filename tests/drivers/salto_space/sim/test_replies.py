import pytest
from hubd_drivers.salto_space import document
from hubd_drivers.salto_space.sim import replies
from hubd_drivers.salto_space.sim.replies import RefusalError, Text, leaf, node

ELEMENT = node("SaltoDBUser", [leaf("LastName", "Müller & Łuk <1>"), leaf("Title"), leaf("Office", 0)])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("utf-8", "Müller &amp; Łuk".encode()),
        ("iso-8859-1", b"M\xfcller &amp; &#321;uk"),
        ("references", b"M&#252;ller &amp; &#321;uk"),
    ],
)
def test_letters_are_written_in_each_way(text: Text, wanted: bytes) -> None:
    made = replies.fragment(ELEMENT, text)
    assert made.startswith(b"<SaltoDBUser>")
    assert wanted in made
    assert document.parse(replies.whole("X", [made], text)).children[1].children == [ELEMENT]


def test_a_reply_is_declared_as_real_ones_are() -> None:
    made = replies.whole("GetInfo", [], "utf-8")
    assert made == (
        b"<?xml version='1.0' encoding='utf-8'?>"
        b"<RequestResponse><RequestName>GetInfo</RequestName><Params/></RequestResponse>"
    )
    assert replies.whole("A", [], "iso-8859-1").startswith(b"<?xml version='1.0' encoding='iso-8859-1'?>")


def test_an_exception_has_a_code_and_words_and_no_params() -> None:
    root = document.parse(replies.failure("SaltoDBUser.Update", RefusalError(201, "admin"), "utf-8"))
    assert [child.name for child in root.children] == ["RequestName", "Exception"]
    assert root.children[1].value("Code") == "201"
    assert root.children[1].value("Message").endswith("another operator: admin")
    assert "599" in str(RefusalError(599))


def test_a_reply_may_be_broken_into_lines() -> None:
    made = replies.broken_up(replies.whole("X", [replies.fragment(ELEMENT, "utf-8")], "utf-8"))
    assert b">\r\n<" in made
    assert b"\r\n  0\r\n" in made
    assert document.parse(made) == document.parse(replies.whole("X", [replies.fragment(ELEMENT, "utf-8")], "utf-8"))


def test_an_empty_list_is_an_empty_element() -> None:
    assert replies.enclosed("EmptyList", []) == b"<EmptyList/>"
    assert replies.enclosed("List", [b"<A/>", b"<B/>"]) == b"<List><A/><B/></List>"
