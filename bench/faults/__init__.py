"""Faults that `bench.planted_faults` plants, a module for each part of the source."""

from bench.faults import bench, hw, hw_flow, hw_rtl, ir, model, others

__all__ = ["FAULTS"]

FAULTS = [fault for part in (bench, hw, hw_flow, hw_rtl, ir, model, others) for fault in part.ROWS]
