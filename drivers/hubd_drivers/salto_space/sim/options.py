"""The simulated server as a process: what can be chosen, and `serve`, which plays it until it is cancelled."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta

from hubd.driver import Arguments, Simulator, SystemClock
from hubd.model.errors import HubError, InvalidInputError
from hubd_drivers.salto_space.sim.builders import add_history, big_site, demo_site
from hubd_drivers.salto_space.sim.encoders import Habit
from hubd_drivers.salto_space.sim.life import Life
from hubd_drivers.salto_space.sim.quirks import Quirks, named
from hubd_drivers.salto_space.sim.server import Space, Transport
from hubd_drivers.salto_space.sim.state import Site
from hubd_drivers.salto_space.sim.stp import Stp
from hubd_drivers.salto_space.sim.web import Basic, Custom, Http


def _about(words: str) -> Meta:
    return Meta(description=words)


class SimOptions(Arguments, frozen=True, kw_only=True):
    """How `hubd sim salto` was called."""

    transport: Annotated[Literal["stp", "http", "https"], _about("How it is spoken to.")] = "stp"
    host: Annotated[str, _about("The address at which it listens.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="0: any that is free.", ge=0, le=65535)] = 8100
    auth: Annotated[Literal["none", "basic", "custom"], _about("By HTTP: who may ask.")] = "none"
    user: Annotated[str, _about("Of basic.")] = ""
    password: Annotated[str, _about("Of basic; of custom, the key.")] = ""
    certificate: Annotated[str, _about("Of HTTPS: the file with the certificate.")] = ""
    key: Annotated[str, _about("Of HTTPS: the file with its private key.")] = ""
    zone: Annotated[str, _about("The time zone of the Windows computer.")] = "Europe/Madrid"
    size: Annotated[Literal["demo", "big"], _about("A small hotel, or a big site.")] = "demo"
    users: Annotated[int, Meta(description="Of a big site.", ge=0, le=50_000)] = 5_000
    doors: Annotated[int, Meta(description="Of a big site, with rooms and lockers.", ge=0, le=5_000)] = 800
    history: Annotated[int, Meta(description="Events of the last week in the trail.", ge=0, le=100_000)] = 0
    seed: Annotated[int, _about("The same site and the same life for the same number.")] = 1
    quirks: Annotated[str, _about("How it reads the protocol, such as 'page_order=made page_cap=50'.")] = ""
    limited_to: Annotated[str, _about("The only address that is served.")] = ""
    life: Annotated[bool, _about("Whether people use the doors.")] = True
    life_seconds: Annotated[float, Meta(description="Between two things that happen.", ge=0.1)] = 20.0
    card_seconds: Annotated[float, Meta(description="Until a card is on an encoder; 0: never.", ge=0)] = 3.0

    def __repr__(self) -> str:
        return f"SimOptions(transport={self.transport!r}, host={self.host!r}, port={self.port}, size={self.size!r})"


async def serve(
    options: SimOptions, say: Callable[[str], None], *, ready: Callable[[Space], None] | None = None
) -> None:
    """Play a server until cancelled. `say` gets a line once it listens, and so does `ready` the server itself.

    Raises `InvalidInputError` for an option that cannot be used, `HubError` `cannot_listen` when the port cannot.
    """
    quirks = _quirks(options)
    transport = await asyncio.to_thread(_transport, options)
    site = await asyncio.to_thread(_site, options)
    space = Space(site, transport=transport, quirks=quirks)
    space.limited_to = options.limited_to or None
    for encoder in space.encoders.values():
        encoder.habit = Habit(options.card_seconds) if options.card_seconds > 0 else None
    try:
        await space.start()
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise HubError("cannot_listen", f"The simulated server cannot listen at {where}: {error.strerror}.") from error
    try:
        say(_greeting(options, space))
        if ready is not None:
            ready(space)
        if options.life:
            await Life(site, SystemClock(), seconds=options.life_seconds, seed=options.seed).run()
        await asyncio.get_running_loop().create_future()
    finally:
        await space.stop()


SIMULATOR: Final = Simulator(
    name="salto",
    title="A Salto ProAccess Space server: a small hotel or a big site, by STP, HTTP or HTTPS.",
    options=SimOptions,
    serve=serve,
)


def _greeting(options: SimOptions, space: Space) -> str:
    where = f"{options.transport}://{options.host}:{space.port}"
    return (
        f"Space listens at {where}: {len(space.site.users)} users, {len(space.site.locks)} doors, zone {options.zone}"
    )


def _quirks(options: SimOptions) -> Quirks:
    try:
        return named(options.quirks.split())
    except ValueError as error:
        raise InvalidInputError("quirks", str(error)) from None


def _site(options: SimOptions) -> Site:
    try:
        zone = ZoneInfo(options.zone)
    except (KeyError, ValueError, OSError):
        raise InvalidInputError("zone", f"{options.zone!r} is no time zone; take one such as Europe/Madrid") from None
    if options.size == "demo":
        site = demo_site(zone=zone, seed=options.seed)
    else:
        site = big_site(options.users, options.doors, zone=zone, seed=options.seed)
    add_history(site, options.history)
    return site


def _transport(options: SimOptions) -> Transport:
    if options.transport == "stp":
        return Stp(host=options.host, port=options.port)
    auth: Basic | Custom | None = None
    if options.auth != "none" and not options.password:
        raise InvalidInputError("password", "this way of authentication needs one")
    if options.auth == "basic":
        auth = Basic(options.user, options.password)
    elif options.auth == "custom":
        auth = Custom(options.password)
    return Http(host=options.host, port=options.port, auth=auth, tls=_tls(options))


def _tls(options: SimOptions) -> ssl.SSLContext | None:
    if options.transport == "http":
        return None
    if not options.certificate or not options.key:
        raise InvalidInputError("certificate", "HTTPS needs a certificate and its key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.certificate, options.key)
    except OSError as error:  # an unreadable certificate is one, too
        raise InvalidInputError("certificate", f"it or its key cannot be used: {error}") from error
    return context
