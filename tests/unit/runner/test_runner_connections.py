"""Parameters that are data sources and catalogs: what they may be given, and every mistake told at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import daft
import pytest

from daftray.domain.catalog import CatalogInfo
from daftray.domain.data_source import DataSourceInfo
from daftray.runner import connections
from daftray.runner.arguments import bind
from daftray.runner.connections import (
    CATALOG,
    DATA_SOURCE,
    Connections,
    catalogs,
    check,
    plans,
    sort_of,
    sources,
)
from daftray.runner.connections.secret_parts import ConnectionProblem
from daftray.runner.connections.storage import io_config
from daftray.runner.ending import ArgumentsInvalidError

KEYS = {"access_key_id": "AKIACANARY0000000001", "secret_access_key": "canary-secret-access-key"}
S3 = {"bucket": "b", "paths": ["p"], "format": "parquet", "secret_name": "S3"}


@pytest.fixture
def orders(tmp_path: Path) -> str:
    file = tmp_path / "orders.csv"
    file.write_text("id,amount\n1,10\n2,20\n")
    return str(file)


def use(*, secrets: dict[str, str] | None = None, **named: dict[str, Any]) -> list[int]:
    """Make data sources those of this process; return how often they were asked for."""
    asked: list[int] = []

    def fetch() -> object:
        asked.append(1)
        found = [{"id": f"src_{name}", "name": name, "info": info} for name, info in named.items()]
        return {"data_sources": found, "catalogs": []}

    connections.use(Connections(secrets or {}, fetch))
    return asked


@pytest.mark.parametrize(
    ("annotation", "sort"),
    [
        (daft.DataFrame, DATA_SOURCE),
        (daft.Catalog, CATALOG),
        (Optional[daft.DataFrame], DATA_SOURCE),  # noqa: UP045 (as users write it)
        (daft.Catalog | None, CATALOG),
        ("daft.DataFrame", DATA_SOURCE),
        ("DataFrame | None", DATA_SOURCE),
        ("Optional[daft.Catalog]", CATALOG),
        ("pandas.DataFrame", None),
        (str, None),
        (int | None, None),
        (daft.DataFrame | daft.Catalog, None),
    ],
)
def test_which_annotations_mean_one(annotation: object, sort: str | None) -> None:
    assert sort_of(annotation) == sort


def test_kinds_are_those_of_the_api() -> None:
    assert set(sources.KINDS) == set(DataSourceInfo.__struct_fields__)
    assert set(catalogs.KINDS) == set(CatalogInfo.__struct_fields__)


@pytest.mark.parametrize("given", ["orders", "src_orders", {"data_source": "orders"}])
def test_a_parameter_gets_the_data_source_of_that_name(orders: str, given: object) -> None:
    asked = use(orders={"csv": {"paths": [orders]}})

    def function(df: daft.DataFrame, n: int) -> None: ...

    args, kwargs = bind(function, [given], {"n": "3"})
    assert args[0].to_pydict() == {"id": [1, 2], "amount": [10, 20]}  # type: ignore[attr-defined]
    assert (kwargs, asked) == ({"n": 3}, [1])


def test_a_parameter_gets_what_daft_clouds_client_sends(orders: str) -> None:
    asked = use()

    def function(df: daft.DataFrame | None = None, other: Optional[daft.DataFrame] = None) -> None: ...  # noqa: UP045

    info = {"csv": {"paths": [orders], "has_headers": True}, "s3": None}
    _, kwargs = bind(function, [], {"df": json.dumps(info), "other": None})
    assert isinstance(kwargs["df"], daft.DataFrame)
    assert kwargs["df"].count_rows() == 2
    assert kwargs["other"] is None
    assert asked == []


def test_an_explicit_mapping_needs_no_annotation(orders: str) -> None:
    use(orders={"csv": {"paths": [orders]}})

    def function(df, plain, rest: dict[str, str]) -> None: ...  # noqa: ANN001

    mapping = {"data_source": "orders"}
    args, kwargs = bind(function, [mapping, {"other": "orders"}], {"rest": mapping})
    assert isinstance(args[0], daft.DataFrame)
    assert (args[1], kwargs["rest"]) == ({"other": "orders"}, mapping)


def test_every_mistake_is_told_and_nothing_is_opened() -> None:
    use(orders={"csv": {"paths": ["/nowhere.csv"]}}, keyed={"s3": S3})

    def function(
        a: daft.DataFrame, b: daft.DataFrame, c: daft.Catalog, d: daft.DataFrame, n: int
    ) -> None: ...

    with pytest.raises(ArgumentsInvalidError) as raised:
        bind(function, ["orders", "order", "main", "keyed"], {"n": "x"})
    text = str(raised.value)
    assert "b: there is no data source 'order' in this project. Did you mean orders?" in text
    assert "c: there is no catalog 'main' in this project. There is none." in text
    assert "d: the data source needs the secret S3, which the project does not have" in text
    assert "n: " in text
    assert "\n  a: " not in text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "give the name of a data source"),
        ("{broken", "give the name of a data source"),
        ({"s3": S3, "csv": {}}, "exactly one of"),
        ({"exel": {}}, "exel is no kind of a data source"),
        ({"csv": {}}, "lacks paths"),
        ({"catalog": "x"}, "give a data source, not a catalog"),
    ],
)
def test_what_means_nothing_is_refused(value: object, message: str) -> None:
    use()
    with pytest.raises(ConnectionProblem, match=message):
        connections.current().find(DATA_SOURCE, value)


@pytest.mark.parametrize("secret", ["plain", "{broken", '{"access_key_id": "only"}'])
def test_a_secret_of_the_wrong_form_is_told_without_its_value(secret: str) -> None:
    use(secrets={"S3": secret})
    with pytest.raises(ConnectionProblem, match="the secret S3") as raised:
        connections.current().find(DATA_SOURCE, {"s3": S3}).open()
    assert secret not in str(raised.value)


def test_storage_gets_what_its_secrets_hold() -> None:
    secrets = {
        "S3": json.dumps({**KEYS, "region": "eu-central-1"}),
        "AZURE": "account-key",
        "GCS": json.dumps({"token": "gcs-token"}),
        "HF": "hf-token",
    }
    made = io_config(
        {
            "s3": {"endpoint": "http://localhost:1", "secret_name": "S3"},
            "azure": {"storage_account": "a", "secret_name": "AZURE"},
            "gcs": {"secret_name": "GCS"},
            "hf": {"secret_name": "HF"},
        },
        secrets,
    )
    assert (made.s3.key_id, made.s3.access_key) == (KEYS["access_key_id"], KEYS["secret_access_key"])
    assert (made.s3.region_name, made.s3.use_ssl) == ("eu-central-1", False)
    assert made.azure.access_key == "account-key"
    assert (made.gcs.token, made.hf.token) == ("gcs-token", "hf-token")


def test_a_plan_shows_no_credential(orders: str, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = {"S3": json.dumps(KEYS), "AZ": json.dumps({"sas_token": "sas" * 60})}
    io = {"s3": {"secret_name": "S3"}, "azure": {"storage_account": "acct", "secret_name": "AZ"}}
    use(secrets=secrets)
    frame = connections.current().find(DATA_SOURCE, {"csv": {"paths": [orders], "io": io}}).open()
    frame.explain(True)
    shown = capsys.readouterr().out + frame._builder.pretty_print()
    assert "acct" in shown
    for value in (*KEYS.values(), "sassas"):
        assert value not in shown
    assert plans.masked(f"a {KEYS['access_key_id']} b") == "a *** b"


def test_a_check_tells_what_is_there_or_what_is_wrong(orders: str) -> None:
    use(orders={"csv": {"paths": [orders]}}, gone={"csv": {"paths": ["/nowhere/at/all.csv"]}})
    columns = [{"name": "id", "type": "Int64"}, {"name": "amount", "type": "Int64"}]
    assert check.data_source("src_orders") == {"ok": True, "columns": columns, "rows_seen": 1}
    told: Any = check.data_source("gone")
    assert told["ok"] is False
    assert "/nowhere/at/all.csv" in told["error"]["reason"]
    unknown: Any = check.catalog("none")
    assert unknown["error"]["type"] == "ConnectionProblem"
