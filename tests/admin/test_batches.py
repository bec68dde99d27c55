"""Batches, people and guidelines in the admin."""

import pytest
from django.urls import reverse

from annotation.actions.guidelines import add_note
from annotation.choices import BatchState, ReasonRule, Role
from annotation.formats.guidelines import write_guideline
from annotation.models import Batch, Guideline, Item, Member, User
from tests.conftest import NOW
from tests.factories import make_lead, make_member, make_rubric, make_tree
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db

ADD = "/admin/annotation/batch/add/"


@pytest.fixture
def lead(client):
    member = make_lead("okafor")
    member.user.is_staff = True
    member.user.save()
    client.force_login(member.user)
    return member


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def entered(**more) -> dict:
    rubric = make_rubric()
    return {
        "slug": "wave-1",
        "title": "Wave 1",
        "kind": "turn_pair",
        "purpose": "main",
        "rubric": rubric.pk,
        "has_images": "",
        "pairs": "",
        "pairs_per_tree": 3,
        "order": "by_dialogue",
        "overlap_mode": "number",
        "overlap": 2,
        "lease_minutes": 60,
        "local_scope": "every_turn",
        "reason_preset": "rubric",
        "reason_minimum": 20,
        "rationale_minimum": 0,
        "dimension_preference": "asked",
        "overall_scale": "tie_both_bad",
        "own_figures": "closed",
        "undo_minutes": 10,
        "review_share": 0,
        "review_blind_share": 0,
        "hold_minutes": 120,
        "holds_per_day": 3,
        "on_difference": "leave",
        "difference_points": 2,
        "repeats": 0,
        "repeat_gap": 10,
        "gold": 0,
        "pass_mark": 0.8,
        **more,
    }


def act(client, table: str, action: str, *rows) -> str:
    url = reverse(f"admin:annotation_{table}_changelist")
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    return text_of(client.post(url, body, follow=True))


# --- Making


def test_a_batch_is_previewed_then_made(client, lead):
    make_tree(paths=3, turns=2, task="drawing")
    make_tree(paths=2, turns=2, task="cooking")
    heron, larch = make_member(name="heron"), make_member(name="larch")
    body = entered(
        tasks=["drawing"],
        members=[heron.pk, larch.pk],
        reason_rules="text_quality = always\ncontext_coherence=at-or-below:1",
        guideline_en="Be fair.",
        guideline_zh="要公平。",
    )

    preview = client.post(ADD, {**body, "_preview": "1"})

    assert preview.status_code == 200
    assert not Batch.objects.exists()
    page = text_of(preview)
    assert '<th scope="row">Items</th><td>3</td><td>of 3 possible</td>' in page
    assert '<th scope="row">Seats</th><td>6</td><td>2 at each of 3 items</td>' in page
    assert 'name="_make"' in page

    digest = preview.context["previewed"]
    made = client.post(ADD, {**body, "_make": "1", "_previewed": digest}, follow=True)

    batch = Batch.objects.get()
    assert made.redirect_chain == [(f"/admin/annotation/batch/{batch.pk}/change/", 302)]
    assert (batch.state, batch.items.count(), batch.created_by) == (BatchState.DRAFT, 3, lead)
    assert set(batch.members.all()) == {heron, larch}
    assert batch.parsed_settings().reasons == {
        "text_quality": ReasonRule(always=True),
        "context_coherence": ReasonRule(at_or_below=1),
    }
    assert batch.guideline.versions.count() == 2


def test_what_was_changed_after_the_preview_is_previewed_again(client, lead):
    make_tree(paths=2)
    body = entered()
    digest = client.post(ADD, {**body, "_preview": "1"}).context["previewed"]

    again = client.post(ADD, {**body, "overlap": 3, "_make": "1", "_previewed": digest})

    assert again.status_code == 200
    assert "3 at each of 1 item" in text_of(again)
    assert not Batch.objects.exists()


def test_a_preview_with_problems_offers_no_making(client, lead):
    page = text_of(client.post(ADD, {**entered(), "_preview": "1"}))

    assert "No dialogue fits the choice" in page
    assert 'name="_make"' not in page


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"slug": "not a slug"}, "Enter a valid “slug”"),
        ({"reason_rules": "text_quality"}, "Write dimension = rule"),
        ({"reason_rules": "text_quality = sometimes"}, "is not a reason rule"),
        ({"overlap_mode": "mixed"}, "Mixed overlap needs it."),
        ({"overlap": ""}, "This field is required."),
    ],
)
def test_a_form_that_cannot_be_read_says_where(client, lead, change, problem):
    response = client.post(ADD, {**entered(**change), "_preview": "1"})

    assert response.status_code == 422
    assert problem in text_of(response)
    assert not Batch.objects.exists()


