from pathlib import Path

from msgspec.structs import replace

from tests.hubd.api.harness import Api, instance, running_api


async def test_one_hub_is_one_workspace(api: Api) -> None:
    workspace = (await api.ok("/workspaces/get", method="GET"))["workspace"]
    assert (await api.ok("/workspaces/get", {}))["workspace"] == workspace
    assert (await api.ok("/workspaces/list"))["workspaces"] == [workspace]
    assert (workspace["name"], workspace["is_sandbox"]) == ("Test site", True)
    assert (await api.device())["workspace_id"] == workspace["workspace_id"]


async def test_parameters_are_refused(api: Api) -> None:
    for path in ("/workspaces/get", "/workspaces/list"):
        await api.wrong("workspace_id", path, {"workspace_id": "x"})
        await api.wrong("workspace_id", path, method="GET", query={"workspace_id": "x"})


async def test_a_hub_with_a_real_driver_is_no_sandbox(tmp_path: Path) -> None:
    real = instance("real")
    real = replace(real, manifest=replace(real.manifest, is_simulator=False))
    async with running_api(tmp_path / "data", instance(), real) as api:
        assert (await api.ok("/workspaces/get"))["workspace"]["is_sandbox"] is False
