"""MLflow's runs and registered models, and model folders."""
