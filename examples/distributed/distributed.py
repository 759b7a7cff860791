"""One small model, trained under each layout that TensorFlow has.

IndyGRU cells learn whether the sum of a sequence is positive. Each layout
trains them from the same weights with the same batches, on this machine, in
processes that talk over its loopback address:

  one-process      TensorFlow 1's graph mode, in one process
  mirrored-...     tf.distribute.MirroredStrategy, two devices of one process
  workers-...      tf.distribute.MultiWorkerMirroredStrategy, two processes
  servers-...      tf.distribute.ParameterServerStrategy: a coordinator, two
                   workers and two parameter servers
  cluster          TensorFlow 1's cluster: two workers, two parameter servers,
                   variables in parts, MonitoredTrainingSession
  cluster-killed   the same; a worker and then the chief are killed, and the
                   training goes on from the last checkpoint

  ...-loop is a training loop of one's own, ...-graph is graph mode,
  ...-keras2 and ...-keras3 are model.fit of Keras 2 and 3.

  python distributed.py                        all of them
  python distributed.py --layouts cluster      this one, beside one process
"""

import argparse
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

sys.path.append(os.path.dirname(HERE))
import command_line  # noqa: E402
import layouts  # noqa: E402
import plan as plans  # noqa: E402
import processes  # noqa: E402

LEAST_STEPS = 12  # room for two kills, and for checkpoints between them
REFERENCE = layouts.BY_NAME["one-process"]


def parse_arguments():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument(
    "--layouts",
    nargs="+",
    choices=layouts.BY_NAME,
    default=[*layouts.BY_NAME],
    metavar="NAME",
    help="which ones; default: all",
  )
  parser.add_argument(
    "--steps",
    type=command_line.whole_number(LEAST_STEPS),
    default=60,
    metavar="N",
    help=f"of each training, {LEAST_STEPS} or more; default: %(default)s",
  )
  parser.add_argument(
    "--seed",
    type=command_line.whole_number(0),
    default=1,
    metavar="N",
    help="of the weights and the data; default: %(default)s",
  )
  parser.add_argument(
    "--save-to",
    type=command_line.new_folder,
    metavar="FOLDER",
    help="a new or empty folder for a checkpoint of each layout; default: none",
  )
  return parser.parse_args()


def prepare_processes(chosen):
  """Sets what all of them inherit, and lets them import TensorFlow once."""
  os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
  # It rounds otherwise on each kind of processor.
  os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
  os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
  modules = ["tensorflow", "tf_contrib_rnn.cells", "tf_contrib_rnn.rnn"]
  if any(layout.keras == 2 for layout in chosen):
    modules.append("tf_keras")
  processes.import_once(*modules)


def run_all(chosen, arguments, folder, outcomes):
  """Runs the layouts; fills `outcomes`, by name. An error is an outcome."""
  import tqdm

  path = os.path.join(folder, "start.ckpt")
  layouts.run(REFERENCE, plans.Plan(0, arguments.seed, path))
  steps = arguments.steps
  with tqdm.tqdm(total=len(chosen) * steps, unit="step", disable=None) as bar:
    for number, layout in enumerate(chosen):

      def show(count, number=number):
        bar.update(number * steps + count - bar.n)

      bar.set_description(layout.name)
      save_to = os.path.join(folder, f"{layout.name}.ckpt")
      plan = plans.Plan(steps, arguments.seed, save_to, path)
      try:
        outcomes[layout.name] = layouts.run(layout, plan, show)
      except processes.TaskError as error:
        outcomes[layout.name] = error
      show(steps)
      if bar.disable:
        print(f"{layout.name}: ended", flush=True)


def shorten(device):
  """What differs between the devices of a layout: worker 1, or CPU:1."""
  job = re.search(r"/job:(?!localhost)(\w+).*/task:(\d+)", device)
  return " ".join(job.groups()) if job else device.rpartition("device:")[2]


def describe(layout, outcome, steps):
  if layout.keras and layout.servers:
    return "the workers overtake each other"
  if layout.kills:
    kills = layouts.steps_of_kills(steps)
    told = (f"{task} killed at step {kills[task]}" for task in outcome.killed)
    again = len(outcome.steps) - len({*outcome.steps})
    return f"{', '.join(told)}; steps that ran again: {again}"
  return ""


def make_rows(outcomes, arguments):
  """The rows of the table, one for each layout that did not fail."""
  done = {
    name: outcome
    for name, outcome in outcomes.items()
    if isinstance(outcome, layouts.Outcome)
  }
  weights = [outcome.weights for outcome in done.values()]
  accuracies = layouts.measure_accuracies(arguments.seed, weights)
  for (name, outcome), accuracy in zip(done.items(), accuracies):
    layout = layouts.BY_NAME[name]
    places = sorted({*map(shorten, outcome.devices)})
    difference = layouts.largest_difference(
      outcome.weights, done[REFERENCE.name].weights
    )
    yield [
      name,
      f"{layout.trainers}",
      f"{accuracy:.3f}",
      f"{difference:.1e}",
      ", ".join(places) or "none",
      describe(layout, outcome, arguments.steps),
    ]


HEADINGS = [
  "layout",
  "workers",
  "accuracy",
  "difference",
  "fused ops ran on",
  "",
]


def print_table(rows):
  rows = [HEADINGS, *rows]
  widths = [max(map(len, column)) for column in zip(*rows)]
  for row in rows:
    cells = (cell.ljust(width) for cell, width in zip(row, widths))
    print("  ".join(cells).rstrip())
  print(
    "\nworkers: processes or devices that train\n"
    "accuracy: on 512 new sequences\n"
    "difference: the largest between a weight and the same weight after\n"
    "            training in one process with the same batches"
  )


def choose(names):
  """The layouts that can run, the one to compare with first."""
  wanted = [layout for layout in layouts.LAYOUTS if layout.name in names]
  for layout in wanted:
    if reason := layouts.why_not(layout):
      print(f"{layout.name} is left out: it {reason}")
  others = [
    one for one in wanted if one != REFERENCE and not layouts.why_not(one)
  ]
  return [REFERENCE, *others]


def main(arguments):
  """Returns the exit status: 1 if a layout failed, 130 after Ctrl-C."""
  chosen = choose(arguments.layouts)
  prepare_processes(chosen)
  outcomes, status = {}, 0
  with tempfile.TemporaryDirectory() as temporary:
    folder = arguments.save_to or temporary
    os.makedirs(folder, exist_ok=True)
    try:
      run_all(chosen, arguments, folder, outcomes)
    except KeyboardInterrupt:
      print("interrupted")
      status = 130
    if isinstance(outcomes.get(REFERENCE.name), layouts.Outcome):
      print_table([*make_rows(outcomes, arguments)])
  for name, outcome in outcomes.items():
    if isinstance(outcome, Exception):
      print(f"{name} failed: {outcome}", file=sys.stderr)
      status = status or 1
  return status


if __name__ == "__main__":
  ARGUMENTS = parse_arguments()
  try:
    sys.exit(main(ARGUMENTS))
  except KeyboardInterrupt:  # before or after the training
    sys.exit(130)
