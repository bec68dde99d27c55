"""The lead's list of batches, and one batch's page."""

import pytest
from django.urls import reverse

from annotation.actions.assignments import claim_next, flag, skip
from annotation.actions.guidelines import publish_guideline
from annotation.actions.judgments import submit_judgment
from annotation.choices import (
    BatchKind,
    BatchSettings,
    BatchState,
    ReasonRule,
    Role,
    SkipReason,
)
from annotation.models import Batch, Item, Project
from tests.conftest import NOW
from tests.factories import make_batch, make_items, make_lead, make_member
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client):
    """A lead, signed in."""
    member = make_lead("okafor")
    client.force_login(member.user)
    return member


def submit(batch, member):
    assignment = claim_next(batch, by=member, now=NOW)
    submit_judgment(assignment, by=member, body=full_body(assignment), key="k", now=NOW)


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


# --- The list


def test_the_list_says_how_far_each_batch_is(client, lead):
    batch, (heron, _) = open_batch_with(items=2, seats=2, slug="wave-1")
    submit(batch, heron)
    Item.objects.filter(batch=batch, assignments=None).update(parked_at=NOW)
    make_batch(state=BatchState.DRAFT, slug="wave-2")

    page = text_of(client.get(reverse("annotation:batches")))

    assert f'<a href="/batches/wave-1/">{batch.title}</a>' in page
    assert '<span class="nowrap">1 of 4</span>' in page
    assert '<a href="/batches/wave-1/#waiting">1 parked</a>' in page
    assert '<a href="/batches/wave-2/">' in page
    assert '<span class="nowrap">0 of 0</span>' in page
    assert "New batch" not in page


def test_scores_against_preference_are_a_dash_where_nothing_is_compared(client, lead):
    batch, (heron, _) = open_batch_with(kind=BatchKind.CONVERSATION, slug="wave-1")
    submit(batch, heron)

    page = text_of(client.get("/batches/wave-1/"))

    assert '<p class="figure">–</p> <p class="second">no preference yet</p>' in page
    assert "0 of 1 item has all its seats submitted." in page


def test_a_list_without_batches_says_what_to_do(client, lead):
    assert "Import dialogues first" in text_of(client.get(reverse("annotation:batches")))


def test_a_lead_with_the_admin_is_offered_a_new_batch(client, lead):
    lead.user.is_staff = True
    lead.user.save()

    assert 'href="/admin/annotation/batch/add/"' in text_of(
        client.get(reverse("annotation:batches"))
    )


# --- One batch


def test_the_page_shows_progress_people_and_what_waits(client, lead):
    batch, (heron, larch) = open_batch_with(items=3, seats=2, slug="wave-1")
    submit(batch, heron)
    skipped = claim_next(batch, by=heron, now=NOW)
    skip(skipped, by=heron, reason=SkipReason.TOO_LONG, note="An hour & more", now=NOW)
    Item.objects.filter(pk=skipped.item_id).update(parked_at=NOW)
    flag(claim_next(batch, by=larch, now=NOW), by=larch, note="Which picture?", now=NOW)

    page = text_of(client.get(reverse("annotation:batch", args=["wave-1"])))

    assert '<span class="figure">1</span> <span class="second">of 6 submitted, 16 %</span>' in page
    assert '<a href="#waiting">1 parked</a>' in page
    assert '<a href="#waiting">1 flagged</a>' in page
    assert f"{heron.pseudonym}: too long: <q>An hour &amp; more</q>" in page
    assert f"{larch.pseudonym}: <q>Which picture?</q>" in page
    assert f'<th scope="row">{heron.pseudonym}</th> <td class="number">1</td>' in page
    assert f'value="{skipped.item.public_id}"' in page
    assert "evidence number 1." in page


def test_htmx_gets_only_the_part_that_moves(client, lead):
    open_batch_with(slug="wave-1")

    whole = text_of(client.get("/batches/wave-1/"))
    part = text_of(client.get("/batches/wave-1/", headers={"HX-Request": "true"}))
    boosted = text_of(
        client.get("/batches/wave-1/", headers={"HX-Request": "true", "HX-Boosted": "true"})
    )

    assert part.startswith('<div id="progress"')
    assert 'hx-trigger="every 30s"' in part
    assert "<html" not in part
    assert "<html" in whole
    assert "<html" in boosted


def test_the_page_holds_no_style_or_script_of_its_own(client, lead):
    batch, (heron, _) = open_batch_with(slug="wave-1")
    submit(batch, heron)

    page = client.get("/batches/wave-1/").content.decode()

    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert "<script>" not in page


# --- Steps


