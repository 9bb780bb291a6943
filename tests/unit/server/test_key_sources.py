"""Where master keys come from, and what is refused without a word of them."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from daftray.adapters.vault.key_ring import KeyRing
from daftray.server.data_dir import DataDir
from daftray.server.key_sources import KeyFile, MasterKeyError, key_ring, keys_of_command
from daftray.server.settings import ServerSettings

OLD, NEW = "0123456789abcdef" * 4, "fedcba9876543210" * 4


def ids(*keys: str) -> list[str]:
    return [key.id for key in KeyRing.of(*(one.encode() for one in keys)).all]


def ring_of(folder: Path, **given: object) -> list[str]:
    settings = ServerSettings(data_dir=folder, **given)  # pyright: ignore[reportArgumentType] (it validates them)
    return [key.id for key in key_ring(settings, DataDir(folder)).all]


def key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "keys"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("between", [" ", ",", "\n", ", "])
def test_the_environment_holds_several_keys_the_new_one_first(tmp_path: Path, between: str) -> None:
    assert ring_of(tmp_path, master_key=f"{NEW}{between}{OLD}") == ids(NEW, OLD)


def test_each_key_of_several_has_to_be_long_enough(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="at least 32") as caught:
        ring_of(tmp_path, master_key=f"{NEW} tooshort")
    assert "tooshort" not in str(caught.value)
    with pytest.raises(MasterKeyError, match="at least 32") as refused:
        KeyFile(key_file(tmp_path, f"{NEW}\ntooshort\n"))
    assert "tooshort" not in str(refused.value)


def test_a_file_holds_one_key_a_line(tmp_path: Path) -> None:
    path = key_file(tmp_path, f"# of November\n{NEW}\n\n{OLD}  # of October\n")
    assert ring_of(tmp_path, master_key_file=path) == ids(NEW, OLD)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(MasterKeyError, match=f"mode {mode:04o}.*chmod 600"):
        KeyFile(key_file(tmp_path, OLD, mode))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    path = key_file(tmp_path, OLD)
    os.chown(path, 12345, -1)
    with pytest.raises(MasterKeyError, match="another user"):
        KeyFile(path)


@pytest.mark.parametrize(
    ("text", "says"), [("", "no master key"), ("# nothing\n", "no master key"), (None, "cannot be read")]
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "none" if text is None else key_file(tmp_path, text)
    with pytest.raises(MasterKeyError, match=says):
        KeyFile(path)


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError):
        KeyFile(tmp_path)


def test_a_file_that_changes_is_read_again_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    path = key_file(tmp_path, OLD)
    ring = KeyRing(KeyFile(path))
    assert [key.id for key in ring.all] == ids(OLD)
    path.write_text(f"{NEW}\n{OLD}\n")
    assert [key.id for key in ring.all] == ids(NEW, OLD)
    path.write_text("short\n")
    assert [key.id for key in ring.all] == ids(NEW, OLD)
    path.unlink()
    assert [key.id for key in ring.all] == ids(NEW, OLD)


def test_the_data_folders_own_key_is_made_once_and_a_new_one_comes_first(tmp_path: Path) -> None:
    first = ring_of(tmp_path)
    assert ring_of(tmp_path) == first
    folder = DataDir(tmp_path)
    folder.add_master_key()
    new, old = ring_of(tmp_path)
    assert old == first[0]
    assert new != old
    assert folder.master_key_file.stat().st_mode & 0o777 == 0o600


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def test_a_command_prints_the_keys(tmp_path: Path) -> None:
    assert ring_of(tmp_path, master_key_command=python(f"print({NEW!r}); print({OLD!r})")) == ids(NEW, OLD)


def test_a_command_is_run_without_a_shell(tmp_path: Path) -> None:
    target = tmp_path / "made"
    code = f"import sys; print({OLD!r}, file=sys.stdout) if sys.argv[1:] == ['>', {str(target)!r}] else 1/0"
    assert keys_of_command(f"{python(code)} '>' {target}") == (OLD.encode(),)
    assert not target.exists()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (f"import sys; print({OLD!r}); print({NEW!r}, file=sys.stderr); sys.exit(3)", "code 3"),
        ("pass", "no master key"),
        ("print('tooshort')", "too short"),
    ],
    ids=["fails", "silent", "short"],
)
def test_a_command_that_gives_no_key_is_told_of_without_what_it_said(
    code: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MasterKeyError, match=says) as caught:
        keys_of_command(python(code))
    shown = str(caught.value) + repr(caught.value.__cause__) + "".join(capfd.readouterr())
    assert not any(value in shown for value in (OLD, NEW, "tooshort"))


@pytest.mark.parametrize(
    ("command", "says"), [("/nowhere/at/all", "cannot be started"), ("'open", "quotes"), (" ", "quotes")]
)
def test_a_command_that_is_none_is_refused(command: str, says: str) -> None:
    with pytest.raises(MasterKeyError, match=says):
        keys_of_command(command)


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daftray.server.key_sources.COMMAND_TIMEOUT_S", 0.2)
    with pytest.raises(MasterKeyError, match="took more than"):
        keys_of_command(python("import time; time.sleep(60)"))


def test_keys_come_from_one_place_only(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="only one of") as caught:
        ring_of(tmp_path, master_key=OLD, master_key_file=tmp_path / "keys")
    assert OLD not in str(caught.value)
