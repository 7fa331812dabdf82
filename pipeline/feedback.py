"""Review the pictures that people have corrected, and choose which of them are used for training.

Without options, the command prints counts, writes a contact sheet, and at a terminal shows the new pictures
one by one. `--accept`, `--drop`, `--relabel` and `--delete` change several pictures: those with the given id
prefixes, those selected by `--state`, `--label` and `--answer`, or `--all`. `make learn` uses the accepted
pictures. docs/feedback.md says what is stored, where, and for how long.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from feedback.errors import BadLabel, FeedbackError
from feedback.labels import label_of
from feedback.record import Kept, State
from feedback.store import Store
from pipeline.project.paths import ACCEPTED, root
from pipeline.reviewing.archive import export
from pipeline.reviewing.choice import SHORT, Choice
from pipeline.reviewing.sheet import MOST, in_letters, on_one_line, write_sheet

STATES: tuple[State, ...] = ("new", "accepted", "dropped")
ROWS = 30  # of the table of labels
WIDTH = 120  # columns if the output is not a terminal


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.feedback", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help="prefix of an id, as shown on the contact sheet")
    parser.add_argument("--state", choices=STATES, help="select pictures in this state")
    parser.add_argument("--label", type=_label, help="select pictures with this label")
    parser.add_argument("--answer", help="select pictures with this answer (? for not a digit)")
    parser.add_argument("--all", action="store_true", help="select all pictures")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--accept", action="store_true", help="use these for training")
    what.add_argument("--drop", action="store_true", help="do not use these for training")
    what.add_argument("--relabel", type=_label, metavar="LABEL", help="correct the label, and accept these")
    what.add_argument("--delete", action="store_true", help="delete these permanently")
    what.add_argument("--delete-all", action="store_true", help="delete all feedback permanently")
    what.add_argument(
        "--export", type=Path, metavar="FILE.zip", help="write the pictures and their data to a ZIP file"
    )
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="file of the contact sheet")
    parser.add_argument(
        "--page", type=_page, default=1, metavar="N", help=f"page of the contact sheet ({MOST} pictures each)"
    )
    options = parser.parse_args()
    try:
        run(options)
    except FeedbackError as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nYour decisions so far are saved.")
        return 130
    return 0


def run(options: argparse.Namespace) -> None:
    """Carry out the options; raises `FeedbackError`."""
    store = Store(root() / (os.environ.get("FEEDBACK_DIR") or "data/feedback"))
    choice = Choice(options.ids, options.state, options.label, options.answer)
    sheet = options.sheet or default_sheet()
    if options.delete_all:
        delete_all(store, sheet, options.yes)
        return
    chosen = choice.of(store.kept())
    if options.export:
        export(options.export, chosen, store.folder)
        print(f"{counted(chosen)} exported to {options.export}.")
        return
    changes = options.accept or options.drop or options.relabel is not None or options.delete
    if not changes:
        show(store, choice, sheet, options.page)
        return
    if not choice.is_made and not options.all:
        raise FeedbackError("Select pictures by their ids, by --state, --label or --answer, or with --all.")
    if options.delete:
        delete(store, chosen, options.yes)
        return
    for one in chosen:
        store.judge(one.id, "dropped" if options.drop else "accepted", options.relabel or one.label)
    print(f"{counted(chosen)} {'dropped' if options.drop else 'accepted'}.")


def default_sheet() -> Path:
    """Return the default path of the contact sheet, in a folder that git ignores."""
    return root() / "build" / "feedback.png"


def show(store: Store, choice: Choice, sheet: Path, page: int) -> None:
    """Print counts, write the contact sheet, and at a terminal review the new pictures."""
    kept = store.kept()
    for path in store.damaged():
        print(f"{path} is damaged, or its picture is missing. Send the picture again, or remove the file.")
    if not kept:
        print(f"There is no feedback in {store.folder}. `make run` stores the pictures that you correct.")
        return
    print(f"{counted(kept)} in {store.folder}: {_by_state(kept)}.")
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table(kept))
    chosen = sorted(choice.of(kept), key=lambda one: STATES.index(one.state))
    part = chosen[(page - 1) * MOST : page * MOST]
    write_sheet(sheet, part, store.folder)
    more = f", {len(part)} of {len(chosen)} (next: --page {page + 1})" if len(chosen) > page * MOST else ""
    print(f"Contact sheet: {sheet}{more}")
    new = [one for one in chosen if one.state == "new"]
    if new and sys.stdin.isatty() and sys.stdout.isatty():
        go_through(store, new)
    elif new:
        print(
            'To review them: `make feedback` at a terminal, or ARGS="--accept ID", --drop, --relabel LABEL.'
        )


def table(kept: Sequence[Kept]) -> Table:
    """Return a table with a row per label, most frequent first: the counts by state, and common answers."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("label", overflow="fold", max_width=40)
    for state in STATES:
        made.add_column(state, justify="right")
    made.add_column("read as", overflow="fold")
    labels = Counter(one.label for one in kept)
    for label, _ in labels.most_common(ROWS):
        own = [one for one in kept if one.label == label]
        states = Counter(one.state for one in own)
        answers = Counter(on_one_line(one.answer) for one in own).most_common(5)
        read = ", ".join(f"{answer} ({count})" for answer, count in answers)
        made.add_row(on_one_line(label), *(str(states[state]) for state in STATES), read)
    if len(labels) > ROWS:
        made.add_row(f"and {len(labels) - ROWS} other labels")
    return made


