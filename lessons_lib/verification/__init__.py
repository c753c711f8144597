"""Do the lessons give here what they store? Where they don't: is it the text, a version, or the device?"""
