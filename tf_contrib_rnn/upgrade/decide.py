"""What becomes of each use and each binding of a module."""

import dataclasses
import functools
from typing import Any
from typing import Optional

import libcst as cst

from tf_contrib_rnn.upgrade import names
from tf_contrib_rnn.upgrade.api import Api
from tf_contrib_rnn.upgrade.resolve import Binding
from tf_contrib_rnn.upgrade.resolve import dotted
from tf_contrib_rnn.upgrade.resolve import plain
from tf_contrib_rnn.upgrade.resolve import Resolver
from tf_contrib_rnn.upgrade.resolve import Use
from tf_contrib_rnn.upgrade.resolve import V1

# Who writes these means TensorFlow 2, though 1.15 had them.
_OF_TENSORFLOW_2 = ("tensorflow.GradientTape", "tensorflow.function")
_GONE = ("tensorflow.contrib", "tensorflow.estimator", "tensorflow.examples")
_SWITCHES = ("disable_v2_behavior", "disable_eager_execution")
_SESSIONS = frozenset(
  """
  tensorflow.InteractiveSession tensorflow.Session tensorflow.app.run
  tensorflow.train.MonitoredTrainingSession tensorflow.train.Supervisor
  """.split()
)


@dataclasses.dataclass(frozen=True)
class Finding:
  """Something for a person.

  Attributes:
    line: where, from 1; 0 for the whole file.
    name: what it is about.
    text: what to do, or what to know.
    is_open: whether the program does not run before it is done.
  """

  line: int
  name: str
  text: str
  is_open: bool = True


