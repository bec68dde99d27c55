"""Show: a team with five people who work badly is found out, each by name, and nobody else."""

import json
import re

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from annotation.actions.figures import compute_figure, request_figures
from annotation.choices import SignalKind
from annotation.models import Participation
from annotation.reports.signals import signals_of
from tests.factories import make_lead
from tests.team import make_team

pytestmark = pytest.mark.django_db

EXPECTED = {
    "severe": SignalKind.SEVERE,
    "random": SignalKind.RANDOM,
    "side": SignalKind.SIDE,
    "fast": SignalKind.FAST,
    "copier": SignalKind.COPIED,
}


def compute_all():
    for pk in request_figures(now=timezone.now()):
        compute_figure(pk, clock=timezone.now)


def test_the_report_names_each_of_the_five_with_evidence_and_nobody_else():
    team = make_team(seed=2)

    found = signals_of(team.batch, team.batch.last_number)

    names = {member.pk: how for how, member in team.bad.items()}
    assert set(found) == set(names)
    for member, signals in found.items():
        assert EXPECTED[names[member]] in [signal.kind for signal in signals]
        assert all(signal.sentence and signal.items for signal in signals)


def test_the_page_and_the_command_name_each_of_the_five_and_nobody_else(client, capsys):
    team, lead = make_team(seed=1), make_lead()
    compute_all()
    client.force_login(lead.user)

    page = client.get(reverse("annotation:batch", args=[team.batch.slug])).content.decode()
    call_command("report_quality", "--batch", team.batch.slug, "--json")
    told = json.loads(capsys.readouterr().out)

    section = page[page.index('id="quality"') :]
    rows = re.findall(r'<tr id="person-([^"]+)">(.*?)</tr>', section, re.S)
    signed = {member for member, row in rows if "quality-sign" in row}
    assert signed == {member.public_id for member in team.bad.values()}
    assert len(rows) == 15
    assert {one["pseudonym"] for one in told["people"] if one["signals"]} == {
        member.pseudonym for member in team.bad.values()
    }
    for words in ("Scores lower than others on 4 of 4", "Prefers what is shown first in"):
        assert words in section


def test_the_agreement_page_marks_each_of_the_five_and_nobody_else(client):
    team = make_team(seed=1)
    compute_all()
    client.force_login(make_lead().user)

    page = client.get(reverse("annotation:agreement", args=[team.batch.slug])).content.decode()

    section = page[page.index('aria-labelledby="people-title"') :]
    rows = re.split(r'<tr>\s*<th scope="row"><a href="[^"]*/annotators/', section)[1:]
    assert len(rows) == 15
    marked = {row[:16] for row in rows if "figures-signals" in row or 'class="tag"' in row}
    assert marked == {member.public_id for member in team.bad.values()}

    for member in team.bad.values():
        url = reverse("annotation:annotator", args=[team.batch.slug, member.public_id])
        page = client.get(url).content.decode()
        (sign,) = re.findall(r'<p class="notice notice-attention">(.*?)</p>', page, re.S)[:1]
        assert f'href="{reverse("annotation:batch", args=[team.batch.slug])}items/' in sign


def test_a_sign_does_nothing_by_itself():
    team = make_team(seed=1, items=150)
    compute_all()

    assert not Participation.objects.exclude(paused_at=None).exists()
    team.batch.refresh_from_db()
    assert team.batch.history == []
