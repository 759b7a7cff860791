"""Makes the pages that are not in docs/, and the links between all of them.

The documents link to each other as they lie in the repository, where they are
read as well. Here these links go to the pages that are made of the documents.
"""

import pathlib
import posixpath
import re

import api
import notebooks
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

_ROOT = pathlib.Path(__file__).resolve().parents[2]

# Pages made of files outside docs/.
_DOCUMENTS = {
  "index.md": "README.md",
  "contributing.md": "CONTRIBUTING.md",
  "changes.md": "CHANGELOG.md",
}
# Pages that show a program.
_PROGRAMS = {
  f"examples/{path.stem}.md": path.relative_to(_ROOT).as_posix()
  for path in _ROOT.glob("examples/*/*.py")
}
_PROGRAM = """\
# {name}

`{path}`

````python
{code}````
"""
# Pages made of notebooks.
_NOTEBOOKS = {
  f"notebooks/{path.stem}.md": path.relative_to(_ROOT).as_posix()
  for path in _ROOT.glob("docs/notebooks/*.ipynb")
}
_names_on = {}  # a page of the reference: the names that have to be there
_LINK = re.compile(r"\[([^\]\n]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files, config):
  for page, document in _DOCUMENTS.items():
    path = str(_ROOT / document)
    files.append(File.generated(config, page, abs_src_path=path))
  for page, program in _PROGRAMS.items():
    text = _PROGRAM.format(
      name=posixpath.basename(program),
      path=program,
      code=(_ROOT / program).read_text("utf-8"),
    )
    files.append(File.generated(config, page, content=text))
  for page, path in _NOTEBOOKS.items():
    text, pictures = notebooks.convert(_ROOT / path, path)
    files.append(File.generated(config, page, content=text))
    for name, content in pictures.items():
      uri = posixpath.join(posixpath.dirname(page), name)
      files.append(File.generated(config, uri, content=content))
  reference = api.Reference(_ROOT)
  for page, content in reference.pages.items():
    text = reference.markdown(page)
    files.append(File.generated(config, page, content=text))
    _names_on[page] = content.names()
  return files


def _source_of(page):
  """The path in the repository of what a page is made of."""
  return {**_DOCUMENTS, **_NOTEBOOKS}.get(page, f"docs/{page}")


def _page_of(source):
  """The page, or other file of the site, that is made of a path, or None."""
  for page, document in {**_DOCUMENTS, **_PROGRAMS, **_NOTEBOOKS}.items():
    if source == document:
      return page
  return source.removeprefix("docs/") if source.startswith("docs/") else None


def on_page_markdown(markdown, page, config, files):
  """Points links to the site's pages; what has no page stays as its path."""
  here = page.file.src_uri
  if here in _names_on or here in _PROGRAMS:
    return markdown
  folder = posixpath.dirname(_source_of(here))

  def convert(match):
    text, target, anchor = match.groups("")
    if ":" in target:
      return match[0]
    source = posixpath.normpath(posixpath.join(folder, target))
    to = _page_of(source)
    if to is not None:
      to = posixpath.relpath(to, posixpath.dirname(here) or ".")
      return f"[{text}]({to}{anchor})"
    if not (_ROOT / source).exists():
      return match[0]  # MkDocs says that it leads nowhere
    return f"`{source}`" if text in source else f"{text} (`{source}`)"

  return _LINK.sub(convert, markdown)


def _let_break(code):
  """Lets a long name in a table break between its words."""
  places = r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[._(/])(?=\w)"
  return re.sub(places, "<wbr>", code[0]) if len(code[0]) > 26 else code[0]


def on_page_content(html, page, config, files):
  """Refuses a page of the reference that misses a name."""
  for name in _names_on.get(page.file.src_uri, ()):
    if f'id="{name}"' not in html:
      raise PluginError(f"{page.file.src_uri} misses {name}")
  return re.sub(
    r"<td[ >].*?</td>",
    lambda cell: re.sub(r"<code>[^<]*", _let_break, cell[0]),
    html,
    flags=re.S,
  )
