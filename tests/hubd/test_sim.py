import asyncio
import signal
import sys

import pytest

from hubd.cli import main


async def test_a_simulator_plays_until_it_is_told_to_stop() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hubd", "sim", "salto", "port=0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        assert "127.0.0.1" in line
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_without_a_name_the_simulators_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim"]) == 0
    out = capsys.readouterr().out
    assert "hubd sim salto [NAME=VALUE ...]" in out
    assert "port" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nobody"], "there is no simulator 'nobody'; there are: salto"),
        (["salto", "port=many"], "port: must be a whole number"),
        (["salto", "port=70000"], "port: must be a whole number from 0 to 65535"),
        (["salto", "colour=red"], "colour: is no argument; there are: "),
        (["salto", "zone=Europe/Atlantis"], "zone: 'Europe/Atlantis' is no time zone"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", *words]) == 1
    assert capsys.readouterr().err.startswith(f"hubd: {complaint}")
