"""Leads enter known answers and pause people in the admin."""

import pytest
from django.urls import reverse

from annotation.choices import BatchSettings
from annotation.models import GoldAnswer, Participation, User
from tests.factories import make_batch, make_items, make_lead, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db

ADD_GOLD = "/admin/annotation/goldanswer/add/"


@pytest.fixture
def lead(client):
    member = make_lead("okafor")
    member.user.is_staff = True
    member.user.save()
    client.force_login(member.user)
    return member


def test_a_known_answer_is_entered_and_a_wrong_one_is_refused_with_its_reason(client, lead):
    (item,) = make_items(make_batch())
    told = {"item": item.public_id, "dimension": "text_quality", "response": "1", "tolerance": 1}

    refused = client.post(ADD_GOLD, {**told, "score": 9})
    assert refused.status_code == 422
    assert "9 is no score of text_quality" in refused.content.decode()
    assert client.post(ADD_GOLD, {**told, "item": "nobody", "score": 2}).status_code == 422
    assert not GoldAnswer.objects.exists()

    kept = client.post(ADD_GOLD, {**told, "score": 2}, follow=True)
    assert f">{item.public_id}</a>" in kept.content.decode()
    assert GoldAnswer.objects.get().score == 2


def test_a_decided_judgment_becomes_known_on_the_dimensions_ticked(client, lead):
    (item,) = make_items(make_batch())
    scores = {(item.response_1, "text_quality"): 1, (item.response_1, "context_coherence"): 3}
    judgment = judge(item, make_lead(), overall="tie", scores=scores)
    chosen = {"action": "make_gold", "_selected_action": [judgment.pk]}

    page = client.post(reverse("admin:annotation_judgment_changelist"), chosen, follow=True)
    assert "overall preference" in page.content.decode()
    address = reverse("admin:annotation_judgment_gold", args=[judgment.pk])
    client.post(address, {"dimensions": ["text_quality", "overall"], "tolerance": 1})

    assert set(GoldAnswer.objects.values_list("score", "tolerance", "outcome")) == {
        (1, 1, ""), (None, 0, "tie"),
    }  # fmt: skip


def test_a_person_is_paused_with_a_reason_and_goes_on(client, lead):
    person = make_member()
    make_batch(members=[person])
    standing = Participation.objects.get()
    address = reverse("admin:annotation_participation_pause", args=[standing.pk])

    assert client.post(address, {"reason": ""}).status_code == 422
    client.post(address, {"reason": "Let us talk."})
    standing.refresh_from_db()
    assert standing.pause_reason == "Let us talk."

    chosen = {"action": "resume_chosen", "_selected_action": [standing.pk]}
    client.post(reverse("admin:annotation_participation_changelist"), chosen)
    standing.refresh_from_db()
    assert standing.paused_at is None


def test_who_leads_nothing_reaches_none_of_it(client):
    person = make_member()
    person.user.is_staff = True
    person.user.save()
    client.force_login(person.user)

    assert client.get(ADD_GOLD).status_code == 403


def test_a_qualification_is_waived_with_a_reason_that_the_history_keeps(client, lead):
    person = make_member()
    batch = make_batch(members=[person], settings=BatchSettings(requires="exam"))
    standing = Participation.objects.get()
    chosen = {"action": "waive_chosen", "_selected_action": [standing.pk]}
    address = reverse("admin:annotation_participation_waive", args=[standing.pk])

    assert client.post("/admin/annotation/participation/", chosen).url == address
    assert client.post(address, {"reason": ""}).status_code == 422
    assert Participation.objects.get().waived_at is None
    client.post(address, {"reason": "Wrote the rubric."})

    standing.refresh_from_db()
    batch.refresh_from_db()
    assert (standing.waived_at is not None, standing.waive_reason) == (True, "Wrote the rubric.")
    assert batch.history[-1]["detail"] == f"{person.pseudonym}: Wrote the rubric."


def test_nobody_but_a_lead_waives_a_qualification(client):
    make_batch(members=[make_member()], settings=BatchSettings(requires="exam"))
    standing = Participation.objects.get()
    client.force_login(User.objects.create_superuser("root", password=None))
    address = reverse("admin:annotation_participation_waive", args=[standing.pk])

    assert client.post(address, {"reason": "Why not."}).status_code == 403
    assert Participation.objects.get().waived_at is None
