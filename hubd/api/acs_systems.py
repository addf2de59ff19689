"""`/acs/systems/*`: a driver instance that is an access control system."""

from typing import Annotated, Any

import msgspec

from hubd.api import acs_project, shapes
from hubd.api.acs_lookup import has_words, instance_of
from hubd.api.acs_shapes import AcsSystemAnswer, AcsSystemListAnswer
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import ACT, READ, Call, route
from hubd.model.errors import RefusedError

type Reported = Annotated[tuple[dict[str, Any], ...], msgspec.Meta(max_length=1000)]


class OneSystem(Params, frozen=True, kw_only=True):
    """Which system."""

    acs_system_id: Uuid


class ListSystems(Params, frozen=True, kw_only=True):
    """Filters; a hub has no customers, so that one matches nothing."""

    connected_account_id: Uuid | None = None
    customer_key: Text | None = None
    search: Text | None = None


class ReportDevices(Params, frozen=True, kw_only=True):
    """What an integrator would tell of a system that does not tell it itself."""

    acs_system_id: Uuid
    acs_encoders: Reported = ()
    acs_entrances: Reported = ()


async def get(call: Call, params: OneSystem) -> AcsSystemAnswer:
    """Return one access control system."""
    return AcsSystemAnswer(acs_system=acs_project.system(call.hub, instance_of(call.hub, params.acs_system_id)))


async def list_systems(call: Call, params: ListSystems) -> AcsSystemListAnswer:
    """Return the access control systems of the site."""
    names = [] if params.customer_key is not None else sorted(call.hub.access.instances)
    if params.connected_account_id is not None:
        names = [name for name in names if call.hub.account_id(name) == params.connected_account_id.lower()]
    systems = [acs_project.system(call.hub, name) for name in names]
    found = [one for one in systems if has_words(params.search, one.name, one.external_type_display_name)]
    return AcsSystemListAnswer(acs_systems=found)


async def list_managers(call: Call, params: OneSystem) -> AcsSystemListAnswer:
    """Return the credential managers that would fit: a hub has none."""
    instance_of(call.hub, params.acs_system_id)
    return AcsSystemListAnswer(acs_systems=[])


async def report_devices(call: Call, params: ReportDevices) -> shapes.Ok:
    """Refuse: the systems of a hub tell of their doors and encoders themselves."""
    instance_of(call.hub, params.acs_system_id)
    message = "This system tells of its doors itself, and its encoders are in the config file; there is none to report."
    raise RefusedError("not_supported", message, acs_system_id=params.acs_system_id)


ROUTES = [
    route("/acs/systems/get", READ, get, AcsSystemAnswer, OneSystem),
    route("/acs/systems/list", READ, list_systems, AcsSystemListAnswer, ListSystems),
    route(
        "/acs/systems/list_compatible_credential_manager_acs_systems",
        READ,
        list_managers,
        AcsSystemListAnswer,
        OneSystem,
    ),
    route("/acs/systems/report_devices", ACT, report_devices, shapes.Ok, ReportDevices, "operator"),
]
