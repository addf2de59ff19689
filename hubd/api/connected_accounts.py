"""`/connected_accounts/*`: a driver instance, that is one `[drivers.<id>]` table of the config."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import project, shapes
from hubd.api.devices import check_metadata
from hubd.api.paging import page
from hubd.api.params import Limit, Params, Text, Uuid
from hubd.api.route import READ, UPDATE, Call, route
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import AccountEdited
from hubd.store.tables import View


class GetAccount(Params, frozen=True, kw_only=True):
    """Which account; a hub's accounts have no e-mail address."""

    connected_account_id: Uuid | None = None
    email: Text | None = None


class ListAccounts(Params, frozen=True, kw_only=True):
    """Filters; customers, spaces and users match nothing."""

    custom_metadata_has: dict[str, str | bool] | None = None
    customer_key: Text | None = None
    limit: Limit = 11_000
    page_cursor: Text | None = None
    search: Text | None = None
    space_id: Uuid | None = None
    user_identifier_key: Text | None = None


class UpdateAccount(Params, frozen=True, kw_only=True):
    """What can be changed without the config file."""

    connected_account_id: Uuid
    custom_metadata: dict[str, str | bool | None] | UnsetType = UNSET
    display_name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    automatically_manage_new_devices: bool | UnsetType = UNSET
    accepted_capabilities: tuple[str, ...] | UnsetType = UNSET


def _instance(call: Call, account_id: str) -> str:
    for name in call.hub.instances:
        if call.hub.account_id(name) == account_id.lower():
            return name
    message = "There is no such connected account on this hub."
    raise NotFoundError("connected_account_not_found", message, connected_account_id=account_id)


async def get(call: Call, params: GetAccount) -> shapes.AccountAnswer:
    """Return one driver instance."""
    if params.connected_account_id is None:
        if params.email is None:
            raise InvalidInputError("connected_account_id", "is required")
        message = "The accounts of a hub have no e-mail address; use connected_account_id."
        raise NotFoundError("connected_account_not_found", message)
    account = project.account(call.hub, _instance(call, params.connected_account_id))
    return shapes.AccountAnswer(connected_account=account)


async def list_accounts(call: Call, params: ListAccounts) -> shapes.AccountListAnswer:
    """Return the driver instances."""
    names = sorted(call.hub.instances)
    if params.customer_key or params.space_id or params.user_identifier_key:
        names = []
    accounts = [project.account(call.hub, name) for name in names]
    if params.search is not None:
        accounts = [a for a in accounts if params.search.lower() in f"{a.display_name} {a.account_type}".lower()]
    if params.custom_metadata_has is not None:
        wanted = params.custom_metadata_has.items()
        accounts = [a for a in accounts if wanted <= a.custom_metadata.items()]
    cut, pagination = page(accounts, lambda account: (0, account.connected_account_id), params, call.request)
    return shapes.AccountListAnswer(connected_accounts=cut, pagination=pagination)


async def update(call: Call, params: UpdateAccount) -> shapes.AccountAnswer:
    """Change display name and metadata; what is managed is decided in the config file."""
    name = _instance(call, params.connected_account_id)
    if params.automatically_manage_new_devices is not UNSET or params.accepted_capabilities is not UNSET:
        message = f"Which devices are managed is set by include_kinds and its fellows in [drivers.{name}] of the config."
        raise RefusedError("set_in_config", message)
    record = call.hub.journal.tables.instances.get(name)
    old = record.custom_metadata if record else {}
    metadata: shapes.Metadata | UnsetType = UNSET
    if params.custom_metadata is not UNSET:
        check_metadata(old, params.custom_metadata)
        metadata = {k: v for k, v in (old | params.custom_metadata).items() if v is not None}
    event = AccountEdited(display_name=params.display_name, custom_metadata=metadata, by=call.principal.key_id)

    def apply(view: View) -> None:
        view.emit(event, instance=name)

    await call.hub.journal.transact(apply)
    return shapes.AccountAnswer(connected_account=project.account(call.hub, name))


ROUTES = [
    route("/connected_accounts/get", READ, get, shapes.AccountAnswer, GetAccount),
    route("/connected_accounts/list", READ, list_accounts, shapes.AccountListAnswer, ListAccounts),
    route("/connected_accounts/update", UPDATE, update, shapes.AccountAnswer, UpdateAccount, "operator"),
]
