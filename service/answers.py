"""What the service answers, typed: these models make the JSON, `/docs.json` and `/schema.json`.

The process that starts the workers imports this for BentoML's methods, so nothing here imports `digits`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel
from starlette.responses import Response

from service.errors import Problem

if TYPE_CHECKING:
    from digits import Explanation, Mark, Number, Reading, TableCell

Digit = Annotated[int | None, Field(ge=0, le=9, description="None where `rejected` says why.")]
MarkDigit = Annotated[
    int | None, Field(ge=0, le=9, description="None for a sign, and where `rejected` says why.")
]
Confidence = Annotated[float | None, Field(ge=0, le=1)]
Probabilities = Annotated[list[float], Field(min_length=10, max_length=10)]
Box = Annotated[
    list[int],
    Field(min_length=4, max_length=4, description="Left, top, right, bottom in pixels of the image sent."),
]
Sides = tuple[int, int, int, int]
Boxed = TypeVar("Boxed", "Mark", "Number", "TableCell")
MAX_BATCH = 64  # pictures
CSV = "text/csv"
JSON = "application/json"
Rejection = Literal["blank", "not_a_digit"]
Hint = Literal["too_small", "too_faint", "several_digits"]
Sign = Annotated[Literal["-", ".", ","] | None, Field(description="None for a digit or a rejected mark.")]
Index = Annotated[int, Field(ge=0)]
Place = Annotated[int | None, Field(ge=0, description="From 0; None where the paper has no table.")]
Version = Annotated[str, Field(description="The model's version in the registry.")]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class PredictAnswer(_Answer):
    """The digit of a picture of one digit."""

    digit: Digit
    confidence: Confidence
    probabilities: Probabilities | None
    rejected: Rejection | None
    model: Version


class MarkAnswer(_Answer):
    """One mark of a picture: a digit, a sign or neither."""

    digit: MarkDigit
    confidence: Annotated[Confidence, Field(description="None where there is no digit.")]
    probabilities: Probabilities
    rejected: Rejection | None
    box: Box
    sign: Sign


class NumberAnswer(_Answer):
    """Marks that are read together."""

    text: str = Field(description="Digits and signs as written, `?` for a mark that is neither.")
    confidence: Annotated[
        Confidence, Field(description="That all its digits are right; None where a mark is rejected.")
    ]
    box: Box
    marks: list[Index] = Field(description="Where its marks stand in `digits`.")
    row: Place
    column: Place
    printed: bool = Field(description="Type, as a form's row numbers; false where that is not plain.")


class CellAnswer(_Answer):
    """A cell of a table."""

    row: Index
    column: Index
    box: Box
    numbers: list[Index] = Field(description="Those of `numbers` that stand in it; none in an empty cell.")


class TableAnswer(_Answer):
    """A table, its cells row for row."""

    rows: Index
    columns: Index
    cells: list[CellAnswer]


class ReadAnswer(_Answer):
    """All digits of a picture, in reading order, with the numbers that they make and the tables on it."""

    text: str = Field(
        description="`?` for a mark that is neither digit nor sign, a space between two numbers of a line, "
        "a line end between lines."
    )
    numbers: list[NumberAnswer]
    digits: list[MarkAnswer]
    tables: list[TableAnswer]
    model: Version

    @classmethod
    def of(cls, reading: Reading, times: int = 1) -> ReadAnswer:
        """`times`: how many times wider and higher the picture was sent than it was read."""
        return cls.model_validate(reading if times == 1 else _enlarged(reading, times))


class ExplainAnswer(_Answer):
    """What the network saw of one mark."""

    box: Box
    seen: str = Field(description="A 28x28 PNG in base64, ink bright.")
    saliency: list[list[float]] = Field(
        min_length=28, max_length=28, description="28x28 numbers from -1 to 1: for and against the answer."
    )
    hint: Hint | None

    @classmethod
    def of(cls, explanation: Explanation, seen: str, times: int = 1) -> ExplainAnswer:
        """`seen`: the 28x28 PNG in base64."""
        return cls(
            box=list(_on_sent(explanation.box, times)),
            seen=seen,
            saliency=explanation.saliency.tolist(),
            hint=explanation.hint,
        )


class ExplainAnswers(RootModel[list[ExplainAnswer]]):
    """What the network saw of every mark, in reading order."""


def _one_of(schema: dict[str, Any]) -> None:
    """Says `oneOf` for `anyOf`, of which BentoML's client would take the first and drop what that lacks."""
    schema["oneOf"] = schema.pop("anyOf")


class BatchAnswer(_Answer):
    """For every picture, in the order sent, its answer or why there is none."""

    answers: list[Annotated[PredictAnswer | Problem, Field(json_schema_extra=_one_of)]]


class FeedbackKept(_Answer):
    """Feedback that is kept, on the disk."""

    id: str = Field(description="The SHA-256 of the picture.", pattern="^[0-9a-f]{64}$")


class FeedbackState(_Answer):
    """How much feedback is kept."""

    kept: Index
    most: Index


def _enlarged(reading: Reading, times: int) -> Reading:
    """The reading with its boxes in pixels of the picture that was sent."""

    def all_of(parts: tuple[Boxed, ...]) -> tuple[Boxed, ...]:
        return tuple(replace(part, box=_on_sent(part.box, times)) for part in parts)

    tables = tuple(replace(table, cells=all_of(table.cells)) for table in reading.tables)
    return replace(reading, numbers=all_of(reading.numbers), digits=all_of(reading.digits), tables=tables)


def _on_sent(box: Sides, times: int) -> Sides:
    left, top, right, bottom = box
    return (left * times, top * times, right * times, bottom * times)


def as_csv(text: str) -> Response:
    """A table as a response."""
    return Response(text, media_type=CSV)


def as_json(answer: BaseModel) -> Response:
    """A typed answer as a response."""
    return Response(answer.model_dump_json(), media_type=JSON)
