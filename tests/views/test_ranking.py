"""The lead's pages of models by preferences, and of one answer from several."""

import pytest
from django.urls import reverse

from tests.factories import make_batch, make_items, make_lead, make_member
from tests.judged import judge
from tests.measured import measured_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return [make_member(name=f"person-{number}") for number in range(3)]


@pytest.fixture
def lead(client):
    lead = make_lead()
    client.force_login(lead.user)
    return lead


def page(client, name, batch, **headers):
    return client.get(reverse(f"annotation:{name}", args=[batch.slug]), headers=headers)


def between(batch, people, said):
    for item, outcomes in zip(make_items(batch, items=len(said), seats=3), said, strict=True):
        for response, model in ((item.response_1, "amber"), (item.response_2, "birch")):
            response.source = {"model": model}
            response.save(update_fields=["source"])
        for person, outcome in zip(people, outcomes, strict=True):
            judge(
                item, person, overall={1: item.response_1, 2: item.response_2}.get(outcome, "tie")
            )


def test_models_are_named_with_their_strengths(client, lead, people):
    batch = make_batch()
    between(batch, people, [(1, 1, 2), (1, 0, 1), (2, 1, 1)] * 4)

    told = page(client, "ranking", batch).content.decode()

    assert told.index(">amber<") < told.index(">birch<")
    assert told.count('class="chart-loose"') == 2
    assert "preferences on 12 dialogues, fewer than 100" in told
    assert f"--batch {batch.slug} --of ranking --at 36" in told


def test_too_few_preferences_show_counts_and_no_strength(client, lead, people):
    batch = make_batch()
    between(batch, people, [(1, 1, 2)])

    told = page(client, "ranking", batch).content.decode()

    assert "3 preferences between models; 20 are the least" in told
    assert ">amber<" in told
    assert "Log odds" not in told


def test_models_without_a_common_scale_are_told_so(client, lead, people):
    batch = make_batch()
    between(batch, people, [(1, 1, 1)] * 8)

    told = page(client, "ranking", batch).content.decode()

    assert "some models only won, or only lost, against the rest: no scale" in told


def test_items_without_a_majority_are_opened_from_the_page(client, lead, people):
    batch = make_batch()
    between(batch, people, [(1, 0, 2), (1, 1, 1), (1, 1, 2)])
    item = batch.items.get(position=0)

    told = page(client, "consensus", batch).content.decode()

    assert reverse("annotation:batch-item", args=[batch.slug, item.public_id]) in told
    assert "side 1 better 1, tie 1, side 2 better 1" in told


@pytest.mark.parametrize("name", ["ranking", "consensus"])
def test_htmx_gets_the_part_that_moves_alone_and_others_are_refused(client, lead, people, name):
    batch = measured_batch(people, items=2)

    part = page(client, name, batch, **{"HX-Request": "true"}).content.decode()

    assert part.lstrip().startswith('<div id="moving"')
    assert "<html" not in part
    client.force_login(people[0].user)
    assert page(client, name, batch).status_code == 403


@pytest.mark.parametrize("name", ["ranking", "consensus"])
def test_an_empty_batch_has_the_pages_too(client, lead, name):
    assert page(client, name, make_batch()).status_code == 200
