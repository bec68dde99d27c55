"""The lead's agreement page."""

import re

import pytest
from django.urls import reverse

from annotation.actions.figures import compute_figure, request_figures
from annotation.choices import BatchKind, Role, SeatPurpose
from annotation.models import Figure, Project
from annotation.reports import figures as reports
from annotation.reports.agreement import batch_agreement
from annotation.templatetags.figures import coefficient, percent
from tests.factories import NOW, make_batch, make_items, make_lead, make_member
from tests.judged import judge
from tests.measured import measured_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client):
    member = make_lead("okafor")
    client.force_login(member.user)
    return member


@pytest.fixture
def people():
    return [make_member(name=f"person-{number}") for number in range(3)]


def page_of(client, batch, **headers):
    response = client.get(reverse("annotation:agreement", args=[batch.slug]), headers=headers)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def cells(page, name):
    """The texts of the first table row with this heading."""
    row = re.search(rf'<th scope="row">{name}</th>(.*?)</tr>', page)
    assert row is not None
    found = re.findall(r"<td[^>]*>(.*?)</td>", row[1])
    return [" ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", "", cell).split()) for cell in found]


def test_the_page_shows_what_the_report_says(client, lead, people):
    batch = measured_batch(people)

    page = page_of(client, batch)

    found = batch_agreement(batch).dimensions[3].reliability
    alpha = found.figure("krippendorff_alpha", "ordinal")
    assert cells(page, "text_quality")[1:8] == [
        coefficient(alpha.value),
        f"{coefficient(alpha.low)} – {coefficient(alpha.high)}",
        coefficient(found.figure("gwet_ac", "linear").value),
        percent(found.figure("percent_agreement", "identity").value),
        percent(found.figure("percent_agreement", "within_1").value),
        "50",
        ", ".join(f"{s}: {n}" for s, n in zip(found.domain, found.marginals, strict=True)),
    ]
    assert "Figures of now, evidence number 75." in page
    assert "75 judgments of 25 items in 25 dialogues by 3 annotators" in page
    assert f"report_agreement --batch {batch.slug} --at 75" in page


def test_each_dimension_says_what_its_interval_lets_vary(client, lead, people):
    batch = measured_batch(people)

    page = page_of(client, batch)

    told = page[page.index("Scores by number, reasons") :]
    words = {"annotators": "over annotators", "units": "over dialogues"}
    for one in batch_agreement(batch).dimensions:
        alpha = one.reliability.figure("krippendorff_alpha", "ordinal")
        assert cells(told, one.key)[2] == words[alpha.source]
    assert "InstructGPT" in page


def test_preferences_and_position_are_shown_with_their_counts(client, lead, people):
    batch = measured_batch(people)

    page = page_of(client, batch)

    overall = batch_agreement(batch).preferences[0]
    shown = cells(page, "Overall")
    assert shown[4] == percent(overall.agreement.figure("percent_agreement").value)
    assert shown[6] == percent(overall.agreement.figure("reversal_rate").value)
    first = overall.first_shown
    assert f"{first.first} of {first.decided}" in page


def test_too_few_units_give_no_coefficient_but_exact_agreement(client, lead, people):
    batch = measured_batch(people[:2], items=3)

    shown = cells(page_of(client, batch), "text_quality")

    assert shown[1:4] == ["–", "", "–"]
    assert shown[4].endswith("%")
    assert shown[8] == "too few"


def test_a_batch_without_judgments_says_undefined(client, lead):
    page = page_of(client, make_batch())

    assert cells(page, "text_quality")[1] == "–"
    assert "undefined" in page
    assert "0 judgments of 0 items in 0 dialogues by 0 annotators." in page
    assert "no unit has two ratings" in page


def test_one_is_written_in_the_singular_and_shares_of_no_item_are_a_dash(client, lead, people):
    (item,) = make_items(make_batch())
    judge(item, people[0], overall=item.response_1)

    page = page_of(client, item.batch)

    assert "1 judgment of 1 item in 1 dialogue by 1 annotator." in page
    assert "of 1 submitted, 1 counts" in page
    assert cells(page, "Overall")[7:10] == ["–", "–", "0"]


def test_what_is_left_out_is_named_and_counted(client, lead, people):
    batch = measured_batch(people, items=2)
    judge(make_items(batch)[0], people[0], purpose=SeatPurpose.EXTRA)

    page = page_of(client, batch)

    assert '<dt>extra seats</dt><dd class="number">1</dd>' in page
    assert "of 7 submitted, 6 count" in page


def test_large_batches_show_the_computed_figures_and_say_their_number(
    client, lead, people, monkeypatch
):
    monkeypatch.setattr(reports, "LIVE_JUDGMENTS", 3)
    batch = measured_batch(people, items=2)
    assert "The figures are being computed." in page_of(client, batch)
    for pk in request_figures(now=NOW):
        compute_figure(pk, clock=lambda: NOW)
    judge(make_items(batch)[0], people[0])

    page = page_of(client, batch)

    assert "Figures of 2 Mar 09:00, evidence number 6." in page
    assert "The batch is at 7; newer figures follow." in page
    assert "6 judgments of 2 items" in page


