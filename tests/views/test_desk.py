"""Where a person starts: what waits, what was done, the guideline, the screen."""

import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import PIL.Image
import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next, release_lapsed, skip
from annotation.actions.drafts import save_draft
from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.actions.judgments import submit_judgment, withdraw_judgment
from annotation.actions.participations import pause_member
from annotation.choices import (
    BatchKind,
    BatchPurpose,
    BatchSettings,
    BatchState,
    Role,
    SkipReason,
)
from annotation.models import (
    Assignment,
    Batch,
    Guideline,
    GuidelineVersion,
    Hold,
    Response,
    User,
)
from annotation.models.assignments import day_of
from annotation.reports.desk import ahead, desk, offered_picture, titles_of
from annotation.reports.judging import judging_page
from annotation.reports.questions import questions_for
from tests.browser.steps import with_files
from tests.factories import (
    NOW,
    make_batch,
    make_category,
    make_dialogue,
    make_item,
    make_items,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_slot,
    make_tree,
    make_turn,
)
from tests.worlds import full_body, give_back, open_batch_with

pytestmark = pytest.mark.django_db


def submitted(batch, annotator):
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    submit_judgment(
        assignment, by=annotator, body=full_body(assignment), key="k", now=timezone.now()
    )
    return assignment


def test_the_desk_offers_each_open_batch_of_the_person(client):
    batch, (annotator, _) = open_batch_with(items=3)
    make_items(make_batch(members=[make_member()]), items=2)
    make_items(make_batch(members=[annotator], state=BatchState.DRAFT), items=2)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    assert page.count("block-strong") == 1
    assert "Open for you: 3 items, about 3 turns" in page
    assert re.search(r"<b>2 \+ 2</b> turns", page)
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

    before = desk(annotator, at=NOW)
    release_lapsed(now=NOW + timedelta(hours=5))
    after = desk(annotator, at=NOW)

    assert [one.held.public_id for one in before.queues] == [held.public_id]
    assert before.aside == ()
    assert [one.held for one in after.queues] == [None]
    assert [(one.public_id, one.state) for one in after.aside] == [(held.public_id, "lapsed")]


def test_today_counts_what_was_sent_today_and_nobody_elses():
    batch, (annotator, other) = open_batch_with(kind=BatchKind.CONVERSATION_PAIR, items=2)
    for person in (annotator, other):
        submitted(batch, person)
    early = timezone.now() - timedelta(hours=1)

    shown = desk(annotator, at=early)

    # Two turns on each side, the first of them the same.
    assert (shown.today_items, shown.today_turns) == (1, 3)
    assert desk(annotator, at=timezone.now() + timedelta(days=1)).today_items == 0


@pytest.mark.parametrize(
    ("kind", "turns"),
    [(BatchKind.TURN_PAIR, 1), (BatchKind.CONVERSATION, 2), (BatchKind.CONVERSATION_PAIR, 3)],
)
def test_work_that_was_undone_and_sent_again_counts_once_and_is_no_correction(client, kind, turns):
    batch, (annotator, _) = open_batch_with(kind=kind)
    early, now = timezone.now() - timedelta(hours=1), timezone.now()
    sent = submitted(batch, annotator)
    withdraw_judgment(sent, by=annotator, key="undo", now=now)
    undone = desk(annotator, at=early)
    body = full_body(sent) | {"evidence": {"active_ms": {"1": 180_000}}}
    submit_judgment(sent, by=annotator, body=body, key="again", now=now)

    again = desk(annotator, at=early)

    assert (undone.today_items, undone.today_turns, undone.today_minutes) == (0, 0, 0)
    assert (again.today_items, again.today_turns, again.today_minutes) == (1, turns, 3)
    assert [(one.corrected, one.minutes) for one in again.recent] == [(False, 3)]
    submit_judgment(sent, by=annotator, body=body, key="better", now=now)
    corrected = desk(annotator, at=early)
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

    # Session, user, member; count; items, titles, revisions; batches whose figures are due;
    # member for the navigation.
    with django_assert_num_queries(9):
        client.get(reverse("annotation:my-work"))


