"""The payment cloud: calls that fail, answers that mislead, news that comes twice."""
