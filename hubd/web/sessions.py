"""Signed-in browsers. In memory only: a restart of the hub signs everybody out. Time is given in monotonic seconds."""

import hashlib
import secrets
from collections import OrderedDict, deque

import msgspec

from hubd.core.keys import Key, Keys

CAPACITY = 256
PER_KEY = 32
IDLE_SECONDS = 2 * 3600.0
LIFE_SECONDS = 12 * 3600.0
MAX_NOTICES = 4
NOTICE_SECONDS = 120.0
MAX_STREAMS = 8
"""Open pages of one session."""


class Notice(msgspec.Struct, frozen=True):
    """What became of a button: an accepted command, the sentence of the refusal, or a report that it was done.

    `title` names what was refused or done; by default it is an order to the device.
    """

    device_id: str | None
    made_at: float
    request_id: str | None = None
    refusal: str = ""
    title: str = ""
    report: str = ""


class Session:
    """One signed-in browser. Its token is not kept, only the token's hash as its name in `Sessions`."""

    def __init__(self, key_id: str, now: float) -> None:
        self.key_id = key_id
        self.csrf = secrets.token_urlsafe(24)
        self.began_at = now
        self.used_at = now
        self.streams = 0
        self._notices: deque[Notice] = deque(maxlen=MAX_NOTICES)

    def tell(self, notice: Notice) -> None:
        """Show a notice on this session's pages."""
        self._notices.appendleft(notice)

    def notices(self, now: float) -> list[Notice]:
        """Return what is still worth showing, newest first."""
        return [notice for notice in self._notices if now - notice.made_at <= NOTICE_SECONDS]

    def is_over(self, now: float) -> bool:
        """Whether it was idle, or alive, for too long."""
        return now - self.used_at > IDLE_SECONDS or now - self.began_at > LIFE_SECONDS


class Sessions:
    """All sessions. Bounded: the one used longest ago goes first, within its own key's share and within all."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, key: Key, now: float) -> str:
        """Make a session; returns its token, which is not kept."""
        own = [name for name, session in self._sessions.items() if session.key_id == key.key_id]
        if len(own) >= PER_KEY:
            del self._sessions[own[0]]
        token = secrets.token_urlsafe(32)
        self._sessions[_name(token)] = Session(key.key_id, now)
        if len(self._sessions) > CAPACITY:
            self._sessions.popitem(last=False)
        return token

    def find(self, token: str, now: float, *, is_use: bool = True) -> tuple[Session, Key] | None:
        """Return a living session with its key as it is now; None when it is over or its key was revoked.

        `is_use` False leaves the idle time running: a page that updates itself is not a person.
        """
        name = _name(token)
        session = self._sessions.get(name)
        if session is None:
            return None
        key = living_key(self._keys, session.key_id)
        if key is None or session.is_over(now):
            del self._sessions[name]
            return None
        if is_use:
            session.used_at = now
            self._sessions.move_to_end(name)
        return session, key

    def end(self, token: str) -> None:
        """Sign a browser out. Twice is once."""
        self._sessions.pop(_name(token), None)


def living_key(keys: Keys, key_id: str) -> Key | None:
    """Return a key that was not revoked."""
    return next((key for key in keys.list() if key.key_id == key_id and key.revoked_at is None), None)


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
