"""The REST API: who comes in, what they get, in pages that join, in files that resume."""

import json
import tarfile
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from annotation import tasks
from annotation.actions.tokens import create_token, revoke_token
from annotation.api.views import INERT
from annotation.choices import Cause, Role, TokenScope
from annotation.models import Batch, Export, Member, Project
from annotation.reports.agreement import batch_agreement
from annotation.reports.figures import QUALITY, REPORTS
from tests.exported import decided_batch, export
from tests.factories import make_batch, make_items, make_lead, make_member, make_slot
from tests.judged import judge, make_picture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles():
    cache.clear()


@pytest.fixture
def sent(monkeypatch):
    """Catch what would go to the broker; return the ids of the exports sent."""
    ids = []
    monkeypatch.setattr(tasks.build_export, "delay", lambda *, export_id: ids.append(export_id))
    return ids


@pytest.fixture
def judged():
    """Five turn pairs of the batch `cats`, each judged once."""
    batch = make_batch(slug="cats")
    person = make_member(name="robin")
    for number, item in enumerate(make_items(batch, items=5)):
        make_slot(turn=item.response_1.turn, image=make_picture(number))
        judge(item, person, overall=item.response_2, scores={(item.response_1, "text_quality"): 2})
    return batch


class Machine:
    """A test client with a key."""

    def __init__(self, client, *scopes, lead=None):
        self.client = client
        self.lead = lead or make_lead()
        now = timezone.now()
        self.token, self.key = create_token(
            self.lead,
            name="machine",
            scopes=scopes or list(TokenScope),
            expires_at=now + timedelta(days=1),
            by=self.lead,
            now=now,
        )

    def get(self, path, query=None, **headers):
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        return self.client.get(f"/api/v1/{path}", query, headers=headers)

    def post(self, path, body):
        return self.client.post(
            f"/api/v1/{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"},
        )


@pytest.fixture
def machine(client):
    return Machine(client)


def rows_of(response):
    return [json.loads(line) for line in response.content.decode().split("\n")[:-1]]


PATHS = {
    "batches/cats/pairs/": TokenScope.READ_PAIRS,
    "batches/cats/ratings/": TokenScope.READ_RATINGS,
    "batches/cats/agreement/": TokenScope.READ_AGREEMENT,
    "batches/cats/progress/": TokenScope.READ_AGREEMENT,
    "batches/cats/quality/": TokenScope.READ_AGREEMENT,
    "batches/cats/reviews/": TokenScope.READ_AGREEMENT,
    "exports/": TokenScope.EXPORTS,
    "exports/nothing/": TokenScope.EXPORTS,
    "exports/nothing/file/": TokenScope.EXPORTS,
    "images/nothing/": TokenScope.READ_IMAGES,
}


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_is_told(client, judged, path):
    client.force_login(make_lead().user)

    for headers in ({}, {"Authorization": "Bearer ita_wrong"}, {"Authorization": "Basic x"}):
        response = client.get(f"/api/v1/{path}", headers=headers)

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert set(response.json()) == {"message", "fields"}


@pytest.mark.parametrize(("path", "scope"), PATHS.items())
def test_a_key_opens_what_its_scope_says_and_no_other_door(client, judged, path, scope):
    others = [other for other in TokenScope if other != scope]

    assert Machine(client, *others).get(path).status_code == 403
    assert Machine(client, scope).get(path).status_code in {200, 404}


@pytest.mark.parametrize("path", PATHS)
def test_a_key_dies_with_its_leads_role(client, judged, path):
    machine = Machine(client)
    Member.objects.filter(pk=machine.lead.pk).update(role=Role.ANNOTATOR)

    assert machine.get(path).status_code == 403
    revoke_token(machine.token, by=make_lead(), now=timezone.now())
    assert machine.get(path).status_code == 401


@pytest.mark.parametrize("path", [*PATHS, "exports/nothing/file/?x=1"])
def test_no_answer_of_the_api_can_run_in_a_browser(client, judged, path):
    for response in (client.get(f"/api/v1/{path}"), Machine(client).get(path)):
        assert response["Content-Security-Policy"] == INERT
        assert response["X-Content-Type-Options"] == "nosniff"


def test_another_projects_batches_exports_and_pictures_are_not_there(client, judged):
    stranger = make_lead()
    stranger.project = Project.objects.create(slug="other", name="Other")
    stranger.save()
    ours = Machine(client)
    theirs = Machine(client, lead=stranger)
    picture = make_picture(0)

    for path in ("batches/cats/pairs/", "batches/cats/ratings/", f"images/{picture.sha256}/"):
        found = ours.get(path)
        assert found.status_code == 200
        assert found.getvalue()
        assert theirs.get(path).status_code == 404
    assert theirs.post("exports/", {"batches": ["cats"]}).status_code == 404


