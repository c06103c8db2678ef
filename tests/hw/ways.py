"""Components of single nodes, chosen as a plan would."""

import dataclasses

from bitwright import ir
from bitwright.hw.plan import FOLDED, UNROLLED, Plan
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.realisation import Site

__all__ = ["choice", "folded_node", "unrolled_node"]

PLAN = Plan()


def choice(node, plan, way, **settings):
    plan = dataclasses.replace(plan, nodes={"node": {"way": way, **settings}})
    return choose(ir.Entry("node", node, ("input",)), plan)


def unrolled_node(node, plan=PLAN, registered=True):
    return choice(node, plan, UNROLLED).build(Site(registered=registered))


def folded_node(node, cycles, plan=PLAN, **settings):
    return choice(node, plan, FOLDED, cycles=cycles, **settings).build()
