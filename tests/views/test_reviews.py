"""The reviewers' pages: who sees them, what they show, what they send."""

import pytest
from django.urls import reverse

from annotation.actions.adjudications import (
    adjudicate,
    begin_adjudication,
    open_adjudication,
)
from annotation.actions.assignments import claim_next
from annotation.actions.judgments import submit_judgment
from annotation.actions.reviews import Looked, begin_fix
from annotation.choices import AssignmentState, BatchKind, Cause, Role, SignalKind
from annotation.models import Assignment, Figure, Judgment, Review, Sight
from annotation.reports.progress import batch_progress
from annotation.reports.quality import BatchQuality, PersonQuality
from annotation.reports.signals import Signal
from tests.actions.test_reviews import LATER, a_place, drawn_blind, judged, reviewer
from tests.factories import make_lead
from tests.judged import judge
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db


def page_of(judgment):
    return reverse("annotation:review", args=[judgment.assignment.public_id])


def decide(client, judgment, do, **more):
    data = {"do": do, "judgment": judgment.public_id, "review": "0", **more}
    return client.post(page_of(judgment), data)


def fields_for(assignment, **more):
    """A full body as the form's fields."""
    body = full_body(assignment, **more)
    fields = {
        f"score.{response}.{dimension}": str(value["score"])
        for response, dimensions in body["ratings"].items()
        for dimension, value in dimensions.items()
    }
    fields |= {
        f"preference.{key}": f"{value['preferred']}:1" for key, value in body["preferences"].items()
    }
    return fields


def test_annotators_see_no_page_of_the_reviewers(client):
    _, [one, two] = judged()
    open_adjudication(one.item, by=make_lead(), now=LATER)
    client.force_login(two.member.user)
    decision = reverse("annotation:adjudication", args=[one.item.public_id])

    for url in (reverse("annotation:reviews"), page_of(one), decision):
        assert client.get(url).status_code == 403
    assert "Reviews" not in client.get("/").content.decode()


def test_the_queue_costs_the_same_for_one_judgment_and_many(client, django_assert_max_num_queries):
    judged(people=4)
    client.force_login(reviewer().user)

    with django_assert_max_num_queries(30):
        page = client.get(reverse("annotation:reviews"), {"which": "all"}).content.decode()

    assert page.count(">Review<") == 4


def test_the_queue_is_narrowed_by_annotator_flag_and_difference(client):
    _, [one, two] = judged(people=2)
    Assignment.objects.filter(pk=two.assignment_id).update(flagged_at=LATER, flag_note="odd")
    client.force_login(reviewer().user)

    def shown(**query):
        page = client.get(reverse("annotation:reviews"), {"which": "all", **query})
        return page.content.decode().count(">Review<")

    assert shown() == 2
    assert shown(annotator=one.member.pseudonym) == 1
    assert shown(flagged="1") == 1
    assert shown(differ="1") == 0  # one point apart
    assert shown(annotator="nobody\x00") == 0


def test_signs_narrow_the_queue_by_what_a_worker_stored_and_say_its_number(
    client, django_assert_max_num_queries
):
    batch, [one, _] = judged(people=2)
    client.force_login(reviewer().user)
    url = reverse("annotation:reviews")
    asked = {"which": "all", "signs": "1"}

    page = client.get(url, asked).content.decode()
    assert "not computed yet" in page
    assert page.count(">Review<") == 0

    sign = Signal(SignalKind.SIDE, {"first": 20, "decided": 20, "share": 1.0})
    author = one.member
    person = PersonQuality(author.public_id, author.pseudonym, (sign,), gold=None, repeats=None)
    body = BatchQuality(batch.slug, 1, (person,)).as_dict()
    Figure.objects.create(
        batch=batch, kind="quality", number=1, created_at=LATER, state="done", body=body,
        finished_at=LATER,
    )  # fmt: skip
    with django_assert_max_num_queries(34):
        page = client.get(url, asked).content.decode()

    assert "Signs at evidence number 1." in page
    assert "newer figures follow" in page
    assert page.count(">Review<") == 1
    assert f", {author.pseudonym}</span></a>" in page


