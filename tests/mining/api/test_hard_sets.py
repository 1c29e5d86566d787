"""Hard sets by API: the list, the manifest in both forms, the weights, and who may have them."""

from __future__ import annotations

import io
import json

import numpy as np
import polars as pl
import pytest
from django.core.cache import cache
from django.test import Client

from annotations.models import ApiToken
from annotations.services.tokens import create_token
from mining.api.hard_sets import heavy
from mining.artifacts import Folder
from mining.models import HardSet
from mining.selectors import manifest as manifests
from tests import factories
from tests.mining.api.round_files import make_hard_set, make_round_with_files


@pytest.fixture(autouse=True)
def _no_history():
    cache.clear()


@pytest.fixture
def items(project):
    return factories.make_items(project, 6)


@pytest.fixture
def round_(project, manager, items):
    """Return a round whose fifth item is held out and whose sixth has no label."""
    return make_round_with_files(project, manager, items, held_out=[4], unlabelled=[5])


@pytest.fixture
def hard_set(round_, items):
    verdicts = ["blind_spot", "mislabelled", "ambiguous", "unclear", "none"]
    chosen = [items[2], items[1], items[4], items[3], items[5]]
    return make_hard_set(round_, list(zip(chosen, verdicts, strict=True)))


@pytest.fixture
def program(project, manager):
    """Return a client with a token that may read."""
    _, secret = create_token(project=project, user=manager, name="cluster", scopes=[ApiToken.Scope.READ])
    return Client(headers={"Authorization": f"Bearer {secret}"})


def at(hard_set, what="manifest"):
    return f"/api/v1/projects/pets/hard-sets/{hard_set.pk}/{what}"


def lines_of(response) -> list[dict]:
    return [json.loads(line) for line in response.getvalue().splitlines()]


def test_a_program_lists_the_hard_sets_newest_first(program, round_, hard_set):
    newer = make_hard_set(round_, [], version=2, parent=hard_set, sha256="b" * 64)
    other = make_hard_set(round_, [], strategy="band", sha256="c" * 64)

    page = program.get("/api/v1/projects/pets/hard-sets/").json()

    assert [one["hard_set"] for one in page["hard_sets"]] == [other.pk, newer.pk]
    assert page["next"] is None
    first = program.get("/api/v1/projects/pets/hard-sets/?newest=false&limit=2&round=1").json()
    second = program.get(first["next"]).json()
    assert [one["version"] for one in second["hard_sets"]] == [1]
    (old,) = second["hard_sets"]
    assert not old["is_newest"] and second["next"] is None
    assert old["manifest"] == at(hard_set) and old["weights"] == at(hard_set, "weights")
    assert old["sha256"] == "a" * 64 and old["n_members"] == 5 and old["strategy"] == "suspicious"
    assert program.get("/api/v1/projects/pets/hard-sets/?strategy=band").json()["hard_sets"][0]["hard_set"] == other.pk
    assert program.get(f"/api/v1/projects/pets/hard-sets/{newer.pk}").json()["version"] == 2
    assert program.get("/api/v1/projects/pets/hard-sets/?round=7").json()["hard_sets"] == []


def test_the_manifest_says_everything_a_trainer_needs(program, hard_set, items):
    body = program.get(at(hard_set)).json()

    head = body["manifest"]
    assert (head["kind"], head["project"], head["round"], head["sha256"]) == ("manifest", "pets", 1, "a" * 64)
    assert (head["classes"], head["n_items"], head["n_members"]) == (["cat", "dog"], 6, 5)
    assert (head["weight"], head["n_folds"], head["synthetic"]) == (2.0, 5, False)
    rows = body["items"]
    assert [row["path"] for row in rows] == [item.path for item in items]
    assert [row["label"] for row in rows] == ["cat", "dog", "cat", "dog", "cat", None]
    assert [row["split"] for row in rows] == ["train", "train", "train", "train", "test", "train"]
    # Suspects count for no more than others; what is held out or has no label counts for nothing.
    assert [row["weight"] for row in rows] == [1.0, 1.0, 2.0, 1.0, 0.0, 0.0]
    assert [row["rank"] for row in rows] == [None, 2, 1, 4, 3, 5]
    third = rows[2]
    sha256 = items[2].image.sha256
    assert third == {
        "item": items[2].pk, "path": items[2].path, "sha256": sha256, "image": f"/api/v1/projects/pets/images/{sha256}",
        "box": None, "label": "cat", "label_from": "people", "label_confidence": 0.9, "split": "train",
        "fold": int(sha256[:8], 16) % 5, "weight": 2.0, "rank": 1, "score": 1.0, "reason": "reason 1",
        "verdict": "blind_spot", "synthetic": False,
    }  # fmt: skip
    assert rows[4]["fold"] is None
    assert body["next"] is None


