"""Addresses of mining: what people find hard, rounds, what they found, and their hard sets."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from .views import annotators, hard_sets, models, people, predictions, reports, rounds

one_round: list[URLPattern | URLResolver] = [
    path("", rounds.round_page, name="round"),
    path("progress/", rounds.round_progress, name="round_progress"),
    path("cancel/", rounds.round_cancel, name="round_cancel"),
    path("stages/<slug:stage>/retry/", rounds.stage_retry, name="stage_retry"),
    path("comparison/", reports.comparison_page, name="comparison"),
    path("models/", models.models_page, name="models"),
    path("classes/", models.classes_page, name="classes"),
    path("reasons/", models.reasons_page, name="reasons"),
    path("retraining/", reports.retraining_page, name="retraining"),
    path("report/", reports.report_page, name="report"),
    path("charts/<slug:name>/", reports.round_chart, name="round_chart"),
]
one_hard_set: list[URLPattern | URLResolver] = [
    path("", hard_sets.hard_set_page, name="hard_set"),
    path("export/<slug:format_name>/", hard_sets.hard_set_download, name="hard_set_export"),
    path("ask-again/", hard_sets.hard_set_ask_again, name="ask_again"),
]
of_people: list[URLPattern | URLResolver] = [
    path("", people.hardness_page, name="hardness"),
    path("measures/", people.people_measures_page, name="people_measures"),
    path("measures/choose/", people.people_measure_choose, name="people_measure_choose"),
    path("annotators/", annotators.annotators_page, name="annotators"),
    path("annotators/<int:pk>/", annotators.annotator_page, name="annotator"),
    path("annotators/<int:pk>/charts/<slug:name>/", annotators.annotator_chart, name="annotator_chart"),
    path("refresh/", people.people_refresh, name="people_refresh"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("measures/", models.measures_page, name="measures_explained"),
    path("projects/<slug:slug>/items/<int:pk>/measures/", models.item_measures, name="item_measures"),
    path("projects/<slug:slug>/hardness/", include(of_people)),
    path("projects/<slug:slug>/predictions/", predictions.predictions_page, name="predictions"),
    path(
        "projects/<slug:slug>/predictions/<slug:name>/remove/",
        predictions.predictions_remove,
        name="predictions_remove",
    ),
    path("projects/<slug:slug>/rounds/", rounds.rounds_page, name="rounds"),
    path("projects/<slug:slug>/rounds/start/", rounds.round_start, name="round_start"),
    path("projects/<slug:slug>/rounds/<int:number>/", include(one_round)),
    path("projects/<slug:slug>/hard-sets/<int:pk>/", include(one_hard_set)),
]