def test_a_batch_is_opened_paused_closed_and_reopened_on_its_page(client, lead):
    batch = make_batch(
        state=BatchState.DRAFT, slug="wave-1", members=[make_member(), make_member()]
    )
    make_items(batch, items=1, seats=0)

    states = []
    for step in ("open", "pause", "open", "close", "reopen"):
        response = client.post("/batches/wave-1/state/", {"step": step}, follow=True)
        assert response.redirect_chain == [("/batches/wave-1/", 302)]
        states.append(Batch.objects.get().state)
        assert f"The batch is {states[-1]}." in text_of(response)

    assert states == ["open", "paused", "open", "closed", "open"]
    assert [entry["by"] for entry in Batch.objects.get().history] == ["okafor"] * 5


def test_a_step_that_is_refused_says_why(client, lead):
    make_batch(state=BatchState.DRAFT, slug="wave-1")

    closed = text_of(client.post("/batches/wave-1/state/", {"step": "close"}, follow=True))
    opened = text_of(client.post("/batches/wave-1/state/", {"step": "open"}, follow=True))
    other = text_of(client.post("/batches/wave-1/state/", {"step": "burn"}, follow=True))

    assert "wave-1 is draft: it can be closed only while open or paused." in closed
    assert "The batch has no items: nothing could be judged." in opened
    assert "Choose to open, pause, close or reopen." in other
    assert Batch.objects.get().state == BatchState.DRAFT


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("draft", {"open"}),
        ("open", {"pause", "close"}),
        ("paused", {"open", "close"}),
        ("closed", {"reopen"}),
    ],
)
def test_only_steps_that_can_be_taken_are_offered(client, lead, state, offered):
    make_batch(state=BatchState(state), slug="wave-1")

    page = client.get("/batches/wave-1/").content.decode()

    assert {step for step in ("open", "pause", "close", "reopen") if f'value="{step}"' in page} == (
        offered
    )


def test_a_parked_item_is_offered_again(client, lead):
    batch, _ = open_batch_with(items=2, slug="wave-1")
    Item.objects.update(parked_at=NOW)
    chosen, other = batch.items.order_by("position")

    page = client.post("/batches/wave-1/offer-again/", {"item": chosen.public_id}, follow=True)
    none = client.post("/batches/wave-1/offer-again/", {"item": "x"}, follow=True)

    assert "1 item is offered again." in text_of(page)
    assert "Choose items of one batch." in text_of(none)
    assert list(batch.items.parked()) == [other]


# --- Who and how


DOORS = [
    ("get", "/batches/"),
    ("get", "/batches/wave-1/"),
    ("post", "/batches/wave-1/state/"),
    ("post", "/batches/wave-1/offer-again/"),
]


@pytest.mark.parametrize(("method", "url"), DOORS)
def test_strangers_sign_in_first(client, method, url):
    make_batch(slug="wave-1")

    response = getattr(client, method)(url)

    assert response.status_code == 302
    assert response.url == f"/sign-in/?next={url if method == 'get' else '/'}"


@pytest.mark.parametrize(("method", "url"), DOORS)
@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER, None])
def test_annotators_and_reviewers_are_kept_out(client, method, url, role):
    member = make_member(role or Role.LEAD)
    if role is None:  # a lead who has left
        member.ended_at = NOW
        member.save()
    batch = make_batch(slug="wave-1", members=[member])
    client.force_login(member.user)

    response = getattr(client, method)(url, {"step": "pause"})

    assert response.status_code == 403
    assert batch.title not in response.content.decode()
    assert Batch.objects.get().state == BatchState.OPEN


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("post", "/batches/wave-1/"),
        ("get", "/batches/wave-1/state/"),
        ("get", "/batches/wave-1/offer-again/"),
    ],
)
def test_other_methods_are_refused(client, lead, method, url):
    make_batch(slug="wave-1")

    assert getattr(client, method)(url, {"step": "pause"}).status_code == 405
    assert Batch.objects.get().state == BatchState.OPEN


def test_batches_of_another_project_are_not_there(client, lead):
    batch = make_batch(slug="wave-1")
    batch.project = Project.objects.create(slug="other", name="Other")
    batch.save()

    assert client.get("/batches/wave-1/").status_code == 404
    assert client.post("/batches/wave-1/state/", {"step": "pause"}).status_code == 404
    assert "wave-1" not in client.get("/batches/").content.decode()


# --- Queries


@pytest.mark.parametrize("count", [1, 3])
def test_three_rows_take_as_many_queries_as_one(client, lead, count, django_assert_num_queries):
    batch, people = open_batch_with(items=count, seats=count, people=count, slug="wave-1")
    for member in people:
        submit(batch, member)
    Item.objects.update(parked_at=NOW)
    for _ in range(count - 1):
        make_batch()

    # Session and user, the membership for the door and for the navigation, and the rows.
    with django_assert_num_queries(4 + 4):
        client.get("/batches/")
    # The reviews; and the quality of so small a batch, computed while the page waits.
    with django_assert_num_queries(4 + 1 + 17 + 3 + 2 + 7 + 25):
        client.get("/batches/wave-1/")
    with django_assert_num_queries(3 + 1 + 17 + 3 + 2):
        client.get("/batches/wave-1/", headers={"HX-Request": "true"})


