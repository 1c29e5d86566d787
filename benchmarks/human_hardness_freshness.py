"""How soon the Hardness page is right after 1,000 new trials in a project of a million items.

Makes a project with synthetic trials in SQLite, lets the site's own job read and fit it once, then adds new trials as
rows and times what follows: the wait for a tick (a whole one is counted) and the tick, the job that reads what is new,
estimates and adds up, and the request of the page. With --compare the figures are held against a whole new fit.

    python benchmarks/human_hardness_freshness.py --items 1000000 --new 1000
    python benchmarks/human_hardness_freshness.py --items 20000

A million items take some minutes to make and read for the first time; --folder keeps them for the next run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
N_ANNOTATORS, PER_ITEM, N_CLASSES = 100, 3, 10
BATCH = 50_000
TICK_SECONDS = 2.0


def start(folder: Path) -> None:
    os.environ["HARDNESS_DATA_DIR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "hardness_site.settings.embedded"
    sys.path.insert(0, str(ROOT))
    import django
    from django.conf import settings
    from django.core.management import call_command

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    django.setup()
    call_command("migrate", verbosity=0)


def trials_of(n_items: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return item, annotator, position, response_ms and label of every trial; the item's true hardness has SD .3."""
    item = np.repeat(np.arange(n_items), PER_ITEM)
    first = rng.integers(0, N_ANNOTATORS, n_items)
    annotator = ((first[:, None] + np.array([0, 17, 41])) % N_ANNOTATORS).ravel()
    order = rng.permutation(item.size)
    item, annotator = item[order], annotator[order]
    by_person = np.argsort(annotator, kind="stable")
    sizes = np.bincount(annotator, minlength=N_ANNOTATORS)
    position = np.empty(item.size, np.int64)
    position[by_person] = np.arange(item.size) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    hardness, slow = rng.normal(0, 0.3, n_items), rng.normal(0, 0.3, N_ANNOTATORS)
    noise = rng.standard_t(5, item.size) * rng.uniform(0.2, 0.5, N_ANNOTATORS)[annotator]
    ms = 1000 * np.exp(hardness[item] + slow[annotator] - 0.05 * np.log(position) + noise)
    label = np.where(rng.random(item.size) < 0.04, rng.integers(0, N_CLASSES, item.size), item % N_CLASSES)
    return item, annotator, position, ms, label


def make(n_items: int) -> None:
    """Write the project by plain INSERTs: what matters here is what is read."""
    from django.db import connection, transaction
    from django.utils import timezone

    from annotations.models import Annotator, LabelClass, Project

    project = Project.objects.create(slug="large", name="Large", overlap=PER_ITEM, n_items=n_items)
    classes = LabelClass.objects.bulk_create(
        LabelClass(project=project, code=i, name=f"class {i}", key=str(i)) for i in range(N_CLASSES)
    )
    people = Annotator.objects.bulk_create(
        Annotator(project=project, name=f"Synthetic {i}", kind="synthetic", seed=i) for i in range(N_ANNOTATORS)
    )
    item, annotator, position, ms, label = trials_of(n_items, np.random.default_rng(0))
    now = timezone.now().isoformat(sep=" ")
    with transaction.atomic(), connection.cursor() as cursor:
        for begin in range(0, n_items, BATCH):
            rows = range(begin, min(begin + BATCH, n_items))
            cursor.executemany(
                "INSERT INTO annotations_image (id, sha256, file, thumbnail, display, media_type, width, height, "
                "n_bytes, created_at) VALUES (%s, %s, 'x', 'x', '', 'image/png', 8, 8, 1, %s)",
                [(i + 1, f"large-{i}", now) for i in rows],
            )
            cursor.executemany(
                "INSERT INTO annotations_item (id, project_id, image_id, ordinal, path, needed, taken, answered, "
                "skipped, priority, look, created_at, role, unmatched) "
                "VALUES (%s, %s, %s, %s, %s, 3, 3, 3, 0, 0, 1, %s, '', FALSE)",
                [(i + 1, project.pk, i + 1, i, f"image-{i}", now) for i in rows],
            )
        add(cursor, project.pk, people, classes, 0, item, annotator, position, ms, label, look=1)
    sizes = np.bincount(annotator, minlength=N_ANNOTATORS)
    for who, n in zip(people, sizes.tolist(), strict=True):
        who.n_answered = n
    Annotator.objects.bulk_update(people, ["n_answered"])


def add(cursor, project, people, classes, last, item, annotator, position, ms, label, *, look) -> None:
    from django.utils import timezone

    now = timezone.now().isoformat(sep=" ")
    for begin in range(0, item.size, BATCH):
        part = slice(begin, begin + BATCH)
        rows = list(zip(item[part].tolist(), annotator[part].tolist(), position[part].tolist(), ms[part].tolist(),
                        label[part].tolist(), strict=True))  # fmt: skip
        cursor.executemany(
            "INSERT INTO annotations_trial (id, project_id, item_id, annotator_id, look, source, state, position, "
            "session_name, chosen_by, issued_at, times_issued, response_ms, null_reason, timing_version, flags, "
            "skip_reason, comment, purpose) VALUES (%s, %s, %s, %s, %s, 'synthetic', 'answered', %s, 's', '', %s, 1, "
            "%s, '', 0, '[]', '', '', '')",
            [
                (last + begin + k + 1, project, i + 1, people[j].pk, look, at, now, time_ms)
                for k, (i, j, at, time_ms, _) in enumerate(rows)
            ],
        )
        cursor.executemany(
            "INSERT INTO annotations_annotation (trial_id, label_id, client_key, is_current, created_at) "
            "VALUES (%s, %s, %s, 1, %s)",
            [(last + begin + k + 1, classes[row[4]].pk, f"b{last + begin + k}", now) for k, row in enumerate(rows)],
        )


