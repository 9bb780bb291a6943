"""Things that data sources and catalogs name, filled for real: S3, Delta, Iceberg and PostgreSQL.

Each secret holds a canary of its own, which may be nowhere but where its run uses it.
"""

from __future__ import annotations

import asyncio
import io
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake
from postgres_server import PostgresServer
from pyiceberg.catalog import load_catalog
from s3_server import BUCKET, S3Server

ORDERS = pa.table({"id": [1, 2, 3], "amount": [10.0, 20.0, 30.5], "shop": ["a", "b", "a"]})
TOTAL = 60.5
Info = dict[str, Any]


@dataclass
class Connected:
    """What is there to be read, as a project would name it."""

    s3: S3Server
    postgres: PostgresServer
    folder: Path
    prefix: str = field(default_factory=lambda: f"connected-{secrets.token_hex(4)}")
    canary: str = field(default_factory=lambda: secrets.token_hex(16))
    """The secret key of S3, and the password of the database's user."""

    @property
    def secrets(self) -> dict[str, str]:
        """The project's secrets by name."""
        keys = {"access_key_id": f"AKIA{self.canary[:16].upper()}", "secret_access_key": self.canary}
        return {"S3_KEYS": json.dumps(keys), "DATABASE_URL": self.database_url, "LAKE": self._lake_secret}

    @property
    def canaries(self) -> list[str]:
        """What must be seen nowhere."""
        return [self.canary, f"AKIA{self.canary[:16].upper()}"]

    @property
    def database_url(self) -> str:
        """The database's address, with its user's password."""
        host = quote(str(self.postgres.folder), safe="")
        return f"postgresql://{self._user}:{self.canary}@{host}/{self._database}"

    @property
    def _user(self) -> str:
        return f"reader_{self.prefix[-8:]}"

    @property
    def _database(self) -> str:
        return f"shop_{self.prefix[-8:]}"

    @property
    def _lake_secret(self) -> str:
        return json.dumps({"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO", "token": self.canary})

    @property
    def _lake(self) -> dict[str, str]:
        return {
            "type": "sql",
            "uri": f"sqlite:///{self.folder / 'lake.db'}",
            "warehouse": f"file://{self.folder / 'warehouse'}",
        }

    @property
    def data_sources(self) -> dict[str, Info]:
        """Data sources by name; each has the same three orders."""
        storage = {"s3": {"endpoint": self.s3.address, "region": "us-east-1", "secret_name": "S3_KEYS"}}
        return {
            "cloud": {  # as Daft Cloud has it
                "s3": {
                    "bucket": BUCKET,
                    "paths": [f"{self.prefix}/orders/*.parquet"],
                    "format": "parquet",
                    **storage["s3"],
                }
            },
            "comma": {"csv": {"paths": [f"s3://{BUCKET}/{self.prefix}/orders.csv"], "io": storage}},
            "delta": {"deltalake": {"uri": f"s3://{BUCKET}/{self.prefix}/delta", "io": storage}},
            "rows": {"sql": {"query": "SELECT id, amount, shop FROM orders", "secret_name": "DATABASE_URL"}},
            "snapshot": {"table": {"catalog": "lake", "table": "shop.orders"}},
        }

    @property
    def catalogs(self) -> dict[str, Info]:
        """Catalogs by name."""
        return {
            "lake": {"iceberg": {"name": "lake", "properties": self._lake, "secret_name": "LAKE"}},
            "supa": {"supabase": {"secret_name": "DATABASE_URL"}},  # as Daft Cloud has it
        }

    def fill(self) -> None:
        """Write the orders to all of them."""
        self._fill_s3()
        self._fill_lake()
        asyncio.run(self._fill_database())

    def _fill_s3(self) -> None:
        keys = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests", "region_name": "us-east-1"}
        client = boto3.client("s3", endpoint_url=self.s3.address, **keys)
        parquet = io.BytesIO()
        pq.write_table(ORDERS, parquet)
        lines = [
            "id,amount,shop",
            *(f"{row['id']},{row['amount']},{row['shop']}" for row in ORDERS.to_pylist()),
        ]
        for name, body in (
            ("orders/one.parquet", parquet.getvalue()),
            ("orders.csv", "\n".join(lines).encode() + b"\n"),
        ):
            client.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=body)
        options = {
            **self.s3.variables,
            "AWS_ALLOW_HTTP": "true",
            "AWS_S3_ALLOW_UNSAFE_RENAME": "true",
        }
        write_deltalake(f"s3://{BUCKET}/{self.prefix}/delta", ORDERS, storage_options=options)

    def _fill_lake(self) -> None:
        (self.folder / "warehouse").mkdir(parents=True)
        lake = load_catalog("lake", **self._lake)
        lake.create_namespace("shop")
        lake.create_table("shop.orders", schema=ORDERS.schema).append(ORDERS)

    async def _fill_database(self) -> None:
        await self.postgres.create(self._database)
        async with self.postgres.asked(self._database) as database:
            await database.execute("CREATE TABLE orders (id int, amount float8, shop text)")
            await database.executemany(
                "INSERT INTO orders VALUES ($1, $2, $3)", [tuple(row.values()) for row in ORDERS.to_pylist()]
            )
            await database.execute(f"CREATE USER {self._user} PASSWORD '{self.canary}'")
            await database.execute(f"GRANT SELECT ON orders TO {self._user}")
