"""How tables are made of what trains. A new way is one file, and one import line here."""

from bitwright.model.lookup.parametrisations.entries import Entries
from bitwright.model.lookup.parametrisations.fixed import Majority, Or
from bitwright.model.lookup.parametrisations.gates import Gates
from bitwright.model.lookup.parametrisations.mlp import Mlp
from bitwright.model.lookup.parametrisations.parametrisation import (
    START,
    Parametrisation,
    Start,
    check_table,
)
from bitwright.model.lookup.parametrisations.walsh import Walsh

__all__ = ["START", "Entries", "Gates", "Majority", "Mlp", "Or", "Parametrisation", "Start",
           "Walsh", "check_table"]
