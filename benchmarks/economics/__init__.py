"""What honesty, cheating, lazy auditing and collusion earn under the contracts' own rules, by simulation."""
