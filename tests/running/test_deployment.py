"""What the files of a deployment say is there: settings, commands, folders; images are pinned, nobody is root."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from portal_app.cli import _parser
from portal_app.settings import environment_names
from tests.architecture.source import ROOT

DEPLOY = ROOT / "docs" / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
MANUAL = (ROOT / "docs" / "operating.md").read_text()
# Of the proxy alone.
OTHERS = {"PORTAL_NAME"}
PINNED = re.compile(r"[a-z./-]+:\d+\.\d+[\w.-]*")


def _unit() -> dict[str, list[str]]:
    lines = [line.partition("=") for line in (ROOT / "docs" / "portal.service").read_text().splitlines() if "=" in line]
    found: dict[str, list[str]] = {}
    for name, _, value in lines:
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def _commands() -> set[str]:
    (action,) = [action for action in _parser()._actions if action.choices]
    return set(action.choices)


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile", "../portal.service", "../operating.md"])
def test_every_setting_that_is_named_is_one(name: str) -> None:
    named = set(re.findall(r"\bPORTAL_[A-Z0-9_]*[A-Z0-9]\b", (DEPLOY / name).read_text()))
    assert named
    assert named - OTHERS <= set(environment_names())


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_a_service_is_pinned_and_comes_again(service: str) -> None:
    said = COMPOSE["services"][service]
    assert PINNED.fullmatch(said["image"]) or said["image"] == "partner-portal:local"
    assert said["restart"] == "unless-stopped"
    assert not said.get("privileged")


def test_only_the_proxy_is_reached_from_outside() -> None:
    services: dict[str, Any] = COMPOSE["services"]
    assert {name for name, said in services.items() if "ports" in said} == {"proxy"}
    assert {name for name, said in services.items() if "outside" in said["networks"]} == {"proxy"}
    address = services["proxy"]["networks"]["inside"]["ipv4_address"]
    assert services["portal"]["environment"]["PORTAL_TRUSTED_PROXIES"] == address


def test_server_and_worker_share_all_but_their_work() -> None:
    portal, worker = COMPOSE["services"]["portal"], COMPOSE["services"]["worker"]
    assert worker["command"] == ["worker"]
    for shared in ("image", "environment", "volumes"):
        assert portal[shared] == worker[shared]
    assert portal["environment"]["PORTAL_WORKER"] == "0"
    assert set(portal["depends_on"]) == {"database", "redis"}
    assert all("healthcheck" in COMPOSE["services"][name] for name in portal["depends_on"])


def test_no_secret_stands_in_the_file() -> None:
    for said in COMPOSE["services"].values():
        for name, value in said["environment"].items() if "environment" in said else ():
            if re.search("PASSWORD|KEY|TOKEN", name):
                assert value.startswith("${"), name


def test_the_image_is_pinned_and_runs_as_nobody_special() -> None:
    assert all(PINNED.fullmatch(image) for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert len(re.findall("^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.findall(r"^USER (\S+)", last, re.MULTILINE) == ["portal"]
    assert "HEALTHCHECK" in last
    assert "/healthz" in last
    # Built before, so that a start needs no network.
    assert "portal_app build" in DOCKERFILE.partition("AS build")[2].rpartition("FROM ")[0]


def test_the_image_takes_along_what_is_there() -> None:
    copied = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--from).*", DOCKERFILE, re.MULTILINE)]
    let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    sources = {source for line in copied for source in line}
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert sources == let_in


def test_the_unit_runs_a_command_that_there_is_with_few_rights() -> None:
    unit = _unit()
    (start,) = unit["ExecStart"]
    assert start.split()[1:3] == ["-m", "portal_app"]
    assert start.split()[3] in _commands()
    assert unit["NoNewPrivileges"] == ["true"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["User"] != ["root"]
    assert int(unit["TimeoutStopSec"][0]) > 10
    assert "WantedBy" in unit


def test_a_unit_is_a_file_that_systemd_reads() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(ROOT / "docs" / "portal.service")
    assert parser.sections() == ["Unit", "Service", "Install"]


def test_the_manual_names_commands_and_files_that_there_are() -> None:
    named = set(re.findall(r"-m portal_app ([a-z-]+)", MANUAL))
    assert named
    assert named <= _commands()
    for link in re.findall(r"\]\((?!http)([^)#]+)", MANUAL):
        assert (ROOT / "docs" / link).resolve().exists(), link


def test_the_proxy_hands_on_to_the_server_and_hides_its_numbers() -> None:
    told = (DEPLOY / "Caddyfile").read_text()
    assert "reverse_proxy portal:3000" in told
    assert re.search(r"path /metrics\s+respond @\w+ 404", told)


def test_the_files_lie_where_the_commands_say() -> None:
    for command in re.findall(r"-f (docs/\S+)", MANUAL + DOCKERFILE + (DEPLOY / "compose.yaml").read_text()):
        assert Path(ROOT / command).exists(), command