def test_a_lead_has_an_item_decided_from_the_list_of_differences(client):
    batch, people = open_batch_with()
    item = batch.items.get()
    for member, score in zip(people, (0, 3), strict=True):
        judge(item, member, scores={(item.response_1, "text_quality"): score})
    client.force_login(make_lead().user)
    opens = reverse("annotation:adjudication-open", args=[item.public_id])

    for name in ("annotation:disagreements", "annotation:agreement"):
        page = client.get(reverse(name, args=[batch.slug])).content.decode()
        assert f'<form method="post" action="{opens}">' in page
    client.post(opens)
    page = client.get(reverse("annotation:batch", args=[batch.slug])).content.decode()

    assert f'href="/reviews/?batch={batch.slug}#decide-title">1 to decide</a>' in page
    again = client.post(opens, follow=True).content.decode()
    assert "The item waits already." in again
    assert "The item waits to be decided, under Reviews." not in again
    for name in ("annotation:disagreements", "annotation:agreement"):
        page = client.get(reverse(name, args=[batch.slug])).content.decode()
        assert opens not in page
        assert "waits to be decided" in page


def test_where_they_differ_most_comes_first_within_a_turn(client):
    batch, people = open_batch_with()
    item, lead = batch.items.get(), make_lead()
    apart = {"text_quality": 3, "context_coherence": 1, "visual_perceptual_quality": 2}
    for place, member in enumerate(people):
        scores = {(item.response_1, key): place * points for key, points in apart.items()}
        judge(item, member, scores=scores)
    open_adjudication(item, by=lead, now=LATER)
    client.force_login(lead.user)
    url = reverse("annotation:adjudication", args=[item.public_id])
    client.post(url, {"do": "begin"})

    page = client.get(url).content.decode()

    words = ["3 points apart", "2 points apart", "1 point apart"]
    places = [page.rindex(one) for one in words]
    assert places == sorted(places)


def test_the_review_shows_the_answers_beside_the_conversation_and_notes_the_sight(client):
    _, [one, _] = judged(kind=BatchKind.CONVERSATION_PAIR)
    heron = reviewer()
    client.force_login(heron.user)

    page = client.get(page_of(one)).content.decode()

    assert one.member.pseudonym in page
    assert "1 word 1" in page
    assert page.count("data-place") >= one.ratings.count() + one.preferences.count()
    assert Sight.objects.get().member == heron


def test_accepting_goes_to_the_next_at_once(client):
    batch, [one, two] = judged()
    client.force_login(reviewer().user)

    reply = decide(client, one, "accept", queue=f"batch={batch.slug}&which=all")

    assert Review.objects.get().judgment == one
    assert reply.url.startswith(page_of(two))


def test_a_refused_return_keeps_what_was_written_and_marked(client):
    _, [one, _] = judged()
    client.force_login(reviewer().user)

    reply = decide(client, one, "return", place=a_place(one), note="")

    assert reply.status_code == 422
    page = reply.content.decode()
    assert "Say what to look at again." in page
    assert f'value="{a_place(one)}" data-place checked' in page
    assert not Review.objects.exists()


def test_the_desk_of_the_author_names_turn_letter_dimension_score_and_note(client):
    _, [one, _] = judged()
    client.force_login(reviewer().user)
    rating = one.ratings.select_related("response", "dimension").get(
        response=one.item.response_1, dimension__key="text_quality"
    )
    decide(
        client,
        one,
        "return",
        place=f"{rating.response.public_id}.text_quality",
        note="Look at the legs.",
    )

    client.force_login(one.member.user)
    desk = client.get("/").content.decode()
    own = client.get(reverse("annotation:assignment", args=[one.assignment.public_id]))

    letter = "A" if one.shown_first == 1 else "B"
    anchor = f"#q-{rating.response.public_id}.text_quality"
    for page in (desk, own.content.decode()):
        assert f"Turn 2, {letter}, text_quality" in page
        assert "You gave 1 word 1." in page
        assert "Look at the legs." in page
        assert anchor in page
    assert "Open at turn 2" in desk


def test_a_fix_is_begun_with_the_authors_answers_and_sent_from_the_judging_page(client):
    _, [one, _] = judged()
    heron = reviewer()
    client.force_login(heron.user)
    url = decide(client, one, "fix").url
    mine = Assignment.objects.get(member=heron)

    page = client.get(url)
    sent = client.post(
        url,
        {
            **fields_for(mine, score=3),
            "submission_key": page.context["submission_key"],
            "reviewed": page.context["fixing"].judgment,
            "review": page.context["fixing"].review,
        },
    )

    assert "You fix the judgment of" in page.content.decode()
    assert {
        rating.value
        for turn in page.context["page"].turns
        for row in turn.rows
        for rating in row.ratings
    } == {"1"}
    assert sent.url.startswith(reverse("annotation:reviews-next"))
    assert Review.objects.get().fix.cause == Cause.FIX
    assert client.get("/").context["desk"].work_count == 0


