"""What a job was, told afterwards: one document, and the forms in which people read it."""
