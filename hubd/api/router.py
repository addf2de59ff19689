"""From a request to a response: who is calling, which route, what was sent, and the error that fits."""

import json
import logging
from functools import cache
from importlib.resources import files

from hubd.api import (
    access_codes,
    acs_access_groups,
    acs_credentials,
    acs_encoders,
    acs_entrances,
    acs_systems,
    acs_unmanaged,
    acs_users,
    action_attempts,
    code_timeline,
    connected_accounts,
    devices,
    events,
    hub_actions,
    hub_climate,
    hub_clock,
    hub_codes,
    hub_devices,
    hub_extras,
    hub_recording,
    hub_replace,
    hub_thermostats,
    locks,
    openapi,
    shared_codes,
    simulate,
    thermostat_presets,
    thermostat_programs,
    thermostat_schedules,
    thermostats,
    unmanaged_codes,
    webhooks,
    workspaces,
)
from hubd.api.envelope import AccessError, RouteError, TooManyError, answer, failure, quotable
from hubd.api.idempotency import Idempotency, Keeper, key_of
from hubd.api.params import NoParams, Params, from_json, from_query
from hubd.api.route import HOLD_SECONDS, Call, Route, Stream, route
from hubd.core.hub import Hub
from hubd.core.keys import Key, Keys
from hubd.core.message import Request, Response
from hubd.core.ratelimit import RateLimit
from hubd.model.errors import HubError, InvalidInputError
from hubd.store.records import EPOCH

LOG = logging.getLogger(__name__)

FAILED_LOGINS_PER_MINUTE = 10

ROUTES: list[Route] = [
    *devices.ROUTES,
    *locks.ROUTES,
    *access_codes.ROUTES,
    *shared_codes.ROUTES,
    *code_timeline.ROUTES,
    *unmanaged_codes.ROUTES,
    *thermostats.ROUTES,
    *thermostat_presets.ROUTES,
    *thermostat_schedules.ROUTES,
    *thermostat_programs.ROUTES,
    *acs_systems.ROUTES,
    *acs_entrances.ROUTES,
    *acs_users.ROUTES,
    *acs_access_groups.ROUTES,
    *acs_credentials.ROUTES,
    *acs_encoders.ROUTES,
    *acs_unmanaged.ROUTES,
    *simulate.ROUTES,
    *action_attempts.ROUTES,
    *events.ROUTES,
    *connected_accounts.ROUTES,
    *workspaces.ROUTES,
    *webhooks.ROUTES,
    *hub_extras.ROUTES,
    *hub_recording.ROUTES,
    *hub_actions.ROUTES,
    *hub_climate.ROUTES,
    *hub_clock.ROUTES,
    *hub_devices.ROUTES,
    *hub_codes.ROUTES,
    *hub_replace.ROUTES,
    *hub_thermostats.ROUTES,
]


async def openapi_json(_: Call, __: NoParams) -> openapi.Document:
    """Return this hub's own OpenAPI; needs no key."""
    return _document()


@cache
def _document() -> openapi.Document:
    return openapi.document(ROUTES)


ROUTES.append(route("/openapi.json", ("GET",), openapi_json, openapi.Document, is_public=True))

ANYBODY = Key("public", "nobody in particular", "viewer", EPOCH)
"""Who calls a public route."""


# Read with the module: a running loop must not wait for a file.
_OFFICIAL = frozenset(json.loads(files("hubd.api").joinpath("seam_routes.json").read_text(encoding="utf-8")))
"""Every path of Seam's API."""


class Router:
    """Implements the API for every adapter."""

    def __init__(self, hub: Hub, keys: Keys, *, requests_per_second: int, hold_seconds: float = HOLD_SECONDS) -> None:
        self._hub = hub
        self._keys = keys
        self._routes = {known.path: known for known in ROUTES}
        self._idempotency = Idempotency(hub)
        self._hold_seconds = hold_seconds
        self._per_key = RateLimit(requests_per_second, 2 * requests_per_second)
        self._failures = RateLimit(FAILED_LOGINS_PER_MINUTE / 60, FAILED_LOGINS_PER_MINUTE)

    async def handle(self, request: Request) -> Response:
        """Answer a request. Never raises for what a caller sends."""
        try:
            response = await self._answer(request)
        except HubError as error:
            response = failure(error, request.request_id)
        except BaseException as error:
            if not isinstance(error, Exception):
                raise
            LOG.exception("request %s %r failed by a defect", request.request_id, request.path)
            message = "The hub failed on this request by a defect of its own; its log has the details."
            response = failure(HubError("internal_error", message), request.request_id)
        headers = {**response.headers, "seam-request-id": request.request_id}
        return Response(status=response.status, body=response.body, headers=headers, stream=response.stream)

    async def _answer(self, request: Request) -> Response:
        found = self._find(request)
        principal = ANYBODY if found.is_public else self.authenticate(request)
        if not principal.may(found.role):
            message = f"This key has role {principal.role}; the call needs {found.role}."
            raise AccessError(403, "forbidden", message)
        keeper = self._keeper(found, principal, request)
        call = Call(
            hub=self._hub,
            keys=self._keys,
            request=request,
            principal=principal,
            keeper=keeper,
            hold_seconds=self._hold_seconds,
        )
        if keeper is None:
            return await self._run(found, call)
        return await self._idempotency.answer(found, keeper, lambda: self._run(found, call))

    def _keeper(self, found: Route, principal: Key, request: Request) -> Keeper | None:
        """A call that only reads can be repeated without being remembered."""
        key = key_of(request)
        return None if key is None or "GET" in found.verbs else Keeper(self._hub, principal, key, request)

    async def _run(self, found: Route, call: Call) -> Response:
        result = await found.handler(call, _params(found.params, call.request))
        if isinstance(result, Stream):
            headers = {"content-type": result.content_type, "cache-control": "no-store", **result.headers}
            return Response(headers=headers, stream=result.chunks)
        return answer(result)

    def _find(self, request: Request) -> Route:
        path = request.path.rstrip("/") or "/"
        known = self._routes.get(path)
        if known is not None:
            if request.method in known.verbs:
                return known
            words = f"{path} takes {', '.join(known.verbs)}, not {quotable(request.method)}."
            raise RouteError(405, "method_not_allowed", words, known.verbs)
        if path in _OFFICIAL:
            message = f"{path} is part of Seam's API, but not of what this hub serves; see docs/api.md."
            raise RouteError(501, "not_supported_by_hub", message)
        raise RouteError(404, "route_not_found", f"There is no route {quotable(path)} on this hub.")

    def authenticate(self, request: Request) -> Key:
        """Return the key of a request. Raises `AccessError` or `TooManyError`."""
        now = self._hub.clock.monotonic()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = self._keys.verify(token.strip()) if scheme.lower() == "bearer" else None
        if key is not None:
            wait = self._per_key.take(key.key_id, now)
            if wait:
                raise TooManyError(wait, "Too many requests with this key; slow down.")
            return key
        if self._failures.take(request.remote, now):
            raise TooManyError(60.0, "Too many calls with a wrong key from this address; wait a minute.")
        words = "The key is not valid, or was revoked." if token else "A key is needed: `Authorization: Bearer seam_…`."
        raise AccessError(401, "unauthorized", words)


def _params[P: Params](kind: type[P], request: Request) -> P:
    if not request.body:
        return from_query(request.query, kind)
    if request.method == "GET":
        raise InvalidInputError("", "a GET takes its parameters in the query, not in a body")
    if any(key != "_strict" for key, _ in request.query):
        raise InvalidInputError("", "parameters stand in the body or in the query, not in both")
    return from_json(request.body, kind)
