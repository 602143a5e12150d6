"""Planted bugs: one guard of the program taken out in a copy of the tree, and somebody must notice.

mutants   the table: what is taken out, why that is a bug, and who must notice
tree      the copy in which a bug is planted, and the machine that is run in it
verdict   what the machine's figures say: a broken promise, a mere crash, or nothing
"""
