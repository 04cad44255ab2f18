"""The compose stack: what each service gets, and what is made before the first start."""
