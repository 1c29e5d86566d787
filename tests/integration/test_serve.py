"""The site as its own process: it starts, works, refuses clearly, and leaves nothing behind."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.integration.conftest import PARTS, wait_until
from tests.site import ROOT, Site


def test_site_runs_a_job_and_ctrl_c_leaves_no_process(new_site):
    site = new_site.start()
    assert set(site.pids()) == PARTS
    job, path = site.queue(steps=3, seconds=0)
    assert site.wait_for_job(job)["result"] == {"steps": 3}
    assert [line.split()[1] for line in path.read_text().splitlines()] == ["0", "1", "2"]
    assert 'hardness_jobs{status="succeeded"} 1' in urlopen(f"{site.url}/metrics").read().decode()

    assert site.stop(signal.SIGINT) == 0
    assert site.descendants() == []
    assert site.pids() == {}
    assert not (site.data_dir / "run" / "valkey.sock").exists()


def test_broker_has_no_port_and_a_private_folder(site):
    assert (site.data_dir / "run").stat().st_mode & 0o777 == 0o700
    valkey = site.pids()["valkey"]
    inodes = {str(path.readlink()) for path in Path(f"/proc/{valkey}/fd").iterdir()}
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert not [row for row in listening if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]


def test_second_start_takes_seconds(site):
    site.stop()
    began = time.monotonic()
    site.start()
    assert time.monotonic() - began < 20  # about 3 s where nothing else runs
    assert site.output().count("Prepared the static files.") <= 1


def test_stop_in_mid_job_puts_it_back_without_counting_the_attempt(site):
    job, path = site.queue(steps=200, seconds=0.2)
    wait_until(path.exists)
    site.stop()
    assert site.descendants() == []
    row = site.job(job)
    assert (row["status"], row["attempts"]) == ("queued", 0)
    assert "The site was stopped while it ran." in row["notes"]


def test_first_start_prints_links_that_sign_the_demo_people_in(stopped_site):
    code = "from django.contrib.auth.models import User\n" + "\n".join(
        f"User.objects.create_user('demo-{role}')" for role in ("manager", "annotator")
    )
    stopped_site.python(code)
    stopped_site.start()
    wait_until(lambda: "demo annotator" in stopped_site.output())
    links = [word for word in stopped_site.output().split() if "sesame=" in word]
    assert len(links) == 2
    from http.cookiejar import CookieJar
    from urllib.error import HTTPError
    from urllib.request import HTTPCookieProcessor, build_opener

    cookies = CookieJar()
    try:
        build_opener(HTTPCookieProcessor(cookies)).open(links[0])
    except HTTPError as error:
        assert error.code == 404, "the page behind the link"
    assert "sessionid" in {cookie.name for cookie in cookies}
    with pytest.raises(HTTPError) as refused:
        urlopen(links[0])
    assert refused.value.code == 403


def test_second_site_on_the_same_folder_is_refused_in_one_line(site):
    said = refusal(Site(site.data_dir))
    assert said == (
        f"CommandError: The site is running already for the data folder {site.data_dir}: {site.url} "
        f"(process {site.process.pid}). Stop it first, or name another folder in HARDNESS_DATA_DIR."
    )


def test_taken_port_is_named_in_one_line(tmp_path):
    site = Site(tmp_path / "data")
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.port))
        other.listen()
        said = refusal(site)
    assert said == (
        f"CommandError: Port {site.port} is taken by another program: stop that one, or choose another, "
        f"for example PORT={site.port + 1} make run."
    )
    assert site.descendants() == []


def test_wrong_port_is_refused_in_one_line(tmp_path):
    said = refusal(Site(tmp_path / "data", PORT="http"))
    assert said == 'CommandError: PORT must be a number from 1 to 65535, not "http".'


def test_folder_that_cannot_be_written_is_named_in_one_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    said = refusal(Site(blocked / "data"))
    assert said.startswith(f"The data folder {blocked / 'data'} cannot be used (Not a directory): make it writable")


def refusal(site: Site) -> str:
    """Start a site that must not start; return the one line it says."""
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--no-demo"], cwd=ROOT, env=site.environment,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    return line
