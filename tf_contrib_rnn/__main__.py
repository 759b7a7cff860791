"""python -m tf_contrib_rnn."""

import sys

from tf_contrib_rnn import command

sys.exit(command.main())
