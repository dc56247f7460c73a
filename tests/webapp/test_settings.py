"""Settings come from the environment or files, and every mistake names its setting."""

from __future__ import annotations

import stat
from dataclasses import fields
from pathlib import Path
from threading import Thread

import pytest

from webapp.settings import Settings, SettingsError, list_settings, load_settings, settings_table


def test_without_anything_said_the_house_runs_on_sqlite_in_its_folder(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path / "data")})
    assert settings.database_url == f"sqlite:///{tmp_path / 'data' / 'yunliu.db'}"
    assert settings.trusted_proxies == 0
    assert not settings.secure


def test_the_secret_key_is_made_once_and_for_nobody_else_to_read(tmp_path: Path) -> None:
    first = load_settings({"DATA_DIR": str(tmp_path)}).secret_key
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert load_settings({"DATA_DIR": str(tmp_path)}).secret_key == first
    assert stat.S_IMODE(load_settings({"DATA_DIR": str(tmp_path / "new")}).data_dir.stat().st_mode) == 0o700
    (tmp_path / "new" / "secret_key").unlink()
    (tmp_path / "new").rmdir()
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    keys: set[str] = set()
    threads = [Thread(target=lambda: keys.add(load_settings({"DATA_DIR": str(tmp_path)}).secret_key)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 1


@pytest.mark.parametrize("name", [f.name for f in fields(Settings) if f.metadata["read"] is str])
def test_every_text_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    value = "k" * 40
    file = tmp_path / "value"
    file.write_text(f"{value}\n")
    settings = load_settings({"DATA_DIR": str(tmp_path), f"{name.upper()}_FILE": str(file)})
    assert getattr(settings, name) == value


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"WEB_THREADS": "many"}, "WEB_THREADS"),
        ({"DEMO": "perhaps"}, "DEMO"),
        ({"SMTP_URL_FILE": "/no/such/file"}, "SMTP_URL_FILE"),
        ({"SMTP_URL": "a", "SMTP_URL_FILE": "b"}, "SMTP_URL"),
    ],
)
def test_a_mistake_names_its_setting(tmp_path: Path, environ: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({"DATA_DIR": str(tmp_path), **environ})
    assert refusal.value.name == name


def test_secrets_do_not_stand_in_logs(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path), "SECRET_KEY": "s" * 40, "SMTP_URL": "smtp://u:hunter2@h"})
    assert "s" * 40 not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_the_table_for_operators_has_every_setting() -> None:
    table = settings_table()
    assert {row.name for row in list_settings()} == {f.name.upper() for f in fields(Settings)}
    for row in list_settings():
        assert f"`{row.name}`" in table
        assert row.help
