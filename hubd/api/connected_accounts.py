"""`/connected_accounts/*`: a driver instance, that is one `[drivers.<id>]` table of the config."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import project, shapes
from hubd.api.devices import NewMetadata, check_metadata, merged
from hubd.api.filters import has_pairs
from hubd.api.paging import page
from hubd.api.params import Limit, Pairs, Params, Text, Uuid, Words
from hubd.api.route import ACT, READ, REMOVE, UPDATE, Call, route
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import AccountEdited
from hubd.store.records import InstanceRecord
from hubd.store.tables import View


class OneAccount(Params, frozen=True, kw_only=True):
    """Which account."""

    connected_account_id: Uuid


class GetAccount(Params, frozen=True, kw_only=True):
    """Which account; a hub's accounts have no e-mail address."""

    connected_account_id: Uuid | None = None
    email: Text | None = None


class ListAccounts(Params, frozen=True, kw_only=True):
    """Filters; customers, spaces and users match nothing."""

    custom_metadata_has: Pairs | None = None
    customer_key: Text | None = None
    limit: Limit = 11_000
    page_cursor: Text | None = None
    search: Text | None = None
    space_id: Uuid | None = None
    user_identifier_key: Text | None = None


class UpdateAccount(Params, frozen=True, kw_only=True):
    """What can be changed without the config file; the members below `display_name` cannot, and are refused."""

    connected_account_id: Uuid
    custom_metadata: NewMetadata | UnsetType = UNSET
    display_name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    automatically_manage_new_devices: bool | UnsetType = UNSET
    accepted_capabilities: Words | UnsetType = UNSET
    customer_key: Text | UnsetType = UNSET


class DeleteAccount(Params, frozen=True, kw_only=True):
    """Which account; `sync` changes nothing."""

    connected_account_id: Uuid
    sync: bool = False


def instance_of(call: Call, account_id: str) -> str:
    """Return the name of a driver instance. Raises `NotFoundError`."""
    for name in call.hub.instances:
        if call.hub.account_id(name) == account_id.lower():
            return name
    message = "There is no such connected account on this hub."
    raise NotFoundError("connected_account_not_found", message, connected_account_id=account_id)


async def get(call: Call, params: GetAccount) -> shapes.AccountAnswer:
    """Return one driver instance."""
    if params.connected_account_id is None and params.email is None:
        raise InvalidInputError("connected_account_id", "is required")
    if params.connected_account_id is None or params.email is not None:
        message = "The accounts of a hub have no e-mail address; use connected_account_id alone."
        raise NotFoundError("connected_account_not_found", message)
    account = project.account(call.hub, instance_of(call, params.connected_account_id))
    return shapes.AccountAnswer(connected_account=account)


async def list_accounts(call: Call, params: ListAccounts) -> shapes.AccountListAnswer:
    """Return a page of driver instances."""
    names = sorted(call.hub.instances)
    elsewhere = (params.customer_key, params.space_id, params.user_identifier_key)
    accounts = [project.account(call.hub, name) for name in names if all(value is None for value in elsewhere)]
    if params.search is not None:
        words = params.search.lower()
        accounts = [a for a in accounts if words in f"{a.display_name} {a.account_type}".lower()]
    if params.custom_metadata_has is not None:
        accounts = [a for a in accounts if has_pairs(a.custom_metadata, params.custom_metadata_has)]
    cut, pagination = page(accounts, lambda account: (0, account.connected_account_id), params, call.request)
    return shapes.AccountListAnswer(connected_accounts=cut, pagination=pagination)


async def update(call: Call, params: UpdateAccount) -> shapes.AccountAnswer:
    """Change display name and metadata; what is managed is decided in the config file."""
    name = instance_of(call, params.connected_account_id)
    if params.automatically_manage_new_devices is not UNSET or params.accepted_capabilities is not UNSET:
        message = (
            f"Which devices are managed is set by include_kinds and its fellows in [drivers.{name}] of the config."
        )
        raise RefusedError("set_in_config", message)
    if params.customer_key is not UNSET:
        raise RefusedError("not_supported", "A hub has no customers; keep such a key in custom_metadata.")

    def apply(view: View) -> None:
        known = view.instance(name)
        metadata: shapes.Metadata | UnsetType = UNSET
        if params.custom_metadata is not UNSET:
            old = known.custom_metadata if known else {}
            check_metadata(old, params.custom_metadata)
            metadata = merged(old, params.custom_metadata)
        event = AccountEdited(
            display_name=params.display_name,
            custom_metadata=UNSET if metadata is UNSET else {**metadata},
            by=call.principal.key_id,
        )
        if _is_news(event, known):
            view.emit(event, instance=name)

    await call.hub.journal.transact(apply)
    return shapes.AccountAnswer(connected_account=project.account(call.hub, name))


def _is_news(event: AccountEdited, known: InstanceRecord | None) -> bool:
    old_name = known.display_name if known else None
    old_metadata = known.custom_metadata if known else {}
    return event.display_name not in {UNSET, old_name} or (
        event.custom_metadata is not UNSET and event.custom_metadata != old_metadata
    )


async def delete(call: Call, params: DeleteAccount) -> shapes.Ok:
    """Refuse: an instance is there as long as its table is in the config file."""
    name = instance_of(call, params.connected_account_id)
    message = f"Take the table [drivers.{name}] out of the hub's config file and restart hubd; its devices go with it."
    raise RefusedError("set_in_config", message, connected_account_id=params.connected_account_id)


async def sync(call: Call, params: OneAccount) -> shapes.Ok:
    """Say whether what the hub shows is live. It always is while connected, so there is nothing to start."""
    health = call.hub.health[instance_of(call, params.connected_account_id)]
    if not health.is_connected:
        message = f"{health.sentence()} The hub reads everything anew as soon as the link is back."
        raise RefusedError("account_disconnected", message, connected_account_id=params.connected_account_id)
    return shapes.Ok()


ROUTES = [
    route("/connected_accounts/get", READ, get, shapes.AccountAnswer, GetAccount),
    route("/connected_accounts/list", READ, list_accounts, shapes.AccountListAnswer, ListAccounts),
    route("/connected_accounts/update", UPDATE, update, shapes.AccountAnswer, UpdateAccount, "operator"),
    route("/connected_accounts/delete", REMOVE, delete, shapes.Ok, DeleteAccount, "owner"),
    route("/connected_accounts/sync", ACT, sync, shapes.Ok, OneAccount, "operator"),
]
