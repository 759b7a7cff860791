from tensorflow import *

y = constant(1.0)