def test_items_of_a_group_share_a_fold(program, project, manager):
    items = factories.make_items(project, 60)
    round_ = make_round_with_files(project, manager, items)
    group = [number // 2 for number in range(60)]
    Folder(round_.folder).write_table("groups.parquet", pl.DataFrame({"group": group}))
    rows = program.get(at(make_hard_set(round_, []))).json()["items"]
    folds = [row["fold"] for row in rows]
    assert folds[::2] == folds[1::2]
    assert set(folds) == {0, 1, 2, 3, 4}
    # Groups come in the order of import; were fold their number modulo five, five classes in turn would be the folds.
    assert folds[::10] != [folds[0]] * 6
    other = make_hard_set(round_, [(items[7], "none")], strategy="band", sha256="d" * 64)
    members = program.get(at(other) + "?only_members=true")
    assert [row["fold"] for row in members.json()["items"]] == [folds[7]]


def test_another_weight_may_be_asked_for(program, hard_set):
    rows = program.get(at(hard_set) + "?weight=5").json()["items"]
    assert [row["weight"] for row in rows] == [1.0, 1.0, 5.0, 1.0, 0.0, 0.0]


def test_pages_and_the_stream_hold_the_same(program, hard_set, monkeypatch):
    monkeypatch.setattr(manifests, "ROWS_AT_ONCE", 4)
    whole = program.get(at(hard_set)).json()["items"]
    pages, address = [], at(hard_set) + "?limit=4"
    while address:
        body = program.get(address).json()
        pages += body["items"]
        address = body["next"]
    response = program.get(at(hard_set), headers={"Accept": "application/x-ndjson"})
    assert response["Content-Type"] == "application/x-ndjson"
    head, *rows, end = lines_of(response)
    assert pages == rows == whole
    assert head["manifest"]["n_items"] == 6 and end == {"end": {"n_items": 6}}


def test_members_alone(program, hard_set, items):
    body = program.get(at(hard_set) + "?only_members=true&limit=3").json()
    assert [row["rank"] for row in body["items"]] == [2, 1, 4]
    rest = program.get(body["next"]).json()
    assert [row["rank"] for row in rest["items"]] == [3, 5] and rest["next"] is None
    assert body["manifest"]["n_items"] == 5


def test_an_empty_set_has_a_manifest_without_extra_weight(program, round_):
    empty = make_hard_set(round_, [], sha256="e" * 64)
    rows = program.get(at(empty)).json()["items"]
    assert {row["weight"] for row in rows} == {0.0, 1.0} and {row["rank"] for row in rows} == {None}
    assert program.get(at(empty) + "?only_members=true").json()["items"] == []
    assert lines_of(program.get(at(empty) + "?only_members=true&format=ndjson"))[1:] == [{"end": {"n_items": 0}}]


def test_objects_have_their_box(program, project, manager, items, round_):
    item = items[0]
    item.box_x, item.box_y, item.box_width, item.box_height = 0.1, 0.2, 0.3, 0.4
    item.save()
    second = make_round_with_files(project, manager, items)
    rows = program.get(at(make_hard_set(second, [(item, "none")]))).json()["items"]
    assert rows[0]["box"] == [0.1, 0.2, 0.3, 0.4] and rows[1]["box"] is None


def test_what_has_not_changed_is_not_sent_again(program, hard_set):
    for address in (at(hard_set) + "?format=ndjson", at(hard_set, "weights")):
        response = program.get(address)
        again = program.get(address, headers={"If-None-Match": response["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = program.get(
            address + ("&" if "?" in address else "?") + "weight=3", headers={"If-None-Match": response["ETag"]}
        )
        assert other.status_code == 200


def test_weights_in_three_formats_are_in_the_order_of_the_manifest(program, hard_set, items):
    rows = program.get(at(hard_set)).json()["items"]
    csv = program.get(at(hard_set, "weights"))
    assert csv["Content-Disposition"] == 'attachment; filename="pets-round-1-suspicious-v1-weights.csv"'
    table = pl.read_csv(io.BytesIO(csv.getvalue()))
    parquet = pl.read_parquet(io.BytesIO(program.get(at(hard_set, "weights") + "?format=parquet").getvalue()))
    arrays = np.load(io.BytesIO(program.get(at(hard_set, "weights") + "?format=npz").getvalue()), allow_pickle=False)
    for one in (table, parquet):
        assert one.columns == ["path", "sha256", "label", "split", "fold", "weight"]
        assert one["path"].to_list() == [row["path"] for row in rows]
        assert one["weight"].to_list() == [row["weight"] for row in rows]
        assert one["fold"].to_list() == [row["fold"] for row in rows]
    assert arrays["item"].tolist() == [item.pk for item in items]
    assert arrays["weight"].tolist() == [row["weight"] for row in rows]
    assert arrays["label"].tolist() == [0, 1, 0, 1, 0, -1]
    assert arrays["classes"].tolist() == ["cat", "dog"]
    assert arrays["test"].tolist() == [False, False, False, False, True, False]
    assert arrays["fold"].tolist() == [-1 if row["fold"] is None else row["fold"] for row in rows]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("manifest?limit=0", 422), ("manifest?limit=5001", 422), ("manifest?weight=0", 422),
        ("manifest?weight=nan", 422), ("manifest?weight=101", 422), ("manifest?format=xml", 422),
        ("weights?format=pickle", 422),
        ("manifest?after=-1", 422), ("manifest?after=99999", 200),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_json(program, hard_set, query, status):
    response = program.get(at(hard_set, query))
    assert response.status_code == status
    assert ("detail" in response.json()) == (status != 200)


def test_a_hard_set_that_is_gone_says_where_the_others_are(program, hard_set):
    address = at(hard_set)
    HardSet.objects.all().delete()
    response = program.get(address)
    assert response.status_code == 404
    assert response.json()["detail"].endswith("/api/v1/projects/pets/hard-sets/ lists those there are.")
    assert program.get(f"/api/v1/projects/pets/hard-sets/{2**64}/manifest").status_code == 404


def test_a_round_without_its_files_says_so(program, hard_set, round_):
    Folder(round_.folder).delete("measures.parquet")
    for address in (at(hard_set), at(hard_set) + "?format=ndjson", at(hard_set, "weights")):
        response = program.get(address)
        assert (response.status_code, response.json()["detail"]) == (
            409, "The files of round 1 are no longer there: start a new round.",
        )  # fmt: skip


def test_only_managers_and_their_programs_get_it(hard_set, manager_client, annotator_client, outsider_client, manager):
    addresses = ["/api/v1/projects/pets/hard-sets/", at(hard_set), at(hard_set, "weights")]
    other = factories.make_project("Birds", manager=manager)
    _, elsewhere = create_token(project=other, user=manager, name="x", scopes=[ApiToken.Scope.READ])
    _, other_scope = create_token(
        project=hard_set.round.project, user=manager, name="x", scopes=[ApiToken.Scope.PREDICTIONS]
    )
    for address in addresses:
        assert manager_client.get(address).status_code == 200
        assert annotator_client.get(address).status_code == 404
        assert outsider_client.get(address).status_code == 404
        assert Client().get(address).status_code == 401
        assert Client().get(address, headers={"Authorization": f"Bearer {elsewhere}"}).status_code == 404
        assert Client().get(address, headers={"Authorization": f"Bearer {other_scope}"}).status_code == 403


def test_who_asks_too_often_is_told_when_to_come_back(program, hard_set, monkeypatch):
    monkeypatch.setattr(heavy, "num_requests", 2)
    answers = [program.get(at(hard_set)) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert "detail" in answers[2].json()


def test_the_number_of_queries_does_not_grow_with_items(
    program, project, manager, items, hard_set, django_assert_num_queries, django_assert_max_num_queries
):
    program.get(at(hard_set))  # notes the use of the token, once a minute
    with django_assert_max_num_queries(8) as small:
        program.get(at(hard_set))
    more = [*items, *factories.make_items(project, 40)]
    second = make_round_with_files(project, manager, more)
    large = make_hard_set(second, [(item, "none") for item in more], sha256="f" * 64)
    with django_assert_num_queries(len(small.captured_queries)):
        assert len(program.get(at(large)).json()["items"]) == 46
    with django_assert_num_queries(len(small.captured_queries)):
        assert len(lines_of(program.get(at(large) + "?format=ndjson"))) == 48


def test_the_api_describes_itself(manager_client):
    described = manager_client.get("/api/v1/openapi.json").json()["paths"]
    manifest = described["/api/v1/projects/{slug}/hard-sets/{pk}/manifest"]["get"]
    assert "application/x-ndjson" in manifest["responses"]["200"]["content"]
    assert "application/json" in manifest["responses"]["200"]["content"]
    assert {one["name"] for one in manifest["parameters"]} >= {"weight", "only_members", "format", "after", "limit"}
    assert "/api/v1/projects/{slug}/images/{sha256}" in described
    assert "/api/v1/projects/{slug}/hard-sets/" in described
