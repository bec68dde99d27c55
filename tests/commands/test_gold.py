"""`set_gold` takes a table whole or not at all; `report_quality` prints what the page shows."""

import pytest
from django.core.management import CommandError, call_command

from annotation.models import GoldAnswer
from tests.factories import make_batch, make_gold, make_items, make_lead, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def item():
    make_lead("okafor")
    return make_items(make_batch(slug="wave"))[0]


def table(tmp_path, text):
    file = tmp_path / "gold.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_table_of_answers_is_kept_and_a_dry_run_writes_nothing(item, tmp_path, capsys):
    file = table(
        tmp_path,
        "item,dimension,response,score,tolerance,outcome,feedback\n"
        f"{item.public_id},text_quality,1,3,1,,Because.\n"
        f"{item.public_id},overall,2,,,prefers,\n",
    )

    call_command("set_gold", file, "--dry-run")
    assert not GoldAnswer.objects.exists()
    call_command("set_gold", file)

    assert capsys.readouterr().out.splitlines() == [
        "2 known answers to 1 items would be kept.",
        "2 known answers to 1 items kept.",
    ]
    assert set(GoldAnswer.objects.values_list("score", "tolerance", "outcome", "feedback")) == {
        (3, 1, "", "Because."),
        (None, 0, "prefers", ""),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no item"),
        ("item,colour\nx,red\n", "unknown: colour"),
        ("item,outcome\n", "holds no answers"),
        ("item,outcome\nnobody,tie\n", "1: there is no item nobody"),
        ("item,dimension,score\n{item},text_quality,high\n", "1: score and tolerance are whole"),
        ("item,outcome\n{item},tie\n{item},better\n", "2: better is no outcome"),
    ],
)
def test_a_table_that_is_wrong_anywhere_is_refused_whole(item, tmp_path, text, says):
    with pytest.raises(CommandError, match=says):
        call_command("set_gold", table(tmp_path, text.replace("{item}", item.public_id)))

    assert not GoldAnswer.objects.exists()


def test_a_file_that_is_not_there_is_said_to_be_so(item):
    with pytest.raises(CommandError, match="could not be read"):
        call_command("set_gold", "nowhere.csv")


def test_the_report_tells_hits_misses_and_what_waits(item, tmp_path, capsys):
    make_gold(item)
    call_command("set_gold", table(tmp_path, f"item,outcome\n{item.public_id},tie\n"))
    judge(item, make_member(name="larch"), overall=item.response_1)
    judge(item, make_member(name="alder"), overall="tie")

    call_command("report_quality", "--batch", "wave")

    told = capsys.readouterr().out
    assert "votes that differ (leave): 0 wait, 0 with somebody, 0 settled" in told
    assert f"known answers: 0 of 1 hit; missed: {item.public_id} 1" in told
    assert "known answers: 1 of 1 hit; missed: none" in told
    with pytest.raises(CommandError, match="no batch elsewhere"):
        call_command("report_quality", "--batch", "elsewhere")
    with pytest.raises(CommandError, match="is at number"):
        call_command("report_quality", "--batch", "wave", "--at", "99")