@pytest.mark.parametrize("count", [1, 3])
def test_the_desk_takes_the_same_queries_for_one_batch_and_three(
    client, count, django_assert_num_queries
):
    annotator = make_member()
    for _number in range(count):
        make_items(make_batch(members=[annotator]), items=2)
    client.force_login(annotator.user)

    with django_assert_num_queries(44):
        client.get("/")


@pytest.mark.parametrize("count", [1, 3])
def test_the_desk_takes_the_same_queries_for_one_batch_begun_and_three(
    client, count, django_assert_num_queries
):
    annotator = make_member()
    for _number in range(count):
        batch = make_batch(members=[annotator])
        make_items(batch, items=2)
        claim_next(batch, by=annotator, now=timezone.now())
    client.force_login(annotator.user)

    with django_assert_num_queries(38):
        client.get("/")


def test_open_items_are_counted_so_far_and_no_further(client, monkeypatch):
    annotator = make_member()
    for module in ("checks", "desk"):
        monkeypatch.setattr(f"annotation.reports.{module}.MOST_COUNTED", 3)
    make_items(make_batch(slug="few", members=[annotator]), items=2)
    make_items(make_batch(slug="many", members=[annotator]), items=5)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    queues = {queue.slug: queue for queue in desk(annotator, at=timezone.now()).queues}
    assert [(one.open, one.has_more) for one in queues.values()] == [(2, False), (3, True)]
    assert "Open for you: 2 items," in page
    assert "Open for you: 3 items or more</span>" in page


def test_turns_that_are_open_follow_the_average_of_items_spread_over_the_batch(monkeypatch):
    annotator = make_member()
    batch = make_batch(kind=BatchKind.CONVERSATION, members=[annotator])
    items = make_items(batch, items=9)
    Response.objects.filter(pk=items[4].response_1_id).update(depth=7)
    every = sum(item.response_1.depth for item in items) + 7 - items[4].response_1.depth

    assert desk(annotator, at=timezone.now()).queues[0].open_turns == every

    monkeypatch.setattr("annotation.reports.desk.LOOKED_AT", 2)  # of positions 0 and 5
    assert desk(annotator, at=timezone.now()).queues[0].open_turns == 9 * items[0].response_1.depth


@pytest.mark.parametrize("count", [1, 3])
def test_the_desk_takes_the_same_queries_for_one_qualification_and_three(
    client, count, django_assert_num_queries
):
    annotator = make_member()
    for number in range(count):
        exam = f"exam-{number}"
        qualification = make_batch(
            slug=exam, purpose=BatchPurpose.QUALIFICATION, members=[annotator]
        )
        [item] = make_items(qualification, items=1)
        answer = KnownAnswer(item, "overall", response="1", outcome="prefers")
        set_gold_answers([answer], by=make_lead(), now=NOW)
        submitted(qualification, annotator)
        make_items(make_batch(members=[annotator], settings=BatchSettings(requires=exam)), items=1)
    client.force_login(annotator.user)

    with django_assert_num_queries(72):
        page = client.get("/").content.decode()

    assert page.count("answers were as expected") >= count


def with_picture(batch, *, on="prompt"):
    """The batch's only item, with a picture at its first prompt or at one side's answer."""
    item = batch.items.get()
    first = item.response_1.turn.follows.turn
    return item, make_slot(turn=first) if on == "prompt" else make_slot(response=item.response_1)


def test_what_could_be_begun_is_told_with_the_first_picture_that_both_sides_show(client):
    batch, (annotator, _) = open_batch_with()
    item, slot = with_picture(batch)
    client.force_login(annotator.user)

    before = client.get("/").content.decode()
    held = claim_next(batch, by=annotator, now=timezone.now())
    after = client.get("/").content.decode()

    address = reverse("annotation:offered", args=[item.public_id, slot.image.sha256])
    assert address in before
    names = [held.public_id, slot.image.sha256, "thumbnail"]
    assert reverse("annotation:image", args=names) in after


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Compare:\n\n| School | bike |\n|---|--:|\n| North | 34 |\n\nWhich?", "Compare: Which?"),
        ("| only | a |\n|---|---|", "| only | a | |---|---|"),
        ("a long prompt " * 20, "a long prompt " * 11 + "a …"),
    ],
)
def test_a_title_is_the_first_prompt_without_the_rows_of_its_tables_cut_between_words(
    prompt, title
):
    turn = make_turn(make_dialogue(), prompt=prompt)

    assert titles_of([turn.dialogue_id]) == {turn.dialogue_id: title}


