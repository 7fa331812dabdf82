"""All text that users see or hear, on the page, in the window and in messages to programs. Translate it here.

`{name}` stands for a value that is filled in when the sentence is shown.
"""

from __future__ import annotations

from typing import Final

PAGE: Final[dict[str, str]] = {
    # shown from the start
    "title": "Digits",
    "description": "Draw a digit or a number and watch a neural network read it",
    "no_script": "Drawing needs JavaScript. Allow it for this page and reload.",
    "tagline": "Draw a digit, or a whole number",
    "drawing": "Drawing",
    "canvas": "Drawing field",
    "canvas_help": (
        "Draw with a mouse, finger or pen. On the keyboard, the arrow keys move the pen (hold Shift for "
        "small steps), the space bar puts it down and lifts it, Enter recognises, and Delete clears."
    ),
    "prompt": "Draw a digit here",
    "prompt_more": "or paste, drop or upload a picture",
    "prompt_more_touch": "or take a photo",
    "drop": "Drop the picture here to read it",
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
    "turn_left": "Rotate left",
    "turn_right": "Rotate right",
    "crop_part": "Crop",
    "crop_field": "Part of the photo",
    "crop_hint": "Drag over the part to keep",
    "crop_help": (
        "Drag over the part to keep, or tap two of its corners. On the keyboard, the arrow keys move the "
        "frame, Shift and the arrow keys resize it, Enter crops the photo, and Escape cancels."
    ),
    "recognise": "Recognise",
    "clear": "Clear",
    "answer": "Answer",
    "bars": "Probability of each digit",
    "seen": "What the network saw",
    "seen_empty": "Your drawing as 28 by 28 pixels",
    "tile": "Digit {n} as the network saw it, 28 by 28 pixels",
    "why": "Why?",
    "why_title": "Show which strokes supported the answer",
    "why_for": "for the answer",
    "why_against": "against it",
    "tips": "Tips",
    "tip_draw": (
        "Draw a digit, a number, or several lines of them. Spaces, minus signs and decimal points are kept."
    ),
    "tip_photo": "Take or upload a photo of handwritten digits. A table is read cell by cell.",
    "tip_doubt": "A mark that is not a digit is shown as ?. Each digit is shown with its confidence.",
    "tip_keyboard": (
        "Without a mouse, press Tab until the paper is outlined. The arrow keys move the pen (hold Shift for "
        "small steps), the space bar puts it down and lifts it, Enter recognises, and Delete clears."
    ),
    "examples": "Examples",
    "example": "Example: a handwritten {digit}",
    "example_number": "Example: a handwritten number",
    "example_photo": "Example: a photo of handwritten numbers",
    "example_table": "Example: a photo of a table",
    "theme_dark": "Dark theme",
    "theme_light": "Light theme",
    "about": "About the model",
    "model_card": "Model card (metrics, data, limits)",
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
    "blank_more": "Nothing is written here. Draw a digit.",
    "table": "Table",
    "table_found": "A table of {rows} by {columns} cells",
    "tables_found": "{count} tables",
    "table_sure": "No cell looks doubtful.",
    "table_check": "Cells to check: {count}.",
    "table_beside": "Numbers outside the table: {text}",
    "table_help": "Click a cell to see it on the paper and to correct it.",
    "table_printed": "Text in grey is printed on the form.",
    "table_cell": "Row {row}, column {column}",
    "table_number": "Table {number}: ",
    "cell_doubtful": "{cell}, doubtful",
    "cell_unread": "{cell}, not read",
    "cell_printed": "{cell}, printed",
    "table_crop": "The cell on the paper",
    "table_copy": "Copy",
    "table_copied": "Copied. You can paste it into a spreadsheet.",
    "table_not_copied": "This browser does not allow copying. Download the CSV.",
    "table_download": "Download CSV",
    "not_a_digit": "Probably not a digit",
    "not_a_digit_more": "Try writing it again, a little more clearly.",
    "read_in_part": "Partly read",
    "one_unclear": "One mark (shown as ?) was not read.",
    "some_unclear": "{count} marks (shown as ?) were not read.",
    "hint_too_small": "The digit is very small. Draw it larger.",
    "hint_too_faint": "The digit is very faint. Use a wider brush.",
    "hint_several_digits": "This looks like several digits. Leave more space between them.",
    "hint_too_small_photo": "The digit is very small. Take the photo from closer up, or crop it.",
    "hint_too_faint_photo": "The digit is very faint. Take the photo in better light.",
    "hint_several_digits_photo": "This looks like several digits that touch.",
    "digit_button": "{digit}, {percent} %",
    "unclear_button": "unclear mark",
    "sign_minus": "minus",
    "sign_point": "point",
    "sign_comma": "comma",
    "spoken": "{text}. {words}, {more}",
    "spoken_rejected": "{words}. {more}",
    # corrections
    "wrong": "Wrong?",
    "feedback": "It is a …",
    "feedback_digit": "A digit",
    "feedback_none": "Not a digit",
    "feedback_number": "A number:",
    "feedback_send": "Send",
    "feedback_note": (
        "The correction and the picture are saved on the service's computer (with make run, in "
        "data/feedback), and used only if someone runs make learn there."
    ),
    "feedback_thanks": "Thank you. Saved as {label}.",
    "feedback_thanks_long": "Thank you. Your correction is saved.",
    "feedback_change": "Change",
    "feedback_label": "Enter digits, with a minus sign or decimal point if there is one, such as -3,5.",
    "feedback_slow": "The recognition service is slow right now. Still waiting.",
    "feedback_lost": "Your correction is not saved. Choose it again later.",
    "feedback_away": "The service cannot write to its feedback folder right now.",
    "feedback_full": "The feedback folder is full. The operator can make room with make feedback.",
    "feedback_off": "The recognition service no longer stores corrections.",
    # the model
    "model": "Model {version}",
    "model_right": "{share} on MNIST",
    "model_unnamed": "Your own model",
    "model_default": "Default model",
    "model_default_is": "the model that comes with the project",
    "model_unknown": "Unknown model",
    "model_version": "Version",
    "model_created": "Trained",
    "model_test_accuracy": "Accuracy on MNIST",
    "model_canvas_accuracy": "Accuracy on drawings",
    "model_commit": "Git commit",
    "model_run": "Training run",
    "model_run_link": "Open in MLflow",
    "model_away": "The service has not reported its model yet.",
    # when things fail
    "not_loaded": "Part of this page failed to load. Reload the page.",
    "loading": "The page is still loading. Keep drawing; your drawing is kept.",
    "kept": "Your drawing is kept.",
    "again": "Retrying automatically.",
    "service_away": "The recognition service is not responding.",
    "page_away": "This page's server is not responding.",
    "service_slow": "The recognition service is slow right now. Still waiting.",
    "no_model": "The recognition service has no model. Reinstall the project.",
    "busy": "The recognition service is busy.",
    "unauthorized": (
        "The recognition service rejected this page's API key. Start the page with the service's API_KEY."
    ),
    "too_large": "This picture is too large. Send a smaller one.",
    "wrong_kind": "This file type is not supported. Send a PNG or a JPEG.",
    "unreadable": "This file cannot be read as a picture. Send a PNG or a JPEG.",
    "service_error": "The recognition service reported an internal error ({status}).",
    "not_shown": "This picture reads {text}, but your browser cannot display this file type.",
    "not_changed": "This photo is too large to rotate or crop in this browser.",
    "photo_not_kept": "The photo was too large to be kept during the reload. Choose it again.",
    "no_camera": "The camera is not available. Allow it in the browser, or upload a photo.",
    "no_example": "The example failed to load. Try again, or reload the page.",
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
    "blank": "Nothing to read yet. Draw a digit.",
    "not_a_digit": "Probably not a digit. Try again, a little more clearly.",
    "sure": "{percent} sure",
    "sure_number": "Least certain digit: {percent}",
    "unclear": "The mark shown as ? could not be read.",
    "model": "Model {version}",
    "own_model": "Your own model",
    "default_model": "Default model",
    "local": "Reading locally, without the service",
    "saved": "Saved as {name}",
    "not_saved": "Could not save: {reason}",
    "not_opened": "Could not open: {reason}",
    "not_a_picture": "{name} cannot be read as a picture. Open a PNG or a JPEG.",
    "clipboard": "The clipboard",
    "unreadable": "This picture cannot be read. Save it again as a PNG.",
    "nothing_to_paste": "There is no picture on the clipboard. Copy one first.",
    "no_clipboard": (
        "Pasting pictures on this desktop needs wl-clipboard. Install it, or open the picture as a file."
    ),
    "old_tk": (
        "The window needs Tk 8.6 or newer, but this Python has Tk {version}. Use a Python from python.org, "
        "Homebrew's python-tk, or the page (make ui)."
    ),
    "no_tk": (
        "The window needs Tk, which this Python lacks. Install it (Debian and Ubuntu: python3-tk; macOS with "
        "Homebrew: python-tk), or use the page (make ui)."
    ),
    "no_display": "No display is available. Run this in a desktop session, or use the page (make ui).",
}

SERVICE: Final[dict[str, str]] = {
    "away": "The recognition service at {url} is not responding. Start it with `make serve`.",
    "slow": "The recognition service did not answer within {seconds} seconds. Try again.",
    "strange": "The server at {url} is not the recognition service. Check SERVICE_URL.",
    "no_card": "The recognition service has no model card.",
    "too_large": "The picture is larger than {megabytes} MB. Send a smaller one.",
    "too_slow": "The picture did not arrive within {seconds} seconds. Send it again, or a smaller one.",
    "many_bodies": "Too many large uploads are in progress. Try again in a second.",
    "not_a_form": "Send at most eight files, in the form field `files`.",
    "not_here": "Files are not accepted here. Send pictures to /gradio_api/upload.",
    "foreign": "Requests from {origin} are not allowed. Add it to EMBED_ORIGINS and restart the page.",
}

PROGRAMS: Final[dict[str, str]] = {
    "no_picture": (
        "Send the picture as a data: URL (data:image/png;base64,...) or as a file that was uploaded within "
        "the last minute. Files on other servers are not fetched."
    ),
    "no_answer": "The recognition service reported an internal error. Try again.",
    "not_json": "The body is not JSON. Send what Gradio's clients send.",
}
