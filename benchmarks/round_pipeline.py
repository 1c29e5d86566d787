"""A round as users run it, from files to measures: real workers, a real broker, beside a bare scikit-learn script.

10,000 images of 32 x 32 in ten classes (scikit-learn's digits, scaled up, shifted and with noise; their labels are the
digits'): import, HOG, a linear SVM and logistic regression out of fold in five folds, measures. Once with one worker
and once with two, each a process of its own; beside it a script that does the same mathematics on files with
scikit-image, scikit-learn and cleanlab: a fifth held out and judged by all folds, one calibration, quality scores,
label errors, neighbours. It runs in one process, and in two, so that both sides have the same cores. The feature stage
is timed in turn with one worker and with two, and on larger images as well, where describing is what takes the time;
beside it in the same turn what the machine gives to two processes that have no jobs (`feature_limit`).

    python -m benchmarks.round_pipeline
    python -m benchmarks.round_pipeline --images 1000
    python -m benchmarks.round_pipeline --parts large
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
N_FOLDS = 5
LIMIT_SECONDS, LIMIT_RATIO, LIMIT_SPEED_UP = 60.0, 1.15, 1.7
STATUS = """
SELECT CASE WHEN r.status IN ('failed', 'cancelled') THEN r.status ELSE s.status END
FROM mining_round r JOIN mining_roundstage s ON s.round_id = r.id WHERE s.name = ?
"""
FACTS = """
import json
from mining.models import *
from mining.artifacts import Folder
round_ = Round.objects.get()
stages = {one.name: one for one in round_.stages.filter(status="succeeded").order_by("index")}
times = {name: (one.finished_at - one.started_at).total_seconds() for name, one in stages.items()}
facts = {"stages": times}
if "measures" in stages:
    learners = Folder(round_.folder).read_json("predictions.json")["learners"]
    facts |= {"to_measures": (stages["measures"].finished_at - round_.created_at).total_seconds(),
              "accuracy": {one["name"]: one["accuracy"] for one in learners},
              "files": [stages[name].result["files"] for name in ("predictions", "measures")]}
print(json.dumps(facts))
"""


def write_images(folder: Path, count: int, side: int) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    generator = np.random.default_rng(0)
    for place, chosen in enumerate(generator.integers(0, len(digits.target), count)):
        grey = Image.fromarray((digits.images[chosen] * 15.9).astype(np.uint8)).resize((side, side))
        shifted = np.roll(np.asarray(grey, dtype=np.float64), generator.integers(-3, 4, 2), (0, 1))
        noisy = np.clip(shifted + generator.normal(0, 38, shifted.shape), 0, 255).astype(np.uint8)
        buffer = BytesIO()
        Image.fromarray(noisy).save(buffer, format="PNG")
        inside = folder / str(digits.target[chosen])
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{place:05d}.png").write_bytes(buffer.getvalue())


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "HARDNESS_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded",
            "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        }  # fmt: skip

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, text=True, capture_output=True
        )
        if done.returncode:
            sys.exit(f"{words}: {done.stderr}")
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    def shell(self, code: str) -> str:
        return self.manage("shell", "--no-imports", "-c", code)

    def limit(self, n_processes: int) -> dict[str, float]:
        """Return the seconds of `feature_limit` for the site's round: its parts without jobs, and the kernel alone."""
        words = [sys.executable, "-m", "benchmarks.feature_limit", str(n_processes)]
        done = subprocess.run(words, cwd=ROOT, env=self.environment, text=True, capture_output=True, check=True)
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def worker(self, number: int) -> subprocess.Popen[bytes]:
        words = ("-A", "hardness_site.celery", "worker", "-I", "benchmarks.loaded_worker", "-c", "1", "-l", "INFO")
        quiet = ("--without-gossip", "--without-mingle", "-Q", "celery,housekeeping", "-n", f"w{number}")
        return subprocess.Popen(
            [sys.executable, "-m", "celery", *words, *quiet, "-f", str(self.log(number))], cwd=ROOT,
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def log(self, number: int) -> Path:
        return self.folder / f"worker-{number}.log"

    def wait_until_ready(self, n_workers: int) -> None:
        """A site that is up has its workers waiting; a worker that still loads would be half a worker."""
        logs = [self.log(number) for number in range(n_workers)]
        while not all(log.exists() and " ready." in log.read_text() for log in logs):
            time.sleep(0.2)
        time.sleep(3)  # the process that it forked loads, too

    def status(self, stage: str) -> str:
        """Ask the database itself: starting Django to ask would take its part of the two cores."""
        with closing(sqlite3.connect(f"file:{self.folder / 'hardness.sqlite3'}?mode=ro", uri=True)) as database:
            return str(database.execute(STATUS, [stage]).fetchone()[0])


def imported(images: Path, folder: Path) -> tuple[Site, float]:
    """Return a site with the images, and how many seconds the command took to import them."""
    site = Site(folder)
    site.manage("migrate", "-v0")
    site.manage("create_project", "Digits", "--classes", ",".join("0123456789"))
    clock = time.perf_counter()
    site.manage("import_images", "digits", str(images), "--labels-from-folders")
    return site, time.perf_counter() - clock


def round_with(n_workers: int, site: Site, *words: str, until: str = "measures") -> dict[str, Any]:
    """Run a round with so many workers to the end of a stage; return the seconds of its stages."""
    from hardness_site.embedded import valkey_command, wait_until_answers

    broker = subprocess.Popen(valkey_command(site.folder), stdout=subprocess.DEVNULL, start_new_session=True)
    wait_until_answers(site.folder)
    workers = [site.worker(number) for number in range(n_workers)]
    try:
        site.wait_until_ready(n_workers)
        site.manage("run_round", "digits", "--set=label_source=given", "--set=n_resamples=100",
                    "--set=retraining_seeds=2", *words)  # fmt: skip
        while (status := site.status(until)) not in ("succeeded", "failed", "cancelled"):
            time.sleep(0.5)
        if status != "succeeded":
            sys.exit(f"the round {status}")
        return dict(json.loads(site.shell(FACTS)))
    finally:
        for process in (*workers, broker):  # what comes after the measures is not waited for
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=60)


