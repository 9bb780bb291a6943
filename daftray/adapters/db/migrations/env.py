"""What Alembic runs for every command: the steps, on the connection that it was handed."""

from __future__ import annotations

from alembic import context

from daftray.adapters.db.report_rows import CounterRow
from daftray.adapters.db.rows import Row

# The import registers the reports' tables in the metadata too.
_ = CounterRow

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    # The caller's transaction holds all steps, so that a process that dies half-way leaves nothing.
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
