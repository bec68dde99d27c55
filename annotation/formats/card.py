"""The README of an export: what it is, how to load it, what is not in it."""

from collections.abc import Mapping
from typing import Any

from annotation.formats.splits import NAMES, parse_shares

_LOADING = {
    "swift": """
ms-swift reads the files as they are. Picture paths are relative to this folder:

```sh
ROOT_IMAGE_DIR=$PWD swift rlhf --rlhf_type dpo --dataset {file} ...
```
""",
    "trl": """
Make the picture paths absolute and let `datasets` open them:

```python
from pathlib import Path
from datasets import Image, List, load_dataset

folder = Path("this folder")
rows = load_dataset("json", data_files=str(folder / "{file}"), split="train")
rows = rows.map(lambda row: {{"images": [str(folder / path) for path in row["images"]]}})
rows = rows.cast_column("images", List(Image()))
```

DPOTrainer wants `max_length=None` where there are pictures.
""",
    "ratings": """
```sh
python -m annotation.agreement {file} --where dimension=NAME --cluster dialogue
```

One dimension at a time: `unit` names the dimension too, but a figure over several means nothing.

In CSV take one leading apostrophe off text cells; Parquet has none.
""",
    "canonical": """
One JSON record a line, schema `intermt-annotate/pair/1`; joining the `text` of a message's parts
gives its whole text. `letters` says what A and B meant in the texts of a judgment.
""",
}


def card(told: Mapping[str, Any], reliability: Mapping[str, Any]) -> str:
    """Return the README in Markdown, with the header that dataset hubs read.

    :param told: the manifest.
    :param reliability: of the same snapshots.
    """
    files = [entry for entry in told["files"] if entry["rows"] is not None]
    named = sorted(
        (entry for entry in files if entry["path"] != "index.jsonl"), key=_place_of_split
    )
    rows = sum(entry["rows"] for entry in named if not entry["path"].endswith(".parquet"))
    first = named[0]["path"] if named else ""
    lines = [
        *_header(told, named, rows),
        "",
        "# " + ", ".join(entry["batch"] for entry in told["snapshots"]),
        "",
        f"Format `{told['format']}`, judgments of the `{told['set']}` set, up to "
        + ", ".join(f"number {s['number']} of {s['batch']}" for s in told["snapshots"])
        + ".",
        "`manifest.json` has options, checksums and sums; `manage.py verify_export` checks them, "
        "`manage.py errata` says what has changed since.",
        "",
        "## Files",
        "",
        *(f"- `{entry['path']}`: {entry['rows']} rows" for entry in named),
        *(f"- no file for {name}: no row fell to it" for name in empty_splits(told)),
        "- `index.jsonl`: what was decided for each pair",
        "",
        "## Loading",
        _LOADING[told["format"]].format(file=first),
        "## Rules",
        "",
        *(f"- {rule}" for rule in told["policies"]),
        "",
        "## How far people agreed",
        "",
        "Of the independent judgments of each batch, also where this export leaves some out; "
        "`reliability.json` has all figures.",
        *(line for batch in reliability["batches"] for line in _agreed(batch)),
        "",
        "## Not in here",
        "",
        *_absent("judgments", told["judgments"]),
        *_absent("decisions", told["decisions"]),
        *(f"- {name.replace('_', ' ')} dropped: {n}" for name, n in told["lost"].items()),
        "",
    ]
    return "\n".join(lines)


def _agreed(batch: Mapping[str, Any]) -> list[str]:
    """Return who rated what, and alpha of each dimension and comparison with its interval."""
    raters, sample = batch["raters"], batch["sample"]
    who = f" ({raters['population'].rstrip('.')})" if raters["population"] else ""
    passed = f", who passed {raters['qualification']}" if raters["qualification"] else ""
    lines = [
        "",
        f"{batch['batch']}: {raters['number']} annotators{who}{passed}. "
        f"{batch['independence']['independent']} independent judgments of {sample['items']} items "
        f"in {sample['dialogues']} dialogues.",
        "",
        "| | units with two ratings | Krippendorff's alpha | 95 % interval | |",
        "|---|--:|--:|---|---|",
    ]
    for one in (it for it in batch["agreement"] if it["ratings"]):
        alpha = next(it for it in one["figures"] if it["measure"] == "krippendorff_alpha")
        value = "" if alpha["value"] is None else f"{alpha['value']:.2f}"
        spread = "" if alpha["low"] is None else f"{alpha['low']:.2f} to {alpha['high']:.2f}"
        row = [one["of"], one["pairable_units"], value, spread, alpha["state"]]
        lines.append(f"| {' | '.join(map(str, row))} |")
    return lines


def empty_splits(told: Mapping[str, Any]) -> list[str]:
    """Return the splits of a manifest that were given a share and got no row."""
    if not told["splits"]:
        return []
    shares = dict(zip(NAMES, parse_shares(told["splits"]["shares"]).parts, strict=True))
    return [name for name in NAMES if shares[name] and not told["splits"]["rows"][name]]


def _place_of_split(entry: Mapping[str, Any]) -> int:
    """Return where the file is listed: the one to train on first, as the loading shows it."""
    return NAMES.index(entry["split"]) if entry["split"] else 0


def _header(told: Mapping[str, Any], files: list[Mapping[str, Any]], rows: int) -> list[str]:
    size = next((name for most, name in _SIZES if rows < most), "n>1M")
    splits = [entry for entry in files if entry["split"]]
    lines = ["---", "tags:", "- preference", "- multimodal"]
    lines += ["- dpo"] if told["format"] in {"swift", "trl"} else []
    lines += ["size_categories:", f"- {size}"]
    if splits:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for entry in splits:
            lines += [f"  - split: {entry['split']}", f"    path: {entry['path']}"]
    return [*lines, "---"]


_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def _absent(name: str, sums: Mapping[str, Any] | None) -> list[str]:
    excluded = sums["excluded"] if sums else {}
    return [f"- {name}, {reason.replace('_', ' ')}: {n}" for reason, n in excluded.items()]
