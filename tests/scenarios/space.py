"""A simulated ProAccess Space server beside the whole daemon: people and doors as the API and as Space has them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from hubd_drivers.salto_space.sim import Basic, Custom, Http, Operation, Quirks, Site, Space, Stp, demo_site

from hubd.driver import Clock
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, client_of_process, settled, until
from tests.support.process import DaemonProcess, daemon_process
from tests.support.site import LiveSite, running_site

type Json = dict[str, Any]
type Transport = Stp | Http

INSTANCE: Final = "space"
USER, PASSWORD = "hubd", "Tr0ub4dor-and-3"
WEB = Http(auth=Basic(USER, PASSWORD))
TRANSPORTS: Final[dict[str, Transport]] = {"stp": Stp(), "http": WEB}
"""Both ways to the server, for tests in which the way could matter."""
QUICK: Final[Json] = {"poll_seconds": 0.1, "audit_seconds": 0.1, "sync_seconds": 1.0, "timeout": 2.0}
"""Intervals of a server that nobody has to spare."""
NOTICED: Final = 10.0
"""Seconds within which anything must show, on a loaded machine too."""


class Premises:
    """A site with ProAccess Space: the server, and the hub's API. Every answer is judged by the official schema."""

    def __init__(self, space: Space, client: HttpCaller, site: LiveSite | None = None) -> None:
        self.space = space
        self.client = client
        self._site = site
        self.begun_at = space.site.trail.last_id
        """Lines of the trail up to this one are of the past, which the hub tells nobody of."""
        self._rows: list[Json] = []
        self._head = 0

    @property
    def floor(self) -> Site:
        """What Space itself holds."""
        return self.space.site

    @property
    def live(self) -> LiveSite:
        """The daemon, if it runs in this process."""
        assert self._site is not None
        return self._site

    # -- what the hub shows --------------------------------------------------------------------------------------------

    async def system(self) -> Json:
        """Return the access control system."""
        (found,) = (await self.client.ok("/acs/systems/list"))["acs_systems"]
        return dict(found)

    async def users(self) -> dict[str, Json]:
        """Return the users by Space's id."""
        found = await self._all("/acs/users/list", "acs_users")
        return {one["salto_space_metadata"]["user_id"]: one for one in found}

    async def user(self, user_id: str) -> Json:
        """Return one user by Space's id."""
        return (await self.users())[user_id]

    async def acs_user_id(self, name: str) -> str:
        """Return the id of a user on the hub by their name, or a part of it, in Space."""
        return str((await self.user(self.floor.user_id(name)))["acs_user_id"])

    async def groups(self) -> dict[str, Json]:
        """Return the access groups by name."""
        found = (await self.client.ok("/acs/access_groups/list"))["acs_access_groups"]
        return {one["name"]: one for one in found}

    async def acs_group_id(self, name: str) -> str:
        """Return the id of an access group on the hub."""
        return str((await self.groups())[name]["acs_access_group_id"])

    async def entrances(self) -> dict[str, Json]:
        """Return the entrances by name."""
        return {one["display_name"]: one for one in await self._all("/acs/entrances/list", "acs_entrances")}

    async def entrance(self, name: str) -> Json:
        """Return one entrance."""
        return (await self.entrances())[name]

    async def warnings(self, name: str) -> set[str]:
        """Return what is out of the ordinary at an entrance, by Seam's code or the hub's own."""
        return {one.get("hub_code", one["warning_code"]) for one in (await self.entrance(name))["warnings"]}

    async def encoders(self) -> dict[str, str]:
        """Return the ids of the encoders by name."""
        found = await self._all("/acs/encoders/list", "acs_encoders")
        return {one["display_name"]: one["acs_encoder_id"] for one in found}

    async def events(self, *types: str) -> list[Json]:
        """Return the public events of these types, oldest first."""
        query = {"event_types": list(types), "since": "2020-01-01T00:00:00Z", "limit": 1000}
        return list((await self.client.ok("/events/list", query))["events"])

    async def rows(self, *types: str) -> list[Json]:
        """Return the journal's rows of these types, oldest first. It only grows, so each row is asked for once."""
        while page := (await self.client.ok("/hub/journal", {"after": self._head, "limit": 1000}))["rows"]:
            self._rows += page
            self._head = page[-1]["seq"]
        return [row for row in self._rows if row["type"] in types]

    async def _all(self, path: str, name: str) -> list[Json]:
        found: list[Json] = []
        query: Json = {"limit": 500}
        while True:
            answer = await self.client.ok(path, query)
            found += answer[name]
            cursor = answer["pagination"]["next_page_cursor"]
            if cursor is None:
                return found
            query = {"limit": 500, "page_cursor": cursor}

    # -- the audit trail -----------------------------------------------------------------------------------------------

    def happened(self) -> list[str]:
        """Return the numbers of the lines that Space has since the hub began."""
        return [str(one.id) for one in self.floor.trail.since(self.begun_at + 1)]

    async def audited(self) -> list[Json]:
        """Return the lines of the audit trail as the hub's journal has them."""
        return await self.rows("entrance.audited")

    async def told(self) -> list[str]:
        """Return their numbers, in the journal's order."""
        return [row["body"]["trail_id"] for row in await self.audited()]

    async def hears_all(self, seconds: float = NOTICED) -> None:
        """Return when the journal has every line of the trail; fail if any is told twice or made up."""

        async def does() -> bool:
            return len(await self.told()) >= len(self.happened())

        await until(does, seconds)
        told = await self.told()
        assert [one for one, count in Counter(told).items() if count > 1] == [], "lines that were told twice"
        assert told == self.happened()

    # -- what is asked of it -------------------------------------------------------------------------------------------

    async def unlock(self, name: str) -> Json:
        """Open an entrance; returns the attempt, once it has ended."""
        body = {"acs_entrance_id": (await self.entrance(name))["acs_entrance_id"]}
        attempt = (await self.client.ok("/acs/entrances/unlock", body))["action_attempt"]
        return await settled(self.client, attempt["action_attempt_id"])

    async def card_for(self, user_id: str, *, is_new: bool = True) -> str:
        """Have a card be wished for a user by Space's id; returns the id of the credential."""
        acs_user_id = (await self.user(user_id))["acs_user_id"]
        key = {"assign_new_key": True} if is_new else {"update_current_key": True}
        body = {"access_method": "card", "acs_user_id": acs_user_id, "salto_space_metadata": key}
        made = (await self.client.ok("/acs/credentials/create", body))["acs_credential"]
        return str(made["acs_credential_id"])

    async def encode(self, credential_id: str, encoder: str = "Encoder#1") -> Json:
        """Begin to write a card; returns the attempt as it then is."""
        body = {"acs_encoder_id": (await self.encoders())[encoder], "acs_credential_id": credential_id}
        return dict((await self.client.ok("/acs/encoders/encode_credential", body))["action_attempt"])

    async def member(self, user_id: str, group: str, *, is_in: bool = True) -> None:
        """Put a user, by Space's id, into an access group, or take them out."""
        body = {
            "acs_user_id": (await self.user(user_id))["acs_user_id"],
            "acs_access_group_id": await self.acs_group_id(group),
        }
        await self.client.ok(f"/acs/users/{'add_to' if is_in else 'remove_from'}_access_group", body)

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def reads_on(self, rounds: int = 2) -> None:
        """Return when the server was asked for its users so many times more."""
        asked = self.space.counters.requests["SaltoDBUserList.Read"] + rounds

        async def was() -> bool:
            return bool(self.space.counters.requests["SaltoDBUserList.Read"] >= asked)

        await until(was, NOTICED)

    async def sees(self, condition: Callable[[], Awaitable[object]], seconds: float = NOTICED) -> None:
        """Return when something holds. Raises `TimeoutError`."""
        await until(condition, seconds)

    async def is_connected(self) -> bool:
        """Tell whether the hub has the server."""
        return not (await self.system())["errors"]

    async def is_cut_off(self) -> bool:
        """Tell whether the hub knows that it has not."""
        return not await self.is_connected()


