"""Are the backups good, and is everything there that the next one needs?"""
