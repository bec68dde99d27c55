"""Where a person starts: what waits, what was done, the guideline, the screen."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next, release_lapsed, skip
from annotation.actions.drafts import save_draft
from annotation.actions.evidence import next_number
from annotation.actions.judgments import submit_judgment, withdraw_judgment
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchState,
    ReviewOutcome,
    Role,
    SkipReason,
)
from annotation.models import (
    Assignment,
    Batch,
    Guideline,
    GuidelineVersion,
    Review,
    User,
)
from annotation.reports.desk import desk
from tests.factories import NOW, make_batch, make_items, make_member, make_project
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db


def submitted(batch, annotator):
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    submit_judgment(
        assignment, by=annotator, body=full_body(assignment), key="k", now=timezone.now()
    )
    return assignment


def give_back(assignment, *, note):
    judgment = assignment.judgments.get()
    Review.objects.create(
        batch=judgment.batch,
        number=next_number(judgment.batch_id),
        judgment=judgment,
        reviewer=make_member(Role.REVIEWER),
        outcome=ReviewOutcome.RETURN,
        note=note,
        created_at=NOW,
    )
    Assignment.objects.filter(pk=assignment.pk).update(state=AssignmentState.RETURNED)


def test_the_desk_offers_each_open_batch_of_the_person(client):
    batch, (annotator, _) = open_batch_with(items=3)
    make_items(make_batch(members=[make_member()]), items=2)
    make_items(make_batch(members=[annotator], state=BatchState.DRAFT), items=2)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    assert page.count("block-strong") == 1
    assert "3 items are open for you" in page
    assert reverse("annotation:next", args=[batch.slug]) in page


def test_beginning_takes_a_seat_and_opens_it_and_again_gives_the_same(client):
    batch, (annotator, _) = open_batch_with(items=3)
    client.force_login(annotator.user)

    first = client.post(reverse("annotation:next", args=[batch.slug]))
    again = client.post(reverse("annotation:next", args=[batch.slug]))

    held = Assignment.objects.held().get(member=annotator)
    assert first.url == again.url == reverse("annotation:assignment", args=[held.public_id])


def test_beginning_in_a_batch_of_others_is_refused_in_words(client):
    batch, _ = open_batch_with()
    client.force_login(make_member().user)

    answer = client.post(reverse("annotation:next", args=[batch.slug]), follow=True)

    assert "You are not in this batch" in answer.content.decode()
    assert not Assignment.objects.exists()


def test_a_returned_item_stands_first_with_the_reviewers_words(client):
    batch, (annotator, _) = open_batch_with()
    give_back(submitted(batch, annotator), note="Look at the legs of the left chair.")
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    assert page.index("Look at the legs of the left chair.") < page.index("block-strong")


def test_what_is_held_is_gone_on_with_and_what_lapsed_is_kept():
    batch, (annotator, _) = open_batch_with(items=2)
    held = claim_next(batch, by=annotator, now=NOW)
    save_draft(held, by=annotator, body={"remarks": {}}, version=0, now=NOW)

    before = desk(annotator, day_began=NOW)
    release_lapsed(now=NOW + timedelta(hours=5))
    after = desk(annotator, day_began=NOW)

    assert [one.held.public_id for one in before.queues] == [held.public_id]
    assert before.aside == ()
    assert [one.held for one in after.queues] == [None]
    assert [(one.public_id, one.state) for one in after.aside] == [(held.public_id, "lapsed")]


def test_today_counts_what_was_sent_today_and_nobody_elses():
    batch, (annotator, other) = open_batch_with(kind=BatchKind.CONVERSATION_PAIR, items=2)
    for person in (annotator, other):
        submitted(batch, person)
    early = timezone.now() - timedelta(hours=1)

    shown = desk(annotator, day_began=early)

    # Two turns on each side, the first of them the same.
    assert (shown.today_items, shown.today_turns) == (1, 3)
    assert desk(annotator, day_began=timezone.now() + timedelta(hours=1)).today_items == 0


@pytest.mark.parametrize(
    ("kind", "turns"),
    [(BatchKind.TURN_PAIR, 1), (BatchKind.CONVERSATION, 2), (BatchKind.CONVERSATION_PAIR, 3)],
)
def test_work_that_was_undone_and_sent_again_counts_once_and_is_no_correction(client, kind, turns):
    batch, (annotator, _) = open_batch_with(kind=kind)
    early, now = timezone.now() - timedelta(hours=1), timezone.now()
    sent = submitted(batch, annotator)
    withdraw_judgment(sent, by=annotator, key="undo", now=now)
    undone = desk(annotator, day_began=early)
    body = full_body(sent) | {"evidence": {"active_ms": {"1": 180_000}}}
    submit_judgment(sent, by=annotator, body=body, key="again", now=now)

    again = desk(annotator, day_began=early)

    assert (undone.today_items, undone.today_turns, undone.today_minutes) == (0, 0, 0)
    assert (again.today_items, again.today_turns, again.today_minutes) == (1, turns, 3)
    assert [(one.corrected, one.minutes) for one in again.recent] == [(False, 3)]
    submit_judgment(sent, by=annotator, body=body, key="better", now=now)
    corrected = desk(annotator, day_began=early)
    assert [one.corrected for one in corrected.recent] == [True]
    assert corrected.today_items == 1


def test_my_work_lists_own_items_with_their_state(client):
    batch, (annotator, other) = open_batch_with(items=3)
    submitted(batch, annotator)
    skipped = claim_next(batch, by=annotator, now=timezone.now())
    skip(skipped, by=annotator, reason=SkipReason.OTHER, now=timezone.now())
    submitted(batch, other)
    client.force_login(annotator.user)

    page = client.get(reverse("annotation:my-work")).content.decode()

    assert "2 items" in page
    assert page.count(">Correct<") == 1
    assert page.count("Skipped") == 1


@pytest.mark.parametrize("count", [1, 3])
def test_my_work_takes_the_same_queries_for_one_item_and_three(
    client, count, django_assert_num_queries
):
    batch, (annotator, _) = open_batch_with(items=3)
    for _number in range(count):
        submitted(batch, annotator)
    client.force_login(annotator.user)

    # Session, user, member; count; items, titles, revisions; member for the navigation.
    with django_assert_num_queries(8):
        client.get(reverse("annotation:my-work"))


@pytest.mark.parametrize("count", [1, 3])
def test_the_desk_takes_one_query_more_for_each_batch(client, count, django_assert_num_queries):
    annotator = make_member()
    for _number in range(count):
        make_items(make_batch(members=[annotator]), items=2)
    client.force_login(annotator.user)

    with django_assert_num_queries(13 + count):
        client.get("/")


def test_a_paused_batch_gives_nothing_out_and_says_so(client):
    batch, (annotator, _) = open_batch_with()
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.PAUSED)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    assert "Paused by the lead." in page
    assert ">Begin<" not in page


def test_the_guideline_shows_its_newest_version_and_every_scale_point(client):
    batch, (annotator, _) = open_batch_with()
    guideline = Guideline.objects.create(project=make_project(), slug="rooms")
    for number, text in ((1, "Old rule."), (2, "New **rule**. <script>alert(1)</script>")):
        GuidelineVersion.objects.create(
            guideline=guideline,
            number=number,
            text=text,
            by_dimension={"text_quality": "Spelling counts."},
            published_at=NOW,
        )
    Batch.objects.filter(pk=batch.pk).update(guideline=guideline)
    client.force_login(annotator.user)

    page = client.get(reverse("annotation:guideline", args=[batch.slug])).content.decode()

    assert "New <strong>rule</strong>. &lt;script&gt;" in page
    assert "Old rule." not in page
    assert "Spelling counts." in page
    assert page.count("meaning 3") == 9
    assert "−1 word -1" in page


def test_the_guideline_of_a_batch_of_others_does_not_exist(client):
    batch, _ = open_batch_with()
    client.force_login(make_member().user)

    assert client.get(reverse("annotation:guideline", args=[batch.slug])).status_code == 404


def test_the_screen_is_kept_and_goes_back_where_one_was(client):
    annotator = make_member()
    client.force_login(annotator.user)

    answer = client.post(
        reverse("annotation:screen"),
        {"theme": "dark", "text_size": "large", "next": "/my-work/"},
    )

    assert answer.url == "/my-work/"
    user = User.objects.get(pk=annotator.user.pk)
    assert (user.theme, user.text_size, user.single_keys) == ("dark", "large", False)
    assert 'data-theme="dark" data-text="large"' in client.get("/my-work/").content.decode()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_the_way_back_never_leads_elsewhere(client, back):
    client.force_login(make_member().user)

    answer = client.post(reverse("annotation:screen"), {"theme": "", "next": back})

    assert answer.url == "/"


def test_a_screen_that_is_none_of_the_choices_is_refused(client):
    annotator = make_member()
    client.force_login(annotator.user)

    client.post(reverse("annotation:screen"), {"theme": "pink"})

    assert User.objects.get(pk=annotator.user.pk).theme == ""


@pytest.mark.parametrize("name", ["desk", "my-work"])
def test_strangers_are_sent_to_sign_in(client, name):
    url = reverse(f"annotation:{name}")

    assert client.get(url).url == f"/sign-in/?next={url}"


def test_a_person_without_a_project_is_told_so(client):
    client.force_login(User.objects.create_user("outside"))

    assert client.get("/").status_code == 403


def test_the_navigation_offers_what_the_role_may_see(client):
    links = {}
    for role in Role:
        client.force_login(make_member(role).user)
        page = client.get("/").content.decode()
        links[str(role)] = page.partition('class="site-nav"')[2].partition("</nav>")[0]

    assert reverse("annotation:batches") not in links["annotator"]
    assert reverse("annotation:batches") in links["lead"]
    assert links["reviewer"].count("<a ") >= links["annotator"].count("<a ")
