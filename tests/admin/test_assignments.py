"""A lead admits late work, in the admin; it asks the action, which refuses what is not late."""

from datetime import timedelta

import pytest
from django.urls import reverse

from annotation.actions.assignments import claim_next
from annotation.actions.judgments import submit_judgment
from annotation.choices import AssignmentState, Cause, SeatPurpose
from annotation.models import Judgment
from tests.factories import NOW, make_lead
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db


def test_a_lead_admits_late_work_and_is_told_where_there_is_none(client):
    batch, [ann, ben] = open_batch_with(items=1, seats=1)
    late = claim_next(batch, by=ann, now=NOW)
    body = full_body(late)
    prompt = claim_next(batch, by=ben, now=NOW + timedelta(hours=2))
    submit_judgment(late, by=ann, body=body, key="late", now=NOW + timedelta(hours=2))
    lead = make_lead()
    lead.user.is_staff = True
    lead.user.save()
    client.force_login(lead.user)
    chosen = {"action": "admit_chosen", "_selected_action": [late.pk, prompt.pk]}

    answer = client.post(reverse("admin:annotation_assignment_changelist"), chosen, follow=True)

    late.refresh_from_db()
    assert late.state == AssignmentState.SUBMITTED
    assert late.seat.purpose == SeatPurpose.EXTRA
    assert Judgment.objects.get(cause=Cause.ADMITTED).assignment == late
    assert "1 admitted." in answer.content.decode()
    assert "There is no late work here that waits." in answer.content.decode()
