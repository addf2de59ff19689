"""A browser without JavaScript: keeps cookies, sends forms, follows redirects, and tells what stands where."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

from hubd.core.message import Request, Response
from hubd.web.pages import Pages

_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr", "use", "path", "rect", "circle"}
FORM = "application/x-www-form-urlencoded"


class Sheet(HTMLParser):
    """A parsed page: the text in each element with an id, all tags, all fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.texts: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        assert self._open == [], "elements left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.append((tag, named))
        own = named.get("id", "")
        if own:
            assert own not in self.texts, f"two elements with id {own}"
            self.texts[own] = ""
        if tag not in _VOID:
            self._open.append((tag, own))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1][0] == tag, f"</{tag}> closes <{self._open[-1][0]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for _, own in self._open:
            if own:
                self.texts[own] += data

    def __getitem__(self, own: str) -> str:
        return " ".join(self.texts[own].split())

    def __contains__(self, own: str) -> bool:
        return own in self.texts

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of each such tag."""
        return [named for name, named in self.tags if name == tag]

    def field(self, name: str) -> str:
        """Return the value of a field."""
        return next(named["value"] for named in self.all("input") if named.get("name") == name)


class Browser:
    """One person's browser at one address."""

    def __init__(self, pages: Pages, *, origin: str = "http://127.0.0.1:8470", remote: str = "192.0.2.7") -> None:
        self.pages = pages
        self.origin = origin
        self.remote = remote
        self.cookies: dict[str, str] = {}

    async def send(self, method: str, url: str, body: bytes = b"", **headers: str) -> Response:
        """Send one request; header names with `_` for `-`."""
        parts = urlsplit(url)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = Request(
            method=method,
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers=sent,
            body=body,
            remote=self.remote,
            origin=self.origin,
        )
        response = await self.pages.handle(request)
        if set_cookie := response.headers.get("set-cookie"):
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in set_cookie:
                self.cookies[name] = value
        return response

    async def get(self, url: str) -> Sheet:
        """Fetch a page, following redirects."""
        for _ in range(5):
            response = await self.send("GET", url)
            if response.status != 303:
                assert response.status == 200, response.status
                return Sheet(response.body.decode())
            url = response.headers["location"]
        raise AssertionError("redirected in a circle")

    async def post(self, url: str, fields: dict[str, str], **headers: str) -> Response:
        """Send a form as a browser does."""
        sent = {"content_type": FORM, "origin": self.origin} | headers
        return await self.send("POST", url, urlencode(fields).encode(), **sent)

    async def sign_in(self, token: str, page: str = "/") -> Response:
        """Sign in through the form that leads back to `page`."""
        form = await self.get(page)
        return await self.post("/login", {"csrf": form.field("csrf"), "next": form.field("next"), "key": token})

    async def press(self, sheet: Sheet, device_id: str, action: str) -> Sheet:
        """Press one of the buttons on a page and see where that leads."""
        path = f"/device/{device_id}"
        buttons = [(named.get("formaction"), named.get("value")) for named in sheet.all("button")]
        assert (path, action) in buttons
        fields = {"csrf": sheet.field("csrf"), "back": sheet.field("back"), "action": action}
        response = await self.post(path, fields)
        assert response.status == 303
        return await self.get(response.headers["location"])


def words(html: bytes | str) -> str:
    """Return the text of any HTML."""
    text = html if isinstance(html, str) else html.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())
