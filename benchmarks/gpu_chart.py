"""Draws the layers of gpu.py's figures against cuDNN's.

  python benchmarks/gpu_chart.py build/gpu/benchmark.json docs/gpu-layers.png

A panel for each batch and number of units that was measured at several lengths:
milliseconds of a training step over the length, both on logarithmic scales.
"""

import argparse
import collections
import json
import pathlib
import sys

import matplotlib.pyplot as plt
from charts import CELL_STYLES
from matplotlib.ticker import NullLocator
from matplotlib.ticker import ScalarFormatter

_CUDNN_STYLES = {"cuDNN LSTM": "-", "cuDNN GRU": "--"}
_GREY = "#555555"


def group(figures: dict) -> dict:
  """The rows of several lengths, by batch and units."""
  groups = collections.defaultdict(list)
  for row in figures["layers"]:
    groups[row["batch"], row["units"]].append(row)
  lengths = {key: {row["time"] for row in rows} for key, rows in groups.items()}
  return {key: groups[key] for key in groups if len(lengths[key]) > 1}


def draw(figures: dict, path: pathlib.Path) -> None:
  """Writes the chart.

  Raises:
    ValueError: if no layer was measured at several lengths.
  """
  groups = group(figures)
  if not groups:
    raise ValueError("expected layers of several lengths, found none")
  grid, axes = plt.subplots(
    1,
    len(groups),
    figsize=(1.5 + 4.5 * len(groups), 4.2),
    sharey=True,
    squeeze=False,
    layout="constrained",
  )
  for panel, ((batch, units), rows) in zip(axes[0], groups.items()):
    _draw_group(panel, sorted(rows, key=lambda row: row["time"]))
    panel.set_title(f"batch {batch}, units {units}, float32")
  axes[0, 0].set_ylabel("training step, milliseconds")
  axes[0, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
  grid.suptitle(figures["versions"]["device"])
  grid.savefig(path, dpi=120)
  plt.close(grid)


def _draw_group(panel, rows) -> None:
  lengths = [row["time"] for row in rows]

  def line(name, **style):
    ms = [1e3 * row["seconds"][name] for row in rows]
    panel.plot(lengths, ms, label=name, **style)

  for name, dashes in _CUDNN_STYLES.items():
    line(name, color=_GREY, linestyle=dashes, marker="x")
  for cell, (colour, marker) in CELL_STYLES.items():
    line(cell, color=colour, marker=marker)
  panel.set_xscale("log")
  panel.set_yscale("log")
  panel.set_xticks(lengths)
  panel.xaxis.set_major_formatter(ScalarFormatter())
  panel.xaxis.set_minor_locator(NullLocator())
  panel.set_xlabel("length of the sequences, steps")
  panel.grid(alpha=0.3)


def main() -> int:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("figures", type=pathlib.Path, help="a JSON file")
  parser.add_argument("chart", type=pathlib.Path, help="a PNG file to write")
  arguments = parser.parse_args()
  try:
    draw(json.loads(arguments.figures.read_text("utf-8")), arguments.chart)
  except (OSError, ValueError, KeyError) as error:
    sys.exit(f"gpu_chart.py: {arguments.figures}: {error}")
  return 0


if __name__ == "__main__":
  sys.exit(main())