# -- running it --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(
    transport: Transport | Sequence[Transport] | None = None,
    site: Site | None = None,
    quirks: Quirks | None = None,
    encoders: Sequence[str] = ("Encoder#1", "Encoder#2"),
) -> AsyncIterator[Space]:
    """Run the server. Whatever the test was about: in the end no order may have gone to every door there is."""
    site = await asyncio.to_thread(demo_site) if site is None else site
    async with Space(site, transport=transport or Stp(), quirks=quirks, encoders=encoders) as space:
        yield space
        assert space.disasters == []


async def table(space: Space, transport: Transport, folder: Path, **keys: Any) -> str:
    """Write the driver's table for a server; what is secret goes into a file in the folder."""
    given: Json = {"host": f"{scheme(transport)}://127.0.0.1:{space.port}", "time_zone": "Europe/Madrid", **QUICK}
    given["encoders"] = list(space.encoders)
    match transport:
        case Http(auth=Basic(user=user, password=password)):
            given |= {"auth": "basic", "username": user, "secret_file": str(await secret(folder, password))}
        case Http(auth=Custom(key=key)):
            given |= {"auth": "custom", "secret_file": str(await secret(folder, key))}
        case _:
            pass
    return as_table({**given, **keys})


def as_table(keys: Json) -> str:
    """Return a `[drivers.space]` table; a key that is None is left out."""
    lines = [f"{name} = {_toml(value)}" for name, value in keys.items() if value is not None]
    return "\n".join([f"[drivers.{INSTANCE}]", 'type = "salto_space"', *lines, ""])


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str | Path) else repr(value)


