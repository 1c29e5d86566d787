"""Hard sets for outside trainers: which there are, the manifest of one, its sample weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.urls import reverse
from ninja import Query, Router
from ninja.errors import HttpError
from ninja.throttling import AuthRateThrottle

from annotations.api.auth import program_or_person
from annotations.api.schemas import ErrorOut
from annotations.models import ApiToken
from annotations.selectors.access import managed_project
from mining.artifacts import plain
from mining.models import HardSet
from mining.selectors.hard_sets import hard_set_of
from mining.selectors.manifest import DEFAULT_WEIGHT, MOST_WEIGHT, Manifest, NoManifest

from .schemas import HardSetOut, HardSetsOut, ManifestOut

router = Router(auth=program_or_person(ApiToken.Scope.READ))
SETS = "/projects/{slug}/hard-sets/"
REFUSALS: dict[Any, Any] = {401: ErrorOut, 403: ErrorOut, 404: ErrorOut, 409: ErrorOut, 422: ErrorOut, 429: ErrorOut}
MOST_SETS, MOST_ITEMS, USUAL_ITEMS = 200, 5000, 1000
JSON, NDJSON = "application/json; charset=utf-8", "application/x-ndjson"
# Each may read a whole round; a program that needs more asks too often.
heavy = AuthRateThrottle("300/m")

Weight = Annotated[float, Query(gt=0, le=MOST_WEIGHT, description="What a member counts for that may be trained on.")]
Id = Annotated[int, Query(ge=0, le=2**63 - 1)]


@router.get(SETS, response={200: HardSetsOut, **REFUSALS}, url_name="api_hard_sets")
def list_hard_sets(
    request: HttpRequest, slug: str, strategy: str = "", round: Id | None = None, newest: bool = True,
    before: Id | None = None, limit: Annotated[int, Query(ge=1, le=MOST_SETS)] = 50,
) -> Any:  # fmt: skip
    """List the hard sets of a project, newest first; with `newest=false` also versions that others have replaced."""
    project = managed_project(request.user, slug)
    sets = HardSet.objects.filter(round__project=project).select_related("round__project").order_by("-pk")
    newer = HardSet.objects.filter(
        round=OuterRef("round"), strategy=OuterRef("strategy"), version__gt=OuterRef("version")
    )
    sets = sets.annotate(replaced=Exists(newer))
    if newest:
        sets = sets.filter(replaced=False)
    if strategy:
        sets = sets.filter(strategy=strategy[:40])
    if round is not None:
        sets = sets.filter(round__number=round)
    if before is not None:
        sets = sets.filter(pk__lt=before)
    page = list(sets[: limit + 1])
    more = len(page) > limit
    page = page[:limit]
    asked = {"strategy": strategy, "round": round, "newest": str(newest).lower(), "limit": limit}
    # `replaced` is annotated by the query, which types cannot see.
    return {
        "hard_sets": [_described(one, replaced=one.replaced) for one in page],  # type: ignore[attr-defined]
        "next": _next(request, asked | {"before": page[-1].pk}) if more else None,
    }


@router.get(SETS + "{int:pk}", response={200: HardSetOut, **REFUSALS}, url_name="api_hard_set")
def describe_hard_set(request: HttpRequest, slug: str, pk: int) -> Any:
    """Describe one hard set."""
    hard_set = _hard_set(request, slug, pk)
    newer = HardSet.objects.filter(round=hard_set.round_id, strategy=hard_set.strategy, version__gt=hard_set.version)
    return _described(hard_set, replaced=newer.exists())


@router.get(
    SETS + "{int:pk}/manifest", response={200: ManifestOut, **REFUSALS}, url_name="api_manifest", throttle=[heavy],
    openapi_extra={"responses": {200: {"content": {NDJSON: {"schema": {
        "type": "string", "description": 'A line {"manifest": …}, a line for each item, a line {"end": {"n_items": …}}.'
    }}}}}},
)  # fmt: skip
def manifest(
    request: HttpRequest, slug: str, pk: int, weight: Weight = DEFAULT_WEIGHT, only_members: bool = False,
    format: Literal["", "json", "ndjson"] = "", after: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS)] = USUAL_ITEMS,
) -> Any:  # fmt: skip
    """Return every item of the hard set's round with label, weight, split and fold, and the hard set's reasons.

    As pages of JSON, or, with `format=ndjson` or `Accept: application/x-ndjson`, all in one stream: a stream without
    its last line `{"end": …}` was cut off. Leave `test` items out of training: the site judges by them.
    """
    found = Manifest(_hard_set(request, slug, pk), weight, only_members)
    streamed = format == "ndjson" or (not format and NDJSON in request.headers.get("Accept", ""))
    tag = f'"{found.etag}-{"ndjson" if streamed else f"{after}-{limit}"}"'
    if _has(request, tag):
        return HttpResponseNotModified()
    try:
        head = found.head()
        if streamed:
            return _tagged(StreamingHttpResponse(_lines(found, head), content_type=NDJSON), tag)
        rows = found.page(after, limit).fill_nan(None).write_json()
    except NoManifest as reason:
        raise HttpError(409, str(reason)) from None
    asked = {"weight": f"{weight:g}", "only_members": str(only_members).lower(), "after": after + limit, "limit": limit}
    more = after + limit < head["n_items"]
    rest = json.dumps({"manifest": plain(head), "next": _next(request, asked) if more else None}, ensure_ascii=False)
    # Written by the table itself, ten times as fast as row by row through the schema.
    return _tagged(HttpResponse(f'{{"items": {rows}, {rest[1:]}', content_type=JSON), tag)


def _lines(found: Manifest, head: dict[str, Any]) -> Iterator[str]:
    yield json.dumps({"manifest": plain(head)}, ensure_ascii=False) + "\n"
    n_items = 0
    for chunk in found.chunks():
        n_items += len(chunk)
        yield chunk.fill_nan(None).write_ndjson()
    yield json.dumps({"end": {"n_items": n_items}}) + "\n"


WEIGHT_COLUMNS = ("path", "sha256", "label", "split", "fold", "weight")


@router.get(
    SETS + "{int:pk}/weights", response={200: Any, **REFUSALS}, url_name="api_weights", throttle=[heavy],
    openapi_extra={"responses": {200: {"content": {
        name: {"schema": {"type": "string", "format": "binary"}}
        for name in ("text/csv", "application/vnd.apache.parquet", "application/octet-stream")
    }}}},
)  # fmt: skip
def weights(
    request: HttpRequest, slug: str, pk: int, format: Literal["csv", "parquet", "npz"] = "csv",
    weight: Weight = DEFAULT_WEIGHT,
) -> Any:  # fmt: skip
    """Return the sample weight of every item, in the order of the manifest.

    CSV and Parquet: path, sha256, label, split, fold, weight. NPZ: item (id), label (code, -1: none), classes, test,
    fold (-1: none) and weight.
    """
    found = Manifest(_hard_set(request, slug, pk), weight)
    tag = f'"{found.etag}-{format}"'
    if _has(request, tag):
        return HttpResponseNotModified()
    try:
        head = found.head()
        response = _weight_file(found, head, format)
    except NoManifest as reason:
        raise HttpError(409, str(reason)) from None
    name = f"{slug}-round-{head['round']}-{head['strategy']}-v{head['set_version']}-weights.{format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return _tagged(response, tag)


def _weight_file(found: Manifest, head: dict[str, Any], format: str) -> HttpResponseBase:
    if format == "csv":
        pieces = (
            chunk.select(WEIGHT_COLUMNS).write_csv(include_header=number == 0)
            for number, chunk in enumerate(found.chunks())
        )
        return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    import polars as pl

    columns = WEIGHT_COLUMNS if format == "parquet" else ("item", "label", "split", "fold", "weight")
    table = pl.concat([chunk.select(columns) for chunk in found.chunks()] or [found.page(0, 0).select(columns)])
    file = TemporaryFile()  # noqa: SIM115  the response closes it
    if format == "parquet":
        table.write_parquet(file, compression="zstd")
        media_type = "application/vnd.apache.parquet"
    else:
        _write_npz(file, table, head["classes"])
        media_type = "application/octet-stream"
    file.seek(0)
    return FileResponse(file, content_type=media_type)


def _write_npz(file: Any, table: Any, classes: list[str]) -> None:
    import numpy as np
    import polars as pl

    codes = {name: code for code, name in enumerate(classes)}
    label = table["label"].replace_strict(codes, default=-1, return_dtype=pl.Int16).fill_null(-1)
    np.savez_compressed(
        file, item=table["item"].to_numpy(), label=label.to_numpy(), classes=np.array(classes, dtype=np.str_),
        test=(table["split"] == "test").to_numpy(), fold=table["fold"].fill_null(-1).cast(pl.Int8).to_numpy(),
        weight=table["weight"].cast(pl.Float32).to_numpy(),
    )  # fmt: skip


def _hard_set(request: HttpRequest, slug: str, pk: int) -> HardSet:
    project = managed_project(request.user, slug)
    hard_set = hard_set_of(project, pk) if pk < 2**63 else None
    if hard_set is None:
        have = reverse("api-1:api_hard_sets", args=[slug])
        raise HttpError(404, f"{slug} has no hard set {pk}, or no longer: {have} lists those there are.")
    return hard_set


def _described(hard_set: HardSet, *, replaced: bool) -> dict[str, Any]:
    at = [hard_set.round.project.slug, hard_set.pk]
    return {
        "hard_set": hard_set.pk, "round": hard_set.round.number, "strategy": hard_set.strategy,
        "title": hard_set.summary.get("title", hard_set.strategy),
        "description": hard_set.summary.get("description", ""), "version": hard_set.version,
        "is_newest": not replaced, "params": hard_set.params, "sha256": hard_set.sha256,
        "n_members": hard_set.n_members, "synthetic": hard_set.round.has_synthetic,
        "created_at": hard_set.created_at, "manifest": reverse("api-1:api_manifest", args=at),
        "weights": reverse("api-1:api_weights", args=at),
    }  # fmt: skip


def _next(request: HttpRequest, asked: dict[str, Any]) -> str:
    return f"{request.path}?{urlencode({name: value for name, value in asked.items() if value not in ('', None)})}"


def _has(request: HttpRequest, tag: str) -> bool:
    held = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    return tag in held


def _tagged(response: HttpResponseBase, tag: str) -> HttpResponseBase:
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response
