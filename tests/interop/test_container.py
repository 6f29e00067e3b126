"""The image, built for real: spoken to over stdio and HTTP, as its own user. And its linter.

`scripts/build_image_without_daemon` makes the image where there is no Docker; a container here is
buildah's, on the host's network.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

ROOT = Path(__file__).parents[2]
INTEROP = os.environ.get("DEALDESK_TEST_INTEROP", "")
HADOLINT = Path(INTEROP) / "venvs/hadolint/bin/hadolint"
IMAGE = os.environ.get("DEALDESK_TEST_IMAGE", "")
UID = 10001
STORAGE = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
NO_IMAGE = "not run: DEALDESK_TEST_IMAGE names an image of scripts/build_image_without_daemon"
needs_image = pytest.mark.skipif(not (IMAGE and shutil.which("buildah")), reason=NO_IMAGE)

pytestmark = [
    pytest.mark.skipif(not INTEROP, reason="not run: scripts/interop sets DEALDESK_TEST_INTEROP"),
    pytest.mark.timeout(300),
]


@pytest.mark.skipif(not HADOLINT.exists(), reason="not run: scripts/interop installs hadolint")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([HADOLINT, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def environment() -> dict[str, str]:
    return {**STORAGE, **{k: v for k, v in os.environ.items() if not k.startswith("DEALDESK_")}}


def buildah(*words: str) -> str:
    done = subprocess.run(["buildah", *words], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    name = buildah("from", "--pull-never", IMAGE)
    yield name
    buildah("rm", name)


def inside(container: str, *words: str) -> list[str]:
    return ["run", container, "--", *words]


@needs_image
async def test_a_client_starts_it_over_stdio_as_docker_run_would(
    container: str, record_property: Callable[[str, object], None]
) -> None:
    config = json.loads(buildah("inspect", container))["OCIv1"]["config"]
    assert config["User"] == f"{UID}:{UID}"
    command = inside(container, *config["Entrypoint"], *config["Cmd"])
    transport = StdioTransport("buildah", command, env=environment(), keep_alive=False)
    async with Client(transport, init_timeout=120) as client:
        tools = await client.list_tools()
        found = await client.call_tool("match_need", {"phrase": "8-port PoE switch"})
        assert found.structured_content["resolved"] == "SW-P8-120"
    owners = buildah(*inside(container, "sh", "-c", "id -u; stat -c %u /data /data/*.db")).split()
    assert set(owners) == {str(UID)}
    assert len(owners) == 5
    record_property("figure", f"image over stdio: {len(tools)} tools as uid {UID}")


@needs_image
async def test_it_serves_over_http_to_who_holds_a_grant(
    container: str, record_property: Callable[[str, object], None]
) -> None:
    mint = ["dealdesk", "grant", "mint", "--agent", "visitor", "--tool", "get_product"]
    token = buildah(*inside(container, *mint)).splitlines()[-1]
    with serving(container) as base:
        async with Client(StreamableHttpTransport(f"{base}/catalog/mcp", auth=token)) as client:
            assert [tool.name for tool in await client.list_tools()] == ["get_product"]
            found = await client.call_tool("get_product", {"sku": "SW-P8-120"})
            assert found.structured_content["sku"] == "SW-P8-120"
        other = urllib.request.Request(  # noqa: S310 - loopback only
            f"{base}/crm/mcp", b"{}", {"Authorization": f"Bearer {token}"}
        )
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(other, timeout=10)  # noqa: S310
    record_property("figure", "image over HTTP: /health, one granted tool, another server's door")


@contextmanager
def serving(container: str) -> Iterator[str]:
    """Run the image's servers over HTTP on a free port, and end what was started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["dealdesk", "serve", "all", "--transport", "http", "--port", str(port)]
    words += ["--host", "0.0.0.0", "--allowed-host", "localhost"]  # noqa: S104 - as in a container
    with subprocess.Popen(
        ["buildah", *inside(container, *words)], env=environment(), start_new_session=True
    ) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            give_up = time.monotonic() + 120
            while not healthy(base):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.2)
                assert process.returncode is None, "the server ended"
                assert time.monotonic() < give_up, "the server did not answer in time"
            yield base
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def healthy(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/health", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
