"""The script that runs all GPU programs, and those of them without nvcc."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import time

import gpu_chart
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


def load_script():
  path = ROOT / "tools" / "run_on_gpu.py"
  spec = importlib.util.spec_from_file_location("run_on_gpu", path)
  module = importlib.util.module_from_spec(spec)
  sys.modules[spec.name] = module
  spec.loader.exec_module(module)
  return module


script = load_script()


def test_programs_are_there():
  for steps in script.PARTS.values():
    for step in steps:
      assert (ROOT / step.program.split()[0]).is_file()
    run = [step for step in steps if step.name != "build"]
    assert sum(step.seconds for step in run) <= 60 * script.MINUTES


# A step that waits in a process of its own: it is to end with the step.
WAITS = """
import subprocess, sys
print("begins", flush=True)
subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"])
"""


@pytest.fixture(name="parts")
def fixture_parts(tmp_path, monkeypatch):
  """Steps of which some go wrong."""
  programs = {
    "good.py": "import sys\nprint(sys.argv[1:])\nprint('| a | b |\\n\\n')\n",
    "bad.py": "raise SystemExit('no such thing')\n",
    "slow.py": WAITS,
    "none.py": "print('none.py: left out, there is nothing')\n",
    "writes.py": "import sys\nopen(sys.argv[-1], 'w').write('{}')\n",
  }
  for name, text in programs.items():
    (tmp_path / name).write_text(text)
  step = script.Step
  steps = [
    step("bad", "bad.py", 60),
    step("slow", "slow.py", 1, takes_on_host=False),
    step("gpu", "bad.py", 60, needs_gpu=True),
    step("good", "good.py --x", 60),
    step("none", "none.py", 60),
    step("writes", "writes.py", 60, "figures.json"),
  ]
  monkeypatch.setattr(script, "ROOT", tmp_path)
  monkeypatch.setattr(script, "PARTS", {"kernels": steps})


@pytest.mark.usefixtures("parts")
def test_it_goes_on_after_failures(tmp_path, capsys):
  folder = tmp_path / "new" / "out"
  start = time.monotonic()
  assert script.run("kernels", folder, on_host=True, minutes=1) == 1
  assert time.monotonic() - start < 50
  report = json.loads((folder / "report.json").read_text("utf-8"))
  found = {step["step"]: step for step in report["steps"]}
  assert [*found] == ["bad", "slow", "good", "none", "writes"]
  assert found["bad"]["verdict"] == "FAILED (1)"
  assert found["slow"]["verdict"] == "FAILED: took longer than 1 s"
  assert found["slow"]["last line"] == "begins"
  assert found["good"]["verdict"] == found["writes"]["verdict"] == "passed"
  assert found["good"]["last line"] == "| a | b |"
  assert found["none"]["verdict"] == "LEFT OUT"
  assert (folder / "figures.json").read_text("utf-8") == "{}"
  log = (folder / "log.txt").read_text("utf-8")
  assert "no such thing" in log and "['--x', '--on-host']" in log
  printed = capsys.readouterr().out
  assert "no such thing" in printed
  assert "| slow | FAILED: took longer than 1 s |" in printed
  # A second run begins anew.
  script.run("kernels", folder, on_host=True, minutes=1)
  assert (folder / "log.txt").read_text("utf-8") == log


@pytest.mark.usefixtures("parts")
def test_all_steps_together_have_a_limit(tmp_path):
  assert script.run("kernels", tmp_path / "out", on_host=False, minutes=0) == 1
  report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
  assert len(report["steps"]) == 6


def test_nothing_runs_without_a_build(tmp_path, monkeypatch):
  (tmp_path / "bad.py").write_text("raise SystemExit('no compiler')")
  build = script.Step("build", "bad.py", 60, takes_on_host=False)
  monkeypatch.setattr(script, "ROOT", tmp_path)
  monkeypatch.setattr(script, "BUILD", build)
  monkeypatch.setattr(script, "PARTS", {"kernels": [build] * 2})
  assert script.run("kernels", tmp_path / "out", on_host=False, minutes=1) == 1
  report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
  assert [step["last line"] for step in report["steps"]] == ["no compiler"]


def test_without_an_output_it_says_so():
  command = [sys.executable, str(ROOT / "tools" / "run_on_gpu.py"), "jax"]
  result = subprocess.run(command, capture_output=True, text=True)
  assert result.returncode == 2 and "--output" in result.stderr


def test_chart(tmp_path):
  names = ["cuDNN LSTM", "cuDNN GRU", "IndRNN", "IndyGRU", "IndyLSTM", "SRU"]
  rows = [
    {
      "batch": 4,
      "units": 3,
      "time": time,
      "seconds": {name: time / 1e3 + i for i, name in enumerate(names)},
    }
    for time in (8, 2, 4)
  ]
  rows.append({**rows[0], "batch": 1})  # at one length alone
  figures = {"versions": {"device": "none"}, "layers": rows}
  assert [*gpu_chart.group(figures)] == [(4, 3)]
  gpu_chart.draw(figures, tmp_path / "chart.png")
  assert (tmp_path / "chart.png").read_bytes()[:4] == b"\x89PNG"
  with pytest.raises(ValueError, match="expected layers of several lengths"):
    gpu_chart.draw({**figures, "layers": rows[:1]}, tmp_path / "none.png")


CHECK_TENSORFLOW = ROOT / "tests" / "gpu" / "check_tensorflow.py"


@pytest.mark.long
def test_tensorflow_on_the_host():
  result = subprocess.run(
    [sys.executable, str(CHECK_TENSORFLOW), "--on-host"],
    capture_output=True,
    text=True,
  )
  assert result.returncode == 0, result.stdout + result.stderr
  assert "8 of 8 checks passed in TensorFlow" in result.stdout


def test_tensorflow_without_a_gpu_is_left_out():
  result = subprocess.run(
    [sys.executable, str(CHECK_TENSORFLOW)],
    capture_output=True,
    text=True,
    env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
  )
  assert result.returncode == 0, result.stdout + result.stderr
  assert "left out, TensorFlow sees no GPU" in result.stdout
