"""The judging page: what it shows, what it takes, and what it never shows."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next
from annotation.actions.judgments import submit_judgment
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchSettings,
    BatchState,
    Cause,
    Outcome,
    OverallScale,
    ReasonRule,
    SlotState,
)
from annotation.forms.judgments import fields_of
from annotation.models import (
    Assignment,
    Batch,
    GoldAnswer,
    Judgment,
    Rating,
    Response,
    Slot,
)
from tests.factories import (
    NOW,
    make_batch,
    make_item,
    make_lead,
    make_mark,
    make_member,
    make_response,
    make_slot,
    make_tree,
    make_turn,
)
from tests.worlds import full_body, give_back, open_batch_with

pytestmark = pytest.mark.django_db

LOADED = [
    "base.css",
    "base.js",
    "judge-draft.js",
    "judge-next.js",
    "judge-pictures.js",
    "judge-reading.js",
    "judge-rows.js",
    "judge.css",
]


def held_item(kind=BatchKind.TURN_PAIR, **world):
    """An assignment of the first of two annotators."""
    batch, members = open_batch_with(kind=kind, **world)
    return claim_next(batch, by=members[0], now=timezone.now()), members


def form_of(assignment, **changes):
    """What the page would post with everything answered."""
    fields = fields_of(full_body(assignment)) | {
        "submission_key": f"{assignment.public_id}.1",
        "do": "submit",
    }
    return fields | changes


def address(name, assignment, *more):
    return reverse(f"annotation:{name}", args=[assignment.public_id, *more])


@pytest.mark.parametrize("kind", list(BatchKind))
def test_the_page_shows_every_prompt_and_response_of_the_item(client, kind):
    assignment, (annotator, _) = held_item(kind)
    client.force_login(annotator.user)

    page = client.get(address("assignment", assignment)).content.decode()

    item = assignment.item
    shown = set(item.response_1.lineage_ids())
    if item.response_2:
        shown |= set(item.response_2.lineage_ids())
    for response in Response.objects.filter(pk__in=shown).select_related("turn"):
        assert response.text in page
        assert response.turn.prompt in page
    assert page.count('name="preference.overall"') == (0 if kind == BatchKind.CONVERSATION else 4)


@pytest.mark.parametrize("first", [1, 2])
def test_a_is_the_side_shown_first(client, first):
    assignment, (annotator, _) = held_item(BatchKind.CONVERSATION_PAIR)
    Assignment.objects.filter(pk=assignment.pk).update(shown_first=first)
    client.force_login(annotator.user)

    page = client.get(address("assignment", assignment)).content.decode()

    item = assignment.item
    shown_as_a = (item.response_1, item.response_2)[first - 1]
    before, _, after = page.partition('answer answer-A only-A" aria-labelledby="h-2A"')
    assert shown_as_a.text in after.partition("</article>")[0]
    assert re.findall(r'value="([^"]+):1" data-key="a"', page) == [shown_as_a.public_id] * 6
    assert before


def test_nothing_of_others_of_models_or_of_known_answers_is_on_the_page(client):
    assignment, (annotator, other) = held_item(BatchKind.TURN_PAIR)
    item = assignment.item
    Response.objects.filter(dialogue=item.dialogue).update(source={"model": "secret-model-7b"})
    theirs = claim_next(item.batch, by=other, now=timezone.now())
    body = full_body(theirs, score=1, reason="The other annotator's own words here.")
    body["remarks"] = {"rationale": {"text": "Their rationale.", "language": "en"}}
    submit_judgment(theirs, by=other, body=body, key="k", now=timezone.now())
    client.force_login(annotator.user)
    before = client.get(address("assignment", assignment)).content.decode()
    GoldAnswer.objects.create(
        batch=item.batch,
        number=99,
        item=item,
        outcome=Outcome.TIE,
        feedback="Known feedback.",
        created_by=make_lead(),
        created_at=NOW,
    )

    page = client.get(address("assignment", assignment)).content.decode()

    for secret in (
        "secret-model-7b",
        "own words here",
        "Their rationale",
        "Known feedback",
        "gold",
    ):
        assert secret not in page
    assert other.pseudonym not in page
    assert _without_tokens(page) == _without_tokens(before)


def _without_tokens(page: str) -> str:
    page = re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]*"', "", page)
    return re.sub(r"\d\d:\d\d(:\d\d)?", "", page)


def test_a_repeat_looks_like_any_other_item(client):
    soon = BatchSettings(repeat_gap=1)
    batch, (annotator, _) = open_batch_with(items=2, seats=1, settings=soon)
    for _number in range(2):
        last = claim_next(batch, by=annotator, now=timezone.now())
        submit_judgment(last, by=annotator, body=full_body(last), key="k", now=timezone.now())
    first = annotator.assignments.exclude(pk=last.pk).get()
    make_item(batch, first.item.response_1, first.item.response_2, repeat_of=first.item, position=7)
    client.force_login(annotator.user)

    answer = client.post(reverse("annotation:next", args=[batch.slug]))
    page = client.get(answer.url).content.decode()

    assert Assignment.objects.get(member=annotator, item__position=7).public_id in page
    assert "repeat" not in page.lower().replace("repeating", "")
    assert "yours" not in re.sub(r'"yours":[^}]*', "", page).replace("are yours", "")
    assert not re.search(r'value="2" [^>]*checked', page)


def test_each_slot_state_looks_different_and_locks_what_it_must(client):
    batch = make_batch(kind=BatchKind.CONVERSATION, members=[annotator := make_member()])
    last = make_tree(paths=1, turns=4, fork=1).responses.full().get()
    path = list(Response.objects.on_path(last))
    states = [SlotState.NEVER_MADE, SlotState.MISSING, SlotState.BROKEN, SlotState.WITHDRAWN]
    for response, state in zip(path, states, strict=True):
        make_slot(response=response, state=state)
    make_slot(turn=path[0].turn)
    make_item(batch, last)
    client.force_login(annotator.user)
    assignment = claim_next(batch, by=annotator, now=timezone.now())

    page = client.get(address("assignment", assignment)).content.decode()

    assert re.findall(r"slot slot-(\w+)", page) == [
        "stored",
        "never",
        "broken",
        "broken",
        "withdrawn",
    ]
    assert "The model made no image here" in page
    assert "This image could not be found" in page
    assert "This image could not be read" in page
    assert "This image was withdrawn" in page
    # Two image dimensions on each of three turns, and the two of the whole conversation.
    assert page.count('class="locked"') == 3 * 2 + 2
    assert f'name="score.{path[0].public_id}.visual_perceptual_quality"' in page
    assert f'name="score.{path[1].public_id}.visual_perceptual_quality"' not in page
    assert f'name="score.{path[1].public_id}.text_quality"' in page


def test_text_of_every_origin_is_text(client):
    evil = '<script>alert(1)</script><img src=x onerror="alert(1)">'
    batch = make_batch(kind=BatchKind.CONVERSATION, members=[annotator := make_member()])
    dialogue = make_tree(paths=1, turns=1, fork=1)
    turn = make_turn(dialogue, follows=dialogue.responses.get(), prompt=evil)
    response = make_response(turn, text=evil, ends_record=True)
    slot = make_slot(response=response)
    Slot.objects.filter(pk=slot.pk).update(caption=evil, kind=evil[:40])
    Batch.objects.filter(pk=batch.pk).update(title=evil)
    make_item(batch, response)
    client.force_login(annotator.user)
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    client.post(
        address("assignment-draft", assignment),
        {f"reason.{response.public_id}.text_quality": evil, f"image.{slot.pk}": evil},
    )

    page = client.get(address("assignment", assignment)).content.decode()

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


@pytest.mark.parametrize("first", [1, 2])
def test_the_response_preferred_is_stored_whatever_letter_it_had(client, first):
    assignment, (annotator, _) = held_item(BatchKind.CONVERSATION_PAIR)
    Assignment.objects.filter(pk=assignment.pk).update(shown_first=first)
    client.force_login(annotator.user)
    page = client.get(address("assignment", assignment)).content.decode()
    b_is_better = re.search(r'name="preference.overall" value="([^"]+)" data-key="b"', page)[1]

    client.post(
        address("assignment", assignment),
        form_of(assignment, **{"preference.overall": b_is_better}),
    )

    shown_as_b = (assignment.item.response_2, assignment.item.response_1)[first - 1]
    judgment = Judgment.objects.get(assignment=assignment)
    assert judgment.preferences.overall().get().preferred == shown_as_b
    assert judgment.shown_first == first


def test_submitting_opens_the_next_item_at_once(client):
    assignment, (annotator, _) = held_item(items=2)
    client.force_login(annotator.user)

    answer = client.post(address("assignment", assignment), form_of(assignment))

    following = Assignment.objects.held().get(member=annotator)
    assert (answer.status_code, answer.url) == (302, address("assignment", following))
    assert Assignment.objects.get(pk=assignment.pk).state == AssignmentState.SUBMITTED
    page = client.get(answer.url).content.decode()
    assert address("assignment-undo", assignment) in page


def test_after_the_last_item_the_desk_says_why_there_is_no_more(client):
    assignment, (annotator, _) = held_item(items=1)
    client.force_login(annotator.user)

    answer = client.post(address("assignment", assignment), form_of(assignment), follow=True)

    assert answer.redirect_chain == [("/", 302)]
    page = answer.content.decode()
    assert "You have done everything that is yours in this batch." in page
    assert address("assignment-undo", assignment) in page


def test_the_same_submission_twice_is_one_judgment(client):
    assignment, (annotator, _) = held_item(items=2)
    client.force_login(annotator.user)
    form = form_of(assignment)

    first = client.post(
        address("assignment", assignment), form, headers={"Accept": "application/json"}
    )
    again = client.post(
        address("assignment", assignment), form, headers={"Accept": "application/json"}
    )

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_the_same_key_with_other_content_is_refused_and_the_first_stays(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)
    client.post(address("assignment", assignment), form_of(assignment))

    answer = client.post(
        address("assignment", assignment),
        form_of(assignment, rationale="Something else."),
        headers={"Accept": "application/json"},
    )

    assert answer.status_code == 409
    assert "arrived before with other content" in answer.json()["message"]
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_an_incomplete_submission_names_each_place_and_keeps_what_was_entered(client):
    settings = BatchSettings(reasons={"text_quality": ReasonRule(at_or_below=1)})
    assignment, (annotator, _) = held_item(settings=settings)
    client.force_login(annotator.user)
    response = assignment.item.response_1.public_id
    form = form_of(
        assignment,
        **{
            f"score.{response}.context_coherence": "",
            f"score.{response}.text_quality": "1",
            f"reason.{response}.text_quality": "short",
            "preference.overall": "",
        },
    )

    answer = client.post(address("assignment", assignment), form)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "3 answers are missing or not as asked." in page
    assert f'href="#q-{response}.context_coherence"' in page
    assert f'href="#q-{response}.text_quality"' in page
    assert 'href="#q-preference.overall"' in page
    assert ">short</textarea>" in page
    assert not Judgment.objects.exists()


def test_a_script_hears_the_places_of_an_incomplete_submission(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)

    answer = client.post(
        address("assignment", assignment),
        form_of(assignment, **{"preference.overall": ""}),
        headers={"Accept": "application/json"},
    )

    assert answer.status_code == 422
    assert answer.json()["places"] == ["q-preference.overall"]
    assert answer.json()["fields"] == {"preferences.overall": "is missing"}


def test_a_draft_is_kept_and_fills_the_page(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)
    field = f"score.{assignment.item.response_1.public_id}.text_quality"

    saved = client.post(
        address("assignment-draft", assignment), {field: "1", "rationale": "So far."}
    )

    assert (saved.status_code, saved.headers["Draft-Version"]) == (204, "1")
    assert saved.headers["Seat-Held"] == "yes"
    page = client.get(address("assignment", assignment)).content.decode()
    assert re.search(rf'name="{field}" value="1" [^>]*checked', page)
    assert ">So far.</textarea>" in page
    assert 'name="draft_version" value="1"' in page


def test_the_second_window_gets_both_versions(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)
    url = address("assignment-draft", assignment)
    client.post(url, {"rationale": "From here.", "draft_version": "0"})

    late = client.post(url, {"rationale": "From there.", "draft_version": "0"})

    assert late.status_code == 409
    assert late.json()["version"] == 1
    assert parse_qs(late.json()["fields"]) == {"rationale": ["From here."]}


def test_saving_the_same_again_is_no_conflict(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)
    url = address("assignment-draft", assignment)
    client.post(url, {"rationale": "The same.", "draft_version": "0"})

    again = client.post(url, {"rationale": "The same.", "draft_version": "0"})

    assert (again.status_code, again.headers["Draft-Version"]) == (204, "1")


def test_a_signed_out_script_is_told_and_not_sent_to_a_page(client):
    assignment, _ = held_item()

    answer = client.post(
        address("assignment-draft", assignment), headers={"Accept": "application/json"}
    )

    assert (answer.status_code, answer.json()) == (401, {"message": "Sign in again."})


def test_saving_without_a_script_keeps_and_comes_back(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)

    answer = client.post(
        address("assignment", assignment), {"rationale": "Plainly.", "do": "leave"}, follow=True
    )

    assert answer.redirect_chain == [("/", 302)]
    assert assignment.draft.body["remarks"]["rationale"]["text"] == "Plainly."


def two_pairs_with_one_side():
    """A batch of two pairs that have their first side in common, its annotator, the sides."""
    batch, (annotator, _) = open_batch_with(kind=BatchKind.CONVERSATION_PAIR, items=0)
    sides = list(make_tree(paths=3, turns=2, fork=2).responses.full().order_by("pk"))
    for one, two in ((0, 1), (0, 2)):
        make_item(batch, sides[one], sides[two])
    return batch, annotator, sides


def test_a_unit_rated_before_comes_folded_and_is_carried(client):
    batch, annotator, sides = two_pairs_with_one_side()
    client.force_login(annotator.user)
    first = claim_next(batch, by=annotator, now=timezone.now())
    submit_judgment(first, by=annotator, body=full_body(first), key="k", now=timezone.now())
    second = claim_next(batch, by=annotator, now=timezone.now())

    page = client.get(address("assignment", second)).content.decode()
    assert page.count('class="rated-before"') == 2
    fields = dict(re.findall(r'name="(yours\.[^"]+)" value="([^"]+)"', page))
    assert set(fields.values()) == {"2"}
    changed = f"{sides[0].public_id}.text_quality"
    client.post(
        address("assignment", second),
        form_of(second) | fields | {f"score.{changed}": "3"},
    )

    ratings = Rating.objects.filter(judgment__assignment=second)
    assert ratings.filter(origin="carried").count() == 4 + 4 + 5 - 1
    assert ratings.get(response=sides[0], dimension__key="text_quality").score == 3


def test_what_a_reviewer_named_is_unfolded_although_it_was_rated_elsewhere(client):
    batch, annotator, sides = two_pairs_with_one_side()
    client.force_login(annotator.user)
    for key in "ab":
        held = claim_next(batch, by=annotator, now=timezone.now())
        submit_judgment(held, by=annotator, body=full_body(held), key=key, now=timezone.now())
    folded = client.get(address("assignment", held)).content.decode()
    named = {"response": sides[0].public_id, "dimension": "text_quality"}
    give_back(held, note="Look again.", places=[named])

    page = client.get(address("assignment", held)).content.decode()

    assert "Returned by a reviewer:" in page
    before = re.findall(r'<details class="rated-before" ?(open)?>', folded)
    assert (before.count("open"), len(before)) == (0, 2)
    assert re.findall(r'<details class="rated-before" ?(open)?>', page).count("open") == 1


def test_an_answer_without_words_and_images_says_so(client):
    assignment, (annotator, _) = held_item()
    Response.objects.filter(pk=assignment.item.response_1_id).update(text="")
    client.force_login(annotator.user)

    page = client.get(address("assignment", assignment)).content.decode()

    assert page.count("This answer is empty: no words and no image.") == 1


def test_the_value_the_rubric_offers_is_stored_as_by_rule(client):
    batch = make_batch(kind=BatchKind.CONVERSATION, members=[annotator := make_member()])
    last = make_tree(paths=1, turns=2, fork=1).responses.full().get()
    make_slot(response=last)
    make_item(batch, last)
    client.force_login(annotator.user)
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    page = client.get(address("assignment", assignment)).content.decode()
    field = f"score.{last.public_id}.style_coherence"
    assert f'name="{field}" value="rule:3"' in page

    client.post(address("assignment", assignment), form_of(assignment, **{field: "rule:3"}))

    rating = Rating.objects.get(judgment__assignment=assignment, dimension__key="style_coherence")
    assert (rating.score, rating.origin) == (3, "by_rule")


def test_skipping_needs_a_reason_and_goes_on(client):
    assignment, (annotator, _) = held_item(items=2)
    client.force_login(annotator.user)

    without = client.post(address("assignment-skip", assignment))
    assert without.url == address("assignment", assignment)
    answer = client.post(address("assignment-skip", assignment), {"reason": "rather_not"})

    following = Assignment.objects.held().get(member=annotator)
    assert answer.url == address("assignment", following)
    assert Assignment.objects.get(pk=assignment.pk).skip_reason == "rather_not"


def test_a_flag_keeps_the_item(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)

    client.post(address("assignment-flag", assignment), {"note": "The prompt is cut off."})

    flagged = Assignment.objects.get(pk=assignment.pk)
    assert (flagged.state, flagged.flag_note) == (AssignmentState.HELD, "The prompt is cut off.")


def test_undo_takes_the_submission_back_and_opens_it_as_it_was(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)
    client.post(address("assignment-draft", assignment), form_of(assignment, rationale="Older."))
    client.post(address("assignment", assignment), form_of(assignment, rationale="Mine."))

    answer = client.post(address("assignment-undo", assignment), follow=True)

    assert ">Mine.</textarea>" in answer.content.decode()
    assert list(
        Judgment.objects.filter(assignment=assignment)
        .order_by("revision")
        .values_list("cause", flat=True)
    ) == [Cause.FIRST, Cause.WITHDRAWAL]
    assert Assignment.objects.get(pk=assignment.pk).state == AssignmentState.HELD


def test_a_correction_starts_from_what_was_sent_and_keeps_the_first(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)
    client.post(address("assignment", assignment), form_of(assignment, rationale="First words."))

    page = client.get(address("assignment", assignment)).content.decode()
    assert ">First words.</textarea>" in page
    assert "Send the correction" in page
    key = re.search(r'name="submission_key" value="([^"]+)"', page)[1]
    answer = client.post(
        address("assignment", assignment),
        form_of(assignment, rationale="Better words.", submission_key=key),
    )

    assert answer.url == reverse("annotation:my-work")
    texts = Judgment.objects.filter(assignment=assignment).order_by("revision")
    assert [(one.cause, one.remarks.get().text) for one in texts] == [
        (Cause.FIRST, "First words."),
        (Cause.CORRECTION, "Better words."),
    ]


def test_a_closed_batch_can_be_read_and_not_changed(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)
    client.post(address("assignment", assignment), form_of(assignment))
    Batch.objects.update(state=BatchState.CLOSED)

    page = client.get(address("assignment", assignment)).content.decode()
    answer = client.post(
        address("assignment", assignment), form_of(assignment, submission_key="late")
    )

    assert "The batch is closed: this can be read and not changed." in page
    assert 'id="submit"' not in page
    assert Judgment.objects.filter(assignment=assignment).count() == 1
    assert answer.status_code == 302


def test_another_persons_item_does_not_exist_for_them(client):
    assignment, (_, other) = held_item()
    client.force_login(other.user)

    for name in ("assignment", "assignment-draft"):
        assert client.get(address(name, assignment)).status_code == 404
    for name in (
        "assignment",
        "assignment-draft",
        "assignment-skip",
        "assignment-flag",
        "assignment-undo",
    ):
        assert client.post(address(name, assignment), {"reason": "other"}).status_code == 404
    assert Assignment.objects.get(pk=assignment.pk).state == AssignmentState.HELD


@pytest.mark.parametrize("name", ["assignment-skip", "assignment-flag", "assignment-undo"])
def test_what_changes_things_is_never_a_get(client, name):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)

    assert client.get(address(name, assignment)).status_code == 405


def test_strangers_are_sent_to_sign_in(client):
    assignment, _ = held_item()

    answer = client.get(address("assignment", assignment))

    assert answer.url == f"/sign-in/?next={address('assignment', assignment)}"


@pytest.mark.parametrize("turns", [1, 3])
def test_the_page_takes_the_same_queries_however_long_the_item(
    client, turns, django_assert_num_queries
):
    batch = make_batch(kind=BatchKind.CONVERSATION, members=[annotator := make_member()])
    last = make_tree(paths=1, turns=turns, fork=1).responses.full().get()
    for response in Response.objects.on_path(last):
        make_slot(response=response)
    make_item(batch, last)
    client.force_login(annotator.user)
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    client.get(address("assignment", assignment))

    # Session, user, member; assignment, lease; draft; responses, two of slots, dimensions, points,
    # gold, earlier ratings; judgment; number, those beside it, holds; revision, last sent.
    with django_assert_num_queries(20):
        client.get(address("assignment", assignment))


def test_the_scale_offers_what_the_batch_asks(client):
    found = {}
    for scale in OverallScale:
        assignment, (annotator, _) = held_item(settings=BatchSettings(overall_scale=scale))
        client.force_login(annotator.user)
        page = client.get(address("assignment", assignment)).content.decode()
        found[str(scale)] = re.findall(r'name="preference.overall" [^>]*data-key="(\w)"', page)

    assert found == {
        "strict": ["a", "b"],
        "tie": ["a", "t", "b"],
        "tie_both_bad": ["a", "t", "b", "x"],
        "graded": ["A", "a", "t", "b", "B", "x"],
    }


def test_words_for_the_script_are_data_and_not_script(client):
    assignment, (annotator, _) = held_item()
    client.force_login(annotator.user)

    page = client.get(address("assignment", assignment)).content.decode()

    words = re.search(r'<script id="judge-words" type="application/json">(.*?)</script>', page)[1]
    assert json.loads(words)["nothingMissing"] == "Nothing is missing."


def test_the_page_weighs_little_over_the_wire(client):
    assignment, (annotator, _) = held_item(BatchKind.CONVERSATION_PAIR)
    client.force_login(annotator.user)

    answer = client.get(address("assignment", assignment), headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    static = Path(__file__).parents[2] / "static" / "annotation"
    parts = [gzip.compress((static / name).read_bytes()) for name in LOADED]
    assert len(answer.content) + sum(map(len, parts)) < 60_000
    page = gzip.decompress(answer.content).decode()
    assert sorted(re.findall(r"annotation/([\w.-]+\.(?:js|css))", page)) == sorted(LOADED)


def test_a_form_that_is_too_old_is_refused_in_words():
    assignment, (annotator, _) = held_item()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(annotator.user)

    answer = strict.post(address("assignment", assignment), form_of(assignment))

    assert answer.status_code == 403
    assert "what you typed in an item is still there" in answer.content.decode()


def test_a_page_that_is_not_there_says_so(client):
    client.force_login(make_member().user)

    answer = client.get("/items/none/")

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_a_marked_item_opens_on_a_warning_once(client):
    assignment, (annotator, _) = held_item()
    dialogue = assignment.item.dialogue
    make_mark(dialogue, "disaster")
    make_slot(response=assignment.item.response_1)
    client.force_login(annotator.user)
    url = address("assignment", assignment)

    warning = client.get(url).content.decode()
    assert "It is marked: disaster" in " ".join(warning.split())
    assert "Its only image is marked (turn 2)." in warning
    assert assignment.item.response_1.text not in warning
    assert Assignment.objects.get(pk=assignment.pk).opened_at is None
    opened = client.get(f"{url}?open=1").content.decode()
    assert assignment.item.response_1.text in opened
    assert 'class="visually-hidden reveal"' in opened
    assert assignment.item.response_1.text in client.get(url).content.decode()


def test_i_would_rather_not_is_a_skip_that_asks_nothing(client):
    assignment, (annotator, _) = held_item(items=2)
    make_mark(assignment.item.dialogue, "disaster")
    client.force_login(annotator.user)
    warning = client.get(address("assignment", assignment)).content.decode()
    reason = re.search(r'name="reason" value="(\w+)"', warning)[1]

    client.post(address("assignment-skip", assignment), {"reason": reason})

    assert Assignment.objects.get(pk=assignment.pk).skip_reason == "rather_not"