def test_mixed_overlap_and_everyone_are_entered(client, lead):
    for _ in range(4):
        make_tree(paths=2)
    people = [make_member().pk for _ in range(3)]
    rubric = make_rubric(slug="other").pk
    mixed = {"overlap_mode": "mixed", "overlap": 1, "overlap_high": 3, "overlap_high_share": 0.5}
    body = entered(members=people)

    both = text_of(client.post(ADD, {**body, **mixed, "_preview": "1"}))
    everyone = text_of(
        client.post(ADD, {**body, "rubric": rubric, "overlap_mode": "everyone", "_preview": "1"})
    )

    assert "1 at each of 2 items, 3 at each of 2 items" in both
    assert "3 at each of 4 items" in everyone


def test_only_leads_make_batches(client):
    superuser = User.objects.create_superuser("root", password=None)
    annotator = make_member()
    annotator.user.is_staff = True
    annotator.user.save()

    body = entered()

    for user in (superuser, annotator.user):
        client.force_login(user)
        assert client.get(ADD).status_code == 403
        assert client.post(ADD, {**body, "_preview": "1"}).status_code == 403
    assert not Batch.objects.exists()


# --- Running


def test_batches_are_taken_through_their_states(client, lead):
    batch, _ = open_batch_with(slug="wave-1")

    assert "1 paused." in act(client, "batch", "pause_chosen", batch)
    assert "1 opened." in act(client, "batch", "open_chosen", batch)
    assert "1 closed." in act(client, "batch", "close_chosen", batch)
    assert "only while open or paused" in act(client, "batch", "close_chosen", batch)
    assert "1 reopened." in act(client, "batch", "reopen_chosen", batch)
    assert "only while draft" in act(client, "batch", "discard_chosen", batch)

    batch.refresh_from_db()
    assert batch.state == BatchState.OPEN
    assert [entry["by"] for entry in batch.history] == ["okafor"] * 4


def test_a_superuser_who_leads_nothing_is_told_what_to_do(client):
    client.force_login(User.objects.create_superuser("root", password=None))
    batch, _ = open_batch_with()

    assert "You lead no project" in act(client, "batch", "pause_chosen", batch)
    assert "You lead no project" in act(client, "item", "offer_again", batch.items.get())

    batch.refresh_from_db()
    assert batch.state == BatchState.OPEN


def test_items_are_offered_again_reopened_and_given_seats(client, lead):
    batch, _ = open_batch_with(items=3)
    first, second, third = batch.items.order_by("position")
    Item.objects.filter(pk__in=[first.pk, second.pk]).update(parked_at=NOW)

    parked = text_of(client.get("/admin/annotation/item/?waiting=parked"))
    assert first.public_id in parked
    assert third.public_id not in parked
    assert "Items offered again: 1." in act(client, "item", "offer_again", first, third)
    assert "Extra seats added: 1." in act(client, "item", "add_extra_seat", third)
    assert "only while closed" in act(client, "item", "reopen_chosen", third)
    act(client, "batch", "close_chosen", batch)
    assert "Items reopened: 1." in act(client, "item", "reopen_chosen", third)

    assert list(batch.items.parked()) == [second]
    assert third.seats.count() == 3
    reopened = text_of(client.get("/admin/annotation/item/?waiting=reopened"))
    assert third.public_id in reopened
    assert second.public_id not in reopened


def test_members_and_overlap_are_changed_on_pages_of_their_own(client, lead):
    batch, (heron, _) = open_batch_with(items=1, seats=2)
    tern = make_member(name="tern")
    page = f"/admin/annotation/batch/{batch.pk}/"

    assert f'href="{page}members/"' in text_of(client.get(f"{page}change/"))
    offered = text_of(client.get(f"{page}members/"))
    assert ">tern</option>" in offered
    assert f">{heron.pseudonym}</option>" not in offered
    added = client.post(f"{page}members/", {"members": [tern.pk]}, follow=True)
    refused = client.post(f"{page}overlap/", {"overlap": 9})
    raised = client.post(f"{page}overlap/", {"overlap": 3}, follow=True)

    assert "Members added: 1." in text_of(added)
    assert refused.status_code == 422
    assert "3 members cannot fill 9 seats" in text_of(refused)
    assert "Seats added: 1, closed: 0, still taken above it: 0." in text_of(raised)
    assert batch.items.get().seats.count() == 3