def test_the_page_says_what_is_asked_and_what_was_done(client, lead):
    settings = BatchSettings(reasons={"text_quality": ReasonRule(at_or_below=1, share=0.2)})
    make_batch(kind=BatchKind.CONVERSATION_PAIR, slug="wave-1", settings=settings)
    make_batch(kind=BatchKind.CONVERSATION, slug="wave-2", left_out={"unequal_length": 4})
    client.post("/batches/wave-1/state/", {"step": "pause"})

    pair = text_of(client.get("/batches/wave-1/"))
    single = text_of(client.get("/batches/wave-2/"))

    assert "<dt>reason: text_quality</dt><dd>at or below 1, share 0.2</dd>" in pair
    assert "<dt>preference scale</dt><dd>with ties and both bad</dd>" in pair
    assert 'paused <span class="quiet">okafor</span>' in pair
    assert "preference scale" not in single
    assert '<dt>unequal length</dt><dd class="number">4</dd>' in single


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (BatchSettings(overlap=3), "Overlap 3."),
        (BatchSettings(overlap=2, overlap_high=5), "Overlap 2, on a share of the items 5."),
        (BatchSettings(everyone=True), "Everyone judges every item."),
    ],
)
def test_the_head_says_what_the_batch_is(client, lead, settings, says):
    rules = publish_guideline("rules", texts={"en": "Be fair."}, by=lead, now=NOW)
    batch = make_batch(slug="wave-1", settings=settings, guideline=rules)
    make_batch(slug="wave-2", state=BatchState.DRAFT)

    opened = text_of(client.get("/batches/wave-1/")).partition('class="row batch-steps"')[0]
    draft = text_of(client.get("/batches/wave-2/")).partition('class="row batch-steps"')[0]

    assert f"Turn pairs, main. {says} Rubric {batch.rubric}. Guideline rules." in opened
    assert '<span class="tag batch-state-open">open</span> Opened 2 Mar' in opened
    assert "Guideline" not in draft.partition("<h1>")[2]
    assert '<span class="tag batch-state-draft">draft</span>' in draft
    assert "Opened" not in draft


def test_the_page_says_how_often_and_how_long_an_item_is_held_for_a_break(client, lead):
    make_batch(slug="wave-1", settings=BatchSettings(holds_per_day=2, hold_minutes=90))
    make_batch(slug="wave-2", settings=BatchSettings(holds_per_day=0))

    two = text_of(client.get("/batches/wave-1/"))
    none = text_of(client.get("/batches/wave-2/"))

    assert "<dt>holds for a break, a day</dt><dd>2</dd>" in two
    assert "<dt>hold, minutes</dt><dd>90</dd>" in two
    assert "<dt>holds for a break, a day</dt><dd>0</dd>" in none
    assert "hold, minutes" not in none


@pytest.mark.parametrize(
    ("state", "asks"), [("draft", 0), ("open", 1), ("paused", 1), ("closed", 0)]
)
def test_only_a_batch_that_can_move_is_asked_about_again(client, lead, state, asks):
    make_batch(state=BatchState(state), slug="wave-1")

    page = client.get("/batches/wave-1/").content.decode()
    assert page.count('hx-trigger="every 30s"') == asks


def test_a_lead_pauses_a_person_from_the_page_and_lets_them_go_on(client, lead):
    _batch, (person, _other) = open_batch_with(slug="wave-1")
    address = f"/batches/wave-1/people/{person.public_id}/"

    client.post(address, {"step": "pause", "reason": "Let us <talk>"})
    page = client.get("/batches/wave-1/").content.decode()
    assert "Let us &lt;talk&gt;" in page
    assert person.participations.get().pause_reason == "Let us <talk>"

    client.post(address, {"step": "resume"})
    assert person.participations.get().paused_at is None


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"step": "pause"}, "Say why"),
        ({"step": "pause", "reason": "nul \x00" + "x" * 300}, "Say why"),
        ({"step": "fire"}, "Choose to pause"),
        ({}, "Choose to pause"),
    ],
)
def test_a_step_that_says_too_little_changes_nothing(client, lead, told, says):
    _batch, (person, _other) = open_batch_with(slug="wave-1")

    page = client.post(f"/batches/wave-1/people/{person.public_id}/", told, follow=True)

    assert says in page.content.decode()
    assert person.participations.get().paused_at is None


def test_annotators_and_strangers_pause_nobody(client, lead):
    _batch, (person, _other) = open_batch_with(slug="wave-1")
    address = f"/batches/wave-1/people/{person.public_id}/"
    assert client.post("/batches/wave-1/people/nobody/", {"step": "resume"}).status_code == 404
    client.force_login(person.user)

    assert client.post(address, {"step": "pause", "reason": "No."}).status_code == 403
    assert person.participations.get().paused_at is None
