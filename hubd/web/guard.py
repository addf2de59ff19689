"""What keeps others' pages, forms and scripts out: cookies, origin checks, CSRF tokens, response headers. Pure."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from hubd.core.message import Request
from hubd.model.errors import HubError, InvalidInputError

MAX_FORM = 16 * 1024
MAX_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"
_PATH = re.compile(
    r"/(?:(?:device|code|driver|run)/[\w.~-]{1,80})?(?:\?[\w.~%&=+-]{0,1000})?(?:#[\w.~-]{0,100})?", re.ASCII
)

# Referrer-Policy must not be `no-referrer`: with it browsers send `Origin: null` along with a form.
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class ForgeryError(HubError):
    """A form did not come from one of our own pages."""


def new_nonce() -> str:
    """Draw the mark by which a page's own script tag is known."""
    return secrets.token_urlsafe(16)


def policy(nonce: str) -> str:
    """Return the content security policy of a page: our style sheet and images, the script tags marked with `nonce`."""
    script = f"'nonce-{nonce}'" if nonce else "'none'"
    return (
        f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS."""
    return request.origin.startswith("https:")


def cookie_name(request: Request, purpose: str) -> str:
    """Return a cookie's name; over TLS the browser itself guards the `__Host-` prefix."""
    return f"__Host-hubd_{purpose}" if is_secure(request) else f"hubd_{purpose}"


def read_cookie(request: Request, purpose: str) -> str:
    """Return a cookie's value, or an empty string."""
    wanted = cookie_name(request, purpose)
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value[:200]
    return ""


def set_cookie(request: Request, purpose: str, value: str) -> str:
    """Return a `Set-Cookie` header; an empty value removes the cookie."""
    secure = "; Secure" if is_secure(request) else ""
    gone = "" if value else "; Max-Age=0"
    return f"{cookie_name(request, purpose)}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{gone}"


def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form. Raises `InvalidInputError`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM or len(request.body) > MAX_FORM:
        raise InvalidInputError("", f"the body must be a form ({_FORM}) of at most {MAX_FORM} bytes")
    try:
        text = request.body.decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError as error:
        raise InvalidInputError("", "the form cannot be read") from error


def check_source(headers: Mapping[str, str], origin: str) -> None:
    """Refuse a form that a page of somebody else sent. Raises `ForgeryError`.

    `Sec-Fetch-Site` is the browser's own word and decides where it is sent; it is not over plain HTTP. A client that
    sends neither it nor `Origin` is no browser of this decade; then the form's token decides alone.
    """
    site, source = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = source is None or source.lower() == origin.lower()
    if not is_ours:
        raise ForgeryError("foreign_form", "This form was sent by a page that is not the hub's; nothing was done.")


def is_token(given: str, expected: str) -> bool:
    """Compare a form's token, in the same time whatever is given."""
    return hmac.compare_digest(given.encode(), expected.encode())


def check_token(given: str, expected: str) -> None:
    """Refuse a form without the session's token. Raises `ForgeryError`."""
    if not is_token(given, expected):
        message = "This page was too old for its form to be taken; nothing was done. Please try again."
        raise ForgeryError("stale_form", message)


def login_token(secret: bytes, cookie: str) -> str:
    """Return the token of the sign-in form, for which there is no session yet: bound to the form's cookie."""
    return hmac.new(secret, cookie.encode(), hashlib.sha256).hexdigest()


def own_path(path: str) -> str:
    """Return a path to go back to: one of the pages, else `/`. Never leads to another host."""
    return path if _PATH.fullmatch(path) and not urlsplit(path).netloc else "/"
