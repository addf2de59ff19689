"""XML in and out: what a record needs survives, whatever is hostile ends in a typed error."""

import random
import tracemalloc

import pytest
from hubd_drivers.salto_space.document import MAX_DEPTH, DocumentError, Element, parse, write
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.salto_space.strategies import elements

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY l2 "&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY l3 "&l2;&l2;&l2;&l2;&l2;&l2;"><!ENTITY l4 "&l3;&l3;&l3;&l3;&l3;&l3;">]><a>&l4;</a>"""


def refusal(body: bytes, **limits: int) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse(body, **limits)
    return caught.value


def trimmed(element: Element) -> Element:
    return Element(element.name, element.text.strip(" \t\r\n"), [trimmed(child) for child in element])


def test_a_reply_as_real_servers_write_it() -> None:
    root = parse(
        b"<?xml version='1.0' encoding='utf-8'?>\r\n<RequestResponse>\r\n  <RequestName> GetInfo\n</RequestName>\r\n"
        b"  <Params><ProtocolID>SHIP</ProtocolID><UserExpiration.Enabled>0</UserExpiration.Enabled><a/></Params>\r\n"
        b"</RequestResponse>\r\n"
    )
    assert root.name == "RequestResponse"
    assert root.text == ""
    assert [child.name for child in root] == ["RequestName", "Params"]
    assert root.value("RequestName") == "GetInfo"
    params = root.child("Params")
    assert params is not None
    assert params.value("UserExpiration.Enabled") == "0"
    assert (params.value("a", "x"), params.value("b", "x"), params.child("b")) == ("", "x", None)


def test_all_gives_those_of_one_name_in_order() -> None:
    root = parse(b"<r><a>1</a><b/><a>2</a></r>")
    assert [one.text for one in root.all("a")] == ["1", "2"]
    assert root.value("a") == "1"


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ("<?xml version='1.0' encoding='utf-8'?>", "utf-8"),
        ("<?xml version='1.0' encoding='UTF-8'?>", "utf-8-sig"),
        ("<?xml version='1.0' encoding='UTF-8'?>", "latin-1"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ('<?xml version="1.0" encoding="windows-1252"?>', "cp1252"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16-le"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16-be"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-8"),
        ('<?xml version="1.0" encoding="x-klingon"?>', "utf-8"),
        ('<?xml version="1.0" encoding="punycode"?>', "latin-1"),
        ("", "utf-8"),
        ("", "latin-1"),
        (" \r\n", "utf-8"),
    ],
)
def test_text_is_whole_in_every_encoding(declaration: str, encoding: str) -> None:
    assert parse(f"{declaration}<a>José Ñandú ß</a>".encode(encoding)).text == "José Ñandú ß"


@pytest.mark.parametrize("page", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16])
def test_every_eight_bit_declaration_has_a_codec(page: int) -> None:
    assert parse(f'<?xml version="1.0" encoding="ISO-8859-{page}"?><a>x</a>'.encode()).text == "x"


@pytest.mark.parametrize("page", range(1250, 1259))
def test_every_windows_page_has_a_codec(page: int) -> None:
    assert parse(f'<?xml version="1.0" encoding="windows-{page}"?><a>x\x81</a>'.encode("latin-1")).text[0] == "x"


def test_references_and_cdata_are_text() -> None:
    assert parse(b"<a>&#233;&#x20AC; &amp;&lt;&gt;&quot;&apos; <![CDATA[<b>]]><!-- no --><?x y?>!</a>").text == (
        "\u00e9\u20ac &<>\"' <b>!"
    )


def test_of_mixed_content_the_elements_are_kept() -> None:
    assert parse(b"<r>before<a>1</a>between<b/>after</r>") == Element("r", "", [Element("a", "1"), Element("b")])


def test_prefixes_and_attributes_are_dropped() -> None:
    root = parse(b'<s:r xmlns:s="urn:x" s:y="1"><s:a z="2">1</s:a><t:b/><a:>2</a:></s:r>')
    assert root == Element("r", "", [Element("a", "1"), Element("b"), Element("a:", "2")])


def test_a_long_text_is_whole() -> None:
    text = "x" * 300_000 + "&" + "y" * 300_000
    assert parse(write(Element("a", text))).text == text


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"\xef\xbb\xbf\r\n<!doctype HTML>\n<p>unclosed",
        b"<HTML><body>",
        b"<html lang=en>",
        b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://x/y.dtd"><html/>',
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><br></html>',
    ],
)
def test_a_web_page_is_told_from_broken_xml(body: bytes) -> None:
    error = refusal(body)
    assert (error.code, error.is_html) == ("not_xml", True)
    assert "web page" in error.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"HELLO", "not_xml"),
        (b"{}", "not_xml"),
        (b"\x00\x00\x00", "not_xml"),
        (b"<a>", "malformed"),
        (b"<a></b>", "malformed"),
        (b"<a/><b/>", "malformed"),
        (b"<a>\x00", "malformed"),
        (b"<a>&#0;</b>", "malformed"),
        (b"<a>&undeclared;</a>", "malformed"),
        (b"<a>x & y</a>", "malformed"),
        (b"<a b='1' b='2'/>", "malformed"),
        (b"<header>", "malformed"),
        (b"<?xml version='1.0'?>", "malformed"),
        (b"\xff\xfe<", "bad_encoding"),
        (LAUGHS, "forbidden"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>', "forbidden"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "forbidden"),
        (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/"> %x;]><a/>', "forbidden"),
        (b'<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>', "forbidden"),
        (b"<!DOCTYPE a><a/>", "forbidden"),
    ],
)
def test_what_is_no_document_is_refused(body: bytes, code: str) -> None:
    error = refusal(body)
    assert (error.code, error.is_html) == (code, False)
    assert error.message.endswith(".")