def scheme(transport: Transport) -> str:
    """Return how the URL of such a server begins."""
    if isinstance(transport, Stp):
        return "stp"
    return "http" if transport.tls is None else "https"


async def secret(folder: Path, words: str) -> Path:
    """Write a secret into a file of its own."""

    def write() -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "space.secret"
        path.write_text(f"{words}\n", encoding="utf-8")
        path.chmod(0o600)
        return path

    return await asyncio.to_thread(write)


@asynccontextmanager
async def premises(
    folder: Path,
    transport: Transport | None = None,
    *,
    site: Site | None = None,
    quirks: Quirks | None = None,
    hub: str = "",
    clock: Clock | None = None,
    **keys: Any,
) -> AsyncIterator[Premises]:
    """Run server and daemon in this process; enters once everything was read. `keys` go into the driver's table."""
    transport = transport or Stp()
    async with served(transport, site, quirks) as space:
        drivers = await table(space, transport, folder, **keys)
        async with running_site(folder / "data", drivers, hub=hub, clock=clock) as live:
            yield Premises(space, client_of(live), live)


@asynccontextmanager
async def premises_of_process(
    folder: Path,
    transport: Transport | None = None,
    *,
    site: Site | None = None,
    quirks: Quirks | None = None,
    hub: str = "",
    http: str = "port = 0",
    **keys: Any,
) -> AsyncIterator[tuple[Space, DaemonProcess]]:
    """Run the server in this process and the daemon in its own; `at_home` is a client of it."""
    transport = transport or Stp()
    async with served(transport, site, quirks) as space:
        drivers = await table(space, transport, folder, **keys)
        async with daemon_process(folder, drivers, http, hub) as daemon:
            yield space, daemon


@asynccontextmanager
async def at_home(space: Space, daemon: DaemonProcess, begun_at: int | None = None) -> AsyncIterator[Premises]:
    """Return a daemon process and its server, once they are connected. `begun_at` as of an earlier life, if given."""
    async with client_of_process(daemon) as client:
        found = Premises(space, client)
        if begun_at is not None:
            found.begun_at = begun_at
        yield found


def opened(space: Space, name: str) -> int:
    """Return how often a door was opened over SHIP."""
    door_id = space.site.door_id(name)
    return sum(one.door_id == door_id for one in space.opened)


def lines(site: Site, operation: Operation) -> list[str]:
    """Return the numbers of the lines of an operation, oldest first."""
    return [str(one.id) for one in site.trail.events if one.what.operation == operation]