def test_a_failed_computation_says_so(client, lead, people, monkeypatch):
    monkeypatch.setattr(reports, "LIVE_JUDGMENTS", 0)
    batch = measured_batch(people, items=1)
    Figure.objects.create(
        batch=batch, kind="agreement", number=3, state="failed", error="disk full", created_at=NOW
    )

    assert "The figures could not be computed: disk full" in page_of(client, batch)


@pytest.mark.parametrize(("items", "curves"), [(3, 0), (20, 1)])
def test_turns_get_a_curve_each_where_there_is_something_to_draw(
    client, lead, people, items, curves
):
    batch = make_batch(kind=BatchKind.CONVERSATION)
    for item in make_items(batch, items=items, turns=3):
        for place, person in enumerate(people[:2]):
            path = [*item.response_1.lineage_ids()]
            responses = item.dialogue.responses.filter(pk__in=path)
            judge(item, person, scores={(one, "text_quality"): place for one in responses})

    page = page_of(client, batch)

    assert "Agreement by turn" in page
    assert page.count('class="chart-curve"') == curves


def test_a_small_batch_has_words_where_a_chart_would_be_empty(client, lead, people):
    batch = measured_batch(people, items=2)

    page = page_of(client, batch)

    (table,) = re.findall(r'id="dimensions-title".*?</table>', page)
    assert table.count("Too little to draw") == 1
    assert not re.search(r'class="chart-(axis|row)"', table)


def test_htmx_gets_the_figures_only(client, lead, people):
    batch = measured_batch(people, items=1)

    page = page_of(client, batch, **{"HX-Request": "true"})

    assert page.startswith('<div id="figures"')
    assert "<h1>" not in page


def test_svg_numbers_keep_their_point_in_other_languages(client, lead, people, settings):
    settings.LANGUAGE_CODE = "de"
    batch = measured_batch(people)

    page = page_of(client, batch, **{"Accept-Language": "de"})

    places = re.findall(r' (?:x|cx|x1|x2|width)="([^"]*)"', page)
    assert len(places) > 50
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", place) for place in places)


@pytest.mark.parametrize("items", [1, 3])
def test_the_number_of_queries_does_not_grow(
    client, lead, people, items, django_assert_num_queries
):
    batch = measured_batch(people, items=items)
    for pk in request_figures(now=NOW):
        compute_figure(pk, clock=lambda: NOW)

    # Session, user, member, batch, a figure of each kind, and the navigation's member.
    with django_assert_num_queries(11):
        page_of(client, batch)


def test_strangers_sign_in_first(client, people):
    batch = make_batch()
    url = reverse("annotation:agreement", args=[batch.slug])

    response = client.get(url)

    assert response.status_code == 302
    assert response["Location"].endswith(f"?next={url}")


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER])
def test_only_leads_see_agreement(client, people, role):
    batch = measured_batch(people, items=2)
    client.force_login(make_member(role).user)

    response = client.get(reverse("annotation:agreement", args=[batch.slug]))

    assert response.status_code == 403
    assert b"krippendorff" not in response.content


def test_another_projects_batch_is_not_found(client, lead):
    other = make_batch()
    other.project = Project.objects.create(slug="other", name="Other")
    other.save(update_fields=["project"])

    response = client.get(reverse("annotation:agreement", args=[other.slug]))

    assert response.status_code == 404


def test_the_page_is_only_read(client, lead):
    response = client.post(reverse("annotation:agreement", args=[make_batch().slug]))

    assert response.status_code == 405


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (0.654, ".65"),
        (-0.204, "−.20"),
        (1.0, "1.00"),
        (0.999, "1.00"),
        (0.0, ".00"),
        (-0.004, ".00"),
    ],
)
def test_coefficients_are_written_short(value, written):
    assert coefficient(value) == written


def test_the_batchs_page_leads_with_the_first_figures(client, lead, people):
    batch = measured_batch(people)
    address = reverse("annotation:agreement", args=[batch.slug])

    first = client.get(reverse("annotation:batch", args=[batch.slug])).content.decode()
    page = page_of(client, batch, HX_Request="true", HX_Target="agreement")

    assert f'id="agreement" class="stack" data-live hx-get="{address}" hx-trigger="load' in first
    assert cells(page, "text_quality") == cells(page_of(client, batch), "text_quality")
    assert 'hx-trigger="every 60s"' in page
    assert "position-title" in page
    assert "disagreements-title" in page
    assert "people-title" not in re.findall(r'id="([^"]+)"', page)
    assert "<html" not in page


def test_the_batchs_page_asks_again_soon_while_figures_are_computed(
    client, lead, people, monkeypatch
):
    monkeypatch.setattr(reports, "LIVE_JUDGMENTS", 0)
    batch = measured_batch(people, items=2)

    page = page_of(client, batch, HX_Request="true", HX_Target="agreement")

    assert "The figures are being computed." in page
    assert 'hx-trigger="every 10s"' in page
