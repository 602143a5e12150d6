"""Looks at everything that a run needs, and says what is wrong and what mends it. It only reads."""
