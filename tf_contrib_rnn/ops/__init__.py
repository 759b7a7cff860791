"""The fused ops, the compositions that do the same, and which of them runs."""
