"""The coordinator: one transaction per decision, and the steps that only wait."""
