from .stack import AcousticModel
from .ops import xavier

__all__ = ["AcousticModel", "xavier"]
