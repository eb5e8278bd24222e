"""All SQL of this process: one module a subject."""
