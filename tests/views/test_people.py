"""Pages about annotators: the lead's, and what a person may see of themselves."""

import csv
import io
import re

import pytest
from django.urls import reverse

from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.choices import BatchKind, BatchSettings, BatchState, OwnFigures, Role
from annotation.models import Participation, Project
from annotation.reports.annotators import batch_annotators
from annotation.templatetags.figures import chance, points
from tests.factories import NOW, make_batch, make_lead, make_member
from tests.measured import measured_batch

pytestmark = pytest.mark.django_db

LEADS_PAGES = ["agreement", "annotator-pairs", "disagreements", "ratings-matrix"]


@pytest.fixture
def people():
    return [make_member(name=name) for name in ("fern", "moss", "reed")]


@pytest.fixture
def lead(client):
    member = make_lead("okafor")
    client.force_login(member.user)
    return member


def batch_with(people, **more):
    batch = measured_batch(people, items=more.pop("items", 12), noise=2, **more)
    for person in people:
        Participation.objects.create(batch=batch, member=person)
    return batch


def page_of(client, name, *parts):
    response = client.get(reverse(f"annotation:{name}", args=parts))
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return " ".join(content.decode().split())


def test_the_lead_sees_a_persons_figures_as_the_report_says_them(client, lead, people):
    batch = batch_with(people)

    page = page_of(client, "annotator", batch.slug, people[0].public_id)

    figures = batch_annotators(batch).annotators[0].dimensions[0]
    assert "<h1>fern</h1>" in page
    assert points(figures.severity) in page
    assert chance(figures.q) in page
    assert points(figures.alpha_change) in page


def test_the_table_of_annotators_and_the_disagreements_stand_on_the_batchs_page(
    client, lead, people
):
    batch = batch_with(people)

    page = page_of(client, "agreement", batch.slug)

    for person in people:
        assert reverse("annotation:annotator", args=[batch.slug, person.public_id]) in page
    assert "Where they differ most" in page
    assert "Did length or pictures decide?" in page


def test_the_pair_matrix_has_each_two_people_from_both_sides(client, lead, people):
    batch = batch_with(people)
    pair = batch_annotators(batch).pairs[0]

    page = page_of(client, "annotator-pairs", batch.slug)

    assert page.count(f"{points(pair.difference)}, {pair.units}") >= 1
    assert page.count(f"{points(-pair.difference)}, {pair.units}") >= 1


def test_an_item_is_opened_to_be_read_with_its_judgments_side_by_side(client, lead, people):
    batch = batch_with(people, items=2)

    page = page_of(client, "batch-item", batch.slug, batch.items.first().public_id)

    for person in people:
        assert person.pseudonym in page
    assert 'method="post"' not in page.split("<main")[1]


def test_the_page_of_a_gold_item_tells_the_lead_what_is_known_of_it(client, lead, people):
    batch = batch_with(people, items=2)
    gold, other = batch.items.order_by("pk")
    answers = [
        KnownAnswer(gold, "overall", response="1", outcome="prefers"),
        KnownAnswer(
            gold, "text_quality", response="1", score=2, tolerance=1, feedback="It repeats itself."
        ),
    ]
    set_gold_answers(answers, by=lead, now=NOW)

    page = page_of(client, "batch-item", batch.slug, gold.public_id)
    without = page_of(client, "batch-item", batch.slug, other.public_id)

    told = page[page.index("What is known of this item") :]
    assert re.search(r"Preference: Overall: <strong>prefers [AB]</strong>", told)
    assert re.search(r"turn \d: text_quality: <strong>2 word 2 \(± 1\)</strong>", told)
    assert "It repeats itself." in told
    assert "What is known" not in without


def test_what_is_known_of_a_whole_conversation_names_no_turn(client, lead, people):
    batch = batch_with(people, items=1, kind=BatchKind.CONVERSATION_PAIR)
    item = batch.items.get()
    set_gold_answers([KnownAnswer(item, "helpfulness", response="1", score=2)], by=lead, now=NOW)

    page = page_of(client, "batch-item", batch.slug, item.public_id)

    assert re.search(r"[AB], whole: helpfulness: <strong>2 word 2</strong>", page)


def test_the_ratings_matrix_is_the_independent_set_as_csv(client, lead, people):
    batch = batch_with(people, items=3)

    response = client.get(reverse("annotation:ratings-matrix", args=[batch.slug]))

    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert len(rows) == 3 * 3 * 8
    assert {row["set"] for row in rows} == {"independent"}
    assert response["Content-Disposition"].startswith("attachment;")


