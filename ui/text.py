"""Every sentence that a person sees or hears, on the page and in the window: translate here.

`{name}` stands for a value that is filled in when the sentence is shown.
"""

from __future__ import annotations

from typing import Final

PAGE: Final[dict[str, str]] = {
    # what stands on the page from the start
    "title": "Digits",
    "description": "Draw a digit or a number and watch a neural network read it",
    "no_script": "Drawing needs JavaScript: allow it for this page and reload.",
    "tagline": "Draw a digit, or a whole number",
    "drawing": "Drawing",
    "canvas": "Drawing field",
    "canvas_help": (
        "Draw with mouse, finger or pen. With the keyboard: arrow keys move the pen (with Shift in small "
        "steps), the space bar puts it down and lifts it, Enter recognises, Delete clears."
    ),
    "prompt": "Draw a digit here",
    "prompt_more": "or paste, drop or upload a picture",
    "prompt_more_touch": "or take a photo",
    "drop": "Drop the picture to read it",
    "tools": "Tools",
    "pen": "Pen",
    "eraser": "Eraser",
    "width": "Brush width",
    "undo": "Undo (Ctrl+Z)",
    "redo": "Redo (Ctrl+Y)",
    "upload": "Upload a picture",
    "camera": "Take a photo",
    "download": "Download the drawing",
    "photo_tools": "Photo",
    "turn_left": "Turn left",
    "turn_right": "Turn right",
    "crop_part": "Crop",
    "crop_field": "Part of the photo",
    "crop_hint": "Drag over the part to keep",
    "crop_help": (
        "Drag over the part to keep, or tap two of its corners. With the keyboard: arrow keys move the "
        "frame, with Shift its lower right corner, Enter keeps what is in it, Escape leaves the photo as "
        "it is."
    ),
    "recognise": "Recognise",
    "clear": "Clear",
    "answer": "Answer",
    "bars": "How likely each digit is",
    "seen": "What the network saw",
    "seen_empty": "Your drawing as 28 by 28 pixels",
    "tile": "Digit {n} as the network saw it, 28 by 28 pixels",
    "why": "Why?",
    "why_title": "Show which strokes spoke for the answer",
    "why_for": "for the answer",
    "why_against": "against it",
    "tips": "What you can do here",
    "tip_draw": (
        "Draw a digit, a number, or several lines of them. Spaces, minus signs and decimal points are kept."
    ),
    "tip_photo": "Take or upload a photo of handwritten digits. A photographed table becomes a table.",
    "tip_doubt": "A mark that is not a digit is shown as ?, and each digit says how certain it is.",
    "tip_keyboard": (
        "Without a mouse: press Tab until the paper is outlined. The arrow keys move the pen (with Shift in "
        "small steps), the space bar puts it down and lifts it, Enter recognises, Delete clears."
    ),
    "examples": "Examples",
    "example": "Example: a handwritten {digit}",
    "example_number": "Example: a handwritten number",
    "example_photo": "Example: a photo of handwritten numbers",
    "example_table": "Example: a photo of a table",
    "theme_dark": "Dark theme",
    "theme_light": "Light theme",
    "about": "About the model",
    "model_card": "Model card: figures, data, limits",
    "close": "Close",
    "take_photo": "Take the photo",
    "cancel": "Cancel",
    # the answer
    "ready": "The answer appears here",
    "ready_more": "as soon as you lift the pen.",
    "sure_5": "Quite certain",
    "sure_4": "Sure",
    "sure_3": "Fairly sure",
    "sure_2": "Not so sure",
    "sure_1": "Only a guess",
    "percent": "{percent} %",
    "sure_number": "Least certain digit: {percent} %",
    "took": "Answered in {ms} ms",
    "copy": "Copy the answer",
    "copied": "Copied.",
    "not_copied": "This browser does not allow copying.",
    "blank": "Nothing to read yet",
    "blank_more": "I see no ink: draw a digit.",
    "table": "Table",
    "table_found": "A table of {rows} by {columns} cells",
    "tables_found": "{count} tables",
    "table_sure": "No cell looks doubtful.",
    "table_check": "Cells to check: {count}.",
    "table_beside": "Numbers beside the table: {text}",
    "table_help": "Click a cell to see it on the paper and to correct it.",
    "table_printed": "What is grey is printed on the form.",
    "table_cell": "Row {row}, column {column}",
    "table_number": "Table {number}: ",
    "cell_doubtful": "{cell}, doubtful",
    "cell_unread": "{cell}, not read",
    "cell_printed": "{cell}, printed",
    "table_crop": "The cell on the paper",
    "table_copy": "Copy",
    "table_copied": "Copied: paste it into a spreadsheet.",
    "table_not_copied": "This browser did not copy it: download the CSV.",
    "table_download": "Download CSV",
    "not_a_digit": "Not a digit, I think",
    "not_a_digit_more": "Try writing it again, a little more clearly.",
    "read_in_part": "Read in part",
    "one_unclear": "One mark could not be read: it is shown as ?",
    "some_unclear": "{count} marks could not be read: they are shown as ?",
    "hint_too_small": "It is very small: draw it larger.",
    "hint_too_faint": "It is very faint: use a wider brush or more light.",
    "hint_several_digits": "It looks like several digits: leave more room between them.",
    "hint_too_small_photo": "It is very small: take the photo from nearer, or crop it.",
    "hint_too_faint_photo": "It is very faint: take the photo in more light.",
    "hint_several_digits_photo": "It looks like several digits that touch.",
    "digit_button": "{digit}, {percent} %",
    "unclear_button": "unclear mark",
    "sign_minus": "minus",
    "sign_point": "point",
    "sign_comma": "comma",
    "spoken": "{text}. {words}, {more}",
    "spoken_rejected": "{words}. {more}",
    # what it should have been
    "wrong": "Wrong?",
    "feedback": "It is a …",
    "feedback_digit": "A digit",
    "feedback_none": "Not a digit",
    "feedback_number": "A number:",
    "feedback_send": "Send",
    "feedback_note": (
        "Kept with the picture on the computer that runs the service (make run: in data/feedback). Used only "
        "when somebody there runs make learn."
    ),
    "feedback_thanks": "Thank you: kept as {label}.",
    "feedback_thanks_long": "Thank you: it is kept.",
    "feedback_change": "Change",
    "feedback_label": "Write digits, with minus sign and decimal point where there are any: -3,5.",
    "feedback_slow": "The recognition service is slow just now. Still waiting.",
    "feedback_lost": "It is not kept yet: choose it again later.",
    "feedback_away": "The service cannot write to its folder of feedback just now.",
    "feedback_full": "No more can be kept until whoever runs the service makes room (make feedback).",
    "feedback_off": "The recognition service does not keep pictures any more.",
    # the model
    "model": "Model {version}",
    "model_right": "{share} on MNIST",
    "model_unnamed": "Own model",
    "model_default": "Default model",
    "model_default_is": "the model that comes with the project",
    "model_unknown": "Model unknown",
    "model_version": "Version",
    "model_created": "Trained",
    "model_test_accuracy": "Right on MNIST's test digits",
    "model_canvas_accuracy": "Right on digits drawn anywhere",
    "model_commit": "Code",
    "model_run": "Training run",
    "model_run_link": "Open in MLflow",
    "model_away": "The service has not told yet which model answers.",
    # when things fail
    "not_loaded": "A part of this page did not arrive: reload it.",
    "loading": "The page is still loading: draw on, your drawing is kept.",
    "kept": "Your drawing is kept.",
    "again": "Trying again by itself.",
    "service_away": "The recognition service does not answer.",
    "page_away": "This page's server does not answer.",
    "service_slow": "The recognition service is slow just now. Still waiting.",
    "no_model": "The recognition service has no model: install the project anew.",
    "busy": "The recognition service is busy.",
    "unauthorized": (
        "The recognition service refuses this page: start the page with the API_KEY that the service has."
    ),
    "too_large": "This picture is too large: send a smaller one.",
    "wrong_kind": "Pictures of this kind are not read: send a PNG or a JPEG.",
    "unreadable": "This file cannot be read as a picture: send a PNG or a JPEG.",
    "service_error": "The recognition service has a fault ({status}).",
    "not_shown": "I read {text} in this picture, but your browser cannot show pictures of this kind.",
    "not_changed": "This photo is too large to be turned or cropped in this browser.",
    "photo_not_kept": "The photo was too large to be kept: choose it again.",
    "no_camera": "The camera cannot be used: allow it in the browser, or upload a photo.",
    "no_example": "The example did not arrive: try again, or reload the page.",
}