class Decisions:
  """What becomes of a module's names.

  Attributes:
    resolver: its names.
    findings: what a person has to do or know.
    needs: the packages to be imported: tf_contrib_rnn, tf_slim, tensorflow.
    version: the TensorFlow that it is for, 1 or 2; None if it does not say.
    uses_keras: whether it uses a part of TensorFlow that is Keras.
    uses_tensorflow: whether it uses TensorFlow by a name of its own.
    needs_graphs: whether it needs TensorFlow 1's behaviour: as a program of
      that, or as one that tf_upgrade_v2 changed, which leaves tf.contrib.
    makes_session: whether it makes a Session outside of functions.
    is_switched: whether it turns TensorFlow 2's behaviour off already.
  """

  def __init__(
    self,
    resolver: Resolver,
    api: Optional[Api],
    api_of_2: Optional[Api],
    keep_tf_rnn: bool,
  ):
    self.resolver = resolver
    self.findings: list[Finding] = []
    self.needs: set[str] = set()
    self.uses_keras = False
    self._api = api
    self._keep_tf_rnn = keep_tf_rnn
    meanings = [use.meaning for use in resolver.uses]
    self.is_switched = any(
      meaning.rpartition(".")[2] in _SWITCHES for meaning in meanings
    )
    imports = [b for b in resolver.bindings if b.is_import]
    self.uses_tensorflow = any(
      b.meaning.split(".")[0] in ("tensorflow", names.HERE) for b in imports
    ) or any(map(_is_star_of_tensorflow, resolver.imports))
    self.version = self._find_version(api_of_2)
    self.needs_graphs = self.version == 1 or self._is_half_upgraded(meanings)
    self.makes_session = any(
      plain(use.meaning) in _SESSIONS and resolver.is_at_top(use.node)
      for use in resolver.uses
    )

  def _is_half_upgraded(self, meanings: list[str]) -> bool:
    """Whether tf_upgrade_v2 changed it: it uses compat.v1 and tf.contrib."""
    uses = self.resolver.uses
    full = [".".join([use.binding.written, *use.attributes]) for use in uses]
    return (
      any(name.startswith(V1 + ".") for name in full)
      and any(map(is_gone, meanings))
      and not any(plain(m).startswith(_OF_TENSORFLOW_2) for m in meanings)
    )

  @property
  def switch(self) -> str:
    """The statement that turns TensorFlow 2's behaviour off."""
    v1 = "" if self.version == 1 else "compat.v1."
    return f"{self.name_of_tensorflow}.{v1}disable_v2_behavior()"

  def _find_version(self, api: Optional[Api]) -> Optional[int]:
    """Which TensorFlow the module is for: 1, 2, or None if it does not say."""
    version = None
    for use in self.resolver.uses:
      meaning = plain(use.meaning)
      full = ".".join([use.binding.written, *use.attributes])
      if use.binding.written.startswith(V1):
        return 1
      if full.startswith(V1 + ".") or meaning.startswith(_OF_TENSORFLOW_2):
        version = 2  # as tf_upgrade_v2 leaves it, perhaps with tf.contrib
      elif api and api.first_missing(meaning):
        return 1
      elif is_gone(meaning):
        version = version or 1
    has_gone = any(
      b.is_import and is_gone(b.meaning) for b in self.resolver.bindings
    )
    if version is None and (has_gone or self._takes_1_by_star(api)):
      return 1
    if version is None and self.resolver.calls_numpy:
      return 2
    return version

  def take_for_1(self) -> None:
    """Takes a module that does not say its TensorFlow for one of 1."""
    if self.version is not None:
      return
    self.version = 1
    self.needs_graphs = True
    if any(b.meaning == "tensorflow" for b in self.resolver.bindings):
      text = (
        "does not say which TensorFlow it is for; taken for TensorFlow 1, as "
        "other files are"
      )
      self.findings.append(Finding(0, "the file", text, is_open=False))

  def _takes_1_by_star(self, api: Optional[Api]) -> bool:
    """Whether `from tensorflow import *` brings a name of TensorFlow 1."""
    has_star = any(map(_is_star_of_tensorflow, self.resolver.imports))
    unknown = {f"tensorflow.{node.value}" for node in self.resolver.unknown}
    return has_star and any(
      api and api.first_missing(name) and not self._first_missing(name)
      for name in unknown
    )

  def stays(self, node: Any) -> bool:
    """Whether an import is a star that a program of TensorFlow 2 keeps."""
    return _is_star_of_tensorflow(node) and self.version != 1

  @property
  def uses_slim(self) -> bool:
    """Whether it uses tf_slim after the upgrade."""
    return any(need.startswith(names.SLIM) for need in self.needs) or any(
      binding.now.startswith(names.SLIM) for binding in self.resolver.bindings
    )

  def find(self, name: str) -> Optional[names.Rule]:
    return names.find(plain(name), self._keep_tf_rnn)

  def full(self, name: str) -> str:
    """A name of TensorFlow 1.15 as this module is to write it in full."""
    if name.split(".")[0] != "tensorflow" or self.version != 1:
      return name
    return V1 + name[len("tensorflow") :]

  # Bindings.

  def settle_bindings(self) -> None:
    """Says what each binding stands for after the upgrade."""
    for binding in self.resolver.bindings + self.resolver.remote:
      binding.now = self._now_of(binding)

  def _now_of(self, binding: Binding) -> str:
    if binding.source is not None:
      return binding.source.now or binding.source.meaning
    written, meaning = binding.written, binding.meaning
    if meaning.split(".")[0] != "tensorflow":
      return written
    if not binding.is_import:
      return self.target_of(meaning) or self.full(meaning)
    if self.is_probe(binding):
      return written
    target = self.target_of(meaning)
    if target is not None:
      return target if self._can_become(binding, target) else written
    if written.startswith(V1):
      return written
    if meaning == "tensorflow":
      is_part = binding.path not in ("", "tensorflow")
      return (
        written if is_part and not is_gone(binding.path) else self.full(meaning)
      )
    stays = ("contrib", "python", "keras", "core", "examples", "models")
    if meaning.split(".")[1] in stays or meaning.startswith(
      "tensorflow.compat"
    ):
      return written
    return self.full(meaning)

  def target_of(self, meaning: str) -> Optional[str]:
    """What a rule makes of a name, in full; None if it stays."""
    rule = self.find(meaning)
    return self.full(rule.new) if rule and rule.new else None

  def _can_become(self, binding: Binding, target: str) -> bool:
    """Whether all that is used of a module is in the one that follows it."""
    if not binding.meaning.startswith("tensorflow.python"):
      return True  # the old one is gone
    for use in binding.uses:
      new = self.target_of(use.meaning)
      if new is None or not (new + ".").startswith(target + "."):
        return False
    return True

  # Uses.

  def decide_uses(self) -> None:
    """Says what replaces each use, and lists what has no home."""
    bare = []
    for use in self.resolver.uses:
      if plain(use.meaning) == "tensorflow.contrib":
        bare.append(use)
      else:
        self._decide(use)
    for use in bare:
      self._decide_bare(use)
    for call in self.resolver.calls_by_name:
      self._decide_call(*call)
    for use in self.resolver.numbers_first:
      if plain(use.meaning) in names.REORDERED:
        text = "had another order of arguments before TensorFlow 1.0; change it"
        self._add(use.node, plain(use.meaning), text)
    for node in self.resolver.maybe:
      name = self.resolver.code(node)
      self._add(
        node,
        name,
        "not changed: it may be TensorFlow's; then change it by hand",
      )
    for string, value, is_run in self.resolver.strings:
      text = (
        "is a string with a name that TensorFlow 2 does not have; change it by "
        "hand if the program imports it"
      )
      self._add(string, value, text, is_run)

  def _decide_bare(self, use: Use) -> None:
    """tf.contrib alone: nothing to do if it is given a name that can go."""
    aliases = [b for b in self.resolver.bindings if not b.is_import]
    if any(b.node.value is use.node and self.can_go(b) for b in aliases):
      return
    use.is_open = True
    self._add(
      use.node, use.meaning, "tf.contrib is gone; see what is taken from it"
    )

  def _decide_call(self, node: Any, use: Use, name: str) -> None:
    """hasattr(tf, "contrib") and getattr, with a name as a string."""
    meaning = f"{plain(use.meaning)}.{name}"
    rule = self.find(meaning)
    has_no_home = rule is not None and rule.new is None
    is_gone = meaning == "tensorflow.contrib" or rule
    stays = use.new is not None or self._stays(use, meaning)
    if is_gone and (has_no_home or not stays):
      is_open = node.func.value == "getattr"
      text = "is looked for by its name; TensorFlow 2 does not have it there"
      use.is_open |= is_open
      self._add(node, meaning, text, is_open)

  def _stays(self, use: Use, meaning: str) -> bool:
    """Whether a name is where it was, after the upgrade."""
    target = self.target_of(meaning)
    return target is not None and (
      plain(use.now).split(".")[0] == target.split(".")[0]
    )

  def _decide(self, use: Use) -> None:
    meaning = plain(use.meaning)
    self.uses_keras |= names.is_keras(meaning)
    if len({binding.now for binding in use.bindings}) > 1:
      self._decide_of_several(use, meaning)
      return
    rule = self.find(meaning)
    if not use.is_certain and self._would_change(use, rule):
      use.is_open = True
      self._add(
        use.node,
        meaning,
        "not changed: it is not always TensorFlow's",
      )
    elif rule is None:
      self._check(use, meaning)
    elif rule.new is None:
      use.is_open = True
      self._add(use.node, meaning, rule.advice)
    else:
      target = self.full(rule.new)
      note = names.note(rule.new)
      if note:
        self._add(use.node, rule.new, note, is_open=False)
      if plain(use.now) != plain(target):
        self._replace(use, target)
      elif use.binding.now == names.SLIM and ".nets." in target:
        self.needs.add(self._module_to_import(target))

  def _replace(self, use: Use, target: str) -> None:
    """Writes another name in place of a use, if that can be seen there."""
    text, needed = self._write(target)
    first = text.split(".")[0]
    if self.resolver.is_hidden(use.node, first):
      use.is_open = True
      why = f"not changed: the variable {first} hides the module {first}"
      self._add(use.node, plain(use.meaning), why)
    else:
      use.new = text
      self.needs.add(needed)

  def _would_change(self, use: Use, rule: Optional[names.Rule]) -> bool:
    """Whether a use can't stay as it is."""
    if rule is None or rule.new is None:
      return rule is not None
    return plain(use.now) != plain(self.full(rule.new))

  def _decide_of_several(self, use, meaning):
    """A name that a try or an if decides: right if each of its bindings is."""
    for binding in use.bindings:
      full = plain(".".join([binding.meaning, *use.attributes]))
      rule = self.find(full)
      now = plain(".".join([binding.now, *use.attributes]))
      if rule and rule.new and plain(self.full(rule.new)) != now:
        use.is_open = True
        self._add(
          use.node,
          meaning,
          "not changed: an if or try gives it several meanings",
        )
        return

  def _check(self, use: Use, meaning: str) -> None:
    """Lists a name that TensorFlow 2 has not."""
    if is_gone(meaning):
      use.is_open = True
      self._add(use.node, meaning, names.advice(meaning))
      return
    missing = self._first_missing(meaning)
    if missing:
      use.is_open = True
      of_import = len(missing) <= len(use.binding.meaning)
      node = use.binding.node if of_import else use.node
      self._add(
        node, missing, "TensorFlow 2 does not have it, not even in compat.v1"
      )
    if meaning in ("tensorflow.__version__", "tensorflow.VERSION"):
      self._add(
        use.node,
        meaning,
        "is now that of TensorFlow 2; check what the program does with it",
        is_open=False,
      )

  def _first_missing(self, meaning: str) -> Optional[str]:
    return self._api.first_missing(plain(meaning)) if self._api else None

  def is_gone(self, name: str) -> bool:
    """Whether importing a name fails with TensorFlow 2."""
    return is_gone(name) or self._first_missing(name) is not None

  def _is_bound_again(self, binding: Binding) -> bool:
    """Whether another import binds the first part of `import a.b.c`."""
    return any(
      other is not binding
      and other.is_import
      and other.local == binding.local
      and other.path in ("", other.local)
      for other in self.resolver.bindings
    )

  def is_probe(self, binding: Binding) -> bool:
    """Whether an import is only there to find out whether it fails.

    It is in a try, all of whose imports have no home and are not used.
    """
    tried = binding.is_import and self.resolver.try_of(binding.node)
    return bool(tried) and all(
      not other.uses and self._has_no_home(other)
      for other in self.resolver.bindings
      if other.is_import and self.resolver.try_of(other.node) is tried
    )

  def _has_no_home(self, binding: Binding) -> bool:
    """Whether an import is of a part of tf.contrib that nothing follows."""
    name = plain(binding.path or binding.meaning)
    is_contrib = name == "tensorflow.contrib"
    return is_gone(name) and not is_contrib and self.target_of(name) is None

  def can_go(self, binding: Binding) -> bool:
    """Whether nothing is left in the module that needs a binding."""
    if not self.is_gone(binding.path or binding.now):
      return False
    if binding.path and self._is_bound_again(binding):
      return True
    if not self.resolver.is_variable(binding):
      return False  # an attribute of a class, used by others
    if not binding.is_import and not binding.uses:
      return False  # an attribute of the module, perhaps
    if binding.source is None and self.is_probe(binding):
      return False
    return all(use.new for use in binding.uses)

  def _write(self, target: str) -> tuple[str, str]:
    """How the module writes a full name, and what it has to import for it."""
    if target.split(".")[0] != "tensorflow":
      return target, self._module_to_import(target)
    rest = plain(target)[len("tensorflow") :]
    return self.name_of_tensorflow + rest, "tensorflow"

  @staticmethod
  def _module_to_import(target: str) -> str:
    """The module that has to be imported for a full name to be found."""
    package, *rest = target.split(".")
    if rest[:1] == ["nets"]:
      return ".".join([package, *rest[:2]])
    is_linear = package == names.HERE and rest[:1] == ["linear"]
    return f"{package}.linear" if is_linear else package

  @functools.cached_property
  def name_of_tensorflow(self) -> str:
    """The module's name for TensorFlow, or the usual one."""
    others = set()
    for binding in self.resolver.bindings:
      is_global = binding.is_import and self.resolver.is_global(binding)
      if binding.meaning == "tensorflow" and is_global and binding.alias:
        return binding.local
      if binding.meaning != "tensorflow":
        others.add(binding.local)
    return "tf1" if "tf" in others else "tf"

  def _add(self, node, name, text, is_open=True):
    line = self.resolver.line_of(node)
    self.findings.append(Finding(line, short(name), text, is_open))


def short(name: str) -> str:
  """A full name as people write it."""
  is_below = name.startswith("tensorflow.")
  return "tf" + name[len("tensorflow") :] if is_below else name


def _is_star_of_tensorflow(node: Any) -> bool:
  return (
    isinstance(getattr(node, "names", None), cst.ImportStar)
    and not node.relative
    and dotted(node.module) == "tensorflow"
  )


def is_gone(name: str) -> bool:
  """Whether a name is in a part of TensorFlow 1 that is no more."""
  return plain(name).startswith(_GONE)
