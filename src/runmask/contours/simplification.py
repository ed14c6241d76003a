from typing import Literal
Method = Literal["douglas-peucker", "visvalingam"]
def checked_simplification(tolerance, method): return tolerance, method
def simplify_together(): ...
