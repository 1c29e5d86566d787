"""Fixtures of all tests: people, a project, signed-in clients, a real site, a real browser."""

from __future__ import annotations

import gc

import pytest
from django.test import Client

from tests import factories

# Files whose tests share one running site: one process takes them all, one after the other.
ONE_SITE = {f"tests/integration/test_{name}.py": site for name, site in
            (("compose", "deployment"), ("kill", "site"), ("serve", "site"))}  # fmt: skip
ONE_SITE_SECONDS = 150
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_reset_sequences"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `tests/run.py` uses."""
    parser.addoption("--database-only", action="store_true", help="only tests that touch the database")
    parser.addoption("--no-skips", action="store_true", help="fail where a test was skipped for want of a program")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that nobody waits for it in the end; leave out, where asked, what has no rows."""
    items.sort(key=_turn)
    if not config.getoption("--database-only"):
        return
    touching, others = [], []
    for item in items:
        touches = item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
        (touching if touches else others).append(item)
    items[:] = touching
    config.hook.pytest_deselected(items=others)


def _turn(item: pytest.Item) -> float:
    if _file_of(item.nodeid) in ONE_SITE:
        return -ONE_SITE_SECONDS
    mark = item.get_closest_marker("long")
    return -mark.kwargs["seconds"] if mark else 0


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def pytest_configure() -> None:
    """Look for garbage when the tests have been collected, not while."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let no search for garbage go through what stays to the end: modules, tests, fixtures."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """With `--dist loadscope`, deal the tests out one by one, but those of one site together."""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class BySite(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return ONE_SITE.get(_file_of(nodeid), nodeid)

    return BySite(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a test was skipped, unless what it wanted is the data that lie beside the repository."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not session.config.getoption("--no-skips") or reporter is None:
        return
    skipped = [report for report in reporter.stats.get("skipped", []) if "shared/data" not in str(report.longrepr)]
    if skipped:
        reporter.write_line(f"{len(skipped)} tests were skipped; with --no-skips that is a failure.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def manager(db):
    """Return a user who will manage the project."""
    return factories.make_user("mona")


@pytest.fixture
def annotator_user(db):
    """Return a user who annotates."""
    return factories.make_user("ada")


@pytest.fixture
def outsider(db):
    """Return a user who is no member of anything."""
    return factories.make_user("otto")


@pytest.fixture
def project(manager, annotator_user):
    """Return a project of two classes (cat: key 1, dog: key 2) with a manager and an annotator, and no items."""
    return factories.make_project("Pets", manager=manager, annotators=[annotator_user])


@pytest.fixture
def manager_client(manager) -> Client:
    """Return a client signed in as the manager."""
    return _signed_in(manager)


@pytest.fixture
def annotator_client(annotator_user) -> Client:
    """Return a client signed in as the annotator."""
    return _signed_in(annotator_user)


@pytest.fixture
def outsider_client(outsider) -> Client:
    """Return a client signed in as somebody with no project."""
    return _signed_in(outsider)


def _signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def few_splits(monkeypatch):
    """Measure how reliable measures are from 3 splits of the people at most, not 20: for tests not about that."""
    monkeypatch.setattr("mining.people_now.details.N_SPLITS", 3)


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    """Give each test folders of its own for images and tables."""
    storages = {name: dict(value) for name, value in settings.STORAGES.items()}
    for name, folder in (("default", "media"), ("artifacts", "artifacts")):
        options = {**storages[name].get("OPTIONS", {}), "location": str(tmp_path / folder)}
        storages[name]["OPTIONS"] = options
    settings.STORAGES = storages


@pytest.fixture
def live_site(tmp_path_factory):
    """Return the whole site (`tests.site.Site`), started by the real `serve` in a folder of its own, without a demo."""
    from tests.site import Site

    site = Site(tmp_path_factory.mktemp("site") / "data")
    yield site.start()
    site.close()
