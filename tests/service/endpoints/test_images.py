"""The picture endpoints in process: their answers and errors."""

from __future__ import annotations

import base64
import csv
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.endpoints import images
from service.pictures import decode
from service.pictures.upload import SMALL
from tests.service.encoding import black_block
from tests.service.hostile_pictures import palette_with_too_many_opacities

Draw = Callable[..., Image.Image]
Encoded = Callable[..., bytes]
MakeClient = Callable[..., TestClient]


@pytest.mark.parametrize("digit", range(10))
def test_predict_reads_a_digit(client: TestClient, draw: Draw, encoded: Encoded, digit: int) -> None:
    answer = client.post("/predict", files={"image": encoded(draw(str(digit)))})
    assert answer.status_code == 200
    said = answer.json()
    assert said["digit"] == digit
    assert said["confidence"] == max(said["probabilities"])
    assert sum(said["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert said["rejected"] is None
    assert said["model"] == "1"


@pytest.mark.parametrize("path", ["/predict", "/read"])
def test_large_files_are_read_too(client: TestClient, draw: Draw, encoded: Encoded, path: str) -> None:
    image = encoded(draw("7", (600, 600), 400).convert("RGB"), "TIFF")
    assert len(image) > SMALL
    answer = client.post(path, files={"image": image}).json()
    assert "7" in (str(answer.get("digit")), answer.get("text"))


@pytest.mark.parametrize(
    ("size", "padding", "thread"), [(280, 0, "asyncio"), (280, SMALL, "side"), (600, 0, "side")]
)
def test_what_may_take_long_is_read_on_a_thread(
    client: TestClient,
    draw: Draw,
    encoded: Encoded,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    padding: int,
    thread: str,
) -> None:
    threads: list[str] = []

    def loaded_and_noted(picture: decode.Opened) -> object:
        threads.append(threading.current_thread().name)
        return decode.loaded(picture)

    monkeypatch.setattr(images, "loaded", loaded_and_noted)
    data = encoded(draw("7", (size, size), 200)) + bytes(padding)
    assert client.post("/predict", files={"image": data}).json()["digit"] == 7
    assert len(threads) == 1
    assert threads[0].startswith(thread)


def test_predict_says_blank(client: TestClient, encoded: Encoded) -> None:
    answer = client.post("/predict", files={"image": encoded(Image.new("L", (280, 280), 255))})
    assert answer.json() == {
        "digit": None,
        "confidence": None,
        "probabilities": None,
        "rejected": "blank",
        "model": "1",
    }


def test_predict_says_not_a_digit(
    tmp_path: Path,
    make_client: MakeClient,
    promote: Callable[..., None],
    nearest_digit: Callable[..., bytes],
    encoded: Encoded,
) -> None:
    promote(tmp_path, "1", nearest_digit(outputs=11), rejection_threshold=0.0)
    said = make_client(tmp_path).post("/predict", files={"image": encoded(black_block())}).json()
    assert (said["digit"], said["confidence"], said["rejected"]) == (None, None, "not_a_digit")
    assert len(said["probabilities"]) == 10


def test_boxes_are_in_pixels_of_the_photo_that_was_sent(
    client: TestClient, draw: Draw, encoded: Encoded
) -> None:
    photo = draw("7", (300, 200)).resize((3000, 2000))
    asked = [
        client.post(path, files={"image": encoded(photo, kind)}).json()
        for path in ("/read", "/explain")
        for kind in ("PNG", "JPEG")
    ]
    boxes = [answer["digits"][0]["box"] if "digits" in answer else answer[0]["box"] for answer in asked]
    assert 200 < boxes[0][3] - boxes[0][1] < 2000
    for box in boxes:
        assert box == pytest.approx(boxes[0], abs=16)
    for answer in asked[:2]:
        assert [number["box"] for number in answer["numbers"]] == [answer["digits"][0]["box"]]


def test_read_gives_marks_and_text(client: TestClient, seven: bytes) -> None:
    said = client.post("/read", files={"image": seven}).json()
    assert said["text"] == "7"
    assert said["model"] == "1"
    (mark,) = said["digits"]
    assert (mark["digit"], mark["sign"]) == (7, None)
    assert said["numbers"] == [
        {
            "text": "7",
            "confidence": mark["confidence"],
            "box": mark["box"],
            "marks": [0],
            "row": None,
            "column": None,
            "printed": False,
        }
    ]
    left, top, right, bottom = mark["box"]
    assert 0 < left < 140 < right < 280
    assert 0 < top < 140 < bottom < 280


def test_read_gives_a_number_a_line(client: TestClient, draw: Draw, encoded: Encoded) -> None:
    sheet = Image.new("L", (400, 600), 255)
    sheet.paste(draw("12", (400, 300)), (0, 0))
    sheet.paste(draw("7", (400, 300)), (0, 300))
    said = client.post("/read", files={"image": encoded(sheet)}).json()
    assert list(said) == ["text", "numbers", "digits", "tables", "model"]
    assert said["text"] == "\n".join(number["text"] for number in said["numbers"]) == "12\n7"
    assert [number["marks"] for number in said["numbers"]] == [[0, 1], [2]]
    for number in said["numbers"]:
        marks = [said["digits"][index] for index in number["marks"]]
        lefts, tops, rights, bottoms = zip(*(mark["box"] for mark in marks), strict=True)
        assert number["box"] == [min(lefts), min(tops), max(rights), max(bottoms)]


def test_read_gives_a_table_as_csv_to_who_accepts_it(
    client: TestClient, draw: Draw, encoded: Encoded
) -> None:
    sheet = Image.new("L", (400, 340), 255)
    for left, top, digit in ((24, 24, "7"), (204, 24, "4"), (204, 184, "2")):
        sheet.paste(draw(digit, (150, 130)), (left, top))
    for place in (20, 200, 380):
        sheet.paste(0, (place, 20, place + 2, 322))
    for place in (20, 170, 320):
        sheet.paste(0, (20, place, 382, place + 2))
    picture = encoded(sheet)
    said = client.post("/read", files={"image": picture}).json()
    (table,) = said["tables"]
    assert (table["rows"], table["columns"]) == (2, 2)
    for accept in ("text/csv", "text/html, TEXT/CSV;q=0.9"):
        answer = client.post("/read", files={"image": picture}, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert list(csv.reader(answer.text.splitlines())) == [["7", "4"], ["", "2"]]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (["text/html", "text/csv"], "text/csv; charset=utf-8"),
        (["text/csv;q=0.5, application/json;q=0.4"], "text/csv; charset=utf-8"),
        (["text/csv;q=0"], "application/json"),
        (["text/csv;q=0.5", "application/json"], "application/json"),
        (["*/*"], "application/json"),
    ],
)
def test_read_gives_what_is_rather_accepted(
    client: TestClient, seven: bytes, accept: list[str], kind: str
) -> None:
    headers = [("Accept", each) for each in accept]
    answer = client.post("/read", files={"image": seven}, headers=headers)
    assert answer.headers["Content-Type"] == kind


def test_csv_marks_numbers_less_sure_than_that(client: TestClient, draw: Draw, encoded: Encoded) -> None:
    files = {"image": encoded(draw("7").rotate(14, fillcolor=255))}
    (number,) = client.post("/read", files=files).json()["numbers"]
    assert 0 < number["confidence"] < 1
    for share, ending in ((number["confidence"] - 1e-6, ""), (1, " ?")):
        answer = client.post(f"/read?min_confidence={share}", files=files, headers={"Accept": "text/csv"})
        assert answer.text == f"{number['text']}{ending}\r\n"


def test_docs_say_what_min_confidence_may_be(client: TestClient) -> None:
    (parameter,) = client.get("/docs.json").json()["paths"]["/read"]["post"]["parameters"]
    schema = parameter["schema"]
    assert (parameter["name"], parameter["in"]) == ("min_confidence", "query")
    assert (schema["type"], schema["minimum"], schema["maximum"], schema["default"]) == ("number", 0, 1, 0)


@pytest.mark.parametrize("share", ["-0.1", "1.1", "nan", "much", ""])
def test_min_confidence_is_a_share(client: TestClient, seven: bytes, share: str) -> None:
    address = f"/read?min_confidence={share}"
    answer = client.post(address, files={"image": seven}, headers={"Accept": "text/csv"})
    assert_refused(answer, 422, "wrong_field")


def test_read_of_a_blank_picture_is_empty(client: TestClient, encoded: Encoded) -> None:
    said = client.post("/read", files={"image": encoded(Image.new("L", (99, 50), 255))}).json()
    assert said == {"text": "", "numbers": [], "digits": [], "tables": [], "model": "1"}


def test_explain_shows_what_the_network_saw(client: TestClient, seven: bytes) -> None:
    (mark,) = client.post("/explain", files={"image": seven}).json()
    with Image.open(io.BytesIO(base64.b64decode(mark["seen"]))) as seen:
        assert seen.size == (28, 28)
        assert seen.getextrema() == (0, 255)
    assert [len(row) for row in mark["saliency"]] == [28] * 28
    assert len(mark["box"]) == 4


def test_model_is_the_manifest(client: TestClient) -> None:
    said = client.get("/model").json()
    assert said["version"] == "1"
    assert said["file"] == said["sha256"] + ".onnx"


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz"])
def test_health_is_well(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200


REFUSED = {
    "a text": (b"hello, world", 400, "broken_image"),
    "nothing": (b"", 400, "broken_image"),
    "a link": (b"http://127.0.0.1:1/secret.png", 400, "broken_image"),
    "half a PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 400, "broken_image"),
    "SVG": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', 415, "wrong_kind"),
    "PDF": (b"%PDF-1.7\n%", 415, "wrong_kind"),
}


@pytest.mark.parametrize("path", ["/predict", "/read", "/explain"])
@pytest.mark.parametrize("case", REFUSED)
def test_image_is_refused(client: TestClient, path: str, case: str) -> None:
    content, status, code = REFUSED[case]
    answer = client.post(path, files={"image": ("picture.png", content, "image/png")})
    assert_refused(answer, status, code)


def test_wrong_forms_are_refused(client: TestClient, seven: bytes) -> None:
    assert_refused(client.post("/predict"), 422, "wrong_field")
    assert_refused(client.post("/predict", content=seven), 422, "wrong_field")
    assert_refused(client.post("/predict", json={"image": "x"}), 422, "wrong_field")
    assert_refused(client.post("/predict", files={"picture": seven}), 422, "wrong_field")
    assert_refused(client.post("/predict", files=[("image", seven), ("image", seven)]), 422, "wrong_field")
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert_refused(client.post("/predict", content=b"--x\r\n", headers=kind), 400, "broken_form")


def test_batch_gives_each_picture_its_own_answer(client: TestClient, seven: bytes, encoded: Encoded) -> None:
    blank = encoded(Image.new("L", (50, 50), 255))
    files = [("images", seven), ("images", b"no picture"), ("images", blank), ("images", b"%PDF-1")]
    answers = client.post("/predict_batch", files=files).json()["answers"]
    assert answers[0]["digit"] == 7
    assert answers[1]["code"] == "broken_image"
    assert answers[2]["rejected"] == "blank"
    assert answers[3]["code"] == "wrong_kind"


def test_batch_has_limits(client: TestClient, seven: bytes) -> None:
    assert len(client.post("/predict_batch", files=[("images", seven)] * 64).json()["answers"]) == 64
    assert_refused(client.post("/predict_batch", files=[("images", seven)] * 65), 422, "wrong_field")
    assert_refused(client.post("/predict_batch", files=[("image", seven)]), 422, "wrong_field")


def test_batch_limits_its_pixels(client: TestClient, encoded: Encoded) -> None:
    large = encoded(Image.new("1", (4900, 4900)))
    answers = client.post("/predict_batch", files=[("images", large)] * 4).json()["answers"]
    assert [answer.get("code") for answer in answers] == [None, None, "too_many_pixels", "too_many_pixels"]


def assert_refused(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "code"}
    assert answer.json()["code"] == code
    assert answer.json()["error"].endswith((".", "`"))


def test_colours_that_do_not_fit_together_are_refused(client: TestClient, seven: bytes) -> None:
    odd = palette_with_too_many_opacities(300)
    for path in ("/predict", "/read", "/explain"):
        answer = client.post(path, files={"image": odd})
        assert (answer.status_code, answer.json()["code"]) == (400, "broken_image")
    files = [("images", seven), ("images", odd)]
    first, second = client.post("/predict_batch", files=files).json()["answers"]
    assert (first["digit"], second["code"]) == (7, "broken_image")
