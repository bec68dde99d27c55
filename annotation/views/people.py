"""What pages show of annotators and of where they differ, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from annotation.choices import Level
from annotation.rendering import charts
from annotation.reports.quality import signals_in
from annotation.reports.words import in_language, listed

Body = Mapping[str, Any]
FEWEST_SHARED = 20
"""With fewer ratings beside others' no figure of a person is shown."""


def people_table(body: Body, quality: Body | None) -> dict[str, Any]:
    """Return the rows of the table of annotators and its axis.

    :param quality: as `BatchQuality.as_dict` gives it, for the signs in people's work.
    """
    names = names_of(body)
    signals = signals_in(quality) if quality else {}
    rows = [
        {**_person_row(one, names), "signals": signals.get(one["member"], ())}
        for one in body["annotators"]
    ]
    axis = charts.points_axis([row["widest"]["shrunk"] for row in rows if row["widest"]])
    for row in rows:
        row["whisker"] = charts.whisker(axis, _interval(row["widest"]), firm=_marked(row["widest"]))
    return {"axis": charts.axis_labels(axis, [row["whisker"] for row in rows]), "rows": rows}


def names_of(body: Body) -> dict[str, str]:
    """Return the dimensions' names in the reader's language, by key."""
    return {one["key"]: in_language(one["name"]) or one["key"] for one in body["dimensions"]}


def _person_row(one: Body, names: Mapping[str, str]) -> dict[str, Any]:
    known = [
        {**figures, "name": names[figures["key"]]}
        for figures in one["dimensions"]
        if figures["ratings"] >= FEWEST_SHARED
    ]
    rises = [figures for figures in known if figures["alpha_change"] is not None]
    overall = next((s for s in one["first_shown"] if s["scope"] == "overall"), None)
    return {
        **one,
        "widest": max(known, key=lambda figures: abs(figures["shrunk"]), default=None),
        "rise": max(rises, key=lambda figures: figures["alpha_change"], default=None),
        "first": overall and {**overall["position"], "marked": overall["marked"]},
    }


def _interval(figures: Body | None) -> Body:
    """Return severity with its interval, drawn to the pool, as a chart takes it."""
    if figures is None or figures["shrunk"] is None:
        return {"value": None, "low": None, "high": None}
    value, error = figures["shrunk"], figures["error"]
    if error is None:
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": value - 1.96 * error, "high": value + 1.96 * error}


def _marked(figures: Body | None) -> bool:
    return bool(figures and figures["marked"])


def person_page(one: Body, names: Mapping[str, str]) -> dict[str, Any]:
    """Return one person's figures, dimension by dimension, and by comparison."""
    dimensions = [
        {
            **figures,
            "name": names[figures["key"]],
            "enough": figures["ratings"] >= FEWEST_SHARED,
        }
        for figures in one["dimensions"]
    ]
    shown = [figures for figures in dimensions if figures["enough"]]
    axis = charts.points_axis([end for figures in shown for end in _interval(figures).values()])
    share_axis = charts.share_axis(
        [s["position"][end] for s in one["first_shown"] for end in ("low", "high")]
    )
    for figures in dimensions:
        drawn = figures if figures["enough"] else None
        figures["whisker"] = charts.whisker(axis, _interval(drawn), firm=_marked(drawn))
    first_shown = [
        {
            **shown_first,
            "name": _comparison(shown_first, names),
            "whisker": charts.whisker(
                share_axis,
                {**shown_first["position"], "value": shown_first["position"]["share"]},
                firm=True,
            ),
        }
        for shown_first in one["first_shown"]
    ]
    return {
        "dimensions": dimensions,
        "axis": charts.axis_labels(axis, [figures["whisker"] for figures in dimensions]),
        "share_axis": charts.axis_labels(share_axis, [row["whisker"] for row in first_shown]),
        "first_shown": first_shown,
    }


def _comparison(one: Body, names: Mapping[str, str]) -> str:
    if one["dimension"]:
        return names[one["dimension"]]
    return _("At the fork") if one["scope"] == "fork" else _("Overall")


def disagreement_rows(
    listed: Sequence[Body], adjudicated: Mapping[str, bool]
) -> list[dict[str, Any]]:
    """Return lines of the list of disagreements.

    :param adjudicated: items that wait to be decided (False) or are decided (True).
    """
    return [
        {
            **one,
            "name": in_language(one["name"]) or one["dimension"],
            "unit": _unit(one),
            "waits": adjudicated.get(one["item"]) is False,
            "decided": adjudicated.get(one["item"], False),
            "drawn": charts.apart(one["low"], one["high"], range(4)),
        }
        for one in listed
    ]


def _unit(one: Body) -> str:
    side = {
        0: "",
        1: pgettext("the item's first side", "side 1"),
        2: pgettext("the item's second side", "side 2"),
    }
    what = (
        _("Whole") if one["level"] == Level.GLOBAL else _("Turn %(turn)s") % {"turn": one["turn"]}
    )
    return listed((what, side[one["side"]]))
