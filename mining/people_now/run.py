"""The two jobs of a project: what the Hardness page shows, at once; annotators and measures, when there is time."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from django.utils import timezone

from annotations.models import Project
from annotations.services.drawn_objects import update_objects
from hardness_site.jobs.running import JobRun
from mining.adapters import read_classes
from mining.artifacts import ArtifactMissing, plain
from mining.people import labels_that_count
from mining.services.people_now import FILES_VERSION, settings_of, trials_seen

from .annotators import annotator_facts, keep_pages
from .clocks import clock_cautions
from .consensus import add_to_consensus, keep_consensus, weigh
from .details import measure_facts
from .estimates import WHOLE_UP_TO, fit_whole, update
from .stored_trials import bring_up_to_date, make_base, people_folder, read_newer, read_stored
from .summary import Asked, summarise


def refresh_hardness(run: JobRun, project: Project) -> dict[str, Any]:
    """Bring trials, estimates and hardness.json up to date."""
    began, seen, folder = time.monotonic(), _seen(project), people_folder(project.pk)
    run.progress(0, 3, stage="Reading new trials")
    update_objects(project=project, on_images=lambda count: run.check())
    stored = bring_up_to_date(project, on_chunk=lambda count: run.check())
    run.progress(1, 3, stage="Estimating hardness")
    n_items, new = len(stored.items), stored.new
    found = update(folder, stored.base.filter("timed"), stored.new.filter("timed"), n_items)
    if found is None:
        stored = make_base(project, stored)
        found = fit_whole(folder, stored.base.filter("timed"), n_items)
    run.progress(2, 3, stage="Adding up")
    classes, settings = [entry["name"] for entry in read_classes(project)], settings_of(project)
    facts = summarise(stored, found, Asked(classes, **settings, by_object=project.unit == Project.Unit.OBJECT))
    seconds = time.monotonic() - began
    stamp = {"version": FILES_VERSION, "seen": seen, "computed_at": timezone.now().isoformat()}
    facts |= {**stamp, "seconds": seconds}
    folder.write_json("hardness.json", plain(facts))
    if len(stored.trials) <= WHOLE_UP_TO:
        view = weigh(labels_that_count(stored.trials), n_items, len(classes))
        keep_consensus(folder, stored.items, view, stamp)
    else:  # in larger projects the other job weighs all labels anew, with the annotators
        add_to_consensus(folder, replace(stored, new=new), stamp)
    return {
        "version": FILES_VERSION,
        "settings": settings,
        "seen": seen,
        "seconds": round(seconds, 2),
        "whole": found.whole,
        "n_trials": facts["n_trials"],
    }


def refresh_details(run: JobRun, project: Project) -> dict[str, Any]:
    """Bring annotators.json with the pages of each one, measures.json and a large project's consensus up to date."""
    folder, seen = people_folder(project.pk), _seen(project)
    run.progress(0, 11, stage="Describing annotators")
    try:
        stored = read_stored(project)
        if stored.mark["annotators"] != stored.annotators["id"].to_list():
            raise ArtifactMissing  # somebody new has come: their trials are not on disk yet
    except ArtifactMissing:
        # The other job reads the trials first; this one is due again shortly after.
        return {"version": FILES_VERSION, "seen": {"n": 0}}
    stamp = {"version": FILES_VERSION, "seen": seen, "computed_at": timezone.now().isoformat()}
    folder.write_json("clocks.json", {**stamp, "warnings": clock_cautions(project)})
    labelled = labels_that_count(stored.trials)
    view = weigh(labelled, len(stored.items), len(read_classes(project)))
    if len(stored.trials) > WHOLE_UP_TO:
        # Weighing took its time: what the other job has read and judged meanwhile is not to be put back.
        keep_consensus(folder, stored.items, view, stamp, read_newer(project, stored))
    people = annotator_facts(stored, labelled, view)
    keep_pages(folder, people.pop("pages"))
    folder.write_json("annotators.json", plain({**people, **stamp}))
    measures = measure_facts(stored, lambda number, title: run.progress(1 + number, 11, stage=f"Reliability: {title}"))
    folder.write_json("measures.json", plain({**measures, **stamp}))
    return {"version": FILES_VERSION, "seen": seen, "n_trials": len(stored.trials)}


def _seen(project: Project) -> dict[str, int]:
    # Before the trials are read: what comes in between counts as new.
    return trials_seen([project]).get(project.pk, {"n": 0, "correction": 0})
