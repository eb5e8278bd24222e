"""Pure federated learning: no chain, no network, no clock. Whoever runs it brings those.

seeds      one seed for each purpose, derived from what everybody knows
partition  who trains on which samples
updates    what a participant hands in
aggregate  many updates into one, the same bytes for everybody
sorting    sorting many short columns at once
errors     what can be wrong, by field
"""
