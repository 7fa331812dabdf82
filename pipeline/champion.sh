#!/bin/sh
# The pipeline's part of `docker compose up`: makes a champion where there is none.
set -eu
trap 'exit 130' INT TERM

python -m pipeline.relocate # a project that was moved since its last run
if [ -e models/champion/manifest.json ]; then
    echo "There is a champion: nothing to train."
    exit 0
fi
echo "There is no champion yet: the pipeline makes one. This takes some minutes."
if [ -n "${PROFILE:-}" ]; then # written in place: only the file may be ours, not the folder that it lies in
    work=$(mktemp -d)
    cp -r params.yaml profiles "$work"
    (cd "$work" && PYTHONPATH=$OLDPWD python -m pipeline.profile "$PROFILE")
    cat "$work/params.yaml" >params.yaml
fi
dvc repro
python -m pipeline.promote --sync