def add_new(n: int, n_items: int) -> None:
    """Add `n` trials: every hundredth annotator's next ones, on items that they have not seen."""
    from django.db import connection, transaction
    from django.db.models import F, Max

    from annotations.models import Annotator, LabelClass, Project, Trial

    project = Project.objects.get(slug="large")
    last = Trial.objects.aggregate(n=Max("pk"))["n"]
    rng = np.random.default_rng(last)
    people = list(Annotator.objects.filter(project=project).order_by("pk"))
    classes = list(LabelClass.objects.filter(project=project).order_by("code"))
    item, annotator = rng.choice(n_items, n, replace=False), rng.integers(0, N_ANNOTATORS, n)
    seen = set(Trial.objects.filter(item__in=(item + 1).tolist()).values_list("item_id", "annotator_id"))
    free = np.array([(i + 1, people[j].pk) not in seen for i, j in zip(item.tolist(), annotator.tolist(), strict=True)])
    item, annotator = item[free], annotator[free]
    count = np.bincount(annotator, minlength=N_ANNOTATORS)
    position = np.full(item.size, 10 + 3 * n_items // N_ANNOTATORS)
    ms = 1500 * np.exp(rng.normal(0, 0.5, item.size))
    with transaction.atomic():
        with connection.cursor() as cursor:
            add(cursor, project.pk, people, classes, last, item, annotator, position, ms, item % N_CLASSES, look=1)
        for who, more in zip(people, count.tolist(), strict=True):
            Annotator.objects.filter(pk=who.pk).update(n_answered=F("n_answered") + more)
    print(f"{item.size:,} new trials written")


def timed(what: str, work) -> float:
    began, processor = time.perf_counter(), time.process_time()
    result = work()
    wall = time.perf_counter() - began
    print(f"{what:<44} {wall:7.2f} s   ({time.process_time() - processor:.2f} s of processor){result or ''}")
    return wall


def run_people_job() -> str:
    from annotations.models import Project
    from hardness_site.jobs.models import Job
    from hardness_site.jobs.services import run_job

    job = Job.objects.get(kind="people", scope=Project.objects.get(slug="large").scope)
    done = run_job(job.pk)
    assert done is not None and done.status == "succeeded", done and done.error
    return f"   {'whole fit' if done.result['whole'] else 'on top of the last fit'}"


def queue() -> None:
    from annotations.models import Project
    from mining.services import people_now

    people_now.REST_SHARE = 0.0
    project = Project.objects.get(slug="large")
    state = people_now.trials_seen()[project.pk]
    assert state["n"]
    people_now.refresh_people(project=project)


def page() -> None:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(username="mona", is_staff=True)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/projects/large/hardness/")
    assert answer.status_code == 200
    assert b"come since" not in answer.content


def compare(n_items: int) -> None:
    """Compare the estimates on the page with a whole fit of the same trials."""
    from annotations.models import Project
    from mining.people_now import estimates, stored_trials

    project = Project.objects.get(slug="large")
    stored = stored_trials.read_stored(project)
    folder = stored_trials.people_folder(project.pk)
    quick = estimates.update(folder, stored.base.filter("timed"), stored.new.filter("timed"), n_items)
    whole = estimates.fit_whole(stored_trials.Folder("people/benchmark"), stored.trials.filter("timed"), n_items)
    if quick is None:
        print("The page shows a whole fit.")
        return
    touched = stored.new["item"].unique().to_numpy()
    for name in ("fit", "alone"):
        a, b = getattr(quick, name), getattr(whole, name)
        away = (a.item_effect - b.item_effect) / b.item_se
        print(
            f"{name:<6} difference to a whole fit, in standard errors: RMS {np.sqrt(np.nanmean(away**2)):.3f} over all "
            f"items, {np.sqrt(np.nanmean(away[touched] ** 2)):.3f} over the {touched.size:,} items with new trials"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="keeps the project between runs")
    parser.add_argument(
        "--compare", action="store_true", help="also fit all trials anew, and say how far apart they are"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        fresh = not (folder / "made").exists()
        start(folder)
        if fresh:
            timed("make the project", lambda: make(options.items))
            (folder / "made").touch()
            queue()
            timed("first reading and fit", run_people_job)
        add_new(options.new, options.items)
        waited = TICK_SECONDS + timed("the tick that notices them", queue)
        waited += timed("job (first of its process: compiles, loads)", run_people_job)
        waited += timed("the page", page)
        print(f"{'from commit to page, a fresh worker':<44} {waited:7.2f} s")
        add_new(options.new, options.items)
        waited = TICK_SECONDS + timed("the tick that notices them", queue)
        waited += timed("job (warm)", run_people_job)
        waited += timed("the page", page)
        print(f"{'from commit to page, warm':<44} {waited:7.2f} s   (limit: 10 s)")
        if options.compare:
            compare(options.items)


if __name__ == "__main__":
    main()
