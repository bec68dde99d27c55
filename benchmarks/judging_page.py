"""The judging page under load, beside its peers: `python benchmarks/judging_page.py`.

On PostgreSQL with 52,600 dialogues and 300,000 turns (the published ones, copied with new ids),
behind the product's own gunicorn settings: time and queries of the page, of saving, of preparing
the next item while one is judged, and of submitting until the next is in hand (as the page's script
does it, and with nothing prepared), alone and with eight annotators at once who never pause; bytes, requests and scripts of the page, and
the time from the key press to the next item readable, in Chromium. Label Studio (on PostgreSQL,
too) and Potato are measured in the same run where LABEL_STUDIO and POTATO name their commands;
their items are the same real pairs, but fewer, which favours them.

All traffic goes to this machine. Takes some minutes; `--quick` measures on a small copy.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import judging_peers
import judging_world as world
from judging_ours import Ours
from measuring import Row, table

PORT = 8971


def main() -> None:
    """Build, measure ours and the peers, print one table with the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dialogues", type=int, default=52_600)
    parser.add_argument("--turns", type=int, default=300_000)
    parser.add_argument("--items", type=int, default=40, help="items judged alone, by each tool")
    parser.add_argument("--each", type=int, default=15, help="items for each of eight annotators")
    parser.add_argument("--quick", action="store_true", help="500 dialogues, 10 items")
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--folder", type=Path, help="keep files here (default: a temporary one)")
    asked = parser.parse_args()
    if asked.quick:
        asked.dialogues, asked.turns, asked.items, asked.each = 500, 0, 10, 4
    with tempfile.TemporaryDirectory(prefix="annotate-benchmark-") as temporary:
        folder = asked.folder or Path(temporary)
        (folder / "var").mkdir(parents=True, exist_ok=True)
        world.prepare_environment(folder, PORT)
        with world.empty_database():
            print("Building ...", flush=True)
            counts = world.build(folder, dialogues=asked.dialogues, turns=asked.turns)
            print(", ".join(f"{count:,} {name}" for name, count in counts.items()), flush=True)
            rows: list[Row] = []
            shown = judging_peers.pairs()
            for slug, kind in world.BATCHES.items():
                rows.append(Ours(folder, PORT).measured(slug, kind, asked.items, asked.each))
                print(rows[-1].name, "measured", flush=True)
        pair = next(row for row in rows if row.name.endswith("conversation_pair"))
        peers = (
            []
            if asked.only_ours
            else judging_peers.measured(folder, shown, asked.items, asked.each)
        )
    print()
    print(table([*rows, *peers]))
    for peer in peers:
        print()
        print(f"{peer.name} / ours (a conversation pair), medians:")
        print("  " + ", ".join(f"{key} x {ratio:.1f}" for key, ratio in peer.against(pair)))


if __name__ == "__main__":
    main()