BARE = """
import sys, time
import numpy as np
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from PIL import Image
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from mining.learners.calibration import SigmoidCalibration
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

def describe(paths):
    return np.stack([hog(np.asarray(Image.open(path).convert("L")), pixels_per_cell=(8, 8), cells_per_block=(2, 2))
                     for path in paths]).astype(np.float32)

def one(job):
    kind, train, judged = job
    if kind == "neighbours":
        search = NearestNeighbors(n_neighbors=11, algorithm="brute").fit(features[train])
        near = train[search.kneighbors(features[judged], return_distance=False)]
        return (given[near[:, 1:]] != given[judged][:, None]).mean(axis=1)
    if kind == "svm":
        return LinearSVC(C=0.1, max_iter=2000, random_state=0).fit(features[train], given[train]).decision_function(
            features[judged])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    return model.fit(features[train], given[train]).predict_proba(features[judged])

if __name__ == "__main__":
    clock = time.perf_counter()
    paths = sorted(Path(sys.argv[1]).glob("*/*.png"))
    given = np.array([int(path.parent.name) for path in paths])
    n_processes = int(sys.argv[2])
    features = np.empty((len(paths), 324), dtype=np.float32)
    with ProcessPoolExecutor(n_processes) as pool:
        for start, found in enumerate(pool.map(describe, [paths[i::8] for i in range(8)])):
            features[start::8] = found
    described = time.perf_counter() - clock
    everybody = np.arange(len(paths))
    held_out = np.random.default_rng(0).random(len(paths)) < 0.2
    learnt = everybody[~held_out]
    folds = [(learnt[train], learnt[test])
             for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(learnt, given[learnt])]
    jobs = [(kind, train, np.concatenate([test, everybody[held_out]])) for kind in ("svm", "logistic")
            for train, test in folds]
    jobs += [("neighbours", learnt, some) for some in np.array_split(everybody, 8)]
    with ProcessPoolExecutor(n_processes) as pool:  # started now, so that the features are in its memory
        scores = list(pool.map(one, jobs))
    np.concatenate(scores[10:])
    distance = np.empty((len(given), 10))
    for (train, test), far in zip(folds, scores[:5]):
        distance[test] = far[:len(test)]
    calibrated, belief = np.zeros((len(given), 10)), np.zeros((len(given), 10))
    for (train, test), far, sure in zip(folds, scores[:5], scores[5:10]):
        judge = SigmoidCalibration.fitted(distance[train], given[train]).probabilities
        calibrated[test], belief[test] = judge(far[:len(test)]), sure[:len(test)]
        calibrated[held_out] += judge(far[len(test):]) / 5
        belief[held_out] += sure[len(test):] / 5
    1 - (calibrated[everybody, given] + belief[everybody, given]) / 2
    for found in (calibrated, belief):
        sums_to_one = found / found.sum(axis=1, keepdims=True)
        get_label_quality_scores(given, sums_to_one)
        find_label_issues(given, sums_to_one, n_jobs=1)
    right = [(found.argmax(1) == given).mean() for found in (calibrated, belief)]
    print(time.perf_counter() - clock, described, *right)
"""


def bare(images: Path, folder: Path, n_processes: int) -> list[float]:
    """Return seconds in all and of the features, both accuracies, and seconds without the script's start."""
    script = folder / "bare.py"
    script.write_text(BARE)
    clock = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(script), str(images), str(n_processes)], env=Site(folder).environment, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    own, *rest = (float(word) for word in done.stdout.split())
    return [time.perf_counter() - clock, *rest, own]


