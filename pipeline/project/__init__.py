"""What every stage needs of the project: its paths, parameters, files, errors, and how a stage is run."""
