"""Drift monitoring: compare the service's traffic with the champion's reference data."""