PARTS = ("bare", "rounds", "features", "large")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--large-images", type=int, default=1_000, help="of 256 x 256, for the feature stage alone")
    parser.add_argument("--turns", type=int, default=3, help="of the feature stage, with one worker and with two")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="bare and rounds make the ratios")
    asked = parser.parse_args()
    # Ended from outside, it ends its workers too: they would go on with their round, and slow down what is timed next.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if {"bare", "rounds", "features"} & set(asked.parts):
            write_images(folder / "images", asked.images, 32)
        scripts = time_scripts(folder) if "bare" in asked.parts else {}
        if "rounds" in asked.parts:
            time_rounds(folder, scripts)
        if "features" in asked.parts:
            time_features(folder / "images", folder, asked.turns, "32 x 32")
        if "large" in asked.parts:
            write_images(folder / "large", asked.large_images, 256)
            time_features(folder / "large", folder, asked.turns, "256 x 256", "--set=feature_size=128")


def time_scripts(folder: Path) -> dict[int, list[float]]:
    scripts = {n: bare(folder / "images", folder, n) for n in (1, 2)}
    for n, (total, described, svm, logistic, _) in scripts.items():
        print(f"bare script, {n} processes: {total:.1f} s (features {described:.1f} s), accuracy {svm:.4f} and "
              f"{logistic:.4f}", flush=True)  # fmt: skip
    return scripts


def time_rounds(folder: Path, scripts: dict[int, list[float]]) -> None:
    learners = ("--learner=hog_svm", "--learner=logistic", f"--set=n_folds={N_FOLDS}")
    found = {}
    for n in (2, 1):
        site, importing = imported(folder / "images", folder / f"site-{n}")
        facts = found[n] = round_with(n, site, *learners)
        stages = ", ".join(f"{stage} {took:.1f}" for stage, took in facts["stages"].items())
        total = importing + facts["to_measures"]
        print(f"{n} workers: import {importing:.1f} s, round to measures {facts['to_measures']:.1f} s ({stages})")
        print(f"   {total:.1f} s in all (limit {LIMIT_SECONDS:.0f} with two)")
        print(f"   accuracy {facts['accuracy']}")
        for processes, script in scripts.items():
            print(f"   {total / script[0]:.2f} x the bare script in {processes} processes, its start counted (limit "
                  f"{LIMIT_RATIO}); {total / script[4]:.2f} x without its start", flush=True)  # fmt: skip
    print("the same bytes:", found[1]["files"] == found[2]["files"])
    for stage in ("predictions", "measures"):
        one, two = (found[n]["stages"][stage] for n in (1, 2))
        print(f"{stage} stage: {one:.1f} s with one worker, {two:.1f} s with two: {one / two:.2f} x")


LEVELS = {
    "kernel": "HOG alone, in memory: what the machine gives",
    "parts": "the same parts and files without jobs",
    "stage": f"the stage, workers of a site (limit {LIMIT_SPEED_UP})",
}


def time_features(images: Path, folder: Path, n_turns: int, what: str, *words: str) -> None:
    """The feature stage of the same imported site, in turn with one worker and with two; and what the machine gives."""
    site, _ = imported(images, folder / f"features-{what}")
    seconds: dict[str, dict[int, list[float]]] = {level: {1: [], 2: []} for level in LEVELS}
    for turn in range(n_turns):
        for n in (1, 2):
            copy = Site(folder / f"copy-{turn}-{n}")
            shutil.copytree(site.folder, copy.folder)
            os.sync()  # what the round writes for good would wait for the copy, too
            stages = round_with(n, copy, "--learner=hog_svm", *words, until="features")["stages"]
            for level, took in {"stage": stages["features"], **copy.limit(n)}.items():
                seconds[level][n].append(took)
            shutil.rmtree(copy.folder)
        found = (f"{level} {one[-1]:.2f} and {two[-1]:.2f} s" for level, (one, two) in each_of(seconds))
        print(f"features of {what} images, with one and with two: {', '.join(found)}", flush=True)
    for level, (one, two) in each_of(seconds):
        ratios = [first / second for first, second in zip(one, two, strict=True)]
        # Whatever else runs takes a core from two workers and none from one: the best turn of each is the fairest.
        print(f"   {LEVELS[level]}: median turn {statistics.median(ratios):.2f} x, the best of each "
              f"{min(one) / min(two):.2f} x")  # fmt: skip
    for n in (1, 2):
        ours, without = seconds["stage"][n], seconds["parts"][n]
        over = [first / second for first, second in zip(ours, without, strict=True)]
        print(f"   {n} at once, the stage over the parts without jobs: median turn {statistics.median(over):.3f} x, "
              f"the best of each {min(ours) / min(without):.3f} x", flush=True)  # fmt: skip


def each_of(seconds: dict[str, dict[int, list[float]]]) -> list[tuple[str, tuple[list[float], list[float]]]]:
    return [(level, (found[1], found[2])) for level, found in seconds.items()]


if __name__ == "__main__":
    main()
