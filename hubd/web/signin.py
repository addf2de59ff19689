"""Who is at the browser: a key for a cookie, and the forms that prove to be ours."""

import logging
import secrets
from typing import TYPE_CHECKING

import msgspec

from hubd.core.hub import Hub
from hubd.core.keys import Key, Keys
from hubd.core.message import Request, Response
from hubd.core.ratelimit import RateLimit
from hubd.web import guard
from hubd.web.answers import HTML, go, only
from hubd.web.sessions import Session, Sessions

if TYPE_CHECKING:
    from hubd.web.render import Renderer

LOG = logging.getLogger(__name__)

LOGINS_PER_MINUTE = 10


class Visitor(msgspec.Struct, frozen=True):
    """A signed-in browser with its key as it is now."""

    token: str
    session: Session
    key: Key


class SignIn:
    """The door. Holds the sessions."""

    def __init__(self, hub: Hub, keys: Keys) -> None:
        self._hub = hub
        self._keys = keys
        self._sessions = Sessions(keys)
        self._attempts = RateLimit(LOGINS_PER_MINUTE / 60, LOGINS_PER_MINUTE)
        self._secret = secrets.token_bytes(32)

    def visitor(self, request: Request, *, is_use: bool) -> Visitor | None:
        """Return who sent a request, or None. `is_use` False does not count as a person's doing."""
        token = guard.read_cookie(request, "session")
        found = self._sessions.find(token, self._now(), is_use=is_use) if token else None
        return None if found is None else Visitor(token, *found)

    def is_in(self, visitor: Visitor) -> bool:
        """Whether a visitor is still signed in, with the same rights."""
        found = self._sessions.find(visitor.token, self._now(), is_use=False)
        return found == (visitor.session, visitor.key)

    async def login(self, renderer: "Renderer", request: Request) -> Response:
        """Show the form, or take it. Raises `HubError` for what is no form of ours."""
        only(request, "GET", "HEAD", "POST")
        if request.method != "POST":
            return self._form(renderer, request, 200, "", dict(request.query).get("next", "/"))
        form = guard.read_form(request)
        guard.check_source(request.headers, request.origin)
        target = guard.own_path(form.get("next", "/"))
        wait = self._attempts.take(request.remote, self._now())
        if wait:
            problem = f"Too many attempts from this address. Try again in {max(1, round(wait))} seconds."
            return self._form(renderer, request, 429, problem, target)
        cookie = guard.read_cookie(request, "form")
        if not cookie or not guard.is_token(form.get("csrf", ""), guard.login_token(self._secret, cookie)):
            problem = "The form was too old, or this browser keeps no cookies. Please try once more."
            return self._form(renderer, request, 403, problem, target)
        key = self._keys.verify(form.get("key", "").strip())
        if key is None:
            LOG.warning("a sign-in from %s was refused", request.remote)
            return self._form(renderer, request, 403, "This key is not valid, or it was revoked.", target)
        self._sessions.end(guard.read_cookie(request, "session"))
        LOG.info("key %s signed in from %s", key.key_id, request.remote)
        return go(target, guard.set_cookie(request, "session", self._sessions.begin(key, self._now())))

    def logout(self, request: Request, visitor: Visitor) -> Response:
        """Sign out. Raises `HubError` for what is no form of ours."""
        only(request, "POST")
        read_own_form(request, visitor)
        self._sessions.end(visitor.token)
        return go("/login", guard.set_cookie(request, "session", ""))

    def _form(self, renderer: "Renderer", request: Request, status: int, problem: str, target: str) -> Response:
        cookie = guard.read_cookie(request, "form") or guard.new_nonce()
        values = {
            "site": self._hub.site.name,
            "version": self._hub.site.version,
            "problem": problem,
            "next": guard.own_path(target),
            "csrf": guard.login_token(self._secret, cookie),
        }
        headers = {"content-type": HTML, "set-cookie": guard.set_cookie(request, "form", cookie)}
        return Response(status=status, body=renderer.page("login.html", values), headers=headers)

    def _now(self) -> float:
        return self._hub.clock.monotonic()


def read_own_form(request: Request, visitor: Visitor) -> dict[str, str]:
    """Return the fields of a form that one of our pages made for this visitor. Raises `HubError` for any other."""
    form = guard.read_form(request)
    guard.check_source(request.headers, request.origin)
    guard.check_token(form.get("csrf", ""), visitor.session.csrf)
    return form
