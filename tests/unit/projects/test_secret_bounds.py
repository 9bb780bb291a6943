from __future__ import annotations

import pytest
from fakes import FakeClock, InMemoryStores

from daftray.adapters.vault.aesgcm import AesGcmVault
from daftray.adapters.vault.key_ring import KeyRing
from daftray.domain.errors import InvalidInputError
from daftray.projects.secrets import LARGEST_TOTAL, LONGEST_VALUE, ProjectSecrets

LARGE = "x" * LONGEST_VALUE
MOST = LARGEST_TOTAL // LONGEST_VALUE - 1


def some_secrets() -> ProjectSecrets:
    vault = AesGcmVault(KeyRing.of(b"master"))
    return ProjectSecrets(store=InMemoryStores().secrets, vault=vault, clock=FakeClock())


async def test_a_projects_secrets_are_bounded_together() -> None:
    secrets = some_secrets()
    for number in range(MOST):
        await secrets.set("prj_1", f"KEY_{number}", LARGE)
    with pytest.raises(InvalidInputError, match="together"):
        await secrets.set("prj_1", "ONE_MORE", LARGE)
    await secrets.set("prj_1", "KEY_0", LARGE)  # in place of an older one
    await secrets.set("prj_2", "KEY_0", LARGE)


async def test_a_runs_own_secrets_are_bounded_together() -> None:
    secrets = some_secrets()
    assert len(secrets.seal("run_1", {f"KEY_{number}": LARGE for number in range(MOST)})) == MOST
    with pytest.raises(InvalidInputError, match="together"):
        secrets.seal("run_1", {f"KEY_{number}": LARGE for number in range(MOST + 1)})


async def test_a_value_that_no_environment_can_hold_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        some_secrets().seal("run_1", {"KEY": "before\0after"})
    assert "NUL" in caught.value.issues[0].message
    assert "before" not in caught.value.issues[0].message
