"""Settings of the documentation site: make docs."""

import importlib.metadata
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

project = "bitwright"
author = "the bitwright authors"
release = importlib.metadata.version("bitwright")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
# Words of a type, such as "shape", are taken for names of the package; that some are ambiguous is
# no fault of the text.
suppress_warnings = ["ref.python"]
source_suffix = {".md": "markdown"}
root_doc = "index"
html_theme = "furo"
html_title = f"bitwright {release}"
html_copy_source = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3  # as GitHub names them, so that the pages can be read there, too

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "none"  # NumPy docstrings say the types in words
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Members", "params_style")]
