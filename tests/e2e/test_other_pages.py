"""Pages beside a manager's own: signed out, an annotator's, errors, nothing there yet, Django's admin; and fingers."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.urls import reverse

from annotations.models import Annotator, Item, Membership
from hardness_site.jobs.models import Job
from mining.models import HardSet, HardSetMember, Round
from tests import factories
from tests.browser import session_cookie
from tests.looks import COLOURS, objections_to, violations, wrong_pages
from tests.mining.done_round import make_done_round
from tests.mining.small_project import make_striped_project

pytestmark = pytest.mark.django_db(transaction=True)

NO_CHART = {"mark": "point", "data": {"values": []}}
FINGER_PX = 44
OPERABLE = "a.button, a.tab, a.brand, .filters a, .steps h3 a, button, select, summary, input:not([type=hidden])"
SMALL = """([operable, least]) => [...document.querySelectorAll(operable)].filter((each) => {
  const place = each.closest("label") ?? (each.matches("[type=checkbox], [type=radio]") && each.labels?.[0]) ?? each;
  const at = (place || each).getBoundingClientRect();
  const seen = at.width > 0 && getComputedStyle(each).visibility === "visible" && !each.closest(".skip-link");
  return seen && (at.height < least - 0.5 || (each.matches("button, .tab") && at.width < least - 0.5));
}).map((each) => `${each.tagName} ${each.className} ${each.textContent.trim().slice(0, 30) || each.name}`)"""


def test_signed_out_pages_stand(page, live_server, db):
    addresses = {"login": ("/accounts/login/", 200), "spent_link": ("/accounts/link/?sesame=spent", 403)}
    assert wrong_pages(page, live_server.url, addresses) == {}
    assert "no longer works" in page.get_by_role("heading", level=1).inner_text()
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    assert objections_to(page, "login_refused") == []


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (PermissionDenied, 403, "You may not do this"),
        (SuspiciousOperation, 400, "The request was not understood"),
        (RuntimeError, 500, "Something went wrong here"),
    ],
)
def test_error_pages_stand(page, live_server, sign_in, manager, monkeypatch, error, status, heading):
    def refuse(user):
        raise error

    sign_in(manager)
    monkeypatch.setattr("annotations.views.projects.project_cards", refuse)
    assert wrong_pages(page, live_server.url, {f"error_{status}": ("/", status)}) == {}
    assert page.get_by_role("heading", level=1).inner_text() == heading
    assert page.get_by_role("link", name="To your projects").get_attribute("href") == "/"


def test_a_form_without_its_token_is_told_what_to_do(page, live_server, sign_in, manager, project):
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/new/")
    page.locator("main form [name=csrfmiddlewaretoken]").evaluate("(field) => field.remove()")
    page.get_by_label("Name").fill("Birds")
    page.get_by_label("Classes").fill("heron\negret")
    page.get_by_role("button", name="Make the project").click()
    page.get_by_role("heading", name="Please send it again").wait_for()
    assert objections_to(page, "error_csrf") == []


def test_pages_of_an_annotator_stand(page, live_server, sign_in, annotator_user, project):
    factories.make_items(project, 3)
    empty = factories.make_project("No images", slug="no-images")
    Membership.objects.create(project=empty, user=annotator_user)
    sign_in(annotator_user)
    addresses = {
        "annotator_home": ("/", 200), "annotator_progress_empty": (f"/projects/{project.slug}/me/", 200),
        "annotator_foreign": (f"/projects/{project.slug}/settings/", 404),
    }  # fmt: skip
    assert wrong_pages(page, live_server.url, addresses) == {}
    page.goto(f"{live_server.url}/")
    labels = page.get_by_role("link", name="Label", exact=True)
    assert labels.count() == 1  # the empty project offers nothing that has no effect
    assert "button--primary" in labels.get_attribute("class")
    page.goto(f"{live_server.url}/projects/no-images/label/")
    page.get_by_role("heading", name="There are no images yet").wait_for()
    assert page.get_by_role("button", name="Undo").is_disabled()
    assert objections_to(page, "label") == []
    Item.objects.filter(project=project).update(needed=0)
    page.goto(f"{live_server.url}/projects/{project.slug}/label/")
    page.get_by_role("heading", name="Nothing to label at the moment").wait_for()
    assert objections_to(page, "label") == []


def test_pages_of_a_newcomer_stand(page, live_server, sign_in, manager):
    sign_in(manager)
    assert wrong_pages(page, live_server.url, {"home_empty": ("/", 200)}) == {}
    factories.make_project("Nothing yet", slug="nothing-yet", manager=manager)
    at = "/projects/nothing-yet/"
    job = Job.objects.create(
        kind="import_images", title="Import of notes.txt", scope="annotations.project:0", status="succeeded",
        result={"n_read": 1, "n_new": 0, "n_known": 0, "n_refused": 1},
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(scope=manager.memberships.get().project.scope)
    addresses = {
        "new_hardness": f"{at}hardness/", "new_measures": f"{at}hardness/measures/",
        "new_annotators": f"{at}hardness/annotators/", "new_features": f"{at}features/",
        "new_predictions": f"{at}predictions/", "new_detector": f"{at}detector/",
        "new_schedule": f"{at}rounds/schedule/",
        "all_refused": f"/jobs/{job.pk}/",
    }  # fmt: skip
    assert wrong_pages(page, live_server.url, {name: (one, 200) for name, one in addresses.items()}) == {}
    assert page.get_by_text("Nothing was imported").is_visible()


def test_admin_has_its_lists_and_leads_to_the_reports(page, live_server, sign_in, admin_user, project, manager):
    make_done_round(project, manager, factories.make_items(project, 6), NO_CHART)
    sign_in(admin_user)
    page.goto(f"{live_server.url}/admin/mining/round/")
    assert "Hardness: administration" in page.locator("#site-name").inner_text()
    page.get_by_role("link", name="Open").click()
    page.wait_for_url(f"**{Round.objects.get().get_absolute_url()}")
    page.goto(f"{live_server.url}/admin/annotations/project/")
    page.get_by_role("link", name="Overview").click()
    page.wait_for_url(f"**{project.get_absolute_url()}")


def test_axe_finds_nothing_serious_in_admin(browser, page, live_server, sign_in, admin_user, project, manager):
    make_done_round(project, manager, factories.make_items(project, 6), NO_CHART)
    # A list to look at, the two forms, one with rows beside it, and a page to look at: the others are made alike.
    found = [admin_user, manager.memberships.get(), project, project.items.first(), Round.objects.get()]
    names = [f"admin:{each._meta.app_label}_{each._meta.model_name}" for each in found]
    addresses = [reverse("admin:index"), reverse(f"{names[0]}_changelist"), reverse(f"{names[-1]}_changelist")]
    addresses += [reverse(f"{name}_change", args=[each.pk]) for name, each in zip(names, found, strict=True)]
    sign_in(admin_user)
    # axe itself sets styles in forms; whether the pages keep to the policy is seen without it.
    looked_at = browser.new_context(bypass_csp=True)
    looked_at.add_cookies([session_cookie(admin_user, live_server.url)])
    beside = looked_at.new_page()
    wrong = {}
    for theme, rules, some in (("light", None, addresses), ("dark", COLOURS, addresses[:4])):
        beside.emulate_media(color_scheme=theme)
        for address in some:
            beside.goto(live_server.url + address)
            if serious := violations(beside, rules, but_for=("minor", "moderate")):
                wrong[f"{address} {theme}"] = serious
    for address in addresses:
        page.goto(live_server.url + address)
    looked_at.close()
    assert wrong == {}


def test_a_finger_finds_everything_that_can_be_pressed(browser, live_server, manager):
    fresh = factories.make_project("Fresh", slug="fresh", classes=("0", "1", "dog"), manager=manager)
    factories.make_items(fresh, 6)
    project, _ = make_striped_project(n_items=12, n_annotators=2, kind=Annotator.Kind.SYNTHETIC)
    Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    finished = make_done_round(project, manager, list(project.items.all()[:6]), NO_CHART)
    hard_set = HardSet.objects.create(
        round=finished, strategy="suspicious", sha256="a" * 64, n_members=1, summary={"title": "Suspicious"}
    )
    HardSetMember.objects.create(
        hard_set=hard_set, item=project.items.first(), rank=1, score=0.5, verdict="ambiguous", reason="no class likely"
    )
    at = f"/projects/{project.slug}/"
    addresses = [
        "/", "/projects/new/", at, f"{at}items/", f"{at}import/", f"{at}members/", f"{at}settings/", f"{at}rounds/",
        f"{at}rounds/1/", "/projects/fresh/label/", f"{at}me/", hard_set.get_absolute_url(),
    ]  # fmt: skip
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.add_cookies([session_cookie(manager, live_server.url)])
    page = context.new_page()
    small = {}
    for address in addresses:
        page.goto(live_server.url + address)
        if address.endswith("/label/"):
            page.wait_for_selector('#workbench[data-state="open"]')
        found = page.evaluate(SMALL, [OPERABLE, FINGER_PX])
        assert page.evaluate("document.documentElement.scrollWidth") == 390, address
        if found:
            small[address] = found
    context.close()
    assert small == {}
