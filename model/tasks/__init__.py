"""What networks are trained for. A new task is one file, and one import line here."""

from bitwright.model.tasks.classification import Classification
from bitwright.model.tasks.task import Task

__all__ = ["Classification", "Task"]
