"""The real launcher on a free port, and a VPC with a cluster's groups to put nodes in."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config

from .fake_eks import FakeEKS
from .world import Sandbox, World

HERE = pathlib.Path(__file__).parent
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(HERE.parent),
    "EKSNODES_CFN_STEP_SECONDS": "0.02",
    "EKSNODES_CFN_STABILIZE_SECONDS": "2",
    "EKSNODES_CFN_DELETE_RETRY_SECONDS": "0.3",
    "EKSNODES_EC2_PENDING_SECONDS": "0.1",
    "EKSNODES_EC2_STOPPING_SECONDS": "0.1",
    "EKSNODES_ASG_RETRY_SECONDS": "0.3",
    "EKSNODES_ASG_WARM_SECONDS": "0.2",
}


@pytest.fixture(scope="session")
def eks() -> Iterator[FakeEKS]:
    server = FakeEKS()
    yield server
    server.close()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, eks: FakeEKS) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("moto")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    control = folder / "control.json"
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "eksnodes_moto", "-H", "127.0.0.1", "-p", str(port)],
            env={**ENVIRONMENT, "HOME": str(folder), "EKSNODES_MOTO_CONTROL": str(control), "EKSNODES_EKS_ENDPOINT": eks.url},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_ready(process, port, folder / "log")
        yield Sandbox(f"http://127.0.0.1:{port}", control, folder / "log")
    finally:
        process.terminate()
        process.wait(60)


def _wait_ready(process: subprocess.Popen, port: int, log: pathlib.Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the launcher ended with {process.returncode}:\n{log.read_text()}")
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=5)
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the launcher is not ready after a minute:\n{log.read_text()}")


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "SSL_CERT_FILE":
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@pytest.fixture(scope="session")
def client(sandbox: Sandbox, clean_environment: None):
    made: dict[str, object] = {}

    def make(service: str):
        if service not in made:
            made[service] = boto3.client(
                service,
                endpoint_url=sandbox.url,
                region_name="us-west-2",
                aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}, proxies={}),
            )
        return made[service]

    return make


@pytest.fixture(scope="session")
def world(client) -> World:
    return World.make(client)


@pytest.fixture(autouse=True)
def no_script(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.control.unlink(missing_ok=True)
