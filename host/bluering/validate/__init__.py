"""How often a model misses its word and how often it wakes by mistake, with honest intervals.

Data flows one way: corpus -> plan (parts) -> engine (one probability per step) -> scoring (curves)
-> report (JSON and HTML) -> compare and gate.
"""