def test_no_picture_stands_on_the_desk_that_one_side_alone_shows(client):
    batch, (annotator, _) = open_batch_with()
    with_picture(batch, on="answer")
    client.force_login(annotator.user)

    assert "next-picture" not in client.get("/").content.decode()


def test_no_picture_of_a_marked_item_stands_on_the_desk_nor_is_sent(client):
    batch, (annotator, _) = open_batch_with()
    item, slot = with_picture(batch)
    make_category("open_wounds")
    client.force_login(annotator.user)
    shown = {"sha256": slot.image.sha256, "at": timezone.now()}

    unmarked = client.get("/").content.decode()
    found = offered_picture(item.public_id, annotator, **shown)
    make_mark(item.dialogue, "open_wounds")
    page = client.get("/").content.decode()

    assert found == item
    assert "no content marks" in unmarked
    assert "marked: Open wounds" in page
    assert "next-picture" not in page
    assert offered_picture(item.public_id, annotator, **shown) is None
    address = reverse("annotation:offered", args=[item.public_id, slot.image.sha256])
    assert client.get(address).status_code == 404


def test_a_picture_is_offered_only_to_whom_its_item_is():
    batch, (annotator, _) = open_batch_with()
    item, slot = with_picture(batch)
    other = make_slot(response=item.response_1).image
    stranger, now = make_member(), timezone.now()

    asked = [(annotator, slot.image), (annotator, other), (stranger, slot.image)]
    found = [offered_picture(item.public_id, one, sha256=p.sha256, at=now) for one, p in asked]
    pause_member(annotator, batch=batch, reason="Call me.", by=make_lead(), now=NOW)

    assert found == [item, None, None]
    assert offered_picture(item.public_id, annotator, sha256=slot.image.sha256, at=now) is None


def test_the_offered_picture_is_sent_as_a_thumbnail_to_whom_it_is_offered(client, media):
    batch, (annotator, _) = open_batch_with()
    item, slot = with_picture(batch)
    with_files(slot.image)
    address = reverse("annotation:offered", args=[item.public_id, slot.image.sha256])
    client.force_login(annotator.user)

    assert address in client.get("/").content.decode()
    sent = client.get(address)
    client.force_login(make_member().user)

    assert sent.status_code == 200
    assert sent["Content-Type"].startswith("image/")
    assert PIL.Image.open(io.BytesIO(b"".join(sent))).size == (slot.image.width, slot.image.height)
    assert client.get(address).status_code == 404


def test_answers_that_are_theirs_already_are_counted_as_the_judging_page_does(client):
    annotator = make_member()
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, members=[annotator])
    one, two, three = make_tree(paths=3).responses.full().order_by("pk")
    make_item(batch, one, two)
    make_item(batch, two, three)
    first = claim_next(batch, by=annotator, now=timezone.now())
    submit_judgment(first, by=annotator, body=full_body(first), key="k", now=timezone.now())
    client.force_login(annotator.user)

    offered = client.get("/").content.decode()
    held = claim_next(batch, by=annotator, now=timezone.now())
    gone_on_with = client.get("/").content.decode()

    carried = judging_page(questions_for(held), assignment=held, entered={}).carried
    assert carried > 0
    assert f"{carried} answers are yours already" in offered
    assert f"{carried} answers are yours already" in gone_on_with


def test_a_repeat_does_not_say_on_the_desk_that_it_was_answered_before():
    batch, (annotator, _) = open_batch_with()
    first = submitted(batch, annotator)
    again = make_item(batch, *first.item.ends, repeat_of=first.item)
    plain = make_item(make_batch(members=[annotator], rubric=batch.rubric), *first.item.ends)

    told = ahead([again, plain], annotator)

    assert told[again.pk].yours == 0
    assert told[plain.pk].yours > 0


def test_a_paused_batch_gives_nothing_out_and_says_so(client):
    batch, (annotator, _) = open_batch_with()
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.PAUSED)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    assert "Paused by the lead." in page
    assert ">Begin<" not in page


