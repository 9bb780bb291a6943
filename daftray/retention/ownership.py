"""Whose the blob store is. Only of its own database's word may blobs go that no run needs.

A server with a new database, or with the one of another installation, knows none of the runs in the blob
store, and would find all of it unneeded. So the first database names itself there.
"""

from __future__ import annotations

from daftray.domain.errors import BlobNotFoundError
from daftray.domain.ids import Ids
from daftray.domain.ports import BlobOwners, BlobStore

OWNER = "owner"
"""The blob that names the database."""
NOT_OURS = (
    f"Blobs that no run needs stay: the blob store belongs to another database, as its blob {OWNER} says. "
    "Give this database a blob store of its own; or, where it replaces the other one for good, remove that "
    "blob."
)


async def is_ours(owners: BlobOwners, blobs: BlobStore, ids: Ids) -> bool:
    """Tell whether the blob store is this database's; one that is nobody's becomes so."""
    name = (await owners.identity(ids.token())).encode()
    try:
        return await blobs.get(OWNER) == name
    except BlobNotFoundError:
        await blobs.put(OWNER, name)
        return await blobs.get(OWNER) == name
