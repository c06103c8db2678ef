"""Feedback alignment and its relatives: errors go back another way than through the weights."""
