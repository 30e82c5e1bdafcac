"""The scenario vocabulary: what a person can say in a feature file, by actor."""
