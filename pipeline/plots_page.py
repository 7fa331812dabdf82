"""Make `dvc plots show` and `dvc plots diff` write pages that load nothing: `make setup` runs this.

DVC's own page fetches the scripts that draw its charts from elsewhere. The template written here holds them,
and DVC's local settings, which git ignores, name it.
"""

# Why it is so: docs/decisions/dvc.md
from __future__ import annotations

import argparse
import sys
from pathlib import Path

import vl_convert
from dvc.repo import Repo

from pipeline.project.files import write_text

NAME = "plots.html"
VEGA_LITE = "5.21"  # of the 5th version are the specifications that DVC writes
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Plots</title>
<link rel="icon" href="data:,">
<style>
body {{ margin: 1.5em; font-family: system-ui, sans-serif; background: #fff; color: #111; }}
img {{ max-width: 100%; }}
</style>
<script>{scripts}</script>
</head>
<body>
{{plot_divs}}
</body>
</html>
"""


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m pipeline.plots_page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    with Repo() as repo:
        template = Path(repo.tmp_dir) / NAME
        write_text(template, page())
        with repo.config.edit("local") as config:
            config["plots"]["html_template"] = str(template.relative_to(repo.dvc_dir))
    return 0


def page() -> str:
    """The template, in which DVC puts the plots in place of `{plot_divs}`."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    return PAGE.format(scripts=bundle.replace("</script", "<\\/script"))


if __name__ == "__main__":
    sys.exit(main())
