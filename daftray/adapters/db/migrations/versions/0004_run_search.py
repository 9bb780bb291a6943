"""An index of the texts, labels, triggers and ends of runs by trigrams, kept by the database itself.

SQLite has one of its own (FTS5), which gives what it finds in the order of numbers: so each run's text has a
number that follows the time in the run's id. PostgreSQL's (GIN, without an extension) finds in no order: so
its trigrams are told apart by the nine hours in which a run was made. `run_search.py` asks both of them.
"""
# ruff: noqa: S608 (what is put into these statements stands in this file)

from __future__ import annotations

import zlib

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_STARTS, _TIME_LENGTH = 5, 10
"""Where an id holds its millisecond, after ``run_``."""
_TIE_BITS = 20
_TIES = (1 << _TIE_BITS) - 1
"""The bits of a number that tell runs of one millisecond apart."""
_ENDED = {
    "succeeded": "\ue400\ue401\ue401",
    "failed": "\ue400\ue401\ue402",
    "cancelled": "\ue400\ue401\ue403",
}
_ORDERED = postgresql.VARCHAR(collation="C")
_BATCH = 1000

_runs = sa.table(
    "runs",
    *(sa.column(name, sa.String()) for name in ("id", "project", "trigger", "search_facts")),
)
_labels = sa.table("run_labels", *(sa.column(name, sa.String()) for name in ("run_id", "key", "value")))


def upgrade() -> None:
    """Take the step."""
    op.add_column("runs", sa.Column("search_facts", sa.Text(), nullable=False, server_default=""))
    _note_facts()
    if op.get_bind().dialect.name == "sqlite":
        _index_in_sqlite()
        _keep_in_sqlite()
    else:
        _index_in_postgres()
        _keep_in_postgres()


def _run(*statements: str) -> None:
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)


def _note_facts() -> None:
    """Give each run that is there the codes of its project, trigger and labels."""
    changed = (
        _runs.update().where(_runs.c.id == sa.bindparam("of_run")).values(search_facts=sa.bindparam("facts"))
    )
    last = ""
    while True:
        some = sa.select(_runs.c.id, _runs.c.project, _runs.c.trigger).where(_runs.c.id > last)
        runs = op.get_bind().execute(some.order_by(_runs.c.id).limit(_BATCH)).all()
        if not runs:
            return
        last = runs[-1].id
        labels: dict[str, list[str]] = {}
        of_these = sa.select(_labels).where(_labels.c.run_id.between(runs[0].id, last))
        for run_id, key, value in op.get_bind().execute(of_these):
            labels.setdefault(run_id, []).append(f"{key}={value}")
        rows = [
            {"of_run": run_id, "facts": _facts(project, [f"={trigger}", *labels.get(run_id, [])])}
            for run_id, project, trigger in runs
        ]
        op.get_bind().execute(changed, rows)


def _facts(project: str, facts: list[str]) -> str:
    return "".join((_code(project), *(_code(f"{project}\n{fact}") for fact in facts)))


def _code(fact: str) -> str:
    number = zlib.crc32(fact.encode())
    return "".join(chr(0xE000 + (number >> 10 * place) % 1024) for place in range(3))


def _text_of(row: str) -> str:
    """Return SQL for what a text filter looks at."""
    return f"{row}.search_text || '\n' || coalesce({row}.\"commit\", '')"


def _facts_of(row: str) -> str:
    """Return SQL for the codes of a run, that of its terminal status included."""
    ends = " ".join(f"WHEN '{status}' THEN '{code}'" for status, code in _ENDED.items())
    return f"{row}.search_facts || CASE {row}.status {ends} ELSE '' END"


def _changes(differ: str) -> str:
    """Return SQL for whether an update changes what is indexed; a status is, once it is terminal."""
    ended = ", ".join(f"'{status}'" for status in _ENDED)
    return (
        f'old."commit" {differ} new."commit" OR old.search_text {differ} new.search_text '
        f"OR (old.status {differ} new.status AND new.status IN ({ended}))"
    )


def _index_in_sqlite() -> None:
    op.create_table(
        "run_texts",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("run_id", sa.Text(), nullable=False, unique=True),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_texts_run_id", ondelete="CASCADE"),
    )
    begin = _first_number("id")
    tie = f"row_number() OVER (PARTITION BY {begin} ORDER BY id) - 1"
    _run(
        f"INSERT INTO run_texts SELECT {begin} + {tie}, id, project, {_text_of('runs')}, "
        f"{_facts_of('runs')} FROM runs ORDER BY id",
        "CREATE VIRTUAL TABLE run_search USING fts5(text, facts, content='run_texts', "
        "content_rowid='number', tokenize='trigram case_sensitive 1', detail=none)",
        "INSERT INTO run_search(run_search) VALUES ('rebuild')",
    )


