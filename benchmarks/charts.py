"""The charts: times the floor at each shape, and growth along each axis."""

import matplotlib
import matplotlib.pyplot as plt
from candidates import CANDIDATES
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator
from problems import MIDDLE
from problems import SWEEP

matplotlib.use("Agg")

# Okabe and Ito's colours, which the colour-blind can tell apart.
CELL_STYLES = {
  "IndRNN": ("#E69F00", "o"),
  "IndyGRU": ("#0072B2", "s"),
  "IndyLSTM": ("#009E73", "^"),
  "SRU": ("#CC79A7", "D"),
}
# Of a row's height: what is between the lines of two cells.
_LINE = 0.22
_OWN_COLOUR = "#EEF4FA"  # behind the rows of this project
_GROWTH_COLOURS = {
  "whole": "#0072B2",
  "floor": "#555555",
  "composition": "#D55E00",
}
_TITLES = {"forward": "forward", "train": "training step"}


def draw_ratios(figures, folder):
  """Dots: candidates down, times the floor across, a panel a shape.

  In the row of a candidate each cell has a line of its own, so that no marker
  hides another.
  """
  names = [n for n in figures.candidates() if n != "floor"]
  grid, axes = plt.subplots(
    2,
    len(figures.shapes),
    figsize=(1.6 + 2.7 * len(figures.shapes), 1.4 + 0.84 * len(names)),
    sharex="row",
    sharey=True,
    squeeze=False,
    layout="constrained",
  )
  for row, direction in zip(axes, _TITLES):
    for panel, shape in zip(row, figures.shapes):
      _draw_ratios_of_shape(panel, figures, names, shape, direction)
    row[0].set_ylabel(_TITLES[direction])
  for panel, shape in zip(axes[0], figures.shapes):
    panel.set_title("batch {}, time {},\ninputs {}, units {}".format(*shape))
  axes[0, 0].set_yticks(
    range(len(names)), [CANDIDATES[name].label for name in names]
  )
  axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
  grid.supxlabel("times the floor (MatMul alone); left is faster")
  handles = [
    Line2D([], [], color=colour, marker=marker, linestyle="", label=cell)
    for cell, (colour, marker) in CELL_STYLES.items()
  ]
  grid.legend(handles=handles, loc="outside upper center", ncols=len(handles))
  return _save(grid, folder / "benchmarks-shapes.png")


def _draw_ratios_of_shape(panel, figures, names, shape, direction):
  middle = (len(CELL_STYLES) - 1) / 2
  for i, (cell, (colour, marker)) in enumerate(CELL_STYLES.items()):
    pairs = [
      (
        figures.ratio(name, "floor", shape, cell, direction),
        y + (i - middle) * _LINE,
      )
      for y, name in enumerate(names)
    ]
    points = [pair for pair in pairs if pair[0] is not None]
    if points:
      panel.plot(*zip(*points), marker, color=colour, markersize=5)
  for y, name in enumerate(names):
    if CANDIDATES[name].is_own:
      panel.axhspan(y - 0.5, y + 0.5, color=_OWN_COLOUR, zorder=0)
    panel.axhline(y + 0.5, color="#DDDDDD", linewidth=0.6)
  panel.set_xscale("log")
  panel.axvline(1, color="#555555", linewidth=1)
  panel.grid(axis="x", color="#DDDDDD", linewidth=0.6)
  panel.tick_params(axis="y", length=0)
  panel.set_axisbelow(True)
  _plain_ticks(panel.xaxis)


def draw_growth(figures, folder):
  """Lines: milliseconds by size, a panel an axis and cell."""
  cells = figures.cells
  grid, axes = plt.subplots(
    len(cells),
    len(SWEEP),
    figsize=(11, 1.3 + 2.7 * len(cells)),
    sharex="col",
    sharey="row",
    squeeze=False,
    layout="constrained",
  )
  for row, cell in zip(axes, cells):
    for panel, axis in zip(row, SWEEP):
      _draw_growth_of_axis(panel, figures, axis, cell)
    row[0].set_ylabel(f"{cell}\nmilliseconds")
  for panel, axis in zip(axes[0], SWEEP):
    fixed = [f"{k} {v}" for k, v in MIDDLE.items() if k != axis]
    panel.set_title(", ".join(fixed), fontsize="medium")
  for panel, axis in zip(axes[-1], SWEEP):
    panel.set_xlabel(axis)
  grid.legend(
    *axes[0, 0].get_legend_handles_labels(),
    loc="outside upper center",
    ncols=len(_GROWTH_COLOURS),
  )
  return _save(grid, folder / "benchmarks-growth.png")


def _draw_growth_of_axis(panel, figures, axis, cell):
  for name, colour in _GROWTH_COLOURS.items():
    for direction, title in _TITLES.items():
      points = sorted(figures.growths.get((axis, cell, name, direction), []))
      if points:
        panel.plot(
          *zip(*points),
          color=colour,
          linestyle="--" if direction == "train" else "-",
          marker="." if name != "composition" else "D",
          markersize=5,
          label=f"{CANDIDATES[name].label}, {title}",
        )
  panel.set_xscale("log")
  panel.set_yscale("log")
  panel.set_xticks(SWEEP[axis], minor=False)
  panel.tick_params(axis="x", rotation=45)
  panel.minorticks_off()
  panel.grid(color="#DDDDDD", linewidth=0.6)
  panel.xaxis.set_major_formatter("{x:g}")
  panel.yaxis.set_major_formatter("{x:g}")


def draw_long_sequences(figures, folder):
  """Lines: memory and time of a training step by the length of sequences."""
  grid, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
  panels = (("bytes", 1e9, "GB above the inputs"), ("seconds", 1, "seconds"))
  for panel, (key, unit, title) in zip(axes, panels):
    for i, (label, colour, marker) in enumerate(
      (("plain", "#D55E00", "D"), ("in chunks", "#0072B2", "s"))
    ):
      points = [
        (length, pair[i][key] / unit)
        for length, pair in figures.items()
        if pair[i]
      ]
      if points:
        panel.plot(*zip(*points), color=colour, marker=marker, label=label)
    panel.set(xscale="log", yscale="log", xlabel="steps", title=title)
    panel.grid(color="#DDDDDD", linewidth=0.6)
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.yaxis.set_major_formatter("{x:g}")
  grid.legend(
    *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2
  )
  return _save(grid, folder / "long_sequences.png")


def _plain_ticks(axis):
  axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
  axis.set_tick_params(labelsize="small")
  axis.set_major_formatter("{x:g}")
  axis.set_minor_formatter("")


def _save(grid, path):
  grid.savefig(path, dpi=110)
  plt.close(grid)
  return path
