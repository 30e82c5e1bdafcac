"""The virtual forecourt: terminal, cloud, card issuer, vehicle, charger, faults."""
