"""The studies' numbers again, by PyTorch, NumPy and mpmath; see ../studies.py."""
