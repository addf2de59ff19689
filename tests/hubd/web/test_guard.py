import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.core.message import Request
from hubd.model.errors import InvalidInputError
from hubd.web import guard

HERE = "https://box:8470"


def request(origin: str = HERE, body: bytes = b"", **headers: str) -> Request:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="POST", path="/", origin=origin, body=body, headers=sent)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": HERE},
        {"origin": HERE.upper()},
        {"sec-fetch-site": "same-origin", "origin": HERE},
        {"sec-fetch-site": "same-origin", "origin": "https://what-a-proxy-made-of-it"},
        {"sec-fetch-site": "none"},
        {},
    ],
)
def test_our_own_forms_are_taken(headers: dict[str, str]) -> None:
    guard.check_source(headers, HERE)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://box:8470"},
        {"origin": "https://box:8471"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": HERE},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_forms_of_others_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(guard.ForgeryError):
        guard.check_source(headers, HERE)


def test_cookies_over_tls_are_bound_to_it() -> None:
    assert guard.set_cookie(request(), "session", "abc") == (
        "__Host-hubd_session=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
    )
    plain = guard.set_cookie(request("http://127.0.0.1:8470"), "session", "abc")
    assert plain == "hubd_session=abc; Path=/; HttpOnly; SameSite=Strict"
    assert "Max-Age=0" in guard.set_cookie(request(), "session", "")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("__Host-hubd_session=abc", "abc"),
        ("a=b; __Host-hubd_session=abc=; c", "abc="),
        ("hubd_session=abc", ""),
        ("x__Host-hubd_session=abc", ""),
        ("__Host-hubd_session", ""),
        ("__Host-hubd_session=" + "x" * 5000, "x" * 200),
        ("", ""),
    ],
)
def test_cookies_are_read(header: str, value: str) -> None:
    assert guard.read_cookie(request(cookie=header), "session") == value


@given(st.text())
def test_any_cookie_header_is_read(header: str) -> None:
    assert len(guard.read_cookie(request(cookie=header), "session")) <= 200


def test_forms_are_read() -> None:
    form = guard.read_form(
        request(body=b"a=1&b=%C3%A4+x&c=", content_type="application/x-www-form-urlencoded; charset=x")
    )
    assert form == {"a": "1", "b": "ä x", "c": ""}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("", b"a=1"),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * guard.MAX_FORM),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(guard.MAX_FIELDS + 1))),
        ("application/x-www-form-urlencoded", b"a=\xff"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
    ],
)
def test_what_is_no_form_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        guard.read_form(request(body=body, content_type=kind))


def test_tokens() -> None:
    guard.check_token("abc", "abc")
    for wrong in ("", "abd", "abcd", "äöü"):
        with pytest.raises(guard.ForgeryError):
            guard.check_token(wrong, "abc")
    assert guard.login_token(b"s" * 32, "one") != guard.login_token(b"s" * 32, "two")
    assert guard.login_token(b"s" * 32, "one") != guard.login_token(b"t" * 32, "one")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?q=a+b&show=locks&p=2",
        "/device/0a-b",
        "/device/0a-b#events",
        "/#d-1",
        "/driver/front",
        "/run/0a-b",
        "/code/0a-b",
    ],
)
def test_own_paths_stand(path: str) -> None:
    assert guard.own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/login",
        "/device/../x",
        "/\r\nset-cookie: a=b",
        "/device/",
    ],
)
def test_other_paths_lead_home(path: str) -> None:
    assert guard.own_path(path) == "/"


@given(st.text())
def test_no_path_leads_to_another_host(path: str) -> None:
    own = guard.own_path(path)
    assert own == "/" or own[:2] in {"/d", "/r", "/?", "/#"}
    assert own.isascii()
    assert own.isprintable()


def test_policy() -> None:
    assert "script-src 'nonce-abc';" in guard.policy("abc")
    assert "script-src 'none';" in guard.policy("")
    for policy in (guard.policy("abc"), guard.policy("")):
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    assert guard.new_nonce() != guard.new_nonce()
