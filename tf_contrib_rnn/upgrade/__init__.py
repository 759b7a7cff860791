"""Rewriting TensorFlow 1 programs: the command `tf-contrib-rnn upgrade`.

`names` has the rules; `resolve` says what a module's names mean; `decide` what
becomes of them; `rewrite` writes it; `project` puts files together; `start`
adds what a program has to do first; `source` reads and writes files; `api` has
TensorFlow 2's names; `report` and `run` are what a person sees.
"""
