"""The container files say what the house really has; as far as this can be seen without a container engine."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from webapp.cli import main
from webapp.settings import list_settings, load_settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"].startswith("yunliu")}
NGINX_MISSING = "no nginx: apt-get install nginx-light"


def test_the_house_is_complete() -> None:
    assert set(OURS) == {"migrate", "web", "worker", "beat", "listener", "telephone", "mailbox"}
    assert {"postgres", "redis", "nginx"} <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_there_is_with_options_it_has(name: str) -> None:
    command, *options = OURS[name]["command"]
    assert command in main.commands
    known = {option for parameter in main.commands[command].params for option in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    settings = {setting.name for setting in list_settings()}
    assert {variable.removesuffix("_FILE") for variable in OURS[name]["environment"]} <= settings


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_secrets_come_as_files_and_everyone_reports_health(name: str) -> None:
    service = COMPOSE["services"][name]
    words = {
        variable for variable in service.get("environment", {}) if re.search("PASSWORD|SECRET|DATABASE_URL", variable)
    }
    assert all(variable.endswith("_FILE") for variable in words)
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
    assert "healthcheck" in service or service["restart"] == "no"


def test_make_secrets_gives_what_compose_asks_for_once(tmp_path: Path) -> None:
    script = tmp_path / "make-secrets"
    shutil.copy(DOCKER / "make-secrets", script)
    subprocess.run(["sh", script], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert {f"./secrets/{name}" for name in made} == {secret["file"] for secret in COMPOSE["secrets"].values()}
    subprocess.run(["sh", script], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    environment = {f"{name.upper()}_FILE": str(tmp_path / "secrets" / name) for name in ("database_url", "secret_key")}
    settings = load_settings({"DATA_DIR": str(tmp_path), **environment})
    assert settings.database_url.startswith("postgresql+psycopg://yunliu:")


def test_the_image_is_made_of_what_is_there() -> None:
    lines = (DOCKER / "Dockerfile").read_text().splitlines()
    copied = [shlex.split(line)[1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    allowed = {
        line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert all((ROOT / path).exists() for path in copied)
    assert set(copied) == allowed
    assert "USER yunliu" in lines


def test_the_container_command_is_the_command_line(tmp_path: Path) -> None:
    assert "python -m webapp.cli" in (DOCKER / "entrypoint").read_text()
    answer = CliRunner().invoke(main, ["settings"])
    assert answer.exit_code == 0
    assert "DATABASE_URL" in answer.output


def test_nginx_understands_its_file_and_lets_events_through(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip(NGINX_MISSING)
    types = tmp_path / "mime.types"
    types.write_text("types { text/html html; }")
    text = (DOCKER / "nginx.conf").read_text()
    text = text.replace("server web:8000", "server 127.0.0.1:8000").replace("/etc/nginx/mime.types", str(types))
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\n{text}")
    checked = subprocess.run([nginx, "-t", "-p", tmp_path, "-c", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    stream = text.split("location = /api/v1/live")[1].split("}")[0]
    assert "proxy_buffering off" in stream