def _keep_in_sqlite() -> None:
    # Without a FROM the inner SELECT is worked out once.
    last = f"SELECT max(number) FROM run_texts WHERE number BETWEEN begin AND begin | {_TIES}"
    number = f"coalesce(({last}) + 1, begin) FROM (SELECT {_first_number('new.id')} AS begin)"
    add = "INSERT INTO run_search(rowid, text, facts) VALUES (new.number, new.text, new.facts)"
    remove = (
        "INSERT INTO run_search(run_search, rowid, text, facts) "
        "VALUES ('delete', old.number, old.text, old.facts)"
    )
    _run(
        "CREATE TRIGGER run_texts_add AFTER INSERT ON runs BEGIN "
        f"INSERT INTO run_texts(run_id, project, text, facts, number) SELECT new.id, new.project, "
        f"{_text_of('new')}, {_facts_of('new')}, {number}; END",
        'CREATE TRIGGER run_texts_change AFTER UPDATE OF "commit", search_text, status ON runs '
        f"WHEN {_changes('IS NOT')} BEGIN UPDATE run_texts "
        f"SET text = {_text_of('new')}, facts = {_facts_of('new')} WHERE run_id = new.id; END",
        f"CREATE TRIGGER run_search_add AFTER INSERT ON run_texts BEGIN {add}; END",
        f"CREATE TRIGGER run_search_remove AFTER DELETE ON run_texts BEGIN {remove}; END",
        f"CREATE TRIGGER run_search_change AFTER UPDATE ON run_texts BEGIN {remove}; {add}; END",
    )


def _first_number(run_id: str) -> str:
    """Return SQL for the first number of a run's millisecond, which its id tells in base 32."""
    bits: list[str] = []
    for at in range(_TIME_LENGTH):
        digit = f"max(instr('{_ALPHABET}', substr({run_id}, {_TIME_STARTS + at}, 1)) - 1, 0)"
        bits.append(f"({digit} << {5 * (_TIME_LENGTH - 1 - at) + _TIE_BITS})")
    return f"(({' | '.join(bits)}) & {(1 << 63) - 1})"


def _index_in_postgres() -> None:
    op.create_table(
        "run_texts",
        sa.Column("run_id", _ORDERED, nullable=False),
        sa.Column("project", _ORDERED, nullable=False),
        sa.Column("text", _ORDERED, nullable=False),
        sa.Column("facts", _ORDERED, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_texts_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_texts"),
    )
    _run(
        f"INSERT INTO run_texts SELECT id, project, {_text_of('runs')}, {_facts_of('runs')} FROM runs",
        "CREATE FUNCTION run_grams(run_id text, body text) RETURNS text[] "
        "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$ "
        "DECLARE home text := left(run_id, 9); grams text[] := '{}'; part text; "
        "BEGIN FOR start IN 0 .. length(body) - 3 BY 100 LOOP part := substr(body, start + 1, 102); "
        "FOR at IN 1 .. length(part) - 2 LOOP grams[start + at] := home || substr(part, at, 3); END LOOP; "
        "END LOOP; RETURN grams; END $$",
        "CREATE INDEX ix_run_texts_grams ON run_texts USING gin (run_grams(run_id, text || facts)) "
        "WITH (gin_pending_list_limit = 256)",
    )


def _keep_in_postgres() -> None:
    begin = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    end = "RETURN NULL; END $$"
    _run(
        f"CREATE FUNCTION run_texts_add() {begin} INSERT INTO run_texts "
        f"VALUES (new.id, new.project, {_text_of('new')}, {_facts_of('new')}); {end}",
        f"CREATE FUNCTION run_texts_change() {begin} "
        f"UPDATE run_texts SET text = {_text_of('new')}, facts = {_facts_of('new')} "
        f"WHERE run_id = new.id; {end}",
        "CREATE TRIGGER run_texts_add AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION run_texts_add()",
        'CREATE TRIGGER run_texts_change AFTER UPDATE OF "commit", search_text, status ON runs '
        f"FOR EACH ROW WHEN ({_changes('IS DISTINCT FROM')}) EXECUTE FUNCTION run_texts_change()",
    )
