"""What stands behind the page's paths: which page is shown, and which form does what. Loaded for the first visitor."""

import logging
from collections.abc import Mapping
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec

from hubd.core.actions import Run
from hubd.core.hub import Hub
from hubd.core.keys import Keys
from hubd.core.message import Request, Response
from hubd.model.command import LockDoor, UnlockDoor
from hubd.model.errors import BusyError, HubError, InvalidInputError, NotFoundError, RefusedError, StoreError
from hubd.store.records import DeviceRecord
from hubd.web import doors, guard
from hubd.web.answers import HTML, go, only, status_of
from hubd.web.board import SHOWS, read_query, site_parts, systems_of
from hubd.web.care import driver_parts, run_parts
from hubd.web.chart import Span
from hubd.web.climate_errands import ClimateErrands, is_of_climate
from hubd.web.climate_errands import said as said_of_climate
from hubd.web.code_errands import CodeErrands, said
from hubd.web.codes import one_code_parts
from hubd.web.desk import Desk
from hubd.web.detail import History, device_parts
from hubd.web.errands import Errands
from hubd.web.live import Live, Look
from hubd.web.parts import Part
from hubd.web.render import Fragment, Renderer
from hubd.web.scene import first_upper
from hubd.web.sessions import Notice
from hubd.web.signin import SignIn, Visitor, read_own_form
from hubd.web.survey import link_name, shown_name
from hubd.web.users import Sought, user_parts
from hubd.web.words import clock_face

LOG = logging.getLogger(__name__)

WAIT_SECONDS = 10.0
"""How long a button is held until the lock has answered."""
REFRESH, RUN_REFRESH = 60, 3
"""Seconds after which a browser without scripts loads a page again; the second for a run while nothing is asked."""
_encode = msgspec.json.Encoder().encode


