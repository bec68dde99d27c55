"""Every table can be looked at by leads and changed by nobody but through actions."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.actions.assignments import claim_next
from annotation.actions.batches import close_batch
from annotation.actions.guidelines import note_reading, publish_guideline
from annotation.actions.judgments import submit_judgment
from annotation.actions.lead_questions import About, ask_lead
from annotation.admin.base import ViewOnlyAdmin
from annotation.choices import Role, SlotState
from annotation.models import (
    ContentReport,
    Draft,
    Export,
    Figure,
    GoldAnswer,
    Hold,
    MarkRun,
    OptOut,
    Project,
    Record,
    Review,
    Run,
    Sight,
    Token,
    User,
    Variant,
    Void,
)
from tests.conftest import NOW
from tests.factories import (
    make_category,
    make_image,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_slot,
)
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db

TABLES = sorted(apps.get_app_config("annotation").get_models(), key=lambda model: model.__name__)
OURS = [model for model in TABLES if isinstance(admin.site._registry.get(model), ViewOnlyAdmin)]


def url_of(model, page: str, *args) -> str:
    return reverse(f"admin:annotation_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def superuser(client):
    user = User.objects.create_superuser("root", password=None)
    client.force_login(user)
    return user


@pytest.fixture
def lead(client):
    """A lead who may use the admin and is no superuser."""
    member = make_lead("okafor")
    member.user.is_staff = True
    member.user.save()
    client.force_login(member.user)
    return member


def fill(rows: int) -> None:
    """Make at least `rows` rows in each table."""
    lead = make_lead()
    for number in range(rows):
        batch, (member, _) = open_batch_with(items=1, seats=2)
        assignment = claim_next(batch, by=member, now=NOW)
        body = full_body(assignment)
        body["remarks"] = {"rationale": {"text": "Better by far.", "language": "en"}}
        judgment = submit_judgment(assignment, by=member, body=body, key="k", now=NOW)
        claimed = claim_next(batch, by=batch.participations.last().member, now=NOW)
        Draft.objects.create(assignment=claimed, version=1, body={"secret": 1}, saved_at=NOW)
        response = assignment.item.response_1
        slot = make_slot(response=response)
        make_slot(turn=response.turn, state=SlotState.MISSING)
        record = Record.objects.create(
            imported_in=response.dialogue.imported_in,
            file="a.json",
            position=number,
            outcome="new",
            dialogue=response.dialogue,
            last_response=response,
        )
        Variant.objects.create(slot=slot, image=make_image(), record=record)
        rules = publish_guideline(f"guide-{batch.pk}", texts={"en": "Be fair."}, by=lead, now=NOW)
        note_reading(rules.versions.get(), by=member, now=NOW)
        ask_lead(assignment, text="Is a crop an image?", about=About(), by=member, now=NOW)
        Figure.objects.create(batch=batch, kind="agreement", number=0, created_at=NOW)
        Run.objects.create(project=batch.project, batch=batch, model="judge", created_at=NOW)
        Export.objects.create(project=batch.project, created_at=NOW)
        Token.objects.create(
            member=lead, name="robot", digest=f"{lead.pk} {number}", created_at=NOW
        )
        evidence = {"batch": batch, "created_at": NOW}
        GoldAnswer.objects.create(
            item=assignment.item, outcome="tie", number=101, created_by=lead, **evidence
        )
        Review.objects.create(
            judgment=judgment, reviewer=lead, outcome="accept", number=102, **evidence
        )
        make_category(f"kind_{batch.pk}")
        make_mark(response.dialogue)
        MarkRun.objects.create(project=batch.project, created_at=NOW)
        ContentReport.objects.create(dialogue=response.dialogue, made_by=member, made_at=NOW)
        Hold.objects.create(assignment=claimed, made_at=NOW, until=NOW + timedelta(hours=1))
        Sight.objects.create(member=lead, batch=batch, seen_others_at=NOW)
        Void.objects.create(
            target="judgment",
            judgment=judgment,
            reason="x",
            created_by=lead,
            number=103,
            **evidence,
        )


def test_every_table_is_in_the_admin_but_what_a_person_would_rather_not_meet():
    """An opt-out is its person's alone, whoever leads."""
    assert [model for model in TABLES if model not in admin.site._registry] == [OptOut]


def test_lists_and_rows_are_shown_and_nothing_is_there_to_change(client, superuser):
    fill(1)

    for model in OURS:
        row = model.objects.order_by("pk").first()
        shown = client.get(url_of(model, "change", row.pk))

        assert client.get(url_of(model, "changelist"), {"q": "a"}).status_code == 200, model
        assert shown.status_code == 200, model
        assert 'name="_save"' not in shown.content.decode(), model
        assert client.post(url_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert client.post(url_of(model, "change", row.pk), {"pk": 1}).status_code == 403
        assert model.objects.filter(pk=row.pk).exists()


def test_three_rows_take_no_more_queries_than_two(client, superuser):
    """A filter's list of batches is one query more as soon as there are two, so not from one."""

    def queries() -> dict[str, int]:
        counts = {}
        for model in OURS:
            with CaptureQueriesContext(connection) as captured:
                client.get(url_of(model, "changelist"))
            counts[model.__name__] = len(captured)
        return counts

    fill(2)
    before = queries()
    fill(1)

    assert queries() == before
    assert max(before.values()) < 20


def test_a_lead_who_is_staff_sees_their_own_projects_rows_only(lead):
    fill(1)

    def shown() -> dict[str, set[str]]:
        request = RequestFactory().get("/")
        request.user = User.objects.get(pk=lead.user.pk)
        return {
            model.__name__: {str(row) for row in admin.site._registry[model].get_queryset(request)}
            for model in OURS
        }

    everything = {model.__name__: {str(row) for row in model.objects.all()} for model in OURS}
    assert shown() == everything
    lead.project = Project.objects.create(slug="other", name="Other")
    lead.save()
    elsewhere = {name: set() for name in everything}
    assert shown() == {**elsewhere, "Project": {"other"}, "Member": {"okafor"}}


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER])
def test_staff_who_lead_nothing_see_no_table(client, role):
    member = make_member(role)
    member.user.is_staff = True
    member.user.save()
    client.force_login(member.user)

    statuses = {client.get(url_of(model, "changelist")).status_code for model in OURS}

    assert statuses == {403}


def test_strangers_and_annotators_are_sent_to_the_admins_door(client):
    annotator = make_member()
    for user in (None, annotator.user):
        if user:
            client.force_login(user)

        response = client.get("/admin/annotation/judgment/")

        assert response.status_code == 302
        assert response.url.startswith("/admin/login/")


def test_what_stands_in_a_draft_is_not_shown(client, superuser):
    fill(1)
    draft = Draft.objects.get()

    assert "secret" not in client.get(url_of(Draft, "change", draft.pk)).content.decode()


def test_pages_of_the_admin_hold_no_script_or_style_of_their_own(client, superuser):
    make_project()
    make_lead("okafor")
    batch, _ = open_batch_with()
    close_batch(batch, by=make_lead(), now=NOW)

    for url in (
        "/admin/",
        "/admin/annotation/batch/",
        f"/admin/annotation/batch/{batch.pk}/change/",
        "/admin/annotation/member/add/",
    ):
        page = client.get(url).content.decode()
        assert "<style" not in page
        assert "<script>" not in page
        assert " onclick=" not in page


def test_the_admin_names_its_icon(client):
    assert b'rel="icon" href="/static/annotation/icon.svg"' in client.get("/admin/login/").content
