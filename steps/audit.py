"""Questions about a whole case that no single event answers."""