class Front:
    """Answers for the paths of `Pages`. Making it reads files and compiles templates: not on the event loop."""

    def __init__(self, hub: Hub, keys: Keys) -> None:
        self._hub = hub
        self._desk = Desk(hub, keys, ZoneInfo(hub.site.time_zone))
        self._renderer = Renderer()
        self._live = Live(hub, self._renderer)
        self._door = SignIn(hub, keys)
        self._errands = Errands(hub)
        self._code_errands = CodeErrands(hub, self._desk.zone)
        self._climate_errands = ClimateErrands(hub)

    async def handle(self, request: Request) -> Response:
        """Answer a request. Never raises for what a browser sends."""
        try:
            response = await self._answer(request)
        except HubError as error:
            response = self._failure(error)
        except BaseException as error:
            if not isinstance(error, Exception):
                raise
            LOG.exception("page %s %s failed by a defect", request.request_id, request.path)
            message = "The hub failed on this page by a defect of its own; its log has the details."
            response = self._failure(HubError("internal_error", message))
        headers = {"cache-control": "no-store"} | guard.HEADERS | dict(response.headers)
        headers.setdefault("content-security-policy", guard.policy(""))
        return msgspec.structs.replace(response, headers=headers)

    async def _answer(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/static/"):
            return self._static(request)
        if path == "/login":
            return await self._door.login(self._renderer, request)
        visitor = self._door.visitor(request, is_use=path != "/page/stream")
        if visitor is None:
            return go(f"/login?next={quote(_here(request), safe='')}" if request.method == "GET" else "/login")
        if path == "/logout":
            return self._door.logout(request, visitor)
        if path == "/page/stream":
            return self._stream(request, visitor)
        if path == "/":
            return await self._site(request, visitor)
        if path.startswith("/driver/"):
            return await self._driver(request, visitor)
        if path.startswith("/users/"):
            return await self._users(request, visitor)
        if path.startswith("/run/"):
            return await self._run(request, visitor)
        if path.startswith("/code/"):
            return await self._code(request, visitor)
        return await self._device(request, visitor)

    async def _device(self, request: Request, visitor: Visitor) -> Response:
        only(request, "GET", "HEAD", "POST")
        record = self._known(request.path.removeprefix("/device/"))
        if request.method == "POST":
            return await self._order(request, visitor, record)
        device_id = record.device.device_id
        span = _span(request)
        history = History(self._desk, device_id, span)
        parts = await device_parts(self._desk, visitor.session, visitor.key, device_id, history)
        values = {
            "name": shown_name(record),
            "has_notes": bool(record.custom_metadata),
            "has_codes": any(part.id == "codes" for part in parts),
            "has_climate": any(part.id == "climate" for part in parts),
            "has_care": record.removed_at is None and bool(self._hub.actions.catalogue(record.device.instance)),
            "stream": "/page/stream?" + urlencode({"device": device_id, "chart": span}),
        }
        return await self._page(request, visitor, "device.html", parts, values)

    async def _code(self, request: Request, visitor: Visitor) -> Response:
        only(request, "GET", "HEAD", "POST")
        code_id, pin = request.path.removeprefix("/code/"), ""
        if request.method == "POST":
            form = read_own_form(request, visitor)
            if form.get("action") == "remove":
                return await self._remove_code(request, visitor, code_id, guard.own_path(form.get("back", "/")))
            if form.get("action") != "show":
                raise InvalidInputError("action", "must be show or remove")
            pin = self._code_errands.pin(visitor.key, code_id)
            if request.headers.get("x-requested-with") == "hubd":
                shown = Fragment(
                    f"pin-{code_id}", "", self._renderer.piece("pin.html", {"code_id": code_id, "pin": pin})
                )
                return Response(body=_encode([shown]), headers={"content-type": "application/json"})
        parts = await self._code_parts(visitor, code_id, pin)
        head = next(part.values for part in parts if part.id == "code")
        values = {"head": head, "stream": "/page/stream?" + urlencode({"code": code_id})}
        return await self._page(request, visitor, "code-page.html", parts, values)

    async def _code_parts(self, visitor: Visitor, code_id: str, pin: str = "") -> list[Part]:
        parts = await one_code_parts(self._desk, visitor.session, visitor.key, code_id, pin)
        if parts is None:
            raise NotFoundError("access_code_not_found", "There is no such access code on this hub, and was none.")
        return parts

    async def _remove_code(self, request: Request, visitor: Visitor, code_id: str, back: str) -> Response:
        now = self._hub.clock.monotonic()
        try:
            code = await self._code_errands.remove(visitor.key, code_id)
            report = "It is being taken off the lock." if code.placement is not None else "It was not on the lock."
            name = self._desk.code_names(code_id)
            notice = Notice(code.device_id, now, title=f"{first_upper(name)}: removed", report=report)
        except (NotFoundError, StoreError) as error:
            notice = Notice(None, now, refusal=error.message, title="Not removed")
        visitor.session.tell(notice)
        return await self._after(request, visitor, back)

    async def _add_code(self, visitor: Visitor, record: DeviceRecord, form: Mapping[str, str]) -> Response:
        device_id, now = record.device.device_id, self._hub.clock.monotonic()
        try:
            code = await self._code_errands.add(visitor.key, record, form)
            name = self._desk.code_names(code.code_id)
            report = "The table says how far it is; its PIN is shown there on demand."
            visitor.session.tell(Notice(device_id, now, title=f"{first_upper(name)}: made", report=report))
            return go(f"/device/{device_id}#c-{code.code_id}")
        except (InvalidInputError, NotFoundError, RefusedError, StoreError) as error:
            visitor.session.tell(Notice(device_id, now, refusal=said(error), title="The code was not made"))
        return go(f"/device/{device_id}#code-form")

    async def _after(self, request: Request, visitor: Visitor, back: str) -> Response:
        """Answer a button with what became of it: a script in its place, anybody else on the page it stands on."""
        if request.headers.get("x-requested-with") == "hubd":
            fragments = await self._renderer.fragments([await self._desk.notices(visitor.session)])
            return Response(body=_encode(fragments), headers={"content-type": "application/json"})
        return go(back)

    async def _driver(self, request: Request, visitor: Visitor) -> Response:
        only(request, "GET", "HEAD", "POST")
        instance = request.path.removeprefix("/driver/")
        self._configured(instance)
        if request.method == "POST":
            return await self._start(request, visitor, instance)
        parts = await driver_parts(self._desk, visitor.session, visitor.key, instance)
        values = {
            "name": link_name(self._hub, instance),
            "is_system": instance in self._hub.access.instances,
            "stream": "/page/stream?" + urlencode({"driver": instance}),
        }
        return await self._page(request, visitor, "driver.html", parts, values)

    async def _start(self, request: Request, visitor: Visitor, instance: str) -> Response:
        form = read_own_form(request, visitor)
        try:
            run = await self._errands.start(visitor.key, instance, form)
        except HubError as error:
            now = self._hub.clock.monotonic()
            visitor.session.tell(Notice(None, now, refusal=error.message, title="Not started"))
            device = form.get("device", "")
            return go(f"/device/{device}" if device in self._hub.devices else f"/driver/{instance}")
        return go(f"/run/{run.run_id}")

    async def _users(self, request: Request, visitor: Visitor) -> Response:
        only(request, "GET", "HEAD")
        instance, query = request.path.removeprefix("/users/"), read_query(request.query)
        parts = await user_parts(self._desk, visitor.session, instance, Sought(query.text, query.page))
        values = {
            "name": link_name(self._hub, instance),
            "instance": instance,
            "text": query.text,
            "stream": "/page/stream?" + urlencode({"users": instance, "q": query.text, "p": query.page}),
        }
        return await self._page(request, visitor, "users-page.html", parts, values)

    async def _run(self, request: Request, visitor: Visitor) -> Response:
        only(request, "GET", "HEAD", "POST")
        run = self._hub.actions.run(request.path.removeprefix("/run/"))
        if request.method == "POST":
            form = read_own_form(request, visitor)
            try:
                if "cancel" in form:
                    self._errands.cancel(visitor.key, run)
                else:
                    self._errands.answer(visitor.key, run, form)
            except HubError as error:
                now = self._hub.clock.monotonic()
                visitor.session.tell(Notice(None, now, refusal=error.message, title="Not taken"))
            return go(f"/run/{run.run_id}")
        parts = await run_parts(self._desk, visitor.session, visitor.key, run)
        is_typing = run.question is not None and visitor.key.may(run.action.role)
        values = {
            "name": run.action.title,
            "instance": run.instance,
            "link": link_name(self._hub, run.instance),
            "refresh": REFRESH if run.is_over or is_typing else RUN_REFRESH,
            "stream": "/page/stream?" + urlencode({"run": run.run_id}),
        }
        return await self._page(request, visitor, "run.html", parts, values)

    def _configured(self, instance: str) -> None:
        if instance not in self._hub.health:
            raise NotFoundError("driver_not_configured", "There is no such driver on this hub.")

    def _known(self, device_id: str) -> DeviceRecord:
        record = self._hub.devices.get(device_id)
        if record is None:
            raise NotFoundError("device_not_found", "There is no such device on this hub.")
        return record

    def _stream(self, request: Request, visitor: Visitor) -> Response:
        only(request, "GET")
        if not self._live.has_room(visitor.session):
            raise BusyError("too_many_streams", "Too many pages are open already; this one does not update itself.")
        desk = self._desk
        chunks = self._live.follow(
            visitor.session,
            self._look(request, visitor),
            lambda: self._door.is_in(visitor),
            lambda: clock_face(desk.now, desk.zone),
            self._followed(request),
        )
        headers = {"content-type": "text/event-stream", "x-accel-buffering": "no"}
        return Response(headers=headers, stream=chunks)

    def _look(self, request: Request, visitor: Visitor) -> Look:
        """Return what looks at the page that a stream belongs to."""
        desk, given = self._desk, dict(request.query)
        device_id, instance, code_id = given.get("device", ""), given.get("driver", ""), given.get("code", "")
        query = read_query(request.query)
        if (run := self._followed(request)) is not None:
            return lambda: run_parts(desk, visitor.session, visitor.key, run)
        if instance:
            self._configured(instance)
            return lambda: driver_parts(desk, visitor.session, visitor.key, instance)
        if users := given.get("users", ""):
            self._configured(users)
            return lambda: user_parts(desk, visitor.session, users, Sought(query.text, query.page))
        if code_id:
            return lambda: self._code_parts(visitor, code_id)
        if device_id:
            self._known(device_id)
            history = History(desk, device_id, _span(request))
            return lambda: device_parts(desk, visitor.session, visitor.key, device_id, history)
        return lambda: site_parts(desk, visitor.session, visitor.key, query)

    def _followed(self, request: Request) -> Run | None:
        run_id = dict(request.query).get("run", "")
        return self._hub.actions.run(run_id) if run_id else None

    async def _order(self, request: Request, visitor: Visitor, record: DeviceRecord) -> Response:
        form = read_own_form(request, visitor)
        if not visitor.key.may("operator"):
            raise RefusedError("forbidden", f"This key has role {visitor.key.role}; giving orders needs operator.")
        if form.get("action") == "add_code":
            return await self._add_code(visitor, record, form)
        if is_of_climate(form.get("action", "")):
            return await self._set_climate(request, visitor, record, form)
        visitor.session.tell(await self._submit(visitor, record, form.get("action", "")))
        back = guard.own_path(form.get("back", "/"))
        is_here = back.startswith("/device/")
        return await self._after(
            request, visitor, back if is_here else f"{back.partition('#')[0]}#d-{record.device.device_id}"
        )

    async def _set_climate(
        self, request: Request, visitor: Visitor, record: DeviceRecord, form: Mapping[str, str]
    ) -> Response:
        device_id = record.device.device_id
        try:
            notice = await self._climate_errands.do(visitor.key, record, form)
        except (BusyError, InvalidInputError, NotFoundError, RefusedError, StoreError) as error:
            now = self._hub.clock.monotonic()
            notice = Notice(device_id, now, refusal=said_of_climate(error), title="Not set")
        visitor.session.tell(notice)
        return await self._after(request, visitor, guard.own_path(form.get("back", f"/device/{device_id}#climate")))

    async def _submit(self, visitor: Visitor, record: DeviceRecord, action: str) -> Notice:
        device_id, clock = record.device.device_id, self._hub.clock
        try:
            command = _command(record, action)
            request_id = await self._hub.submit(command, visitor.key.key_id, wait_seconds=WAIT_SECONDS)
        except (BusyError, NotFoundError, RefusedError, StoreError) as error:
            return Notice(device_id, clock.monotonic(), refusal=error.message)
        return Notice(device_id, clock.monotonic(), request_id)

    async def _site(self, request: Request, visitor: Visitor) -> Response:
        only(request, "GET", "HEAD")
        query = read_query(request.query)
        parts = await site_parts(self._desk, visitor.session, visitor.key, query)
        stream = "/page/stream?" + urlencode({"q": query.text, "show": query.show, "p": query.page})
        values = {"query": query, "shows": SHOWS, "stream": stream, "systems": systems_of(self._desk)}
        return await self._page(request, visitor, "site.html", parts, values)

    async def _page(
        self, request: Request, visitor: Visitor, template: str, parts: list[Part], values: Mapping[str, object]
    ) -> Response:
        desk, nonce = self._desk, guard.new_nonce()
        shared = {
            "parts": {fragment.id: fragment for fragment in await self._renderer.fragments(parts)},
            "site": desk.hub.site.name,
            "version": desk.hub.site.version,
            "time_zone": desk.hub.site.time_zone,
            "clock": clock_face(desk.now, desk.zone),
            "key": visitor.key,
            "csrf": visitor.session.csrf,
            "here": _here(request),
            "nonce": nonce,
        }
        headers = {"content-type": HTML, "content-security-policy": guard.policy(nonce)}
        return Response(body=self._renderer.page(template, shared | dict(values)), headers=headers)

    def _static(self, request: Request) -> Response:
        only(request, "GET", "HEAD")
        asset = self._renderer.assets.get(request.path.removeprefix("/static/"))
        if asset is None:
            raise NotFoundError("file_not_found", "There is no such file.")
        is_pinned = dict(request.query).get("v") == asset.mark
        kept = "public, max-age=31536000, immutable" if is_pinned else "no-cache"
        return Response(body=asset.body, headers={"content-type": asset.content_type, "cache-control": kept})

    def _failure(self, error: HubError) -> Response:
        status, headers = status_of(error)
        body = self._renderer.page("message.html", {"message": error.message})
        return Response(status=status, body=body, headers={"content-type": HTML, **headers})


def _here(request: Request) -> str:
    """Return the page's own path, fit to come back to."""
    query = urlencode([(name, value) for name, value in request.query if name in {"q", "show", "p", "chart"}])
    return guard.own_path(request.path + (f"?{query}" if query else ""))


def _span(request: Request) -> Span:
    return "week" if dict(request.query).get("chart") == "week" else "day"


def _command(record: DeviceRecord, action: str) -> LockDoor | UnlockDoor:
    lock = record.device.description.capabilities.lock
    if action not in {"lock", "unlock"}:
        raise InvalidInputError("action", "must be lock or unlock")
    if not record.is_managed:
        raise RefusedError("device_unmanaged", "The device is not managed by this hub; nothing was sent.")
    if lock is None or not (lock.can_lock if action == "lock" else lock.can_unlock):
        why = doors.cannot(record.device.description.capabilities) if action == "unlock" else ""
        raise RefusedError("not_supported", f"The device cannot {action} on order; nothing was sent. {why}".rstrip())
    kind = LockDoor if action == "lock" else UnlockDoor
    return kind(device_id=record.device.device_id, native_id=record.device.description.native_id)
