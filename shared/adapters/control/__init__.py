"""The control database: its schema, who may do what there, and one store for each reader."""
