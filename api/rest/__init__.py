"""REST over the same data, and the endpoints for operators."""
