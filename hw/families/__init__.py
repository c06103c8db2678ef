"""What is known of each family of devices, one file each.

``models`` holds cell models that Yosys lacks.
"""

from bitwright.hw.families.catalogue import FAMILIES, FamilyError, get, part
from bitwright.hw.families.family import Family, Models, Place
from bitwright.hw.families.part import Part, PartError, nearest
from bitwright.hw.families.resources import Resources

__all__ = ["FAMILIES", "Family", "FamilyError", "Models", "Part", "PartError", "Place",
           "Resources", "get", "nearest", "part"]
