"""Checks manifests. The program runs in the environment of kubernetes-validate (requirements/clients).

Each line of its input is a JSON object, `{"manifest": {...}, "version": "1.37"}`; the version is that of
Kubernetes. Each line of its output is JSON: null for a valid manifest, or a sentence that says what is wrong.
"""

import json
import sys

import kubernetes_validate

for line in sys.stdin:
    asked = json.loads(line)
    try:
        kubernetes_validate.validate(asked["manifest"], asked["version"], strict=True)
        answer = None
    except kubernetes_validate.ValidationError as error:
        answer = f"{list(error.path)}: {error.message}"
    print(json.dumps(answer), flush=True)
