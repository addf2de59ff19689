"""The filters of events on parts of access control systems, as conditions on journal rows."""

from typing import Any, Protocol

from hubd.api.acs_events import is_access_instance
from hubd.core.hub import Hub
from hubd.model.device import Kind


class AcsFilters(Protocol):
    """The filters; all given ones must fit."""

    @property
    def acs_access_group_id(self) -> str | None:
        """Rows about an access group."""
        ...

    @property
    def acs_credential_id(self) -> str | None:
        """Rows about a credential."""
        ...

    @property
    def acs_encoder_id(self) -> str | None:
        """Rows about an encoder."""
        ...

    @property
    def acs_entrance_id(self) -> str | None:
        """Rows about a door."""
        ...

    @property
    def acs_system_id(self) -> str | None:
        """Rows about a system."""
        ...

    @property
    def acs_system_ids(self) -> tuple[str, ...] | None:
        """Rows about one of several systems."""
        ...

    @property
    def acs_user_id(self) -> str | None:
        """Rows about a user: what became of them and of their credentials, and what they did at doors."""
        ...


def sets(hub: Hub, filters: AcsFilters) -> list[tuple[str, tuple[Any, ...] | None]]:
    """Return for each filter what of a row must be one of which values; None: it is not given."""
    systems = filters.acs_system_ids
    return [
        ("device_id", _device(hub, "entrance", filters.acs_entrance_id)),
        ("device_id", _device(hub, "encoder", filters.acs_encoder_id)),
        ("instance", None if filters.acs_system_id is None else _instances(hub, (filters.acs_system_id,))),
        ("instance", None if systems is None else _instances(hub, systems)),
        (_member("user_id"), _lower(filters.acs_user_id)),
        (_member("credential_id"), _lower(filters.acs_credential_id)),
        (_member("group_id"), _lower(filters.acs_access_group_id)),
    ]


def _member(name: str) -> str:
    """Return the member of a row's body; only rows that may have it are decoded, for there is no index of bodies."""
    kinds = "('entrance.audited', 'acs_user.changed', 'acs_group.changed', 'credential.changed')"
    return f"CASE WHEN type IN {kinds} THEN json_extract(CAST(body AS TEXT), '$.{name}') END"


def _lower(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else (value.lower(),)


def _device(hub: Hub, kind: Kind, device_id: str | None) -> tuple[str, ...] | None:
    if device_id is None:
        return None
    record = hub.devices.get(device_id.lower())
    return (device_id.lower(),) if record is not None and record.device.description.kind == kind else ()


def _instances(hub: Hub, system_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of systems, also of those that are configured no more: their events are still there."""
    wanted = {one.lower() for one in system_ids}
    names = hub.journal.tables.instances.keys() | hub.instances.keys()
    return tuple(name for name in names if is_access_instance(hub, name) and hub.access.notes.system_id(name) in wanted)
