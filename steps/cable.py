"""The line between controller and terminal: what is lost, damaged or late on it."""
