"""Pydantic models of the service's answers: they define its JSON, `/docs.json` and `/schema.json`.

The process that starts the workers imports this module for BentoML's methods, so it must not import
`digits`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel
from starlette.responses import Response

from service.errors import Problem
from traffic.slots import Reference, Slot

if TYPE_CHECKING:
    from digits import Explanation, Mark, Number, Reading, TableCell

Digit = Annotated[int | None, Field(ge=0, le=9, description="Null if the mark was rejected; see `rejected`.")]
MarkDigit = Annotated[int | None, Field(ge=0, le=9, description="Null for a sign or a rejected mark.")]
Confidence = Annotated[float | None, Field(ge=0, le=1)]
Probabilities = Annotated[list[float], Field(min_length=10, max_length=10)]
Box = Annotated[
    list[int],
    Field(min_length=4, max_length=4, description="Left, top, right, bottom in pixels of the picture sent."),
]
LeftTopRightBottom = tuple[int, int, int, int]
Boxed = TypeVar("Boxed", "Mark", "Number", "TableCell")
MAX_BATCH = 64  # pictures
CSV = "text/csv"
JSON = "application/json"
Rejection = Literal["blank", "not_a_digit"]
Hint = Literal["too_small", "too_faint", "several_digits"]
Sign = Annotated[Literal["-", ".", ","] | None, Field(description="Null for a digit or a rejected mark.")]
Index = Annotated[int, Field(ge=0)]
Place = Annotated[int | None, Field(ge=0, description="Zero-based; null if the picture has no table.")]
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
    confidence: Annotated[Confidence, Field(description="Null if there is no digit.")]
    probabilities: Probabilities
    rejected: Rejection | None
    box: Box
    sign: Sign


class NumberAnswer(_Answer):
    """Marks that are read as one number."""

    text: str = Field(description="Digits and signs as written; `?` stands for a rejected mark.")
    confidence: Annotated[
        Confidence,
        Field(description="Probability that all its digits are right; null if a mark is rejected."),
    ]
    box: Box
    marks: list[Index] = Field(description="Indices of its marks in `digits`.")
    row: Place
    column: Place
    printed: bool = Field(description="True if the number is clearly printed, like a row number on a form.")


class CellAnswer(_Answer):
    """A cell of a table."""

    row: Index
    column: Index
    box: Box
    numbers: list[Index] = Field(description="Indices in `numbers` of its numbers; empty for an empty cell.")


class TableAnswer(_Answer):
    """A table with its cells, row by row."""

    rows: Index
    columns: Index
    cells: list[CellAnswer]


class ReadAnswer(_Answer):
    """All digits of a picture in reading order, with the numbers that they form and the tables."""

    text: str = Field(
        description="The text read: `?` stands for a rejected mark, a space separates the numbers of a line, "
        "a newline separates lines."
    )
    numbers: list[NumberAnswer]
    digits: list[MarkAnswer]
    tables: list[TableAnswer]
    model: Version

    @classmethod
    def of(cls, reading: Reading, times: int = 1) -> ReadAnswer:
        """The answer for a reading; the picture sent is `times` times as wide and high as that read."""
        return cls.model_validate(reading if times == 1 else _enlarged(reading, times))


class ExplainAnswer(_Answer):
    """What the network saw of one mark."""

    box: Box
    seen: str = Field(description="A 28x28 PNG in base64, ink bright.")
    saliency: list[list[float]] = Field(
        min_length=28, max_length=28, description="28x28 values from -1 (against the answer) to 1 (for it)."
    )
    hint: Hint | None

    @classmethod
    def of(cls, explanation: Explanation, seen: str, times: int = 1) -> ExplainAnswer:
        """The answer for an explanation; `seen` is the 28x28 PNG in base64, `times` as in `ReadAnswer.of`."""
        return cls(
            box=list(_on_sent(explanation.box, times)),
            seen=seen,
            saliency=explanation.saliency.tolist(),
            hint=explanation.hint,
        )


class ExplainAnswers(RootModel[list[ExplainAnswer]]):
    """What the network saw of every mark, in reading order."""


def _one_of(schema: dict[str, Any]) -> None:
    """Rename `anyOf` to `oneOf`, because BentoML's client uses only the first alternative of `anyOf`."""
    schema["oneOf"] = schema.pop("anyOf")


class BatchAnswer(_Answer):
    """One answer or error per picture, in the order sent."""

    answers: list[Annotated[PredictAnswer | Problem, Field(json_schema_extra=_one_of)]]


class FeedbackKept(_Answer):
    """Feedback that has been stored on disk."""

    id: str = Field(description="The SHA-256 of the picture.", pattern="^[0-9a-f]{64}$")


class FeedbackState(_Answer):
    """How much feedback is stored."""

    kept: Index
    most: Index


class TrafficAnswer(_Answer):
    """Hourly counts of picture features from all workers, and the reference counts of the model."""

    model: Version
    sha256: str = Field(description="SHA-256 of the ONNX file of the model in service.")
    reference: Reference | None = Field(description="Null if the model has no reference.")
    slots: list[Slot] = Field(description="Counts per hour and model, oldest first.")


def _enlarged(reading: Reading, times: int) -> Reading:
    """The reading with its boxes in pixels of the picture that was sent."""

    def scaled(parts: tuple[Boxed, ...]) -> tuple[Boxed, ...]:
        return tuple(replace(part, box=_on_sent(part.box, times)) for part in parts)

    tables = tuple(replace(table, cells=scaled(table.cells)) for table in reading.tables)
    return replace(reading, numbers=scaled(reading.numbers), digits=scaled(reading.digits), tables=tables)


def _on_sent(box: LeftTopRightBottom, times: int) -> LeftTopRightBottom:
    left, top, right, bottom = box
    return (left * times, top * times, right * times, bottom * times)


def as_csv(text: str) -> Response:
    """A response with CSV text."""
    return Response(text, media_type=CSV)


def as_json(answer: BaseModel) -> Response:
    """A response with the answer as JSON."""
    return Response(answer.model_dump_json(), media_type=JSON)
