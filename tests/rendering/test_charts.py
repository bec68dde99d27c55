import re

import pytest

from annotation.rendering import charts


def test_an_axis_reaches_as_low_as_the_lowest_interval():
    plain, deep = charts.coefficient_axis([0.2, None]), charts.coefficient_axis([-0.3])

    assert [tick.label for tick in plain.ticks] == ["0", ".5", ".67", ".8", "1"]
    assert (plain.low, deep.low) == (0.0, -0.5)
    assert [tick.label for tick in deep.ticks] == ["−.5", "0", ".5", "", "", "1"]
    assert deep.ticks[1].x == pytest.approx(charts.WIDTH / 3)


def test_an_axis_of_points_writes_both_ends_alike():
    assert [tick.label for tick in charts.points_axis([0.3]).ticks] == ["−.5", "0", "+.5"]
    assert [tick.label for tick in charts.points_axis([1.3]).ticks] == ["−2", "0", "+2"]


def test_bars_are_as_wide_as_their_share_and_print_what_fits():
    drawn = charts.bar([1, 0, 49, 50])

    assert re.findall(r">(\d+)</text>", drawn) == ["49", "50"]
    assert re.findall(r'<rect class="shade-(\d+)"', drawn) == ["0", "7", "10"]
    widths = [float(one) for one in re.findall(r'<rect[^>]* width="([\d.]+)"', drawn)]
    assert sum(widths) == pytest.approx(charts.BAR)
    assert "<rect" not in charts.bar([0, 0])


def test_turns_without_a_value_leave_the_line():
    turns = [
        {"turn": 1, "value": 1.0, "low": None, "high": None},
        {"turn": 2, "value": None, "low": None, "high": None},
        {"turn": 3, "value": -0.2, "low": -0.5, "high": 0.1},
    ]

    drawn = charts.curve(turns)

    assert 'points="33.3,0.0 166.7,96.0"' in drawn
    assert "polygon" not in drawn
    assert re.findall(r'y="112">(\d)<', drawn) == ["1", "2", "3"]


def test_what_is_not_firm_is_drawn_loose_and_without_a_value_not_at_all():
    axis = charts.coefficient_axis([])
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}

    assert 'class="chart-loose"' in charts.whisker(axis, figure, firm=False)
    assert 'class="chart-firm"' in charts.whisker(axis, figure, firm=True)
    empty = charts.whisker(axis, dict.fromkeys(figure), firm=True)
    assert empty == charts.axis_labels(axis, [empty]) == ""
    assert "chart-axis" in charts.axis_labels(
        axis, [empty, charts.whisker(axis, figure, firm=True)]
    )


@pytest.mark.parametrize("state", ["ok", "provisional", "insufficient", "low_variation"])
def test_charts_have_no_style_no_script_and_are_hidden_from_readers(state):
    drawn = charts.state_shape(state) + charts.apart(0, 3, range(4))

    assert "style=" not in drawn
    assert drawn.count('aria-hidden="true"') == 2
    assert not re.search(r" on\w+=", drawn)


def test_two_scores_stand_as_numbered_dots_on_their_scale():
    drawn = charts.apart(1, 3, range(4))

    assert re.findall(r"<circle[^>]* cx=\"([\d.]+)\"", drawn) == ["24.0", "72.0"]
    assert re.findall(r">(\d)</text>", drawn) == ["1", "3"]