def test_others_do_not_reach_those_pages(client):
    batch, (heron, _) = open_batch_with()
    client.force_login(heron.user)

    for page in ("members", "overlap"):
        url = f"/admin/annotation/batch/{batch.pk}/{page}/"
        assert client.post(url, {"overlap": 1}).url.startswith("/admin/login/")

    heron.user.is_staff = True
    heron.user.save()
    for page in ("members", "overlap"):
        url = f"/admin/annotation/batch/{batch.pk}/{page}/"
        assert client.post(url, {"overlap": 1}).status_code == 403
    assert batch.items.get().seats.filter(state="open").count() == 2


# --- People and guidelines


def test_a_superuser_makes_the_first_lead_and_leads_make_the_others(client):
    root = User.objects.create_superuser("root", password=None)
    client.force_login(root)
    url = "/admin/annotation/member/add/"

    client.post(url, {"user": root.pk, "pseudonym": "okafor", "role": "lead"})
    client.post(url, {"user": "", "pseudonym": "reference", "role": "annotator"})
    taken = client.post(url, {"user": "", "pseudonym": "reference", "role": "annotator"})

    assert set(Member.objects.values_list("pseudonym", "role", "user__username")) == {
        ("okafor", "lead", "root"),
        ("reference", "annotator", None),
    }
    assert taken.status_code == 422
    assert "is in the project already" in text_of(taken)


def test_roles_are_given_and_memberships_ended(client, lead):
    heron = make_member(name="heron")

    assert "Roles changed: 1." in act(client, "member", "make_reviewers", heron)
    heron.refresh_from_db()
    assert heron.role == Role.REVIEWER
    assert "The project needs a lead" in act(client, "member", "make_annotators", lead)
    assert "Memberships ended: 1." in act(client, "member", "end_memberships", heron)
    heron.refresh_from_db()
    assert heron.ended_at is not None


def test_a_guideline_is_published_from_the_version_before(client, lead):
    url = "/admin/annotation/guideline/add/"
    client.post(url, {"slug": "fair", "text_en": "Be fair.", "text_zh": "要公平。"})

    page = text_of(client.get(url, {"of": "fair"}))
    again = client.post(
        url, {"slug": "fair", "text_en": "Be fair, be quick.", "sentence": "Quick."}
    )
    empty = client.post(url, {"slug": "fair"})

    assert "要公平。</textarea>" in page
    guideline = Guideline.objects.get()
    assert again.url == f"/admin/annotation/guideline/{guideline.pk}/change/"
    assert set(guideline.versions.filter(number=2).values_list("language", "text")) == {
        ("en", "Be fair, be quick."),
        ("zh-hans", "要公平。"),
    }
    assert empty.status_code == 422
    assert f'href="{url}?of=fair"' in text_of(client.get(again.url))


def test_a_guideline_is_published_by_dimension_and_rid_of_notes_the_text_says_by_now(client, lead):
    url = "/admin/annotation/guideline/add/"
    make_rubric()
    client.post(url, {"slug": "fair", "text_en": "Be fair.\n\n# text_quality\n\nGrammar counts."})
    guideline = Guideline.objects.get()
    add_note(
        guideline, dimension="text_quality", text="Crops too.", example_item=None, by=lead, now=NOW
    )

    page = text_of(client.get(url, {"of": "fair"}))
    text = guideline.versions.get(number=2)
    same = write_guideline(text.text, text.by_dimension)
    unknown = client.post(url, {"slug": "fair", "text_en": "# no_dimension\n\nx"})
    client.post(url, {"slug": "fair", "text_en": same, "without_notes": ["0"]})

    assert "# text_quality" in page
    assert "text_quality Crops too." in page
    assert "there is no dimension no_dimension" in text_of(unknown)
    newest = guideline.versions.get(number=3)
    assert (newest.notes, newest.by_dimension) == ([], {"text_quality": "Grammar counts."})


def test_accounts_show_what_they_are_in_projects(client):
    client.force_login(User.objects.create_superuser("root", password=None))
    make_member(name="heron")

    assert "annotator (default)" in text_of(client.get("/admin/annotation/user/"))
