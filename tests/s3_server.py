"""A server on loopback that speaks S3, in this process."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

BUCKET = "daftray-test"
SECRET = "s3-secret-of-the-tests"


@dataclass(frozen=True)
class S3Server:
    """A running server. It believes every key."""

    address: str

    @property
    def variables(self) -> dict[str, str]:
        """What an operator sets."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def new_url(self) -> str:
        """Return a prefix that nobody else uses."""
        return f"s3://{BUCKET}/{uuid4().hex}"


@contextmanager
def s3_server() -> Generator[S3Server]:
    """Run a server with one bucket."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (it takes its time)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        made = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")  # noqa: S310 (our own address)
        urllib.request.urlopen(made, timeout=30).close()  # noqa: S310
        yield S3Server(address)
    finally:
        server.stop()