def test_a_fix_of_what_its_author_corrected_meanwhile_is_refused_and_kept(client):
    _, [one, _] = judged()
    heron = reviewer()
    client.force_login(heron.user)
    url = decide(client, one, "fix").url
    page = client.get(url)
    author = Assignment.objects.get(pk=one.assignment_id)
    submit_judgment(author, by=one.member, body=full_body(author, score=0), key="k2", now=LATER)

    mine = Assignment.objects.get(member=heron)
    sent = client.post(
        url,
        {**fields_for(mine), "submission_key": "x", "reviewed": page.context["fixing"].judgment},
        headers={"accept": "application/json"},
    )

    assert sent.status_code == 409
    assert "another version" in sent.json()["message"]
    assert not Judgment.objects.filter(member=heron).exists()


def test_a_blind_review_begins_with_judging_and_shows_nothing_before(client):
    batch, [one, _] = judged()
    drawn_blind(batch)
    heron = reviewer()
    client.force_login(heron.user)

    before = client.get(page_of(one)).content.decode()
    assert "reviewed blind" in before
    assert "word 1" not in before
    url = client.post(page_of(one), {"do": "begin"}).url
    judging = client.get(url).content.decode()
    assert one.member.pseudonym not in judging
    assert not Sight.objects.exists()
    mine = Assignment.objects.get(member=heron)
    sent = client.post(url, {**fields_for(mine, score=3), "submission_key": "b"})

    assert sent.url == page_of(one)
    beside = client.get(sent.url).content.decode()
    assert "2 points apart" in beside
    assert "a blind review" in beside


def test_the_adjudication_shows_all_side_by_side_and_takes_the_decision(client):
    _, [one, two] = judged()
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    client.force_login(lead.user)
    url = reverse("annotation:adjudication", args=[one.item.public_id])
    assert client.get(url).url == reverse("annotation:reviews")
    client.post(url, {"do": "begin"})

    page = client.get(url)
    text = page.content.decode()
    for judgment in (one, two):
        assert judgment.member.pseudonym in text
    assert "1 point apart" in text
    assert "other way round" not in text  # nobody has written a text
    mine = Assignment.objects.get(member=lead)
    data = {**fields_for(mine, score=0), "submission_key": page.context["submission_key"]}
    refused = client.post(url, data)
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    client.post(url, {**data, "rationale": "The legs float."})

    assert Judgment.objects.get(member=lead).cause == Cause.ADJUDICATION
    assert mine.state == AssignmentState.HELD
    again = client.get(url).content.decode()
    assert "You decided this" in again


def test_letters_in_texts_are_told_where_a_person_saw_the_sides_the_other_way_round(client):
    batch, members = open_batch_with()
    for member in members:
        held = claim_next(batch, by=member, now=LATER)
        body = full_body(held)
        body["remarks"] = {"rationale": {"text": "A is sharper."}}
        submit_judgment(held, by=member, body=body, key="k", now=LATER)
    lead = make_lead()
    item = batch.items.get()
    open_adjudication(item, by=lead, now=LATER)
    client.force_login(lead.user)
    url = reverse("annotation:adjudication", args=[item.public_id])
    client.post(url, {"do": "begin"})

    page = client.get(url).content.decode()

    assert page.count("the other way round") == 1


def test_only_a_lead_opens_an_adjudication(client):
    _, [one, _] = judged()
    url = reverse("annotation:adjudication-open", args=[one.item.public_id])
    client.force_login(reviewer().user)
    assert client.post(url).status_code == 403

    client.force_login(make_lead().user)
    client.post(url)

    assert one.item.seats.filter(purpose="adjudication").count() == 1


def test_a_reviewer_who_judged_the_item_may_not_see_others_there(client):
    _, [one, two] = judged()
    type(one.member).objects.filter(pk=one.member_id).update(role=Role.REVIEWER)
    client.force_login(one.member.user)

    assert client.get(page_of(two)).status_code == 403
    assert client.get(page_of(one)).status_code == 404


def test_the_batch_counts_reviewers_and_deciders_as_no_annotators():
    batch, [one, _] = judged()
    heron, lead = reviewer(), make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    mine = begin_adjudication(one.item, by=lead, now=LATER)
    adjudicate(mine, by=lead, body=full_body(mine), reason="why", key="d", now=LATER)
    begin_fix(Looked(one), by=heron, now=LATER)

    progress = batch_progress(batch, now=LATER)

    assert (progress.reviews, progress.adjudications, progress.waits) == (0, 0, 0)
    assert len(progress.annotators) == 2
    assert (progress.judgments, progress.assignments["held"]) == (2, 0)
