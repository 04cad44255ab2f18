SET LOCAL role_note.x = 'y'
