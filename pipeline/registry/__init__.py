"""MLflow's runs and registered models, and the folders that models lie in."""