@pytest.mark.parametrize("cut", [5, 60, 200, 1000])
def test_half_a_document_is_refused(cut: int) -> None:
    body = write(Element("r", children=[Element("a", str(number)) for number in range(200)]))
    assert refusal(body[:cut]).code == "malformed"


def test_depth_is_limited() -> None:
    def nested(depth: int) -> bytes:
        return b"<a>" * depth + b"</a>" * depth

    assert parse(nested(MAX_DEPTH)).name == "a"
    assert refusal(nested(MAX_DEPTH + 1)).code == "too_deep"
    assert refusal(b"<a>" * 1_000_000).code == "too_deep"
    assert refusal(nested(4), max_depth=3).code == "too_deep"


def test_the_number_of_elements_is_limited() -> None:
    assert len(parse(b"<r><a/><a/></r>", max_elements=3).children) == 2
    assert refusal(b"<r><a/><a/><a/></r>", max_elements=3).code == "too_many_elements"


def test_a_flood_of_elements_ends_within_bounded_memory() -> None:
    flood = b"<r>" + b"<a/>" * 3_000_000
    tracemalloc.start()
    try:
        assert refusal(flood, max_elements=20_000).code == "too_many_elements"
        assert tracemalloc.get_traced_memory()[1] < 3 * len(flood)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("written", [b"\x1f", b"\x00", b"&#0;", b"&#x1F;", b"&#xD800;", b"&#1114112;", b"&#xFFFFFFFF;"])
def test_one_character_that_xml_cannot_hold_does_not_make_a_list_unreadable(written: bytes) -> None:
    body = b"<?xml version='1.0' encoding='utf-8'?><r><Id>u" + written + b"</Id><Name>&#233;&#x20AC;&amp;</Name></r>"
    found = parse(body)
    assert (found.value("Id"), found.value("Name")) == ("u\ufffd", "\xe9\u20ac&"), "and no two ids become one"


def test_attributes_are_limited() -> None:
    many = " ".join(f'a{number}="1"' for number in range(65))
    assert refusal(f"<r {many}/>".encode()).code == "too_many_attributes"


def test_an_error_quotes_nothing() -> None:
    assert "4711" not in refusal(b"<r><PINCode>4711</PINCode>").message
    with pytest.raises(DocumentError) as caught:
        write(Element("PINCode", "4711\x00"))
    assert "4711" not in caught.value.message


def test_a_document_is_ascii() -> None:
    element = Element("a", children=[Element("b", "é€\U0001f511 <&>\r"), Element("c")])
    assert write(element) == (
        b'<?xml version="1.0" encoding="UTF-8"?><a><b>&#233;&#8364;&#128273; &lt;&amp;&gt;&#13;</b><c/></a>'
    )
    assert write(Element("Params")) == b'<?xml version="1.0" encoding="UTF-8"?><Params/>'


@given(elements())
def test_what_is_written_is_read(element: Element) -> None:
    body = write(element)
    assert body.isascii()
    assert parse(body) == trimmed(element)


@given(st.binary(max_size=200) | st.builds(lambda one: b"<r>" + one + b"</r>", st.binary(max_size=200)))
def test_any_bytes_end_in_a_tree_or_a_typed_error(body: bytes) -> None:
    try:
        found: Element | DocumentError = parse(body)
    except DocumentError as error:
        found = error
    assert isinstance(found, Element) or found.code


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_refused(character: str) -> None:
    with pytest.raises(DocumentError, match="character") as caught:
        write(Element("Name", f"x{character}"))
    assert caught.value.code == "bad_character"


@pytest.mark.parametrize("name", ["", "1a", "a b", "a>", "é", "a:b", "-a"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(DocumentError) as caught:
        write(Element(name))
    assert caught.value.code == "bad_name"


def test_what_could_not_be_read_is_not_written() -> None:
    element = Element("a")
    for _ in range(MAX_DEPTH):
        element = Element("a", children=[element])
    with pytest.raises(DocumentError) as caught:
        write(element)
    assert caught.value.code == "too_deep"


def test_a_repr_shows_no_text() -> None:
    assert "4711" not in repr(Element("PINCode", "4711"))
    assert "4711" not in repr(Element("a", children=[Element("PINCode", "4711")]))


def test_elements_are_equal_by_what_they_hold() -> None:
    assert Element("a", "1") == Element("a", "1")
    assert Element("a", "1") != Element("a", "2")
    assert Element("a") != "a"


def test_a_page_of_many_megabytes_is_read_whole() -> None:
    chance = random.Random(1)
    records = [Element("r", children=[Element("id", chance.randbytes(16).hex())]) for _ in range(50_000)]
    assert parse(write(Element("l", children=records))) == Element("l", children=records)
