"""What a network says about a user's own samples: from the golden evaluator, or from a device.

Commands that a machine beside the board runs: NumPy is enough, and pyserial for the board.
"""