def test_a_paused_person_reads_why_and_that_what_they_hold_is_kept(client):
    batch, (annotator, _) = open_batch_with()
    held = claim_next(batch, by=annotator, now=timezone.now())
    pause_member(annotator, batch=batch, reason="Call me <first>", by=make_lead(), now=NOW)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    assert "Paused by the lead: Call me &lt;first&gt;. What you hold is kept" in page
    assert held.public_id in page
    assert reverse("annotation:next", args=[batch.slug]) not in page


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
        {"theme": "dark", "text_size": "large", "contrast": "more", "next": "/my-work/"},
    )

    assert answer.url == "/my-work/"
    user = User.objects.get(pk=annotator.user.pk)
    assert (user.theme, user.text_size, user.single_keys) == ("dark", "large", False)
    page = client.get("/my-work/").content.decode()
    assert 'data-theme="dark" data-text="large" data-contrast="more"' in page


def test_how_two_sides_are_laid_out_is_kept_for_the_person(client):
    annotator = make_member()
    client.force_login(annotator.user)

    answer = client.post(reverse("annotation:columns"), {"one_column": "1"})

    assert answer.status_code == 204
    user = User.objects.get(pk=annotator.user.pk)
    assert (user.one_column, user.scroll_apart) == (True, False)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_the_way_back_never_leads_elsewhere(client, back):
    client.force_login(make_member().user)

    answer = client.post(reverse("annotation:screen"), {"theme": "", "next": back})

    assert answer.url == "/"


def test_a_screen_that_is_none_of_the_choices_is_refused(client):
    annotator = make_member()
    client.force_login(annotator.user)

    client.post(reverse("annotation:screen"), {"theme": "pink"})
    client.post(reverse("annotation:screen"), {"contrast": "most"})

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


def test_the_hours_of_today_are_drawn_and_written(client):
    batch, (annotator, _) = open_batch_with(items=2)
    submitted(batch, annotator)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    hour = timezone.localtime(timezone.now()).hour
    assert f"From {hour}:00: 1 turn" in page
    assert len(re.findall(r"<rect x=\"\d+\" y=\"16\" width=\"22\" height=\"36\"", page)) == 1
    assert "style=" not in page


def test_a_batch_with_nothing_left_stands_below_those_with_work(client):
    done, (annotator, _) = open_batch_with(items=1)
    submitted(done, annotator)
    other = make_batch(members=[annotator])
    make_items(other, items=1)
    client.force_login(annotator.user)

    page = client.get("/").content.decode()

    assert page.index(f"queue-{other.slug}") < page.index(f"queue-{done.slug}")


def test_what_was_sent_last_can_be_taken_back_from_the_desk_as_long_as_the_batch_says(client):
    batch, (annotator, _) = open_batch_with(items=1)
    assignment = submitted(batch, annotator)
    client.force_login(annotator.user)
    undo = reverse("annotation:assignment-undo", args=[assignment.public_id])

    page = client.get("/").content.decode()
    assert undo in page
    assert (
        f'Sent last: <bdi translate="no">{desk(annotator, at=NOW).recent[0].title}</bdi>.' in page
    )

    Assignment.objects.update(submitted_at=F("submitted_at") - timedelta(days=1))
    assert undo not in client.get("/").content.decode()


def test_an_item_is_as_long_on_the_desk_as_on_its_page():
    batch, (annotator, _) = open_batch_with()
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    assignment.item.counts = {"minutes": 14.2}
    assignment.item.save(update_fields=["counts"])

    page = judging_page(questions_for(assignment), assignment=assignment, entered={})

    assert page.minutes == 14
    assert ahead([assignment.item], annotator)[assignment.item.pk].length.minutes == 14


def test_time_counts_up_to_three_times_the_length_of_the_item_and_the_person_sees_the_rule(client):
    batch, (annotator, _) = open_batch_with()
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    assignment.item.counts = {"minutes": 2.0}
    assignment.item.save(update_fields=["counts"])
    body = full_body(assignment) | {"evidence": {"active_ms": {"1": 600_000, "2": 60_000}}}
    submit_judgment(assignment, by=annotator, body=body, key="k", now=timezone.now())

    shown = desk(annotator, at=timezone.now())

    assert shown.today_minutes == 6
    [work] = shown.recent
    assert (work.minutes, work.is_capped) == (6, True)
    client.force_login(annotator.user)
    assert "at most 3 times as long" in client.get("/").content.decode()


