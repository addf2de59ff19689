"""`/workspaces/*`: one hub is one workspace."""

from hubd.api import shapes
from hubd.api.params import NoParams
from hubd.api.route import READ, Call, route


def _workspace(call: Call) -> shapes.Workspace:
    manifests = [instance.manifest for instance in call.hub.instances.values()]
    is_sandbox = bool(manifests) and all(manifest.is_simulator for manifest in manifests)
    hub = call.hub
    return shapes.Workspace(
        workspace_id=hub.workspace_id, name=hub.site.name, company_name=hub.site.name, is_sandbox=is_sandbox
    )


async def get(call: Call, _: NoParams) -> shapes.WorkspaceAnswer:
    """Return the workspace, that is this hub."""
    return shapes.WorkspaceAnswer(workspace=_workspace(call))


async def list_workspaces(call: Call, _: NoParams) -> shapes.WorkspaceListAnswer:
    """Return the one workspace."""
    return shapes.WorkspaceListAnswer(workspaces=[_workspace(call)])


ROUTES = [
    route("/workspaces/get", READ, get, shapes.WorkspaceAnswer),
    route("/workspaces/list", READ, list_workspaces, shapes.WorkspaceListAnswer),
]