def go_through(store: Store, new: Sequence[Kept]) -> None:
    """Show one picture after another, and ask what to do with it."""
    print(f"{len(new)} are new. a: accept, d: drop, a label: correct and accept, Enter: skip, q: quit.")
    for number, one in enumerate(new, 1):
        print(f"\n{number} of {len(new)}: {one.id[:SHORT]}\n{in_letters(one.picture(store.folder))}")
        said = f"is {on_one_line(one.label)}, read {on_one_line(one.answer)} by model {one.model}"
        while True:
            answer = input(f"{said}: a, d, a label, Enter or q? ").strip()
            if answer == "q":
                return
            if not answer:
                break
            try:
                judge(store, one, answer)
            except BadLabel as error:
                print(error)
                continue
            break


def judge(store: Store, one: Kept, answer: str) -> None:
    """Accept (`a`), drop (`d`) or relabel a picture by a person's answer; raises `BadLabel`.

    `a` accepts the label that was shown, even if the picture has since been sent with another one.
    """
    if answer == "d":
        store.judge(one.id, "dropped")
    else:
        store.judge(one.id, "accepted", one.label if answer == "a" else label_of(answer))


def delete(store: Store, chosen: Sequence[Kept], yes: bool) -> None:
    """Delete these pictures after a confirmation."""
    require_yes(f"Delete {counted(chosen)} permanently?", yes)
    store.remove({one.id for one in chosen})
    print(f"{counted(chosen)} deleted.")


def delete_all(store: Store, sheet: Path, yes: bool) -> None:
    """Delete all feedback and the contact sheet after a confirmation."""
    count = store.count()
    require_yes(f"Delete all feedback in {store.folder} ({count}) permanently?", yes)
    store.remove_all()
    sheet.unlink(missing_ok=True)
    print(f"All feedback is deleted ({count}).")
    accepted = root() / ACCEPTED
    if accepted.exists():
        print(f"Copies made by `make learn` remain in {accepted} and in DVC's cache. See docs/feedback.md.")


def require_yes(question: str, yes: bool) -> None:
    """Ask for a confirmation unless `yes` is set; raises `FeedbackError` if the answer is not yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise FeedbackError(f"{question} Add --yes, because there is no terminal to ask at.")
    if input(f"{question} yes or no? ").strip().lower() not in ("y", "yes"):
        raise FeedbackError("Nothing was deleted.")


def counted(kept: Sequence[Kept]) -> str:
    """Return the number of pictures in words."""
    return f"{len(kept)} picture{'' if len(kept) == 1 else 's'}"


def _by_state(kept: Sequence[Kept]) -> str:
    states = Counter(one.state for one in kept)
    return ", ".join(f"{states[state]} {state}" for state in STATES)


def _label(text: str) -> str:
    try:
        return label_of(text)
    except BadLabel as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _page(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
