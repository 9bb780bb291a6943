"""What every `AuditStore` does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW
from stores import Stores

from daftray.domain.audit import AuditEntry, AuditQuery
from daftray.domain.ids import Ids


async def fill(stores: Stores) -> list[AuditEntry]:
    """Add five entries; return them, oldest first."""
    entries = [
        AuditEntry(id="aud_1", at=NOW, actor="usr_1", actor_name="ada", action="user.create", target="usr_2"),
        AuditEntry(
            id="aud_2", at=NOW, workspace="a", actor="usr_1", actor_name="ada", action="project.create"
        ),
        AuditEntry(
            id="aud_3",
            at=NOW,
            workspace="a",
            project="prj_1",
            actor="key_1",
            actor_name="ci",
            action="run.create",
            target="run_1",
            remote="192.0.2.1",
        ),
        AuditEntry(
            id="aud_4",
            at=NOW,
            workspace="a",
            project="prj_2",
            actor="usr_1",
            actor_name="ada",
            action="run.create",
        ),
        AuditEntry(id="aud_5", at=NOW, workspace="b", actor="usr_1", actor_name="ada", action="run.create"),
    ]
    for entry in entries:
        await stores.audit.add(entry)
    return entries


async def test_entries_come_back_newest_first(stores: Stores) -> None:
    entries = await fill(stores)
    assert await stores.audit.list(AuditQuery()) == entries[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(workspace="a"), "432"),
        (AuditQuery(workspace="a", project="prj_1"), "3"),
        (AuditQuery(actor="usr_1"), "5421"),
        (AuditQuery(workspace="a", actor="usr_1", action="run.create"), "4"),
        (AuditQuery(action="run.create", limit=2), "54"),
        (AuditQuery(action="run.create", limit=2, before="aud_4"), "3"),
        (AuditQuery(before="aud_1"), ""),
        (AuditQuery(workspace="c"), ""),
        (AuditQuery(actor_name="ci"), "3"),
        (AuditQuery(target="RUN"), "3"),
        (AuditQuery(target="_"), "31"),
        (AuditQuery(target="%"), ""),
    ],
)
async def test_entries_are_found_by_what_is_asked_for(stores: Stores, query: AuditQuery, found: str) -> None:
    await fill(stores)
    assert "".join(entry.id[-1] for entry in await stores.audit.list(query)) == found


async def test_entries_are_found_by_their_time(stores: Stores) -> None:
    ids, times = Ids(), [NOW + timedelta(milliseconds=number, microseconds=500) for number in range(4)]
    entries = [
        AuditEntry(id=ids.new("aud", at), at=at, actor="usr_1", actor_name="ada", action="run.create")
        for at in times
    ]
    for entry in entries:
        await stores.audit.add(entry)
    for since, until in ((None, None), (1, None), (None, 2), (1, 3), (2, 2), (None, 0)):
        query = AuditQuery(
            since=None if since is None else times[since], until=None if until is None else times[until]
        )
        assert await stores.audit.list(query) == entries[slice(since, until)][::-1]