def test_pages_of_pairs_join_to_the_snapshot_and_the_last_is_marked(machine, judged, tmp_path):
    export(judged, tmp_path / "out")
    pages = [machine.get("batches/cats/pairs/", {"limit": 2})]
    judge(judged.items.first(), make_member(), overall="tie")
    while pages[-1]["Last-Page"] == "false":
        query = {"limit": 2, "snapshot": pages[0]["Snapshot"], "after": pages[-1]["Next-After"]}
        pages.append(machine.get("batches/cats/pairs/", query))

    assert [len(rows_of(page)) for page in pages] == [2, 2, 1]
    assert {page["Snapshot"] for page in pages} == {"5"}
    assert not pages[-1].has_header("Next-After")
    assert pages[0]["Content-Type"] == "application/jsonl"
    joined = b"".join(page.content for page in pages)
    assert joined == (tmp_path / "out" / "pairs.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({}, {}),
        ({"dimension": "all", "aggregate": "raw", "text": "raw"}, None),
        ({"ties": "drop", "seed": 5}, None),
        (
            {"from": "scores", "min_gap": "2.5", "dimension": "text_quality"},
            {"source": "scores", "min_gap": 2.5, "dimension": "text_quality"},
        ),
    ],
)
def test_a_pair_says_who_won_as_the_export_says_it(machine, tmp_path, query, options):
    batch = decided_batch()
    judge(batch.items.order_by("position").first(), make_member(), overall="tie")
    export(batch, tmp_path / "out", **(query if options is None else options))

    page = machine.get("batches/cats/pairs/", query)

    assert page.content == (tmp_path / "out" / "pairs.jsonl").read_bytes()
    assert all(row["aggregates"] for row in rows_of(page))


def test_the_majority_stands_in_the_record_and_ties_can_be_left_out(machine):
    batch = decided_batch()
    tied = batch.items.order_by("position").first()
    for _ in range(3):
        judge(tied, make_member(), overall="tie")

    kept = rows_of(machine.get("batches/cats/pairs/"))
    dropped = rows_of(machine.get("batches/cats/pairs/", {"ties": "drop"}))
    scores = rows_of(
        machine.get(
            "batches/cats/pairs/",
            {"from": "scores", "dimension": "text_quality", "aggregate": "raw"},
        )
    )

    assert [(row["aggregates"][0]["outcome"], row["aggregates"][0]["n"]) for row in kept] == [
        ("tie", 5), ("prefers", 2), ("prefers", 2), ("no_majority", 2),
    ]  # fmt: skip
    assert [row["pair"] for row in dropped] == [row["pair"] for row in kept[1:]]
    assert [len(row["aggregates"]) for row in scores] == [2, 2, 2, 1]
    assert {one["preferred"] for row in scores for one in row["aggregates"]} == {"response_2"}