def test_the_list_of_disagreements_is_paged(client, lead, people):
    batch = batch_with(people, items=40)

    first, second = (
        client.get(reverse("annotation:disagreements", args=[batch.slug]), {"page": number})
        for number in (1, 2)
    )

    assert first.content.decode().count("#turn-") == 50
    assert first.content != second.content


def test_ones_own_figures_wait_until_the_batch_is_closed(client, people):
    batch = batch_with(people)
    client.force_login(people[0].user)

    open_page = page_of(client, "own-figures", batch.slug)
    batch.state = BatchState.CLOSED
    batch.save(update_fields=["state"])
    closed_page = page_of(client, "own-figures", batch.slug)

    assert "it can be seen: once the batch is closed" in open_page
    assert "Beside the others" not in open_page
    assert "Beside the others" in closed_page


@pytest.mark.parametrize(("own", "seen"), [(OwnFigures.ANY_TIME, True), (OwnFigures.NEVER, False)])
def test_a_batch_says_when_own_figures_are_shown(client, people, own, seen):
    batch = batch_with(people, settings=BatchSettings(own_figures=own))
    client.force_login(people[0].user)

    assert ("Beside the others" in page_of(client, "own-figures", batch.slug)) == seen


def test_ones_own_page_names_nobody_else_and_no_alpha_of_the_rest(client, people):
    batch = batch_with(people, settings=BatchSettings(own_figures=OwnFigures.ANY_TIME))
    client.force_login(people[0].user)

    page = page_of(client, "own-figures", batch.slug)

    for other in people[1:]:
        assert other.pseudonym not in page
        assert other.public_id not in page
    assert "Alpha without" not in page
    assert points(batch_annotators(batch).annotators[0].dimensions[0].severity) in page


def test_two_people_see_nothing_of_each_other(client, people):
    settings = BatchSettings(own_figures=OwnFigures.ANY_TIME)
    batch = batch_with(people[:2], settings=settings)
    client.force_login(people[0].user)

    page = page_of(client, "own-figures", batch.slug)

    assert "Fewer than three people" in page
    assert "Beside the others" not in page


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER])
def test_only_leads_see_figures_of_others(client, people, role):
    batch = batch_with(people, items=2)
    client.force_login(make_member(role).user)
    person, item = people[0].public_id, batch.items.first().public_id

    answers = [client.get(reverse(f"annotation:{name}", args=[batch.slug])) for name in LEADS_PAGES]
    answers.append(client.get(reverse("annotation:annotator", args=[batch.slug, person])))
    answers.append(client.get(reverse("annotation:batch-item", args=[batch.slug, item])))

    assert [one.status_code for one in answers] == [403] * 6


def test_who_is_not_in_the_batch_has_no_figures_there(client, people):
    batch = batch_with(people, items=1)
    client.force_login(make_member().user)

    assert client.get(reverse("annotation:own-figures", args=[batch.slug])).status_code == 404


@pytest.mark.parametrize("name", LEADS_PAGES)
def test_another_projects_batch_is_not_found(client, lead, name):
    other = make_batch(kind=BatchKind.TURN_PAIR)
    other.project = Project.objects.create(slug="other", name="Other")
    other.save(update_fields=["project"])

    assert client.get(reverse(f"annotation:{name}", args=[other.slug])).status_code == 404


@pytest.mark.parametrize(
    ("value", "written"), [(None, "–"), (0.144, "+0.14"), (-0.3, "−0.30"), (0.0, "0.00")]
)
def test_differences_are_written_with_their_sign(value, written):
    assert points(value) == written


@pytest.mark.parametrize("part", ["quality", "batch-reviews"])
def test_parts_of_the_batchs_page_come_alone_when_they_ask(client, part):
    batch = make_batch()
    client.force_login(make_lead().user)
    headers = {"HX-Request": "true", "HX-Target": part}

    answer = client.get(f"/batches/{batch.slug}/", headers=headers)

    page = answer.content.decode().lstrip()
    assert page.startswith("<section")
    assert f'id="{part}"' in page
    assert "HX-Target" in answer.headers["Vary"]


@pytest.mark.parametrize("path", ["annotators/", "disagreements/", "consensus/", "models/"])
def test_pages_of_figures_ask_for_what_moves(client, path):
    batch = make_batch()
    client.force_login(make_lead().user)
    url = f"/batches/{batch.slug}/{path}"

    whole = client.get(url).content.decode()
    part = client.get(url, headers={"HX-Request": "true"}).content.decode().lstrip()

    assert f'data-live hx-get="{url}"' in whole
    assert part.startswith('<div id="moving"')
    assert "<html" not in part
