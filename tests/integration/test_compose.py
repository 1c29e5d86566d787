"""docker-compose.yml without an engine: its form, and its commands as processes beside real servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest
import yaml

from hardness_site.processes import die_with_parent
from tests.integration.conftest import wait_until
from tests.postgres import embedded_postgres
from tests.site import ROOT, free_port

SECRETS = {
    "SECRET_KEY": "a test signs with 0123456789abcdef",
    "POSTGRES_PASSWORD": "p4ss",
    "REDIS_PASSWORD": "r3d1s",
    "ALLOWED_HOSTS": "site.test",
}
# What Compose itself does with ${NAME:?message}, ${NAME:-default} and $$.
VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<text>[^}]*))?\}")


def compose(environment: dict[str, str]) -> dict:
    """Return the file as Compose understands it; KeyError where a needed variable is missing."""

    def value(match: re.Match) -> str:
        if match[0] == "$$":
            return "$"
        found = environment.get(match["name"])
        if found:
            return found
        if match["kind"] == "-":
            return match["text"]
        raise KeyError(match["text"] or match["name"])

    def replaced(node):
        if isinstance(node, str):
            return VARIABLE.sub(value, node)
        if isinstance(node, dict):
            return {key: replaced(child) for key, child in node.items()}
        return [replaced(child) for child in node] if isinstance(node, list) else node

    return replaced(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


@pytest.fixture(scope="module")
def services() -> dict:
    """Return the services with the secrets of a test."""
    return compose(SECRETS)["services"]


def test_form():
    schema = json.loads((Path(__file__).parent / "compose_schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(compose(SECRETS), schema)


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_has_a_default(name):
    with pytest.raises(KeyError, match=name):
        compose({key: value for key, value in SECRETS.items() if key != name})


def test_services_hang_together(services):
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "housekeeper", "beat"}
    volumes = set(compose(SECRETS)["volumes"])
    for name, service in services.items():
        for other, needs in service.get("depends_on", {}).items():
            final = needs["condition"] == "service_completed_successfully"
            assert final == (other == "migrate")
            assert final or "healthcheck" in services[other]
        assert {volume.split(":")[0] for volume in service["volumes"]} <= volumes
        assert "healthcheck" in service or name == "migrate"
    for name in ("--appendonly yes", "--maxmemory-policy noeviction"):
        assert name in " ".join(services["redis"]["command"])


def test_every_part_uses_the_image_that_the_dockerfile_builds(services):
    dockerfile = (ROOT / "Dockerfile").read_text()
    last = dockerfile.split("FROM ")[-1]
    assert "USER 10001:10001" in last
    assert "HEALTHCHECK" in last
    assert json.dumps(services["web"]["command"]) in last
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.M):
        assert all((ROOT / name).exists() for name in source.split())


class Deployment:
    """The services as plain processes: same commands, same environment, only addresses and folders of this machine."""

    def __init__(self, services: dict, folder: Path, database_url: str) -> None:
        self.services = services
        self.folder = folder
        self.ports = {"8000": free_port(), "6379": free_port()}
        self.processes: dict[str, subprocess.Popen] = {}
        socket_dir = urllib.parse.parse_qs(urllib.parse.urlsplit(database_url).query)["host"][0]
        self._postgres = f"@/hardness?host={urllib.parse.quote(socket_dir, safe='')}"

    def translate(self, text: str) -> str:
        """Put this machine's addresses where the containers' stand."""
        text = text.replace("@postgres:5432/hardness", self._postgres)
        text = text.replace("redis:6379", f"127.0.0.1:{self.ports['6379']}")
        text = re.sub(r"(0\.0\.0\.0|127\.0\.0\.1):8000", f"127.0.0.1:{self.ports['8000']}", text)
        return re.sub(r"/tmp\b", str(self.folder), text)

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment of a service, and nothing of the tests'."""
        declared = {key: self.translate(value) for key, value in self.services[name]["environment"].items()}
        image = {"HARDNESS_DATA_DIR": str(self.folder / "data"), "HARDNESS_STATIC_DIR": str(self.folder / "static")}
        outer = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        settings = {"DJANGO_SETTINGS_MODULE": "tests.integration.server_settings"}
        return {**outer, "PATH": path, **image, **declared, **(settings if name not in ("redis", "postgres") else {})}

    def start(self, name: str, *extra: str) -> None:
        """Start a service."""
        words = [self.translate(word) for word in self.services[name]["command"]]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [*words, *extra], cwd=ROOT, env=self.environment(name), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=lambda: die_with_parent(signal.SIGKILL),
            )  # fmt: skip

    def log(self, name: str) -> str:
        """Return what a service has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service."""
        kind, *words = [self.translate(word) for word in self.services[name]["healthcheck"]["test"]]
        command = ["sh", "-c", words[0]] if kind == "CMD-SHELL" else words
        if name == "redis":
            command[1:1] = ["-p", str(self.ports["6379"])]
        done = subprocess.run(command, cwd=ROOT, env=self.environment(name), capture_output=True, timeout=60)
        return done.returncode == 0

    def manage(self, *words: str) -> str:
        """Run a management command as `docker compose exec web` would."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment("web"), capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> None:
        """Stop all, the servers last."""
        for name, process in reversed(self.processes.items()):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert process.returncode == 0 or name in ("web",), f"{name}: {process.returncode}\n{self.log(name)}"


@pytest.fixture(scope="module")
def deployment(services, tmp_path_factory):
    """Return the running deployment."""
    assert shutil.which("redis-server"), "redis-server is needed (Debian: apt-get install redis-server)"
    folder = tmp_path_factory.mktemp("compose")
    (folder / "postgres").mkdir()
    (folder / "redis").mkdir()
    for path in (folder, *folder.parents[:2]):
        path.chmod(path.stat().st_mode | 0o055)
    with embedded_postgres(folder / "postgres") as url:
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE hardness LOGIN PASSWORD 'p4ss'")
            connection.execute("CREATE DATABASE hardness OWNER hardness")
        running = Deployment(services, folder, url)
        try:
            words = ["--port", str(running.ports["6379"]), "--bind", "127.0.0.1", "--dir", str(folder / "redis")]
            running.start("redis", *words)
            wait_until(lambda: running.is_healthy("redis"))
            running.start("migrate")
            assert running.processes.pop("migrate").wait(120) == 0, running.log("migrate")
            running.manage("collectstatic", "--no-input", "-v0")
            for name in ("web", "worker", "housekeeper", "beat"):
                running.start(name)
            # Until then beat makes its file of the schedule, and a stop in the midst of that does not end it with 0.
            wait_until(lambda: running.log("beat").count("Sending due task") > 1, seconds=120, what="beat")
            yield running
        finally:
            running.stop()


def get(deployment: Deployment, path: str, **headers: str) -> tuple[int, str]:
    """Return status and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{deployment.ports['8000']}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_web_is_ready_and_all_health_checks_pass(deployment):
    wait_until(lambda: get(deployment, "/readyz")[0] == 200, seconds=60, what="readyz")
    checks = {"database": "ok", "migrations": "ok", "broker": "ok"}
    assert json.loads(get(deployment, "/readyz")[1]) == {"status": "ok", "checks": checks}
    for name in ("web", "redis", "worker", "housekeeper", "beat"):
        wait_until(lambda name=name: deployment.is_healthy(name), seconds=60, what=name)


def test_pages_are_given_over_tls_and_to_the_named_host_only(deployment):
    wait_until(lambda: get(deployment, "/readyz")[0] == 200, seconds=60)
    proxied = {"Host": "site.test", "X-Forwarded-Proto": "https"}
    status, body = get(deployment, "/accounts/login/", **proxied)
    assert (status, "<form" in body) == (200, True)
    assert get(deployment, "/accounts/login/", **{**proxied, "Host": "other.test"})[0] == 400


def test_a_job_runs_through_redis_and_the_worker(deployment):
    path = deployment.folder / "steps.txt"
    code = f"""
from hardness_site.jobs.services import create_job, queue_job
params = dict(path={str(path)!r}, steps=3, seconds=0)
queue_job(create_job(kind="test.slow", title="Slow", scope="project:0", params=params))"""
    deployment.manage("shell", "--no-imports", "-c", code)
    metrics = {"Host": "site.test"}
    wait_until(lambda: 'hardness_jobs{status="succeeded"} 1' in get(deployment, "/metrics", **metrics)[1], seconds=60)
    assert len(path.read_text().splitlines()) == 3


def test_redis_answers_nobody_without_its_password(deployment):
    with socket.create_connection(("127.0.0.1", deployment.ports["6379"]), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")
