"""Few fields are declared twice, as a column and in the domain; here the two are held together."""

from __future__ import annotations

import pytest
from msgspec import Struct
from sqlalchemy import Table

from daftray.adapters.db import run_rows
from daftray.adapters.db.identity_rows import ApiKeyRow, AuditRow, MembershipRow, UserRow, WorkspaceRow
from daftray.adapters.db.report_rows import CounterRow
from daftray.adapters.db.rows import AttemptRow, ProjectRow, Row, RunRow, SecretRow
from daftray.domain.audit import AuditEntry
from daftray.domain.principal import ApiKey
from daftray.domain.project import Project, SealedSecret
from daftray.domain.run import Attempt, Run
from daftray.domain.spec import RunSpec
from daftray.domain.user import Membership, User
from daftray.domain.workspace import Workspace

STORES_OWN = {
    *("spec", "search_text", "search_facts", "priority"),
    *("due_at", "claim_token", "claim_expires_at"),
}


def columns(row: type[Row]) -> set[str]:
    return {column.key for column in row.__mapper__.columns}


def test_every_field_of_a_run_is_in_its_spec_or_a_column() -> None:
    fields = set(Run.__struct_fields__) - set(RunSpec.__struct_fields__) - {"attempts"}
    assert columns(RunRow) - STORES_OWN == fields == set(run_rows.COLUMNS)


@pytest.mark.parametrize(
    ("row", "struct"),
    [
        (ProjectRow, Project),
        (SecretRow, SealedSecret),
        (ApiKeyRow, ApiKey),
        (AttemptRow, Attempt),
        (WorkspaceRow, Workspace),
        (UserRow, User),
        (MembershipRow, Membership),
        (AuditRow, AuditEntry),
    ],
)
def test_a_row_has_the_fields_of_its_struct(row: type[Row], struct: type[Struct]) -> None:
    assert columns(row) - {"run_id"} == set(struct.__struct_fields__)


OF_RUNS = [table for table in Row.metadata.tables.values() if "run_id" in table.columns]


@pytest.mark.parametrize("table", OF_RUNS, ids=lambda table: table.name)
def test_what_hangs_on_a_run_goes_with_it(table: Table) -> None:
    (key,) = table.columns["run_id"].foreign_keys
    assert (key.target_fullname, key.ondelete) == ("runs.id", "CASCADE")
    assert table.primary_key.columns.keys()[0] == "run_id", "else the cascade reads the whole table"


def test_all_such_tables_were_looked_at() -> None:
    assert CounterRow.__tablename__ in {table.name for table in OF_RUNS}
    assert len(OF_RUNS) == 11
