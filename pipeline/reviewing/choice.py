"""Select stored pictures by a prefix of their ids, or by state, label or answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedback.errors import FeedbackError
from feedback.record import Kept, State

SHORT = 8  # characters of an id that are shown


@dataclass(frozen=True)
class Choice:
    """A filter: id prefixes (none selects all ids), and optionally a state, a label and an answer."""

    ids: Sequence[str] = ()
    state: State | None = None
    label: str | None = None
    answer: str | None = None

    @property
    def is_made(self) -> bool:
        """Whether any criterion is set, so that not every picture is selected."""
        return bool(self.ids) or any(one is not None for one in (self.state, self.label, self.answer))

    def of(self, kept: Sequence[Kept]) -> list[Kept]:
        """Return the selected pictures; raises `FeedbackError` unless each prefix matches exactly one id."""
        wanted = {self._one(beginning, kept).id for beginning in self.ids}
        return [
            one
            for one in kept
            if (not self.ids or one.id in wanted)
            and self.state in (None, one.state)
            and self.label in (None, one.label)
            and self.answer in (None, one.answer)
        ]

    @staticmethod
    def _one(beginning: str, kept: Sequence[Kept]) -> Kept:
        found = [one for one in kept if one.id.startswith(beginning.lower())]
        if len(found) != 1:
            many = (
                f"{len(found)} pictures have ids that begin" if found else "No picture has an id that begins"
            )
            raise FeedbackError(f"{many} with `{beginning}`. Use an id as the contact sheet shows it.")
        return found[0]
