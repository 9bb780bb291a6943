from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daftray.client.errors import NotConfiguredError
from daftray.client.profile import Address, Wanted, data_dir, find_address
from daftray.client.profile_file import (
    Profile,
    lock_path,
    profile_path,
    read_profiles,
    use_profile,
    write_profile,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}


def keep_server(environ: dict[str, str], url: str | None, key: str = "local-key") -> None:
    folder = data_dir(environ)
    folder.mkdir(parents=True)
    (folder / "admin-key").write_text(f"{key}\n")
    if url:
        (folder / "server.json").write_text(json.dumps({"url": url}))


def keep_profile(environ: dict[str, str], name: str = "default", **fields: str) -> None:
    write_profile(profile_path(environ), name, Profile(**fields))


def test_arguments_go_first(environ: dict[str, str]) -> None:
    environ |= {"DAFTRAY_URL": "https://env.example", "DAFTRAY_API_KEY": "env", "DAFTRAY_PROJECT": "env"}

    found = find_address(Wanted(base_url="https://x.example/", api_key="key", project="p"), environ)

    assert found == Address(base_url="https://x.example", api_key="key", project="p")


def test_then_the_environment(environ: dict[str, str]) -> None:
    keep_profile(environ, url="https://profile.example", api_key="profile", project="q")
    environ |= {"DAFTRAY_URL": "https://env.example", "DAFTRAY_API_KEY": "env"}

    found = find_address(Wanted(), environ)

    assert (found.base_url, found.api_key, found.project) == ("https://env.example", "env", "q")


def test_then_the_profile_in_use(environ: dict[str, str]) -> None:
    keep_server(environ, "http://127.0.0.1:9000")
    keep_profile(environ, "a", url="https://a.example", api_key="a")
    keep_profile(environ, "b", url="https://b.example", api_key="b", workspace="w")

    found = find_address(Wanted(), environ)

    assert (found.base_url, found.api_key, found.workspace) == ("https://b.example", "b", "w")
    environ["DAFTRAY_PROFILE"] = "a"
    assert find_address(Wanted(), environ).api_key == "a"


def test_then_the_server_of_this_machine(environ: dict[str, str]) -> None:
    keep_server(environ, "http://127.0.0.1:9000")

    found = find_address(Wanted(), environ)

    assert (found.base_url, found.api_key) == ("http://127.0.0.1:9000", "local-key")


def test_a_data_directory_can_be_named(environ: dict[str, str], tmp_path: Path) -> None:
    environ["DAFTRAY_DATA_DIR"] = str(tmp_path / "elsewhere")
    keep_server(environ, None)

    assert find_address(Wanted(), environ).base_url == "http://127.0.0.1:8484"


def test_a_profile_that_is_named_goes_before_the_environment(environ: dict[str, str]) -> None:
    keep_profile(environ, "work", url="https://work.example", api_key="work")
    environ |= {"DAFTRAY_URL": "https://env.example", "DAFTRAY_API_KEY": "env"}

    found = find_address(Wanted(profile="work"), environ)

    assert (found.base_url, found.api_key) == ("https://work.example", "work")


def test_a_kept_key_is_never_sent_elsewhere(environ: dict[str, str]) -> None:
    keep_server(environ, "http://127.0.0.1:9000")
    keep_profile(environ, url="https://a.example", api_key="a")

    for url in ("https://evil.example", "http://a.example", "https://a.example:444", "http://127.0.0.1:9001"):
        with pytest.raises(NotConfiguredError, match="no API key"):
            find_address(Wanted(base_url=url), environ)


@pytest.mark.parametrize("url", ["http://localhost:9000/", "http://[::1]:9000", "http://127.0.0.1:9000"])
def test_a_kept_key_fits_every_way_to_write_its_server(environ: dict[str, str], url: str) -> None:
    keep_server(environ, "http://127.0.0.1:9000")

    assert find_address(Wanted(base_url=url), environ).api_key == "local-key"


def test_a_default_port_may_be_written_or_not(environ: dict[str, str]) -> None:
    keep_profile(environ, url="https://a.example", api_key="a")

    assert find_address(Wanted(base_url="https://a.example:443"), environ).api_key == "a"


def test_nothing_known_says_what_to_do(environ: dict[str, str]) -> None:
    with pytest.raises(NotConfiguredError, match="daftray serve"):
        find_address(Wanted(), environ)


@pytest.mark.parametrize("url", ["a.example", "ftp://a.example", "https://", "http:///x"])
def test_what_is_no_address_is_refused(environ: dict[str, str], url: str) -> None:
    with pytest.raises(NotConfiguredError, match="no server's address"):
        find_address(Wanted(base_url=url, api_key="k"), environ)


def test_no_repr_shows_a_key() -> None:
    tokens = Profile(api_key="hidden", access_token="hidden", refresh_token="hidden")
    kinds = [Address(base_url="u", api_key="hidden"), tokens, Wanted(api_key="hidden")]

    assert "hidden" not in repr(kinds)


def test_the_file_is_for_its_owner(environ: dict[str, str]) -> None:
    keep_profile(environ, url="https://a.example", api_key="a")
    path = profile_path(environ)
    path.chmod(0o644)

    keep_profile(environ, "b", url="https://b.example", api_key="b")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {*path.parent.iterdir()} == {path, lock_path(path)}
    assert stat.S_IMODE(lock_path(path).stat().st_mode) == 0o600


@given(
    st.dictionaries(texts, st.builds(Profile, url=texts | st.none(), api_key=texts | st.none()), max_size=3)
)
def test_what_is_kept_comes_back(
    tmp_path_factory: pytest.TempPathFactory, profiles: dict[str, Profile]
) -> None:
    path = tmp_path_factory.mktemp("p") / "config.toml"

    for name, profile in profiles.items():
        write_profile(path, name, profile)

    assert read_profiles(path).profiles == profiles


def test_a_profile_that_is_not_there_is_not_used(environ: dict[str, str]) -> None:
    keep_profile(environ, "a", url="https://a.example")

    with pytest.raises(NotConfiguredError, match="known: a"):
        use_profile(profile_path(environ), "b")
    with pytest.raises(NotConfiguredError, match="known: a"):
        find_address(Wanted(profile="b"), environ)


@pytest.mark.parametrize("text", ["api_key = [", 'profiles = "x"', "\xff"])
def test_a_broken_file_is_told_without_its_text(environ: dict[str, str], text: str) -> None:
    path = profile_path(environ)
    path.parent.mkdir(parents=True)
    path.write_bytes(f"# hidden-key\n{text}".encode("latin-1"))

    with pytest.raises(NotConfiguredError, match="cannot be read") as told:
        find_address(Wanted(), environ)

    assert "hidden" not in f"{told.value}{told.value.__cause__}"
