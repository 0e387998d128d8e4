"""Priors over neighbours, domain-free: what lies side by side is likely alike."""