def test_an_item_set_aside_stands_apart_and_another_can_be_begun(client):
    batch, (annotator, _) = open_batch_with(items=2)
    first = claim_next(batch, by=annotator, now=timezone.now())
    client.force_login(annotator.user)
    address = reverse("annotation:assignment", args=[first.public_id])

    left = client.post(address, {"do": "leave"}, headers={"Accept": "application/json"})

    assert left.json() == {"next": "/"}
    shown = desk(annotator, at=timezone.now())
    assert [one.public_id for one in shown.aside] == [first.public_id]
    assert shown.queues[0].held is None
    assert client.post(reverse("annotation:next", args=[batch.slug])).url != address


def test_a_hold_is_said_with_its_end_and_how_many_are_left(client):
    batch, (annotator, _) = open_batch_with()
    held = claim_next(batch, by=annotator, now=timezone.now())
    client.force_login(annotator.user)
    address = reverse("annotation:assignment-hold", args=[held.public_id])

    said = client.post(address, headers={"Accept": "application/json"}).json()
    for _ in range(2):
        Hold.objects.update(made_at=F("made_at") - timedelta(seconds=20))
        page = client.post(address, follow=True).content.decode()
    Hold.objects.update(made_at=F("made_at") - timedelta(seconds=20))
    refused = client.post(address, headers={"Accept": "application/json"})

    held.refresh_from_db()
    until = timezone.localtime(held.lease_until)
    assert said["message"].endswith("1 of 3 holds used today.")
    assert said["left"]
    assert f"Kept for you until {until:%H:%M}, 3 of 3 holds used today." in page
    assert refused.status_code == 409
    assert "used your 3 holds" in refused.json()["message"]


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Asia/Tokyo", "23:30"),
        ("America/St_Johns", "11:00"),
        ("", "14:30"),
        ("Nowhere/Land", "14:30"),
        ("../../etc/passwd", "14:30"),
        ("Asia", "14:30"),
        ("x" * 4000, "14:30"),
    ],
)
def test_times_are_told_in_the_zone_of_the_browser_if_there_is_such_a_zone(client, zone, told):
    batch, (annotator, _) = open_batch_with(items=1)
    held = claim_next(batch, by=annotator, now=timezone.now())
    until = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
    Assignment.objects.filter(pk=held.pk).update(lease_until=until)
    client.force_login(annotator.user)
    client.cookies["time_zone"] = zone

    page = client.get(reverse("annotation:desk"))

    assert f"kept for you until {told}" in page.content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_when_the_next_seat_comes_free_is_told_in_the_readers_zone(client):
    annotator, other = make_member(), make_member()
    batch = make_batch(members=[annotator, other])
    make_item(batch, *make_tree(paths=2).responses.full().order_by("pk"), seats=1)
    held = claim_next(batch, by=other, now=timezone.now())
    until = datetime(2126, 1, 15, 14, 30, tzinfo=UTC)
    Assignment.objects.filter(pk=held.pk).update(lease_until=until)
    client.force_login(annotator.user)
    client.cookies["time_zone"] = "Asia/Tokyo"

    page = client.post(reverse("annotation:next", args=[batch.slug]), follow=True)

    assert "The next seat comes free at 23:30 at the latest." in page.content.decode()


def test_today_begins_at_the_persons_own_midnight():
    night = datetime(2026, 1, 15, 15, tzinfo=UTC)  # midnight in Tokyo

    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert day_of(night) == night
        assert day_of(night - timedelta(seconds=1)) == night - timedelta(days=1)


@pytest.mark.parametrize(("entered", "kept"), [("50", 50), ("0", 0), ("7", 25), ("soon", 25)])
def test_the_break_reminder_is_ones_own_choice(client, entered, kept):
    annotator = make_member()
    User.objects.filter(pk=annotator.user_id).update(break_minutes=25)
    client.force_login(annotator.user)

    client.post(reverse("annotation:pace"), {"break_minutes": entered})

    annotator.user.refresh_from_db()
    assert annotator.user.break_minutes == kept