def test_pages_of_ratings_say_what_is_in_the_set(machine, judged):
    item = judged.items.order_by("position").first()
    robin = Member.objects.get(pseudonym="robin")
    judge(
        item, robin, scores={(item.response_1, "text_quality"): 0},
        cause=Cause.CORRECTION, saw_others=True,
    )  # fmt: skip

    final = rows_of(machine.get("batches/cats/ratings/"))
    independent = rows_of(machine.get("batches/cats/ratings/", {"set": "independent"}))
    first = machine.get("batches/cats/ratings/", {"limit": 2, "after": 2})

    assert [(row["judgment"], row["score"], row["left_out"]) for row in final] == [
        (2, 2, ""), (3, 2, ""), (4, 2, ""), (5, 2, ""), (6, None, "saw_others"),
    ]  # fmt: skip
    assert [(row["judgment"], row["score"]) for row in independent] == [
        (1, 2), (2, 2), (3, 2), (4, 2), (5, 2),
    ]  # fmt: skip
    assert [row["judgment"] for row in rows_of(first)] == [3, 4]
    assert (first["Next-After"], first["Last-Page"]) == ("4", "false")


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("batches/cats/pairs/", {"snapshot": 99}, "snapshot"),
        ("batches/cats/pairs/", {"after": "x"}, "after"),
        ("batches/cats/pairs/", {"limit": 9999}, "limit"),
        ("batches/cats/pairs/", {"text": "html"}, "text"),
        ("batches/cats/ratings/", {"set": "all"}, "set"),
        ("batches/cats/agreement/", {"snapshot": 99}, "snapshot"),
        ("batches/cats/quality/", {"snapshot": 99}, "snapshot"),
        ("batches/cats/pairs/", {"dimension": "beauty"}, "dimension"),
        ("batches/cats/pairs/", {"from": "rumour"}, "from"),
        ("batches/cats/pairs/", {"min_gap": "nan", "from": "scores"}, "min_gap"),
        ("batches/cats/pairs/", {"number": 9999}, "number"),
        ("batches/cats/ratings/", {"dimension": "all"}, "dimension"),
        ("batches/cats/agreement/", {"number": 1}, "number"),
        ("exports/", {"limit": 5}, "limit"),
        ("exports/nothing/", {"after": 5}, "after"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_the_field(
    machine, judged, path, query, field
):
    response = machine.get(path, query)

    assert response.status_code == 422
    assert list(response.json()["fields"]) == [field]


def test_a_parameter_that_is_none_is_named_with_those_there_are(machine, judged):
    told = machine.get("batches/cats/agreement/", {"number": 9999}).json()
    nothing = machine.get("exports/", {"page": 2}).json()

    assert told["message"] == "There is no parameter number. There are: snapshot, of."
    assert nothing["message"] == "There is no parameter page. There is none here."


def test_agreement_is_that_of_the_page_and_of_any_number_before(machine, judged):
    kim = make_member(name="kim")
    item = judged.items.order_by("position").first()
    judge(item, kim, overall=item.response_2, scores={(item.response_1, "text_quality"): 2})

    now = machine.get("batches/cats/agreement/").json()
    before = machine.get("batches/cats/agreement/", {"snapshot": 5}).json()

    assert (now["number"], now["newest"], now["error"]) == (6, 6, "")
    assert now["figures"] == batch_agreement(judged, number=6).as_dict()
    assert (before["number"], before["newest"]) == (5, 6)
    assert (now["figures"]["annotators"], before["figures"]["annotators"]) == (2, 1)


@pytest.mark.parametrize("of", REPORTS)
def test_every_report_is_a_command_and_in_the_api_with_the_same_numbers(
    machine, judged, capsys, of
):
    judge(judged.items.first(), make_member(), scores={})
    number = Batch.objects.get(pk=judged.pk).last_number
    if of == QUALITY:
        call_command("report_quality", "--batch", "cats", "--json")
        told = machine.get("batches/cats/quality/", {"snapshot": number}).json()
    else:
        call_command("report_agreement", "--batch", "cats", "--of", of, "--json")
        asked = {"snapshot": number, "of": of}
        told = machine.get("batches/cats/agreement/", asked).json()["figures"]

    printed = json.loads(capsys.readouterr().out)
    if of == QUALITY:  # whose envelope names the newest number instead of the batch
        del printed["batch"], told["newest"]
    assert told == printed


def test_where_a_batch_stands_and_what_its_reviews_say_is_in_the_api_too(machine, judged, capsys):
    call_command("batch", "cats", "--json")
    printed = json.loads(capsys.readouterr().out)
    told = machine.get("batches/cats/progress/").json()
    call_command("report_reviews", "--batch", "cats", "--json")
    reviews = json.loads(capsys.readouterr().out)

    assert {**told, "at": ""} == {**printed, "at": ""}
    assert told["seats"]["submitted"] == 5
    assert [row["pseudonym"] for row in told["annotators"]] == ["robin"]
    assert machine.get("batches/cats/reviews/").json() == reviews
    assert set(reviews["waits"]) == {"reviews", "blind", "returned", "adjudications"}
    assert reviews["calibration_readers"] == 0


def test_an_export_is_started_watched_and_fetched_also_from_the_middle(machine, judged, sent):
    body = {"batches": ["cats"], "options": {"format": "swift", "split": "90/5/5", "seed": 3}}

    started = machine.post("exports/", body)
    public_id = started.json()["id"]
    early = machine.get(f"exports/{public_id}/file/")
    tasks.build_export(export_id=sent[0])
    state = machine.get(f"exports/{public_id}/").json()
    whole = machine.get(f"exports/{public_id}/file/")
    content = b"".join(whole.streaming_content)
    rest = machine.get(f"exports/{public_id}/file/", Range="bytes=1000-")
    tail = machine.get(f"exports/{public_id}/file/", Range="bytes=-10")
    behind = machine.get(f"exports/{public_id}/file/", Range=f"bytes={len(content)}-")
    changed = machine.get(f"exports/{public_id}/file/", Range="bytes=5-", **{"If-Range": '"old"'})

    assert (started.status_code, started.json()["state"]) == (202, "waiting")
    assert (early.status_code, early.json()["message"]) == (409, "This export is waiting.")
    assert (state["state"], state["snapshot"]) == ("done", {"cats": 5})
    assert state["manifest"]["decisions"]["written"] == 5
    assert whole["ETag"] == f'"{state["sha256"]}"'
    with tarfile.open(fileobj=BytesIO(content)) as tar:
        assert "cats-5-swift/manifest.json" in tar.getnames()
    assert (rest.status_code, b"".join(rest.streaming_content)) == (206, content[1000:])
    assert rest["Content-Range"] == f"bytes 1000-{len(content) - 1}/{len(content)}"
    assert b"".join(tail.streaming_content) == content[-10:]
    assert (behind.status_code, behind["Content-Range"]) == (416, f"bytes */{len(content)}")
    assert (changed.status_code, b"".join(changed.streaming_content)) == (200, content)
    assert [one["id"] for one in machine.get("exports/").json()] == [public_id]


def test_a_second_export_waits_its_turn_and_bad_options_are_named(machine, judged, sent):
    bad = machine.post(
        "exports/", {"batches": ["cats"], "options": {"format": "swift", "ties": "keep"}}
    )
    unknown = machine.post("exports/", {"batches": ["dogs"]})
    nothing = machine.post("exports/", {})
    first = machine.post("exports/", {"batches": ["cats"]})
    second = machine.post("exports/", {"batches": ["cats"]})

    assert (bad.status_code, list(bad.json()["fields"])) == (422, ["ties"])
    assert (unknown.status_code, unknown.json()["message"]) == (404, "There is no batch dogs.")
    assert (nothing.status_code, list(nothing.json()["fields"])) == (422, ["batches"])
    assert (first.status_code, second.status_code) == (202, 409)
    assert sent == [Export.objects.get().pk]


def test_forged_fields_change_nothing(machine, judged, sent):
    body = {
        "batches": ["cats"],
        "state": "done",
        "snapshot": {"cats": 1},
        "created_by": 1,
        "sha256": "x",
    }

    machine.post("exports/", body)

    export = Export.objects.get()
    assert (export.state, export.snapshot, export.created_by, export.sha256) == (
        "waiting", {"cats": 5}, machine.lead, "",
    )  # fmt: skip


def test_a_seventh_export_in_an_hour_is_put_off(machine, sent):
    answers = [machine.post("exports/", {"batches": ["dogs"]}) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [404] * 6 + [429]
    assert int(answers[-1]["Retry-After"]) > 3000


def test_a_picture_is_its_original_bytes_and_can_do_no_harm(machine, judged):
    picture = make_picture(2)

    response = machine.get(f"images/{picture.sha256}/")

    with picture.original.open("rb") as file:
        assert b"".join(response.streaming_content) == file.read()
    assert (
        response["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert machine.get("images/" + "0" * 64 + "/").status_code == 404


def test_no_answer_names_a_person(machine, judged, sent):
    Member.objects.get(pseudonym="robin").user.delete()
    canary = make_member(name="pseudonym")
    type(canary.user).objects.filter(pk=canary.user.pk).update(
        email="canary@example.org", username="canary", first_name="Canary"
    )
    judge(judged.items.first(), canary, overall="tie", scores={})
    machine.post("exports/", {"batches": ["cats"], "options": {"dimension": "all"}})
    tasks.build_export(export_id=sent[0])
    export = Export.objects.get()
    with export.file.open() as file:
        archive = file.read()

    told = machine.get("batches/cats/pairs/").content + machine.get("exports/").content + archive
    assert b"pseudonym" in told
    assert b"canary" not in told.lower()


def test_the_document_is_valid_and_behind_a_key(client, machine, tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "api.yml"))

    assert client.get("/api/v1/schema/").status_code == 401
    told = machine.get("schema/").content.decode()
    for path in (
        "pairs",
        "ratings",
        "agreement",
        "exports/",
        "exports/{public_id}/file",
        "images/{sha256}",
    ):
        assert path in told


def test_reading_a_page_costs_the_same_for_one_item_and_three(machine, django_assert_num_queries):
    for slug, items in (("one", 1), ("three", 3)):
        batch = make_batch(slug=slug)
        for item in make_items(batch, items=items):
            judge(item, make_member(), overall=item.response_1)
    machine.get("batches/one/pairs/")

    for slug in ("one", "three"):
        with django_assert_num_queries(18):
            assert machine.get(f"batches/{slug}/pairs/")["Last-Page"] == "true"
    assert Batch.objects.count() == 2


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("path", ["", "nothing/", "batches/", "exports/a/b/c"])
def test_an_unknown_address_is_answered_as_the_api_answers(client, method, path):
    answer = getattr(client, method)(f"/api/v1/{path}")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
    assert answer.json() == {"message": "There is no such thing.", "fields": {}}
    assert answer.headers["Content-Security-Policy"] == INERT