WINDOW: Final[dict[str, str]] = {
    "title": "Digits",
    "recognise": "Recognise",
    "clear": "Clear",
    "undo": "Undo",
    "redo": "Redo",
    "eraser": "Eraser",
    "width": "Width",
    "open": "Open…",
    "pictures": "Pictures",
    "all_files": "All files",
    "paste": "Paste",
    "save": "Save…",
    "dark": "Dark theme",
    "light": "Light theme",
    "ready": "Draw a digit",
    "reading": "Reading…",
    "blank": "Nothing to read yet: draw a digit.",
    "not_a_digit": "Not a digit, I think: try again, a little more clearly.",
    "sure": "{percent} sure",
    "sure_number": "{percent} sure of its least sure digit",
    "unclear": "I cannot read the mark shown as ?",
    "model": "Model {version}",
    "own_model": "Own model",
    "default_model": "Default model",
    "local": "Reading by itself, without the service",
    "saved": "Saved as {name}",
    "not_saved": "Could not save: {reason}",
    "not_opened": "Could not open: {reason}",
    "not_a_picture": "{name} cannot be read as a picture: open a PNG or a JPEG.",
    "clipboard": "The clipboard",
    "unreadable": "This picture cannot be read: save it again as a PNG.",
    "nothing_to_paste": "There is no picture on the clipboard: copy one first.",
    "no_clipboard": (
        "This window gets no pictures from this desktop's clipboard: install wl-clipboard, or open the "
        "picture as a file."
    ),
    "old_tk": (
        "This Python has Tk {version}, and the window needs 8.6 or newer: use a Python that has it (from "
        "python.org, or with Homebrew python-tk), or the page (make ui)."
    ),
    "no_tk": (
        "Python's Tk is missing, so there is no window: install it (Debian and Ubuntu: python3-tk; macOS "
        "with Homebrew: python-tk), or use the page (make ui)."
    ),
    "no_display": (
        "There is no display to open a window on: run this in a desktop session, or use the page (make ui)."
    ),
}

SERVICE: Final[dict[str, str]] = {
    "away": "The recognition service at {url} does not answer: start it with `make serve`.",
    "slow": "The recognition service did not answer within {seconds} seconds: try again.",
    "strange": "What answers at {url} is not the recognition service: check SERVICE_URL.",
    "no_card": "The recognition service has no card of its model.",
    "too_large": "The picture is larger than {megabytes} MB: send a smaller one.",
    "too_slow": "The picture did not arrive within {seconds} seconds: send it again, or a smaller one.",
    "many_bodies": "There are too many large pictures on their way right now: try again in a second.",
    "not_a_form": "Send files in a form's field `files`, at most eight at once.",
    "not_here": "No files are taken here: send pictures to /gradio_api/upload.",
    "foreign": "Pages of {origin} may not ask here: add it to EMBED_ORIGINS and start the page anew.",
}

PROGRAMS: Final[dict[str, str]] = {
    "no_picture": (
        "The picture is neither a file that was uploaded within the last minute nor a data: URL "
        "(data:image/png;base64,...): send it as one of the two. Files on other servers are not fetched."
    ),
    "no_answer": "The recognition service has a fault: try again.",
    "not_json": "This is not JSON: send what Gradio's clients send.",
}
