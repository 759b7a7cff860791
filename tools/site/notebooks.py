"""Notebooks as Markdown, with the outputs that are stored in them.

The pages then have the site's own code blocks, links that are checked, and
nothing that is loaded from elsewhere, as what nbconvert writes has.
"""

import base64
import json
import pathlib

_PROGRAM = """\
```python
{}
```"""
_OUTPUT = """\
``` {{ .text .output }}
{}
```"""
# In <>, the link leads to the file; hooks.py leads others to the page.
_SOURCE = "The notebook is [`{path}`](<{name}>)."


def convert(path: pathlib.Path, shown: str) -> tuple[str, dict[str, bytes]]:
  """Converts a notebook.

  Args:
    path: where it is.
    shown: its path in the repository, for the reader.

  Returns:
    The Markdown, and the pictures in it by their names.

  Raises:
    ValueError: if there is an output that a page can't show.
  """
  parts, pictures = [], {}
  for cell in json.loads(path.read_text("utf-8"))["cells"]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
      parts.append(source)
      continue
    parts.append(_PROGRAM.format(source))
    for output in cell["outputs"]:
      data = output.get("data", {})
      if "image/png" in data:
        name = f"{path.stem}-{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode(data["image/png"])
        parts.append(f"![What the program above draws]({name})")
      elif "text" in output or "text/plain" in data:
        text = "".join(output.get("text") or data["text/plain"])
        parts.append(_OUTPUT.format(text.rstrip("\n")))
      else:
        raise ValueError(f"{shown} has an output of {output}")
  parts.append(_SOURCE.format(path=shown, name=path.name))
  return "\n\n".join(parts) + "\n", pictures
