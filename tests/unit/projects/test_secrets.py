"""Secrets: in, and out to runs alone."""

from __future__ import annotations

import pytest
from factories import a_run
from fakes import FakeClock, InMemoryStores

from daftray.adapters.vault.aesgcm import AesGcmVault
from daftray.adapters.vault.key_ring import KeyRing
from daftray.domain.errors import InvalidInputError, SecretNotFoundError, SecretUnreadableError
from daftray.projects.secrets import LONGEST_VALUE, SHORTEST_VALUE, ProjectSecrets

VALUE = "the-value-of-a-secret"


class Kept:
    """The use cases over a store and a clock."""

    def __init__(self) -> None:
        self.store, self.clock = InMemoryStores().secrets, FakeClock()
        self.secrets = self.under(b"master")

    def under(self, master_key: bytes) -> ProjectSecrets:
        return ProjectSecrets(store=self.store, vault=AesGcmVault(KeyRing.of(master_key)), clock=self.clock)


async def test_what_is_kept_is_not_what_was_given_and_comes_back_as_it_was() -> None:
    kept = Kept()
    await kept.secrets.set("prj_1", "TOKEN", VALUE)
    (sealed,) = await kept.store.list("prj_1")
    assert VALUE.encode() not in sealed.ciphertext
    assert VALUE not in repr(sealed)
    assert await kept.secrets.of_project("prj_1") == {"TOKEN": VALUE}
    assert await kept.secrets.of_project("prj_2") == {}


async def test_a_newer_value_takes_an_older_ones_place_and_the_answer_is_what_the_list_says() -> None:
    kept = Kept()
    first = await kept.secrets.set("prj_1", "TOKEN", VALUE)
    later = kept.clock.move(60)
    second = await kept.secrets.set("prj_1", "TOKEN", "another-value")
    assert (second.created_at, second.updated_at) == (first.created_at, later)
    assert await kept.secrets.list("prj_1") == [second]
    assert await kept.secrets.of_project("prj_1") == {"TOKEN": "another-value"}


@pytest.mark.parametrize("length", [SHORTEST_VALUE, LONGEST_VALUE])
async def test_a_value_of_a_length_that_is_just_right_is_kept(length: int) -> None:
    kept = Kept()
    await kept.secrets.set("prj_1", "TOKEN", "ä" * length)
    assert await kept.secrets.of_project("prj_1") == {"TOKEN": "ä" * length}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TOKEN", "x" * (SHORTEST_VALUE - 1), "cannot be masked"),
        ("TOKEN", "", "cannot be masked"),
        ("TOKEN", "x" * (LONGEST_VALUE + 1), "at most"),
        ("TOKEN", "before\0after", "NUL"),
        ("DAFTRAY_RUN_TOKEN", VALUE, "choose another name"),
        ("DAFTRAY_REPORT_URL", VALUE, "choose another name"),
    ],
    ids=["short", "empty", "long", "nul", "token", "address"],
)
async def test_what_cannot_be_a_secret_is_refused_without_a_word_of_its_value(
    name: str, value: str, says: str
) -> None:
    kept = Kept()
    with pytest.raises(InvalidInputError) as of_project:
        await kept.secrets.set("prj_1", name, value)
    with pytest.raises(InvalidInputError) as of_run:
        kept.secrets.seal("run_1", {name: value, "FINE": VALUE})
    for error in (of_project.value, of_run.value):
        (issue,) = error.issues
        assert issue.path == f"secrets.{name}"
        assert says in issue.message
        assert value[:6] not in (issue.message + error.detail) or not value
    assert await kept.store.list("prj_1") == []


async def test_a_run_gets_its_projects_secrets_and_its_own_on_top() -> None:
    kept = Kept()
    run = a_run(project="prj_1")
    await kept.secrets.set("prj_1", "SHARED", "of-the-project")
    await kept.secrets.set("prj_1", "BOTH", "of-the-project")
    await kept.secrets.set("prj_2", "FOREIGN", "of-another-project")
    for sealed in kept.secrets.seal(run.id, {"BOTH": "of-the-run", "OWN": "of-the-run"}):
        await kept.store.put(sealed)
    assert await kept.secrets.of_run(run) == {
        "SHARED": "of-the-project", "BOTH": "of-the-run", "OWN": "of-the-run",
    }  # fmt: skip
    assert await kept.secrets.own_of_run(run.id) == {"BOTH": "of-the-run", "OWN": "of-the-run"}


async def test_under_another_master_key_nothing_is_readable() -> None:
    kept = Kept()
    await kept.secrets.set("prj_1", "TOKEN", VALUE)
    with pytest.raises(SecretUnreadableError) as error:
        await kept.under(b"another").of_project("prj_1")
    assert VALUE not in error.value.detail


async def test_a_secret_that_is_removed_is_gone() -> None:
    kept = Kept()
    await kept.secrets.set("prj_1", "TOKEN", VALUE)
    await kept.secrets.delete("prj_1", "TOKEN")
    assert await kept.secrets.of_project("prj_1") == {}
    with pytest.raises(SecretNotFoundError):
        await kept.secrets.delete("prj_1", "TOKEN")
