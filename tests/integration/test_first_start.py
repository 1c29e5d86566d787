"""Sites that were never started, each a test's own: they start, work, refuse clearly, and leave nothing behind."""

import signal
import socket
import subprocess
from urllib.request import urlopen

import pytest

from hardness_site.embedded import valkey_command, wait_until_answers
from tests.integration.conftest import PARTS, refusal, wait_until
from tests.site import Site


def test_site_runs_a_job_and_ctrl_c_leaves_no_process(new_site):
    site = new_site.start()
    # The web server may say that it is ready before the last part was started.
    wait_until(lambda: set(site.pids()) == PARTS, what=f"all of {PARTS}")
    job, path = site.queue(steps=3, seconds=0)
    assert site.wait_for_job(job)["result"] == {"steps": 3}
    assert [line.split()[1] for line in path.read_text().splitlines()] == ["0", "1", "2"]
    assert 'hardness_jobs{status="succeeded"} 1' in urlopen(f"{site.url}/metrics").read().decode()

    assert site.stop(signal.SIGINT) == 0
    assert site.descendants() == []
    assert site.pids() == {}
    assert not (site.data_dir / "run" / "valkey.sock").exists()


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


def test_live_broker_of_an_earlier_start_is_adopted_and_stopped_with_the_site(stopped_site):
    site = stopped_site
    broker = subprocess.Popen(valkey_command(site.data_dir), stdout=subprocess.DEVNULL)
    try:
        assert wait_until_answers(site.data_dir)
        site.start()
        assert site.pids()["valkey"] == broker.pid
        job, _ = site.queue(steps=1, seconds=0)
        site.wait_for_job(job)
        site.stop()
        assert broker.wait(5) == 0
    finally:
        broker.kill()


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
